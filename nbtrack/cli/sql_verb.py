"""`nbtrack sql`: a question to the store in SQL, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import click

from nbtrack.cli.frame import (
    Verb,
    opened,
    say_json,
    say_table,
    say_text,
    with_options,
)
from nbtrack.text import csv_cell


@click.command("sql", cls=Verb)
@click.argument("statement", metavar="SELECT")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@with_options
def sql(statement: str, *, as_csv: bool, store_path: str | None, as_json: bool) -> None:
    """Ask the store in SQL; it can only be read.

    nbtrack sql "select name, best from summaries". Views and tables: runs, params,
    tags, summaries, points, checkpoints; see nbtrack.sql. In CSV, text that a
    spreadsheet would take for a formula has a ' before it.
    """
    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json, not both.")
    with opened(store_path) as store:
        columns, rows = store.sql(statement)
    if as_json:
        say_json([dict(zip(columns, map(_plain, row), strict=True)) for row in rows])
    elif as_csv:
        say_text(_csv(columns, rows))
    else:
        say_table(columns, [[_plain(value) for value in row] for row in rows])


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    lines.writerows([csv_cell(value) for value in row] for row in [columns, *rows])
    return text.getvalue()


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
