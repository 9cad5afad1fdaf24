"""`nbtrack completion`: what a shell reads to complete the command."""

from __future__ import annotations

import click

from nbtrack.cli.completing import script_of
from nbtrack.cli.frame import Verb, say_json, say_text, with_options


@click.command("completion", cls=Verb)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@with_options
@click.pass_context
def completion(
    ctx: click.Context, shell: str, *, store_path: str | None, as_json: bool
) -> None:
    """Print what a shell reads to complete verbs, runs, artifacts, models, columns.

    In ~/.bashrc: eval "$(nbtrack completion bash)"; for zsh the same in ~/.zshrc; for
    fish: nbtrack completion fish > ~/.config/fish/completions/nbtrack.fish
    """
    script = script_of(shell, ctx.find_root().command)
    if as_json:
        say_json({"shell": shell, "script": script})
    else:
        say_text(script)
