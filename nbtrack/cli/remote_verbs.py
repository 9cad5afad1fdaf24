"""`nbtrack push` and `nbtrack pull`: artifacts and models, or runs to a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from nbtrack.cli.frame import Verb, opened, say, say_json, say_report, with_options
from nbtrack.cli.progress_line import progress_line, shown_runs
from nbtrack.text import shown_bytes

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.remotes.known import Transfer

# Where runs go. fsspec can read over HTTP alone, and knows no database.
_SERVERS = {"http", "https", "sqlite", "postgresql", "mysql", "mssql"}


@click.command("push", cls=Verb)
@click.argument("url")
@click.argument("refs", nargs=-1, metavar="[REF]...")
@with_options
def push(
    url: str, refs: Sequence[str], *, store_path: str | None, as_json: bool
) -> None:
    """Send artifacts and models to URL, or runs to an MLflow server.

    URL: a folder, s3://bucket/folder, or what else fsspec takes. A server is
    http://host:5000, https://..., or a database of MLflow, sqlite:///mlflow.db.

    REF: mlp (all its versions), mlp:v3, mlp:best, fraud@production (the model, all its
    versions); for a server a run: its id, name, or the beginning of an id. Default:
    everything. What is there already is not sent again.
    """
    if _is_server(url):
        with opened(store_path) as store:
            _push_runs(url, refs, store, as_json=as_json)
        return
    from nbtrack.tracking.remotes import push as pushing

    with opened(store_path) as store, progress_line(shown_bytes) as progress:
        done = pushing.push(url, refs or None, store=store, progress=progress)
    _say(done, "sent", as_json=as_json)


def _push_runs(url: str, runs: Sequence[str], store: Store, *, as_json: bool) -> None:
    from nbtrack.interop.mlflow.push import push_runs

    with progress_line(shown_runs) as progress:
        done = push_runs(url, runs or None, store=store, progress=progress)
    say_report(done, as_json=as_json)


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

    with (
        opened(store_path, create=True) as store,
        progress_line(shown_bytes) as progress,
    ):
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


def _is_server(url: str) -> bool:
    """Whether MLflow's client must go there; fsspec takes the other addresses.

    >>> _is_server("http://host:5000"), _is_server("sqlite:///x.db"), _is_server("s3://b")
    (True, True, False)
    """
    return url.partition("://")[0].partition("+")[0].lower() in _SERVERS
