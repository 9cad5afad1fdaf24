"""`nbtrack merge`: the runs of another store, into this one."""

from __future__ import annotations

import click

from nbtrack.cli.frame import Verb, opened, say_report, with_options


@click.command("merge", cls=Verb)
@click.argument("other", metavar="OTHER")
@click.option("--into", metavar="PATH", help="The same as --store.")
@with_options
def merge(
    other: str, *, into: str | None, store_path: str | None, as_json: bool
) -> None:
    """Take all runs of the store OTHER into this one.

    With all that belongs to them: metrics, files, artifacts, models. What is here
    stays as it is; OTHER is only read. A store is made where there is none. To merge
    again changes nothing.
    """
    if into is not None and store_path is not None:
        raise click.UsageError("Give --into or --store, not both.")
    with opened(into or store_path, create=True) as store:
        done = store.merge(other)
    say_report(done, as_json=as_json)
