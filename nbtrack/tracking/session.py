"""The process's one session: which run is current, which stores are open.

The current run is one lock-guarded attribute that every thread sees; a context
variable overrides it only for trials that share a process. Starting a run inside a run
makes a child. After a fork the child has no current run and stays silent.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.store.values import utc_text
from nbtrack.text import clean_name
from nbtrack.tracking.alerts import keep_rules, rules_for, settle_alerts
from nbtrack.tracking.background import background
from nbtrack.tracking.ids import new_run_id
from nbtrack.tracking.moments import as_epoch_seconds
from nbtrack.tracking.ranks import is_data_worker, place_here
from nbtrack.tracking.run import Run, without_secrets
from nbtrack.tracking.settings import keep_policy, switched_off
from nbtrack.tracking.tags import as_tags

if TYPE_CHECKING:
    from nbtrack.capture.session import SessionLog
    from nbtrack.store import Store
    from nbtrack.tracking.resume import Earlier

DEFAULT_EXPERIMENT = "default"
SETTLE_S = 1.5  # for what is still being looked at; a shutdown leaves two seconds

override: ContextVar[Run | None] = ContextVar("nbtrack_run", default=None)


def tell_on_stderr(text: str) -> None:
    """Show one line where there is no notebook; each line once."""
    guard.warn_once(text, text)


class Session:
    """Everything of nbtrack that lives as long as the process; there is one.

    `tell` shows one line to the user; the notebook layer replaces it by its own.
    `on_start` hears of every run that begins: the log of cells is kept from then on.
    `executed` is that log, in a notebook; `whereabouts` tells which notebook and cell
    a run belongs to that code begins there by itself.
    """

    def __init__(self) -> None:
        self.executed: SessionLog | None = None
        self.tell: Callable[[str], None] = tell_on_stderr
        self.on_start: Callable[[Run], None] | None = None
        self.whereabouts: Callable[[], Mapping[str, str | int | None]] = dict
        self.n_dropped = 0
        self.inert = False
        self.active: Run | None = None
        self._lock = threading.RLock()
        self._running: list[Run] = []
        self._beside: dict[Run, Run | None] = {}  # -> what was current in its thread
        self._stores: dict[Path, Store] = {}
        self._inherited: list[Store] = []  # the parent's, in a forked child
        self._names: dict[tuple[Path, str], int] = {}
        os.register_at_fork(after_in_child=self._forked)

    @property
    def current(self) -> Run | None:
        """The run that `nbtrack.log` writes to, if any."""
        return override.get() or self.active

    def store_for(self, near: str | Path | None = None) -> Store:
        """The store for work near a folder (default: here), opened once.

        Raises
        ------
        StoreError
            When it can be neither opened nor made; the message says why.
        """
        from nbtrack.store import Store, find_store

        with self._lock:
            found = find_store(near)
            store = self._stores.get(found) if found is not None else None
            if store is None or not store.path.exists():
                store = Store.open(near=near)
                self._stores[store.path] = store
                if store.created:
                    self.tell(f"new store {store.path}")
            return store

    def start(
        self,
        name: str | None = None,
        *,
        ranks: str | None = None,
        **asked: Any,  # as `begin` takes them
    ) -> Run:
        """Begin a run, or take part in it as another rank; see `nbtrack.start`."""
        place = place_here(ranks)
        if place is None:
            return self.begin(name, **asked)
        from nbtrack.tracking.rank_runs import started_in_rank

        return started_in_rank(self, place, name, **asked)

    def begin(
        self,
        name: str | None = None,
        *,
        experiment: str | None = None,
        params: Mapping[str, Any] | None = None,
        tags: str | Sequence[str] | Mapping[str, str] = (),
        group: str | None = None,
        notes: str = "",
        parent: Run | str | None = None,
        near: str | Path | None = None,
        off: Iterable[str] | str = (),
        keep: Iterable[str] | str | None = None,
        budget: int | str | None = None,
        alerts: Iterable[str] | str = (),
        resume: Run | str | None = None,
        started_at: datetime | float | str | None = None,
        id: str | None = None,
        beside: bool = False,
        **about: Any,  # notebook, cell_id, execution, source: plain JSON values
    ) -> Run:
        """Begin a run in this process, whatever its rank, and make it current.

        One that is `beside` others, as a trial is, is current in its own thread only;
        so is what begins there before it ends.
        """
        from nbtrack.tracking.params import as_params

        self.inert = False  # a forked child too may have a run of its own
        store = self.store_for(near)
        policy = None
        if keep is not None or budget is not None:
            policy = keep_policy(store.path, keep, budget)
        switched = switched_off(store.path, off)
        rules = rules_for(store.path, alerts, switched)
        given = as_params(params, {}) if params else []
        earlier = None if resume is None else self._earlier(store, resume, experiment)
        begun = (
            None if started_at is None else as_epoch_seconds("started_at", started_at)
        )
        about = self._whereabouts(beside=beside) | about
        experiment = clean_name(experiment or _experiment_of(about))
        with self._lock:
            run = Run(
                store,
                **self._identity(store, name, experiment, parent, earlier, id),
                notebook=about.get("notebook"),
                off=switched,
                keep=policy,
                earlier=earlier,
                started_at=begun,
                on_finish=self.ended,
            )
        say = partial(self._emit_start, run, as_tags(tags), group, notes, about)
        with _stopped_if_interrupted(run, say):
            with self._lock:
                if beside or override.get() is not None:
                    self._put_beside(run)
                else:
                    self.adopt(run)
            if earlier is not None:
                self._go_on(run, earlier, about, {"group": group, "notes": notes})
            # One that is resumed waits for what it did before, unless it is said anew.
            keep_rules(run, None if earlier is not None and not alerts else rules)
            run.begin_parts()
            if self.on_start is not None:
                with guard("the log of cells"):
                    self.on_start(run)
            if given:
                run.log_params(given)
        return run

    def _whereabouts(self, *, beside: bool) -> dict[str, Any]:
        """Where it begins; a trial is no execution of the cell that sweeps."""
        with guard("the name of the notebook"):
            told = dict(self.whereabouts())
            return told | ({"execution": None} if beside else {})
        return {}

    def _go_on(
        self,
        run: Run,
        earlier: Earlier,
        about: Mapping[str, Any],
        fields: Mapping[str, str | None],
    ) -> None:
        """Keep what a resumed run says anew, and its cell as it was before."""
        said = {k: without_secrets(v) for k, v in fields.items() if v}
        if said:
            run.store.journal.emit(
                {"kind": "run_changed", "run": run.id, "fields": said}
            )
        with guard("the texts of an earlier life"):
            kept = earlier.texts_kept(run.store, about.get("source_digest"))
            run.log_texts(kept)

    def adopt(self, run: Run) -> None:
        """Make a run the current one, until it ends."""
        with self._lock:
            self._running.append(run)
            self.active = run
            self._run_first_at_exit()

    def _put_beside(self, run: Run) -> None:
        self._beside[run] = override.get()
        override.set(run)
        self._run_first_at_exit()

    def keep_open(self, store: Store) -> Store:
        """Close this store with the session; the one that is open at its path."""
        with self._lock:
            return self._stores.setdefault(store.path, store)

    def close(self) -> None:
        """End what still runs and close the stores; the end of the process."""
        if self.inert:  # a forked child ends nothing of its parent's
            return
        for run in reversed([*self._running, *self._beside]):
            run.finish(reason="the session ended")
        until = time.monotonic() + SETTLE_S
        background.settle(SETTLE_S)
        settle_alerts(max(0.0, until - time.monotonic()))
        for store in self._stores.values():
            store.close()
        self._stores.clear()

    def _emit_start(
        self,
        run: Run,
        tags: Mapping[str, str | None],
        group: str | None,
        notes: str,
        about: Mapping[str, Any],
    ) -> None:
        from nbtrack.capture.environment import session_facts

        run.store.journal.emit(
            {
                "kind": "run_started",
                "run": run.id,
                "name": run.name,
                "experiment": run.experiment,
                "started_at": utc_text(run.started_at),
                "before_s": run.earlier.duration_s if run.earlier else 0.0,
                "group": clean_name(group) if group else None,
                "parent": run.parent,
                "notes": without_secrets(notes) if notes else "",
                "tags": dict(tags),
                "session": session_facts(),
                **about,
            }
        )

    def _earlier(
        self, store: Store, resume: Run | str, experiment: str | None
    ) -> Earlier:
        from nbtrack.tracking.resume import earlier_life

        store.journal.flush(1.0)  # it may have ended a moment ago,
        store.recover()  # or have died with its last points in the journal
        asked = resume.id if isinstance(resume, Run) else resume
        found = earlier_life(store, asked, experiment=experiment)
        store.journal.forget_series(found.record.id)
        return found

    def _identity(
        self,
        store: Store,
        name: str | None,
        experiment: str,
        parent: Run | str | None,
        earlier: Earlier | None,
        id: str | None,
    ) -> dict[str, Any]:
        """Who a run is: one of its own, or the one that is resumed."""
        if earlier is not None:
            known = earlier.record
            return {"id": known.id, "name": known.name, "parent": known.parent,
                    "experiment": known.experiment}  # fmt: skip
        free = self._free_name(store, clean_name(name or experiment))
        return {"id": id or new_run_id(), "name": free, "experiment": experiment,
                "parent": self._parent_id(parent)}  # fmt: skip

    def _free_name(self, store: Store, base: str) -> str:
        """`base`, or `base-2`, `base-3`... when runs of that name exist."""
        key = (store.path, base)
        n = self._names.get(key) or store.count_names(base)
        self._names[key] = n + 1
        return base if n == 0 else f"{base}-{n + 1}"

    def _run_first_at_exit(self) -> None:
        # The hook registered last runs first: runs must end before their store's own
        # hook drains and closes the journal.
        atexit.unregister(self.close)
        atexit.register(self.close)

    def _parent_id(self, parent: Run | str | None) -> str | None:
        if parent is None:
            parent = self.current
        return parent.id if isinstance(parent, Run) else parent or None

    def ended(self, run: Run) -> None:
        """A run is over; the one before it is current again."""
        with self._lock:
            if run in self._beside:
                before = self._beside.pop(run)
                if override.get() is run:  # it may be ended by another thread
                    is_over = before is None or before.status != "running"
                    override.set(None if is_over else before)
                return
            if run in self._running:  # not the parent's, in a forked child
                self._running.remove(run)
            self.active = self._running[-1] if self._running else None

    def _forked(self) -> None:
        # Locks may be held by threads that do not exist here: make new ones, touch
        # nothing else. The journal makes itself inert in the same way.
        self._lock = threading.RLock()
        self.inert, self.active = True, None
        self._running, self._beside = [], {}
        override.set(None)
        # Not to be closed here; a run that begins in the child opens its own.
        self._inherited += self._stores.values()
        self._stores = {}


_session = Session()


def process_session() -> Session:
    """The process's one session."""
    return _session


def current() -> Run | None:
    """The run that is being recorded now, or None.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     assert nbtrack.current() is run
    """
    return _session.current


def log(
    values: Mapping[str, Any] | None = None,
    /,
    *,
    step: int | None = None,
    **named: Any,  # any scalar type of any library
) -> None:
    """Log metrics to the current run; see `Run.log`.

    Without a run the values are dropped and counted, with one warning.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start():
    ...     nbtrack.log({"loss": 0.5}, step=1)
    ...     nbtrack.log(acc=0.9)
    """
    run = override.get() or _session.active
    if run is not None:
        run.log(values, step=step, **named)
    elif not (_session.inert or is_data_worker()):
        _session.n_dropped += 1
        guard.warn_once(
            "log without a run",
            "nbtrack.log() was called without a run: dropped. Put %%track on the cell "
            "or use `with nbtrack.start():`.",
        )


@contextmanager
def _stopped_if_interrupted(run: Run, say: Callable[[], None]) -> Iterator[None]:
    """Say that it began; after Ctrl-C nobody has the run, so nobody else can end it."""
    is_said = False
    try:
        say()
        is_said = True
        yield
    except KeyboardInterrupt:
        if not is_said:
            say()  # the journal may have it or not: said twice, it is said once
        run.finish("stopped")
        raise


def _experiment_of(about: Mapping[str, Any]) -> str:
    """The notebook's name, else the one for all that has none."""
    notebook = about.get("notebook")
    return Path(notebook).stem if notebook else DEFAULT_EXPERIMENT


def start(
    name: str | None = None,
    *,
    experiment: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: str | Sequence[str] | Mapping[str, str] = (),
    group: str | None = None,
    notes: str = "",
    parent: Run | str | None = None,
    off: Iterable[str] | str = (),
    keep: Iterable[str] | str | None = None,
    budget: int | str | None = None,
    alerts: Iterable[str] | str = (),
    resume: Run | str | None = None,
    started_at: datetime | float | str | None = None,
    ranks: str | None = None,
) -> Run:
    """Begin a run and make it the current one.

    Parameters
    ----------
    name : str, optional
        For people, not unique: a second `base` is shown as `base-2`. Default: the
        experiment.
    experiment : str, optional
        The grouping; default: the name of the notebook, else "default".
    params : mapping, optional
        Inputs, nested as you like; types are kept.
    tags : str, sequence or mapping, optional
        `["baseline", "data: mnist"]` or `{"data": "mnist"}`.
    group : str, optional
        One word that runs share: seeds of one setting, folds of one split.
    notes : str, optional
        Markdown.
    parent : Run or id, optional
        Default: the run that is current now, if any.
    off : words, optional
        What not to capture, such as `"system output"`; see `nbtrack.configure`.
    keep, budget : optional
        Which checkpoints stay, as `"best,last,top3"`, and how much they may take, as
        `"5 GB"`; see `nbtrack.configure`, which says it for all runs of a store.
    alerts : words, optional
        What to be told of, beside a metric that is NaN: `["loss > 10", "val_acc < .2",
        "stalled 10m", "plateau val_loss 20", "finished", "failed", "crashed"]`. Each
        comes once, and again when what it waits for was gone between; see `Run.alert`.
    resume : Run, id, name or "last", optional
        Go on with this run instead of beginning one: the same id, steps behind the
        last ones, durations added up. "last" is the newest run of the experiment,
        where one is named, else of the store.
    started_at : datetime, float or str, optional
        When the run began, for one that is filled in afterwards; see `Run.finish`.
    ranks : "first", "all" or "own", optional
        Where several processes train together (torch.distributed, torchrun,
        accelerate, srun): the first one records and the others write nothing; "all":
        their metrics come in as `loss/rank1`, and all of them must call this; "own":
        each process has a run of its own. Default: `NBTRACK_RANKS`, else "first".

    Returns
    -------
    Run
        Use it in a `with` statement, or call `finish()`.

    Raises
    ------
    StoreError
        When no store can be opened or made here.
    OptionError
        For an unknown word in `off`, `keep` or `ranks`, `params` that are no mapping, a
        `budget` that is no size, an alert that is none, a `started_at` that is no time.
    RunNotFoundError, ResumeError
        When the run to resume is not there, still goes on, or is in the trash.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}, tags=["first"]) as run:
    ...     run.log(loss=0.5)
    """
    return _session.start(
        name,
        experiment=experiment,
        params=params,
        tags=tags,
        group=group,
        notes=notes,
        parent=parent,
        off=off,
        keep=keep,
        budget=budget,
        alerts=alerts,
        resume=resume,
        started_at=started_at,
        ranks=ranks,
    )
