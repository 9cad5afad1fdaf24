"""`nbtrack run`: a plain Python script, tracked as a cell is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from nbtrack.cli.frame import Verb, with_options
from nbtrack.text import shorten, visible


class _RunVerb(Verb):
    """What stands behind the script, or behind the module of `-m`, is the script's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Draw the line behind the module; behind a script click draws it."""
        return super().parse_args(ctx, with_line_drawn(args, self._flags()))

    def _flags(self) -> set[str]:
        options = [p for p in self.params if isinstance(p, click.Option)]
        return {word for p in options if p.is_flag for word in p.opts} | {"--help"}


@click.command("run", cls=_RunVerb, context_settings={"allow_interspersed_args": False})
@click.option("-m", "--module", metavar="MODULE", help="A module, as python -m.")
@click.option("-n", "--name", metavar="NAME", help="Default: the script's name.")
@click.option("-e", "--experiment", metavar="NAME", help="Default: the script's name.")
@click.option("-p", "--param", multiple=True, metavar="NAME=X", help="A param: lr=.1")
@click.option("-t", "--tag", multiple=True, metavar="TAG", help="first, 'data: mnist'")
@click.option("-g", "--group", metavar="NAME", help="One word that runs share.")
@click.option("--notes", default="", metavar="TEXT", help="In markdown.")
@click.option("--metric", multiple=True, metavar="NAME:min", help="Or NAME:max.")
@click.option("-w", "--watch", multiple=True, metavar="NAME", help="Values to record.")
@click.option("--no-watch", is_flag=True, help="Only what is logged or in --watch.")
@click.option("--seed", metavar="N", help="Seed random, NumPy and PyTorch first.")
@click.option("--resume", metavar="RUN", help="Go on with a run; or last.")
@click.option("--keep", multiple=True, metavar="WORDS", help="best,last,top3")
@click.option("--budget", metavar="SIZE", help="What its checkpoints may take.")
@click.option("--alert", multiple=True, metavar="RULE", help="'loss > 10', finished")
@click.option("--off", multiple=True, metavar="WORDS", help="Not to capture: system")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT [ARGS]...")
@with_options
def run(
    module: str | None,
    words: Sequence[str],
    *,
    store_path: str | None,
    as_json: bool,
    **given: Any,  # as click took them
) -> None:
    """Run a script as python does, and track it.

    Nothing in the script is edited: params (argparse's too), metrics, files, code and
    output are recorded as in a cell under %%track. Its arguments, output, exit status
    and traceback are its own. One line on stderr says at the end what was captured,
    and which alerts came; with --json that line is JSON. With --help behind the script
    it is only asked for its help.
    """
    from nbtrack.scripts.asked import Asked
    from nbtrack.tracked.options import checked_options, evaluate_params

    options = _options_of(given)
    evaluate_params(checked_options(**options).params, {})  # a slip is said here
    target, arguments = _target(module, list(words))
    asked = Asked(target, module is not None, options, says_json=as_json)
    # Who asks a script for its help gets that, and no run of it.
    is_run = "--help" not in arguments
    command = (asked.command if is_run else asked.plain_command)(arguments)
    os.execve(command[0], command, _environment(store_path))  # noqa: S606


def with_line_drawn(args: Sequence[str], flags: set[str]) -> list[str]:
    """The words with `--` behind `-m MODULE`, where that stands among the options.

    >>> with_line_drawn(["--json", "-m", "pkg.train", "--lr", "1"], {"--json"})
    ['--json', '-m', 'pkg.train', '--', '--lr', '1']
    """
    at = 0
    while at < len(args) and args[at][:1] == "-" and args[at] not in ("-", "--"):
        word = args[at]
        has_value = "=" in word or (word[:2] != "--" and len(word) > 2)
        after = at + (1 if has_value or word in flags else 2)
        if word.partition("=")[0] == "--module" or word[:2] == "-m":
            return [*args[:after], "--", *args[after:]]
        at = after
    return list(args)


def _options_of(given: dict[str, Any]) -> dict[str, Any]:
    """As `checked_options` names them."""
    return {
        "name": given["name"],
        "experiment": given["experiment"],
        "params": list(given["param"]),
        "tags": list(given["tag"]),
        "group": given["group"],
        "notes": given["notes"],
        "goals": list(given["metric"]),
        "watch": list(given["watch"]),
        "zero_edit": not given["no_watch"],
        "seed": given["seed"],
        "resume": given["resume"],
        "keep": list(given["keep"]),
        "budget": given["budget"],
        "alerts": list(given["alert"]),
        "off": list(given["off"]),
    }


def _target(module: str | None, words: list[str]) -> tuple[str, list[str]]:
    """What is run, and with which arguments."""
    if module is not None:
        return module, words
    if not words:
        raise click.UsageError("Which script? nbtrack run train.py, or -m MODULE.")
    path = words[0]
    if os.path.isfile(path):
        return path, words[1:]
    what = "a folder" if os.path.isdir(path) else "no file"
    shown = shorten(visible(path), 200)
    raise click.UsageError(f"{shown} is {what}: nbtrack run takes a Python script.")


def _environment(store_path: str | None) -> dict[str, str]:
    """That of this process; `--store` is said in it, to what the script starts too."""
    if store_path is None:
        return dict(os.environ)
    path = os.path.abspath(os.path.expanduser(store_path))
    return {**os.environ, "NBTRACK_STORE": path}
