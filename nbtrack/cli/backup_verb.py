"""`nbtrack backup`: a copy of the store, while others write to it."""

from __future__ import annotations

from pathlib import Path

import click

from nbtrack.cli.frame import Verb, opened, say_report, with_options


@click.command("backup", cls=Verb)
@click.option(
    "-o", "--output", required=True, metavar="DIR|FILE.zip", help="Not there yet."
)
@with_options
def backup(output: str, *, store_path: str | None, as_json: bool) -> None:
    """Copy the store, database and files, as it is at one moment.

    Whoever writes to it goes on. The copy is itself a store: nbtrack ls --store DIR.
    """
    from nbtrack.store.backup import back_up

    with opened(store_path) as store:
        made = back_up(store, Path(output).expanduser())
    say_report(made, as_json=as_json)
