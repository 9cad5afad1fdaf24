"""How far a verb is: one line on stderr, written over, where somebody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from nbtrack.text import counted

_EVERY_S = 0.1


@contextmanager
def progress_line(
    shown: Callable[[int], str],
) -> Iterator[Callable[[int, int], None] | None]:
    """What to call with how much is done and how much there is; None at no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    shown_at = 0.0

    def show(done: int, total: int) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= _EVERY_S or done == total:
            shown_at = time.monotonic()
            line = f"\r\x1b[K{shown(done)} of {shown(total)}"
            click.echo(line, err=True, nl=False)

    try:
        yield show
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)


def shown_runs(n: int) -> str:
    """A number of runs for people.

    >>> shown_runs(1), shown_runs(2000)
    ('1 run', '2,000 runs')
    """
    return counted(n, "run")
