"""`nbtrack diff`: why two runs differ, as text or as JSON."""

from __future__ import annotations

import click

from nbtrack.cli.frame import Verb, opened, say, say_json, with_options


@click.command("diff", cls=Verb)
@click.argument("a")
@click.argument("b", default="last")
@click.option(
    "--other", metavar="PATH", help="B lies in the store of that folder; only read."
)
@with_options
def diff(
    a: str, b: str, *, other: str | None, store_path: str | None, as_json: bool
) -> None:
    """Show why two runs differ: what most likely made the difference, and the rest.

    A, B: id, name, the beginning of an id, or last (B's default).
    """
    from nbtrack.slices.diff import diff as diff_runs

    with opened(store_path) as store:
        found = diff_runs(a, b, store=store, other=other)
    if as_json:
        say_json(found.to_dict())
        return
    for line in repr(found).split("\n"):
        say(line)
