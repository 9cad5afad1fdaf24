"""`nbtrack purge`: runs removed for good, bytes and all."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from nbtrack.cli.frame import Verb, opened, say, say_json, with_options
from nbtrack.text import shorten, visible

_NAMED_MAX = 10


@click.command("purge", cls=Verb)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_options
def purge(
    runs: Sequence[str], *, yes: bool, store_path: str | None, as_json: bool
) -> None:
    """Remove runs for good: rows, points, and files that only they name.

    What is freed is written over. Asks first on a terminal; elsewhere it needs --yes.
    A version that is registered, or has an alias of yours, stays.
    """
    with opened(store_path) as store:
        found = {run.id: run for run in map(store.run, runs)}
        if not yes:
            _ask([f"{run.name} ({run.id})" for run in found.values()])
        for id_ in found:
            store.purge(id_)
    if as_json:
        say_json([{"run": run.id, "name": run.name} for run in found.values()])
        return
    for run in found.values():
        say(f"purged {run.name} · {run.id}")


def _ask(named: Sequence[str]) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: give --yes.")
    for name in named[:_NAMED_MAX]:
        click.echo(f"  {shorten(visible(name))}", err=True)
    if len(named) > _NAMED_MAX:
        click.echo(f"  … and {len(named) - _NAMED_MAX} more", err=True)
    n = len(named)
    click.confirm(
        f"Remove {'this run' if n == 1 else f'these {n} runs'} for good?",
        abort=True,
        err=True,
    )
