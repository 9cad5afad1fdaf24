"""`nbtrack salvage`: what can be read of a damaged store, as a new one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from nbtrack.cli.frame import Verb, say, say_json, with_options


@click.command("salvage", cls=Verb)
@click.option("-o", "--output", required=True, metavar="DIR", help="Not there yet.")
@with_options
@click.pass_context
def salvage(
    ctx: click.Context, output: str, *, store_path: str | None, as_json: bool
) -> None:
    """Write what can be read of a damaged store as a new one.

    The damaged store is only read. Says by table what was lost; the exit status is 1
    where anything was.
    """
    from nbtrack.store.locate import folder_for
    from nbtrack.store.salvage.salvaging import salvage as save

    made = save(folder_for(store_path, None), Path(output).expanduser())
    if as_json:
        say_json(asdict(made) | {"whole": made.is_whole})
    else:
        for line in str(made).splitlines():
            say(line)
    ctx.exit(0 if made.is_whole else 1)
