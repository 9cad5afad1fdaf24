"""What all verbs share: the options, tables and JSON, errors in one line.

Text of runs is data: control, ANSI and bidi characters are shown as escapes, whatever
the terminal would make of them. Errors of ours become one line and status 1, or 2 where
the command line is at fault; nobody sees a traceback for them.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nbtrack import __version__
from nbtrack.errors import NbtrackError, OptionError, QueryError
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store

CELL_MAX = 64  # characters of a cell of a table: a sha256 is whole
ERROR_MAX = 1000
Call = TypeVar("Call", bound=Callable[..., Any])


class _Spoken(click.Command):
    """A command whose errors are one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except (QueryError, OptionError) as exc:
            raise click.UsageError(said(exc), ctx) from exc
        except NbtrackError as exc:
            raise click.ClickException(said(exc)) from exc


class Verb(_Spoken):
    """One verb."""


class Verbs(_Spoken, click.Group):
    """A verb that has verbs of its own."""

    command_class = Verb

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.name == "nbtrack":
            click.version_option(__version__, prog_name="nbtrack")(self)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`nbtrack models` alone lists them."""
        asks_for_verb = bool(args) and (args[0] == "--help" or args[0][:1] != "-")
        if "list" in self.commands and not asks_for_verb:
            args = ["list", *args]
        return super().parse_args(ctx, args)


def with_options(call: Call) -> Call:
    """Give a verb `--store` and `--json`."""
    store = click.option(
        "--store",
        "store_path",
        metavar="PATH",
        help="The store: a .nbtrack folder, or the folder that holds it. Default: "
        "NBTRACK_STORE, else the nearest one upward from here.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return store(as_json(call))


@contextmanager
def opened(path: str | None, *, create: bool = False) -> Iterator[Store]:
    """The store that a verb is about."""
    from nbtrack.store import Store

    with Store.open(path, create=create) as store:
        yield store


def said(exc: BaseException) -> str:
    """An error as one line."""
    return shorten(visible(" ".join(str(exc).split())), ERROR_MAX)


def say(text: str) -> None:
    """Show one line; what the terminal cannot write becomes an escape."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = visible(text).encode(encoding, "backslashreplace").decode(encoding)
    click.echo(plain)


def say_json(value: Any) -> None:  # Any: what JSON can hold, and times, NaN
    """Show a value as JSON, in ASCII; NaN and Inf, which it has not, become null."""
    click.echo(json.dumps(_plain(value), indent=2, default=str))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Show rows under their headings; numbers to the right."""
    if not rows:
        return
    texts = [[cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    right = [
        all(isinstance(row[nth], int | float) or row[nth] is None for row in rows)
        for nth in range(len(columns))
    ]
    for line in [list(columns), *texts]:
        padded = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ]
        say("  ".join(padded).rstrip())


def cell(value: Any) -> str:
    """A value as a cell of a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    return shorten(visible(str(value)), CELL_MAX)


def time_of(text: str | None) -> str:
    """A time of the store, to the second.

    >>> time_of("2026-11-26T01:02:03.000004Z")
    '2026-11-26 01:02:03'
    """
    return (text or "")[:19].replace("T", " ")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value
