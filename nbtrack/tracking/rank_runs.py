"""The run as the other ranks of a distributed training hold it.

By default those write nothing: their run takes every call and forgets it, so that the
same script runs in every rank. With `ranks="all"` their metrics come in as series of
the one run (`loss/rank1`), through a journal of each process's own; everything else of
the run stays the first rank's, and so does its end.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError, RunNotFoundError, StoreError
from nbtrack.guard import guard
from nbtrack.records import Fact, RunRecord, Status
from nbtrack.store.journal import Journal
from nbtrack.store.values import utc_text
from nbtrack.tracking import ranks
from nbtrack.tracking.run import FINISH_WAIT_S, Run
from nbtrack.tracking.settings import FEATURES

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.ranks import Place
    from nbtrack.tracking.session import Session

JOIN_WAIT_S = 30.0  # the longest a rank waits until the first one's run is there
RUN_ID = "NBTRACK_RUN"  # the id of the run, where no process group can agree on it
_ID = re.compile(r"[\w.\-]{1,64}")


class NoStore:
    """Stands for a store where nothing is kept."""

    def __init__(self) -> None:
        self.journal = Journal(None, "")
        self.journal.end()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what copy and pickle look for
            raise AttributeError(name)
        raise StoreError(
            "this process is not the first rank and records nothing. Look at the run "
            "in the first one or through nbtrack.open(), or see nbtrack.start(ranks=)."
        )


class SilentRun(Run):
    """The run in a rank that does not record: every call is taken, none is kept.

    Examples
    --------
    >>> run = SilentRun(name="base")
    >>> run.log(loss=0.5)
    >>> run.finish()
    >>> run.status, run.record().metrics
    ('finished', {})
    """

    is_recorded = False

    def __init__(
        self,
        store: Store | None = None,
        *,
        name: str,
        id: str = "",
        on_finish: Callable[[Run], None] | None = None,
    ) -> None:
        # Any store: what it is asked for is its journal.
        kept_in: Any = store or NoStore()
        off = frozenset(FEATURES)
        super().__init__(
            kept_in, id=id, name=name, experiment="", off=off, on_finish=on_finish
        )

    def record(self) -> RunRecord:
        """What this rank knows of the run: that there is one."""
        began = utc_text(self.started_at)
        return RunRecord(
            self.id, self.name, self.experiment, self.status, began, None, None
        )

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        """No series; what is watched goes nowhere."""
        return -1

    def next_steps(self) -> dict[str, int]:
        """Of no metric."""
        return {}

    def fork(self, *_: object, **__: object) -> Run:
        """Itself: the fork is recorded by the first rank."""
        return self

    def _close(self, status: Status, error: str | None, *_: object) -> None:
        """The run ends here; in the store it is ended by the first rank."""
        self.stop.end()
        self.status, self.reason = status, ""
        self._point = self._late_point
        if self._on_finish is not None:
            self._on_finish(self)

    def _late_point(self, *_: object) -> None:
        self.n_dropped += 1


class RankRun(SilentRun):
    """The run in a rank that takes part: metrics come in as `loss/rank1`."""

    def __init__(self, store: Store, *, place: Place, **about: Any) -> None:
        super().__init__(store, **about)
        self._journal.on_control(self.id, None)  # Stop is for the first rank to see
        self._metrics.suffix = f"/rank{place.rank}"
        record = store.run(self.id)
        steps = {name: m.last_step + 1 for name, m in record.metrics.items()}
        if any(name.endswith(self._metrics.suffix) for name in steps):
            self.continue_from(steps)

    def record(self) -> RunRecord:
        """What the store holds of the run by now, the first rank's part included."""
        self._journal.flush(FINISH_WAIT_S)
        return self.store.run(self.id)


def _taken(*_: object, **__: object) -> None:
    """A call that is taken and not kept."""


# What a rank that is silent does all the same: end, stop, and say what it is.
_ALIVE = (
    "captures", "check_stop", "drop_axis", "finish", "fork", "latest_metrics",
    "latest_step", "log_artifact", "record", "request_stop", "set_axis",
    "use_artifact",
)  # fmt: skip
# And one that takes part.
_OF_METRICS = (
    "axis_point", "continue_from", "declare", "log", "next_steps", "point", "set_goal",
    "thinned",
)  # fmt: skip


def _silence() -> None:
    """Let no method of a run, also of those to come, write in another rank."""
    for name in dir(Run):
        is_method = callable(getattr(Run, name)) and not name.startswith("_")
        if is_method and name not in _ALIVE and name not in vars(SilentRun):
            setattr(SilentRun, name, _taken)
    for name in _OF_METRICS:
        setattr(RankRun, name, getattr(Run, name))


_silence()


def started_in_rank(
    session: Session, place: Place, name: str | None, **asked: Any
) -> Run:
    """Begin the run in the first rank; in another one take part, or keep still."""
    if place.rank == 0:
        return _started_first(session, place, name, asked)
    run: Run = SilentRun(name=name or "", on_finish=session.ended)
    if place.ranks == "all":
        with guard("taking part in the run"):
            run = _joined(session, place, asked)
    elif place.told_by == "SLURM_PROCID":
        guard.warn_once("a task of many", _said_of_tasks(place))
    run.place = place
    session.adopt(run)
    return run


def _started_first(
    session: Session, place: Place, name: str | None, asked: dict[str, Any]
) -> Run:
    told: tuple[str, str] | None = None
    try:
        if place.ranks == "all" and (known := os.environ.get(RUN_ID)):
            asked = {**asked, **_named_by(known, session, asked)}
        run = session.begin(name, **asked)
        if place.ranks == "all":
            run.store.journal.flush(FINISH_WAIT_S)
            told = run.id, str(run.store.path)
    finally:  # the others wait for an answer, whatever has happened here
        if place.ranks == "all" and ranks.group_is_there():
            with guard("telling the other ranks of the run"):
                ranks.from_first(told)
    run.place = place
    run.log_facts(_facts(place))
    return run


def _named_by(known: str, session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """A launcher has named the run: begin it, or go on with it after a restart."""
    if not _ID.fullmatch(known):
        raise OptionError(f"{RUN_ID}={known[:70]!r}: use letters, digits, . _ and -.")
    with suppress(RunNotFoundError):
        return {"resume": session.store_for(asked.get("near")).run(known).id}
    return {"id": known}


def _joined(session: Session, place: Place, asked: dict[str, Any]) -> Run:
    from nbtrack.store import Store

    if ranks.group_is_there():
        told = ranks.from_first(None)
        if told is None:
            raise RunNotFoundError("the first rank could not begin it")
        run_id, path = told
        store = session.store_for(path)
        if str(store.path) != path:  # NBTRACK_STORE names another one here
            store = session.keep_open(Store.open(path, create=False))
    else:
        run_id = os.environ.get(RUN_ID, "")
        store = session.store_for(asked.get("near"))
    record = _awaited(store, run_id)
    run = RankRun(
        store, place=place, id=record.id, name=record.name, on_finish=session.ended
    )
    run.experiment, run.parent = record.experiment, record.parent
    facts = {"host": os.uname().nodename, "pid": os.getpid()}
    Run.log_facts(run, [Fact(f"distributed.ranks.{place.rank}", facts)])
    return run


def _awaited(store: Store, run_id: str) -> RunRecord:
    """The run that the first rank has begun, or is about to."""
    if not run_id:
        raise RunNotFoundError(
            f"neither a process group nor {RUN_ID} says which run: begin the process "
            "group before nbtrack.start, or set the variable in every rank"
        )
    until = time.monotonic() + JOIN_WAIT_S
    while True:
        try:
            return store.run(run_id)
        except RunNotFoundError:
            if time.monotonic() > until:
                raise
        time.sleep(0.05)


def _facts(place: Place) -> list[Fact]:
    known = {
        "world_size": place.world_size,
        "rank": place.rank,
        "told_by": place.told_by,
        "backend": ranks.backend(),
        "ranks.0": {"host": os.uname().nodename, "pid": os.getpid()},
    }
    return [Fact(f"distributed.{name}", value) for name, value in known.items()]


def _said_of_tasks(place: Place) -> str:
    return (
        f"task {place.rank} of {place.world_size} records nothing, the first one does. "
        "Where tasks are independent: nbtrack.start(ranks='own') or NBTRACK_RANKS=own."
    )
