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
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nbtrack import __version__
from nbtrack.cli.completing import complete
from nbtrack.cli.tables import Cell, cell, plain_lines
from nbtrack.errors import NbtrackError, OptionError, QueryError
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store

ERROR_MAX = 1000
Call = TypeVar("Call", bound=Callable[..., Any])
__all__ = [
    "Cell", "Verb", "Verbs", "cell", "on_terminal", "opened", "said", "say", "say_json",
    "say_report", "say_table", "say_text", "time_of", "with_options", "writable",
]  # fmt: skip


class _Spoken(click.Command):
    """A command whose errors are one line, and whose words a shell can complete."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        complete(self.params)

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
        is_asked = not asks_for_verb and not ctx.resilient_parsing
        if "list" in self.commands and is_asked:
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


def say(text: str, *, style: str = "") -> None:
    """Show one line; what the terminal cannot write becomes an escape.

    The style ("bold", "red") is for a terminal alone.
    """
    plain = writable(visible(text))
    if style and on_terminal():
        from nbtrack.cli.terminal import show_line

        show_line(plain, style)
    else:
        click.echo(plain)


def say_text(text: str) -> None:
    """Show a longer text line by line; tabs stay, as they indent scripts."""
    for line in text.removesuffix("\n").split("\n"):
        click.echo(writable("\t".join(map(visible, line.split("\t")))))


def say_json(value: Any) -> None:  # Any: what JSON can hold, and times, NaN
    """Show a value as JSON, in ASCII; NaN and Inf, which it has not, become null."""
    click.echo(json.dumps(_plain(value), indent=2, default=str))


def say_report(report: Any, *, as_json: bool) -> None:  # Any: a dataclass with a text
    """Show what a verb did: its fields as JSON, or its text line by line."""
    if as_json:
        say_json(asdict(report))
        return
    for line in str(report).splitlines():
        say(line)


def say_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str = ""
) -> None:
    """Show rows under their headings; numbers to the right.

    Where nobody looks, as plain aligned text of all columns; on a terminal in colours,
    with as many columns as have room. `empty` is said where there are no rows.
    """
    if not rows:
        if empty:
            say(empty)
        return
    if not on_terminal():
        for line in plain_lines(columns, rows):
            say(line)
        return
    from nbtrack.cli.terminal import show_table

    show_table(columns, rows)


def on_terminal() -> bool:
    """Whether somebody looks at what is said, rather than a script."""
    return sys.stdout.isatty()


def writable(text: str) -> str:
    """The text with escapes for what stdout's encoding has not."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


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
