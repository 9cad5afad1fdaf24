"""Trials on a cluster of `dask.distributed`; their runs are written here as they go.

Each trial is a task of Dask, and on its worker a process of its own. What it records
comes back through Dask's event channel within a second and is kept in this session's
store: points, params, cells, texts, its end. Files come once, at the end. A worker that
dies takes the tail of its trial with it: that run is `crashed`, and the sweep goes on.
"""

from __future__ import annotations

import base64
import os
import queue
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from nbtrack.errors import NbtrackError, SweepError
from nbtrack.guard import guard, tolerated
from nbtrack.store.replica import Replica, Replicas
from nbtrack.sweeps.cluster_client import forget_topics
from nbtrack.sweeps.cluster_task import Job, Result, run_trial
from nbtrack.sweeps.executor import Began
from nbtrack.sweeps.job import Stage
from nbtrack.sweeps.processes import without_memory
from nbtrack.sweeps.trial import Outcome, Reports, Task
from nbtrack.text import shorten
from nbtrack.tracking.settings import settings_text

LOOK_S = 1.0  # between two looks at which workers there are
POLL_S = 0.1
END_S = 4.0  # that trials may take to end when the sweep does
LATE_S = 5.0  # that messages may come after the result of their task
# By which runs know their notebook, and what is not to be recorded.
_ENVIRONMENT = ("JPY_SESSION_NAME", "NBTRACK_OFF", "NBTRACK_DATA_LIMIT")
_LOST = ("KilledWorker", "CancelledError", "FutureCancelledError", "FutureLostError")


class ClusterExecutor:
    """An executor over the workers of a Dask cluster.

    Parameters
    ----------
    client
        Of `distributed`; it stays open.
    stage
        What stands before the swept cell, and the store in which trials are recorded.
    n
        How many trials at a time.
    folder
        Where trials run, on workers that have such a folder; default: this one.
    tell
        Gets what is to be noted about the sweep.
    """

    def __init__(
        self,
        client: Any,  # `distributed` need not be there
        stage: Stage,
        *,
        n: int,
        folder: str | None = None,
        tell: Callable[[str], None] = lambda note: None,
    ) -> None:
        from nbtrack.store import Store

        self.n_places = n
        self._client = client
        self._stage = stage
        self._folder = folder or os.getcwd()
        self._tell = tell
        self._store = Store.open(stage.store)
        self._replicas = Replicas(self._store)
        self._topic = f"nbtrack-{uuid4().hex}"
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        self._trials: dict[int, _Remote] = {}
        self._wrote: list[str] = []
        self._looked_at = time.monotonic()
        self._stopped_by = ""
        self._is_closed = False
        client.subscribe_topic(self._topic, lambda event: self._hear(event[1]))

    def start(self, task: Task, *, report: Reports, began: Began) -> None:
        """Hand it to the cluster."""
        trial = _Remote(task.number, report, began, f"{self._topic}-{task.number}")
        self._trials[task.number] = trial
        trial.future = self._client.submit(
            run_trial,
            self._job(task, trial),
            key=f"{task.run_name}-{uuid4().hex[:8]}",
            pure=False,
            retries=0,
        )
        over = {"kind": "over", "number": task.number, "attempt": None}
        trial.future.add_done_callback(lambda future: self._said.put(over))

    def wait(self, timeout_s: float) -> Outcome | None:
        """The next trial that has ended.

        Raises
        ------
        SweepError
            When trials cannot run on the cluster, or it is gone.
        """
        until = time.monotonic() + timeout_s
        while True:
            self._look()
            try:
                told = self._said.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return None
            outcome = self._take(told)
            if outcome is not None:
                return outcome

    def work_apart(self, wrote: Sequence[str]) -> list[str]:
        """From now on trials run in folders of their own, as in local processes."""
        self._wrote = [os.path.realpath(path) for path in wrote]
        here = os.path.realpath(self._folder) + os.sep
        return [path for path in self._wrote if not path.startswith(here)]

    def stop(self, by: str) -> None:
        """Ask every trial to stop; one that has not begun never does."""
        self._stopped_by = by
        for trial in list(self._trials.values()):
            if trial.attempt is not None:
                self._say(trial, "stop", by=by)
            elif trial.future is not None:
                self._client.cancel([trial.future])

    def close(self) -> None:
        """End all trials; the client stays open."""
        if self._is_closed:
            return
        self._is_closed = True
        with guard("ending the trials on the cluster"):
            self._end_all()
        for trial in list(self._trials.values()):
            self._ended(trial)
        with guard("leaving the cluster"):
            forget_topics(self._client, self._topic)
        self._replicas.close()
        self._store.close()

    # ---- what comes from the cluster

    def _hear(self, told: dict[str, Any]) -> None:
        """In Dask's own thread: only what may not wait is done here."""
        if told["kind"] == "here":
            self._let_begin(told)
        else:
            self._said.put(told)

    def _let_begin(self, told: dict[str, Any]) -> None:
        """The first to ask may run the trial; a second one, after a death, may not."""
        trial = self._trials.get(told["number"])
        if trial is None or self._stopped_by:
            self._answer(f"{self._topic}-{told['number']}", "no", told["attempt"])
            return
        if trial.attempt is None:
            trial.attempt, trial.address = told["attempt"], told["address"]
        is_first = trial.attempt == told["attempt"]
        self._answer(trial.topic, "go" if is_first else "no", told["attempt"])
        if not is_first:
            self._said.put(trial.as_lost())

    def _take(self, told: dict[str, Any]) -> Outcome | None:
        trial = self._trials.get(told["number"])
        if trial is None or told["attempt"] not in (None, trial.attempt):
            return None
        if told["kind"] == "over":
            return self._over(trial, told)
        if told["kind"] == "lost":
            return self._crashed(trial, "its Dask worker is gone")
        trial.n_heard += 1
        if told["kind"] == "recorded":
            self._record(trial, told)
        elif told["kind"] == "began":
            self._has_begun(trial, told["run"])
        elif told["kind"] == "report":
            prune = trial.report(trial.number, told["step"], told["value"])
            self._say(trial, "verdict", prune=prune)
        return None

    def _has_begun(self, trial: _Remote, run: str) -> None:
        trial.run = run
        self._replicas.callbacks[run] = partial(self._command, trial)
        trial.began(trial.number, run)

    def _command(self, trial: _Remote, command: str, by: str) -> None:
        """Of the Stop button beside the trial's run, in whatever panel."""
        if command == "stop":
            self._say(trial, "stop", by=by)

    def _record(self, trial: _Remote, told: dict[str, Any]) -> None:
        if trial.replica is None:
            about = {name: told[name] for name in ("pid", "host", "started_at")}
            trial.replica = self._replicas.begin(told["session"], about)
        slots = zlib.decompress(base64.b64decode(told["points"]))
        trial.replica.take(told["events"], slots)

    def _over(self, trial: _Remote, told: dict[str, Any]) -> Outcome | None:
        """Its task has ended: well, badly, or with its worker."""
        status = trial.future.status
        if status != "finished":
            return self._gone_wrong(trial, status)
        if trial.result is None:
            trial.result = self._result_of(trial)
            trial.late_at = time.monotonic() + LATE_S
        result = trial.result
        if result is None:
            return self._crashed(trial, "its Dask worker is gone")
        if result["is_error"]:
            self._ended(trial)  # nothing of it is waited for when the sweep ends
            raise SweepError(result["why_not"])
        if trial.n_heard < result["n_said"] and time.monotonic() < trial.late_at:
            self._said.put(told)
            return None
        if result["outcome"] is None:
            return self._crashed(trial, result["why_not"])
        self._ended(trial)
        self._take_files(result["store"])
        return without_memory(Outcome.from_json(result["outcome"]))

    def _gone_wrong(self, trial: _Remote, status: str) -> Outcome:
        why: list[Exception] = []
        if status == "error":
            with tolerated(why.append):
                raise trial.future.exception()
        if not why or type(why[0]).__name__ in _LOST:
            return self._crashed(trial, "its Dask worker is gone")
        text = f"{type(why[0]).__name__}: {shorten(str(why[0]), 300)}"
        self._ended(trial)
        raise SweepError(f"Trials do not run on the workers of the cluster: {text}")

    def _result_of(self, trial: _Remote) -> Result | None:
        errors: list[Exception] = []
        result: Result | None = None
        with tolerated(errors.append):
            result = trial.future.result()
        return result

    def _crashed(self, trial: _Remote, why: str) -> Outcome:
        """Or stopped, where it never began for that reason."""
        self._ended(trial)
        if trial.run is None and self._stopped_by:
            return Outcome(trial.number, "stopped")
        return Outcome(trial.number, "crashed", trial.run, None, why)

    def _ended(self, trial: _Remote) -> None:
        self._trials.pop(trial.number, None)
        self._replicas.callbacks.pop(trial.run or "", None)
        if trial.replica is not None:
            trial.replica.end()
        if trial.future is not None and not trial.future.done():
            with guard("giving up a task"):
                self._client.cancel([trial.future], force=True)

    def _take_files(self, pieces: list[bytes]) -> None:
        """Checkpoints and whatever else the trial keeps as files."""
        if not pieces:
            return
        with tempfile.TemporaryDirectory(prefix="nbtrack-trial-") as folder:
            path = Path(folder) / "store.zip"
            with path.open("wb") as whole:
                whole.writelines(pieces)
            with zipfile.ZipFile(path) as archive:
                archive.extractall(Path(folder) / ".nbtrack")
            try:
                merged = self._store.merge(Path(folder) / ".nbtrack")
            except NbtrackError as exc:
                self._tell(f"the files of a trial did not come: {exc}")
                return
        for run, why in merged.skipped.items():
            self._tell(f"files of run {run} did not come: {why}")

    # ---- inside

    def _job(self, task: Task, trial: _Remote) -> Job:
        return {
            "said_to": self._topic,
            "told_by": trial.topic,
            "number": task.number,
            "stage": self._stage.as_json(),
            "task": task.as_json(),
            "folder": self._folder,
            "wrote": self._wrote,
            "settings": settings_text(self._store.path),
            "environment": {
                name: os.environ[name] for name in _ENVIRONMENT if name in os.environ
            },
        }

    def _say(self, trial: _Remote, kind: str, **about: Any) -> None:
        if trial.attempt is not None:
            self._answer(trial.topic, kind, trial.attempt, **about)

    def _answer(self, topic: str, kind: str, attempt: str, **about: Any) -> None:
        """Through the same channel; from any thread, without waiting."""
        message = {"kind": kind, "attempt": attempt, **about}
        log_event = self._client.scheduler.log_event
        self._client.loop.add_callback(log_event, topic=topic, msg=message)

    def _look(self) -> None:
        """Now and then: which workers are gone, and what runs are told."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_S or not self._trials:
            return
        self._looked_at = now
        self._replicas.poll()
        there = self._workers()
        for trial in self._trials.values():
            if trial.address is not None and trial.address not in there:
                self._said.put(trial.as_lost())

    def _workers(self) -> frozenset[str]:
        why: list[Exception] = []
        with tolerated(why.append):
            return frozenset(self._client.nthreads())
        raise SweepError(f"The Dask cluster does not answer any more: {why[0]}")

    def _end_all(self) -> None:
        self.stop("the sweep ended")
        until = time.monotonic() + END_S
        while self._trials and time.monotonic() < until:
            with guard("the end of a trial", letting=(SweepError,)):
                self.wait(POLL_S)


class _Remote:
    """One trial as this process sees it."""

    def __init__(self, number: int, report: Reports, began: Began, topic: str) -> None:
        self.number = number
        self.report = report
        self.began = began
        self.topic = topic  # for what it is told
        self.future: Any = None  # of Dask
        self.attempt: str | None = None  # of the task that runs it
        self.address: str | None = None  # of that one's worker
        self.run: str | None = None
        self.replica: Replica | None = None
        self.result: Result | None = None
        self.n_heard = 0
        self.late_at = 0.0

    def as_lost(self) -> dict[str, Any]:
        """The message that its worker is gone."""
        return {"kind": "lost", "number": self.number, "attempt": self.attempt}
