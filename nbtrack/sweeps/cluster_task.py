"""One trial on a worker of Dask: the task that `ClusterExecutor` hands to the cluster.

It starts the same process that a trial has on the launching machine, with a store that
is thrown away, and passes on what that process says: through Dask's event channel, to
the launching process, which writes it. Dask runs a task again when its worker dies;
such a second try asks first whether it may, and is told no: one trial is one run.
"""

from __future__ import annotations

import os
import queue
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict
from uuid import uuid4

from nbtrack.errors import SweepError
from nbtrack.store.replica import names_a_file
from nbtrack.sweeps.job import Stage
from nbtrack.sweeps.processes import WorkerPool
from nbtrack.sweeps.trial import Outcome, Task
from nbtrack.tracking.settings import FILE_NAME

ASK_S = 0.3  # until it asks again whether it may begin: the answer may come too early
POLL_S = 0.1
PIECE_BYTES = 32 << 20  # of a store that is sent back


class Job(TypedDict):
    """What a task is told, as plain values."""

    said_to: str  # the topic for what it says
    told_by: str  # and for what it is told
    number: int
    stage: dict[str, Any]
    task: dict[str, Any]
    folder: str  # of the launching session; trials run there, where it exists
    wrote: list[str]  # files that trials write: then in folders of their own
    environment: dict[str, str]
    settings: str  # of the launching session's store: what is off stays off


class Result(TypedDict):
    """What comes of a task."""

    outcome: dict[str, Any] | None
    why_not: str  # the trial did not run at all; with an error, or as it may not
    is_error: bool
    n_said: int  # messages that came before
    store: list[bytes]  # a zip file, where the trial has files


def run_trial(job: Job) -> Result:
    """What Dask calls."""
    return _TrialHere(job).run()


class _TrialHere:
    """A trial from its first question to its result."""

    def __init__(self, job: Job) -> None:
        from distributed import get_client, get_worker

        self._job = job
        self._dask = get_worker()
        self._key = self._dask.get_current_task()
        self._client = get_client()
        self._attempt = uuid4().hex
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        self._n_said = 0
        self._has_files = False
        self._pool: WorkerPool | None = None

    def run(self) -> Result:
        """To its end, or not at all."""
        topic = self._job["told_by"]
        self._client.subscribe_topic(topic, lambda event: self._told.put(event[1]))
        try:
            if not self._may_begin():
                return self._not_run("it may not begin here")
            return self._run()
        except SweepError as exc:
            return {**self._not_run(str(exc)), "is_error": True}
        finally:
            self._client.unsubscribe_topic(topic)

    def _may_begin(self) -> bool:
        while not self._is_given_up():
            self._say("here", address=self._dask.address)
            told = self._next_told(ASK_S)
            if told is not None:
                return bool(told["kind"] == "go")
        return False

    def _run(self) -> Result:
        # Dask tidies its own folder up, also after a worker that was killed.
        with tempfile.TemporaryDirectory(
            prefix="nbtrack-trial-",
            dir=self._dask.local_directory,
            ignore_cleanup_errors=True,
        ) as scratch:
            store = Path(scratch) / ".nbtrack"
            store.mkdir()
            (store / FILE_NAME).write_text(self._job["settings"], "utf-8")
            self._pool = self._pool_in(scratch, store)
            try:
                task = Task.from_json(dict(self._job["task"]))
                self._pool.start(task, report=self._report, began=self._began)
                outcome = self._outcome(self._pool)
                if outcome is not None:
                    self._pool.hear_out()
            finally:
                self._pool.close()
            if outcome is None:
                return self._not_run("it was given up")
            sends = self._has_files or outcome.status == "crashed"
            pieces = packed(store, Path(scratch)) if sends else []
        return {
            "outcome": outcome.as_json(),
            "why_not": "",
            "is_error": False,
            "n_said": self._n_said,
            "store": pieces,
        }

    def _pool_in(self, scratch: str, store: Path) -> WorkerPool:
        told = {**self._job["stage"], "store": str(store), "echo": True}
        folder = self._job["folder"]
        if not os.path.isdir(folder):
            folder = os.path.join(scratch, "folder")
            os.mkdir(folder)
        pool = WorkerPool(
            Stage.from_json(told),
            n=1,
            fresh=False,
            environment={**os.environ, **self._job["environment"]},
            folder=folder,
            within=scratch,
            recorded=self._recorded,
        )
        if self._job["wrote"]:
            pool.work_apart(self._job["wrote"])
        return pool

    def _outcome(self, pool: WorkerPool) -> Outcome | None:
        while not self._is_given_up():
            outcome = pool.wait(POLL_S)
            if outcome is not None:
                return outcome
            self._heed(self._next_told(0.0))
        return None

    def _report(self, number: int, step: int, value: float) -> bool:
        """Whether the trial is pruned; the launching process knows."""
        self._say("report", step=step, value=value)
        while not self._is_given_up():
            told = self._next_told(POLL_S)
            if told is not None and told["kind"] == "verdict":
                return bool(told["prune"])
            self._heed(told)
        return True

    def _began(self, number: int, run: str) -> None:
        self._say("began", run=run)

    def _recorded(self, told: dict[str, Any]) -> None:
        self._has_files |= any(names_a_file(event) for event in told["events"])
        self._say("recorded", **{k: v for k, v in told.items() if k != "kind"})

    def _heed(self, told: Mapping[str, Any] | None) -> None:
        if told is not None and told["kind"] == "stop" and self._pool is not None:
            self._pool.stop(str(told["by"]))

    def _next_told(self, timeout_s: float) -> dict[str, Any] | None:
        """What this attempt was told; None when it was nothing."""
        try:
            told = (
                self._told.get(timeout=timeout_s)
                if timeout_s
                else self._told.get(block=False)
            )
        except queue.Empty:
            return None
        return told if told["attempt"] == self._attempt else None

    def _say(self, kind: str, **about: Any) -> None:
        self._n_said += kind != "here"
        number = self._job["number"]
        message = {"kind": kind, "number": number, "attempt": self._attempt, **about}
        self._dask.log_event(self._job["said_to"], message)

    def _is_given_up(self) -> bool:
        """Dask forgot the task (its client is gone, it was cancelled), or ends."""
        state = self._dask.state.tasks.get(self._key)
        is_ours = state is not None and state.state in ("executing", "long-running")
        return not is_ours or self._dask.status.name not in ("running", "paused")

    def _not_run(self, why: str) -> Result:
        return {
            "outcome": None,
            "why_not": why,
            "is_error": False,
            "n_said": 0,
            "store": [],
        }


def packed(store: Path, scratch: Path) -> list[bytes]:
    """A store as the pieces of a zip file; nobody writes to it any more."""
    from nbtrack.store import Store

    Store.open(store).close()  # takes over what a killed trial left
    path = scratch / "store.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(store.rglob("*")):
            archive.write(file, file.relative_to(store))
    with path.open("rb") as whole:
        return list(iter(lambda: whole.read(PIECE_BYTES), b""))
