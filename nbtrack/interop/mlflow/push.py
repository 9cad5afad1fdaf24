"""`nbtrack.push_runs`: runs sent to an MLflow tracking server, with all that they have.

A run is found again there by its tag `nbtrack.run_id`; its id there is MLflow's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nbtrack.errors import RemoteError, StoreError
from nbtrack.interop.mlflow.push_report import PushReport
from nbtrack.interop.mlflow.registry import push_models
from nbtrack.interop.mlflow.sending import RunSender
from nbtrack.interop.mlflow.server import RefusedError, Server
from nbtrack.interop.nesting import depth_in
from nbtrack.interop.report import Progress
from nbtrack.records import RunRecord
from nbtrack.store import Store
from nbtrack.text import shorten
from nbtrack.tracking.settled import store_given


def push_runs(
    uri: str,
    runs: Iterable[str] | str | None = None,
    *,
    store: Store | Path | str | None = None,
    progress: Progress | None = None,
) -> PushReport:
    """Send runs to an MLflow tracking server, by MLflow's own client.

    Params, metrics with every point (NaN and Inf too; loop counters as metrics
    `axes/<metric>/<axis>`), tags, notes, status and times, the code, texts, pictures,
    tables, files of artifacts, and registered models. A run has its id here as tag
    `nbtrack.run_id` there; nested runs are nested. To push again sends only what is
    new; a push that was cut off goes on; a run that still runs is `RUNNING` there until
    a later push. The whole record is `nbtrack/run.json` among the run's artifacts:
    `nbtrack.import_runs` of that server's store makes of it the run that it was.

    MLflow's databases keep times to the millisecond, and one of several points of a
    metric with the same step, time and value. Names that it does not take (`acc@5`)
    are written with `_` and a short hash.

    Parameters
    ----------
    uri : str
        "http://host:5000", "https://...", or a store that MLflow opens itself, such as
        "sqlite:///mlflow.db".
    runs : str or iterable of str, optional
        Ids or names. Default: all that are not in the trash.
    store : Store or path, optional
        Default: the store of this folder.
    progress : callable, optional
        Called with the runs done so far and how many there are.

    Returns
    -------
    PushReport
        `new`, `updated`: ids here; `skipped`: why, by id; and counts.

    Raises
    ------
    RemoteError
        Where nobody answers, or does not let you in. What was sent stays: push again.
    RunNotFoundError
        For a run that is not in the store.
    MissingExtraError
        Without MLflow's client: `pip install "nbtrack[mlflow]"`.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.errors import MissingExtraError, RemoteError
    >>> try:
    ...     report = nbtrack.push_runs("http://127.0.0.1:9")
    ... except (MissingExtraError, RemoteError):
    ...     print("there is no server, or no client here")
    there is no server, or no client here
    """
    with store_given(store) as source:
        return _push(uri, runs, source, progress)


def _push(
    uri: str, asked: Iterable[str] | str | None, store: Store, progress: Progress | None
) -> PushReport:
    runs = _in_order(_asked(store, asked))
    server = Server.at(uri)
    sender = RunSender(server, store)
    done: dict[str, list[str]] = {"new": [], "updated": [], "there": []}
    skipped: dict[str, str] = {}
    for n, run in enumerate(runs, 1):
        try:
            done[sender.send(run)].append(run.id)
        except (RefusedError, StoreError) as exc:
            skipped[run.id] = shorten(str(exc), 300)
        except RemoteError as exc:
            raise RemoteError(f"{exc} What was sent stays: push again.") from exc
        if progress is not None:
            progress(n, len(runs))
    models, notices = push_models(server, store, sender)
    return PushReport(
        server.shown, tuple(done["new"]), tuple(done["updated"]), len(done["there"]),
        skipped, models, n_params=sender.n_params, n_points=sender.n_points,
        n_files=sender.n_files, n_bytes=sender.n_bytes,
        notices=(*sender.notices, *notices),
    )  # fmt: skip


def _asked(store: Store, asked: Iterable[str] | str | None) -> Sequence[RunRecord]:
    if asked is None:
        found = store.runs()
    else:
        words = [asked] if isinstance(asked, str) else asked
        found = list({run.id: run for run in map(store.run, words)}.values())
    return [store.run(run.id) for run in found]  # with their source


def _in_order(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Parents before their children, else as they were started."""
    parents = {run.id: run.parent for run in runs}
    return sorted(
        runs, key=lambda run: (depth_in(parents, run.id), run.started_at, run.id)
    )
