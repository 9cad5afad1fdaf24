"""A trial run twice, in two places: whether they give the same, bit for bit.

A cell that nobody has seen run is rehearsed before the sweep, in a process of its own,
to see what it changes. Before trials go to several processes the first one runs twice:
in the kernel (or, where the cell changes what it reads, in a fresh process) and in
another fresh process; every point of every metric is compared. What is rehearsed is
kept in a store that is thrown away.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import SweepError
from nbtrack.slices.compare import compare_runs
from nbtrack.sweeps.arrange import Arranged, Evidence, refusal
from nbtrack.sweeps.executor import Began, Executor, KernelExecutor, Places
from nbtrack.sweeps.job import Stage
from nbtrack.sweeps.processes import WorkerPool
from nbtrack.sweeps.staging import environment_here, folder_of_session, stage_of
from nbtrack.sweeps.trial import Outcome, Reports, Task

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.sweeps.api import Asked
    from nbtrack.sweeps.sites import CellText
    from nbtrack.sweeps.sweep import Sweep

POLL_S = 0.05


@contextmanager
def arranged_by_rehearsal(
    shell: Any,  # IPython has no types
    cell: CellText,
    asked: Asked,
    sweep: Sweep,
    states: Mapping[str, str],
    evidence: Evidence,
) -> Iterator[Arranged]:
    """The executor for a cell that has to run in processes, or to be rehearsed there.

    Raises
    ------
    SweepError
        When its trials cannot be independent.
    """
    scratch = Path(tempfile.mkdtemp(prefix="nbtrack-rehearsal-"))
    try:
        yield _arranged(shell, cell, asked, sweep, states, evidence, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _arranged(
    shell: Any,
    cell: CellText,
    asked: Asked,
    sweep: Sweep,
    states: Mapping[str, str],
    evidence: Evidence,
    scratch: Path,
) -> Arranged:
    pool: Places
    twin: Places
    kernel = KernelExecutor(shell, cell.python)
    try:
        stage = stage_of(cell, Path(sweep.store.path), Path(folder_of_session()))
        aside = replace(stage, store=str(scratch / ".nbtrack"))
        if evidence.leaks is None:
            task = Task(sweep.name, 0, asked.aim, {}, cell.text, (), states)
            evidence = Evidence(rehearsed(aside, task).leaks, evidence.changeable)
    except SweepError as exc:
        if not evidence.is_clean or asked.background:
            raise refusal(evidence, str(exc)) from exc
        sweep.notes.append(f"in this kernel, one at a time: {exc}")
        return Arranged(kernel, str(exc))
    if asked.stays_in_kernel and evidence.is_clean:
        return Arranged(kernel, "in this kernel, after a rehearsal")
    in_kernel = evidence.is_clean and not asked.background
    if not evidence.is_clean:
        names = ", ".join(evidence.leaks or ())
        sweep.notes.append(
            f"a fresh process for each trial, with {names} as it is now: the cell "
            "changes it"
        )
    if asked.cluster is not None:
        pool, twin = (_on_cluster(one, asked, sweep) for one in (stage, aside))
        first: Executor = kernel if in_kernel else pool
        proving = ProvingExecutor(first, twin, pool, sweep, scratch)
        return Arranged(proving, "on a cluster")
    first = kernel if in_kernel else pool_of(stage, n=1, fresh=True)
    pool = pool_of(stage, n=asked.parallel, fresh=not evidence.is_clean)
    twin = pool_of(aside, n=1, fresh=False, aside=True)
    if stage.writes_files:  # not under a trial that reads them
        pool.until_ready()
        twin.until_ready()
    return Arranged(ProvingExecutor(first, twin, pool, sweep, scratch), "in processes")


def _on_cluster(stage: Stage, asked: Asked, sweep: Sweep) -> Places:
    from nbtrack.sweeps.cluster import ClusterExecutor

    return ClusterExecutor(
        asked.cluster,
        stage,
        n=asked.parallel,
        folder=folder_of_session(),
        tell=sweep.notes.append,
    )


def pool_of(stage: Stage, *, n: int, fresh: bool, aside: bool = False) -> WorkerPool:
    """Workers for this session's cells."""
    return WorkerPool(
        stage,
        n=n,
        fresh=fresh,
        environment=environment_here(),
        folder=folder_of_session(),
        aside=aside,
    )


def rehearsed(stage: Stage, task: Task) -> Outcome:
    """Run a cell once, aside.

    Raises
    ------
    SweepError
        When it does not come to its end there.
    """
    pool = pool_of(stage, n=1, fresh=False, aside=True)
    try:
        pool.start(task, report=lambda *_: False, began=lambda *_: None)
        outcome = None
        while outcome is None:
            outcome = pool.wait(POLL_S)
    finally:
        pool.close()
    if outcome.status != "finished":
        raise SweepError(outcome.error or f"it {outcome.status}")
    return outcome


class ProvingExecutor:
    """Runs the first trial twice, and the others in processes if both agree.

    Where they do not, a kernel goes on alone; processes go on, and that is noted.
    """

    def __init__(
        self,
        first: Executor,
        twin: Places,
        pool: Places,
        sweep: Sweep,
        scratch: Path,
    ) -> None:
        self.n_places = 1
        self._first = first
        self._twin = twin
        self._pool = pool
        self._sweep = sweep
        self._scratch = scratch
        self._now: Executor = first
        self._is_proven: bool | None = None

    def start(self, task: Task, *, report: Reports, began: Began) -> None:
        """The first one goes to both."""
        if self._is_proven is None:
            aside = replace(task, prunes=False)  # nobody could answer: the first runs
            self._twin.start(aside, report=lambda *_: False, began=lambda *_: None)
        self._now.start(task, report=report, began=began)

    def wait(self, timeout_s: float) -> Outcome | None:
        """The next trial that has ended; with the first one, its twin as well."""
        outcome = self._now.wait(timeout_s)
        if outcome is not None and self._is_proven is None:
            self._prove(outcome)
        return outcome

    def stop(self, by: str) -> None:
        """Ask every trial to stop."""
        self._now.stop(by)
        self._twin.stop(by)

    def close(self) -> None:
        """Leave nothing running."""
        for executor in (self._first, self._twin, self._pool):
            executor.close()

    def _prove(self, outcome: Outcome) -> None:
        why = "it was stopped" if outcome.interrupted else self._difference(outcome)
        self._is_proven = not why
        self._twin.close()
        in_kernel = isinstance(self._first, KernelExecutor)
        if why and in_kernel:
            self._sweep.notes.append(
                f"in this kernel, one at a time: a process of its own does not give "
                f"the same ({why})"
            )
            self._pool.close()
            return
        if why:
            self._sweep.notes.append(f"two runs of the first trial differ: {why}")
        if outcome.wrote:
            self._own_folders(outcome.wrote)
        self._now, self.n_places = self._pool, self._pool.n_places

    def _own_folders(self, wrote: tuple[str, ...]) -> None:
        """Trials that write files do so beside one another, not over one another."""
        outside = self._pool.work_apart(wrote)
        shown = ", ".join(Path(path).name for path in wrote[:3])
        if outside:
            self._pool.n_places = 1
            note = f"one at a time: trials write {outside[0]}"
        else:
            note = f"each trial wrote {shown} in a folder of its own; models are kept"
        self._sweep.notes.append(note)

    def _difference(self, outcome: Outcome) -> str:
        try:
            twin = None
            while twin is None:
                twin = self._twin.wait(POLL_S)
        except SweepError as exc:
            return str(exc)
        if twin.status != "finished" or outcome.status != "finished":
            same = (twin.status, twin.error) == (outcome.status, outcome.error)
            return "" if same else f"it {twin.status}: {twin.error or 'no word'}"
        return self._compared(outcome, twin)

    def _compared(self, outcome: Outcome, twin: Outcome) -> str:
        from nbtrack.store import Store

        store: Store = self._sweep.store
        assert outcome.run is not None
        assert twin.run is not None
        with Store.open(self._scratch / ".nbtrack") as aside:
            was, now = store.run(outcome.run), aside.run(twin.run)
            return compare_runs((store, was), (aside, now)).reason
