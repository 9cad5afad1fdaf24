"""`nbtrack push` and `nbtrack pull`, with progress where somebody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from nbtrack.cli.frame import Verb, opened, say, say_json, with_options
from nbtrack.text import shown_bytes

if TYPE_CHECKING:
    from nbtrack.tracking.remotes.known import Transfer
    from nbtrack.tracking.remotes.place import Progress

_EVERY_S = 0.1


@click.command("push", cls=Verb)
@click.argument("url")
@click.argument("refs", nargs=-1, metavar="[REF]...")
@with_options
def push(
    url: str, refs: Sequence[str], *, store_path: str | None, as_json: bool
) -> None:
    """Send artifacts and models to URL.

    URL: a folder, s3://bucket/folder, or what else fsspec takes.

    REF: mlp (all its versions), mlp:v3, mlp:best, fraud@production (the model, all its
    versions). Default: everything. What is there already is not sent again.
    """
    from nbtrack.tracking.remotes import push as pushing

    with opened(store_path) as store, _progress() as progress:
        done = pushing.push(url, refs or None, store=store, progress=progress)
    _say(done, "sent", as_json=as_json)


@click.command("pull", cls=Verb)
@click.argument("url")
@click.argument("refs", nargs=-1, metavar="[REF]...")
@with_options
def pull(
    url: str, refs: Sequence[str], *, store_path: str | None, as_json: bool
) -> None:
    """Fetch artifacts and models from URL.

    Every byte is checked against its hash. A store is made where there is none.

    REF as for push, as the remote numbers them. Default: everything.
    """
    from nbtrack.tracking.remotes import pull as pulling

    with opened(store_path, create=True) as store, _progress() as progress:
        done = pulling.pull(url, refs or None, store=store, progress=progress)
    _say(done, "fetched", as_json=as_json)


def _say(done: Transfer, verb: str, *, as_json: bool) -> None:
    if as_json:
        say_json(asdict(done))
        return
    for ref in (*done.versions, *(f"model {name}" for name in done.models)):
        say(f"{verb} {ref}")
    for notice in done.notices:
        say(notice)
    if done.versions or done.models:
        say(f"objects: {done.n_objects:,}, {shown_bytes(done.n_bytes)}")
    else:
        say(f"nothing to be {verb}: {done.url} and the store agree")


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """One line on stderr that is written over; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    shown_at = 0.0

    def show(done: int, total: int) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= _EVERY_S or done == total:
            shown_at = time.monotonic()
            click.echo(
                f"\r\x1b[K{shown_bytes(done)} of {shown_bytes(total)}",
                err=True,
                nl=False,
            )

    try:
        yield show
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)
