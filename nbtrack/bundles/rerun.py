"""`nbtrack.rerun`: a bundle, or a run, is run again, and its result is judged.

The cells run in a fresh process and a clean folder, with the threads and instruction
sets of the run, in a fresh environment from the bundle's lock or in this one, and
without a network unless asked. A bundle from outside is code of somebody else: it runs
only once it is trusted. The rerun is itself a run of the store, linked to its origin.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.bundles.archive.reading import Bundle, open_bundle
from nbtrack.bundles.causes import causes_of_rerun
from nbtrack.bundles.diverging import first_divergence
from nbtrack.bundles.environment.fresh import fresh_environment
from nbtrack.bundles.judging import Tolerance, judged
from nbtrack.bundles.keeping import keep_rerun
from nbtrack.bundles.opened import blocked_by, facts_in, time_for_bundle, work_in
from nbtrack.bundles.pins import deviations, machine_flags
from nbtrack.bundles.series import Series, series_of_lines, series_of_run
from nbtrack.bundles.tensors import same_tensors
from nbtrack.bundles.trusted import is_trusted, trust
from nbtrack.bundles.verdict import GOOD, SAME, MetricVerdict, Verdict, Word, worst
from nbtrack.bundles.what_if import with_params
from nbtrack.bundles.work import Ran, Work, Workplace
from nbtrack.errors import BundleError, EnvironmentBlockedError, OptionError
from nbtrack.records import RunRecord
from nbtrack.store import Store
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

Where = Literal["locked", "current"]
ENVIRONMENTS = ("locked", "current")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a bundle is to be run again."""

    trust: bool = False
    environment: Where = "locked"
    find_links: tuple[str, ...] = ()
    network: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float | None = None
    tell: Tell = lambda text: None


def rerun(
    what: Path | Run | RunRecord | str = "last",
    *,
    trust: bool = False,
    environment: Where | None = None,
    find_links: Sequence[str | Path] = (),
    network: bool = False,
    params: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    store: Store | None = None,
    tell: Tell = lambda text: None,
) -> Verdict:
    """Run a bundle, or a run of this store, again, and say what came of it.

    Parameters
    ----------
    what : path, Run or str
        A bundle (`*.nbt.zip`, or its folder), else a run: its id, name, "last".
    trust : bool
        A bundle that this user has not made runs other people's code: only with True.
        It is remembered for this very bundle.
    environment : {"locked", "current"}, optional
        "locked": a fresh environment from the bundle's lock, which is kept and used
        again; "current": this Python. Default: "locked" for a bundle, "current" for a
        run.
    find_links : sequence of path
        Folders with wheels that no index has.
    network : bool
        Let the cells use the network; installing may use it anyway.
    params : mapping, optional
        What-if: other values for params that a cell says as a literal.
    timeout : float, optional
        Seconds for the cells. Default: three times what they took, and a minute.
    store : Store, optional
        Where the rerun is kept. Default: the store of this folder.
    tell : callable
        Hears in a few words what is done now.

    Returns
    -------
    Verdict
        `verdict` (see `nbtrack.bundles.verdict`), `metrics`, `divergence`, `causes`,
        `run`: the id of the rerun.

    Raises
    ------
    BundleError
        For a bundle that is damaged, malformed or not trusted.
    RunNotFoundError
        When no run answers.
    OptionError
        For a run without cells, a param that no cell says.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("in a script"):
    ...     pass
    >>> rerun("in a script")
    Traceback (most recent call last):
        ...
    nbtrack.errors.OptionError: Run 'in a script' has no cells: it was not recorded \
in a notebook, or with the log of cells switched off.
    """
    if environment not in (None, *ENVIRONMENTS):
        shown = shorten(visible(repr(environment)), 40)
        raise OptionError(f"environment={shown}: it is 'locked' or 'current'.")
    links = tuple(str(Path(path).expanduser().resolve()) for path in find_links)
    asked = Asked(trust, "locked", links, network, params or {}, timeout, tell)
    path = _bundle_path(what)
    with ExitStack() as stack:
        if path is None:
            path = _made_of(what, stack, tell)
            asked = replace(asked, trust=True, environment=environment or "current")
        else:
            asked = replace(asked, environment=environment or "locked")
        bundle = stack.enter_context(open_bundle(path))
        _refuse(bundle, asked)
        return _Rerun(bundle, asked, _store_for(store)).verdict()


def _bundle_path(what: Path | Run | RunRecord | str) -> Path | None:
    """The bundle that is meant; None where it is a run."""
    if not isinstance(what, str | Path):
        return None
    path = Path(what).expanduser()
    is_one = str(what).endswith(".nbt.zip") or isinstance(what, Path)
    if is_one and not path.exists():
        raise BundleError(f"There is no bundle {shorten(visible(str(what)), 200)!r}.")
    has_manifest = path.is_dir() and (path / "MANIFEST.sha256").is_file()
    return path if is_one or has_manifest else None


def _made_of(what: Run | RunRecord | Path | str, stack: ExitStack, tell: Tell) -> Path:
    """A bundle of a run of this store, which nobody has proven yet."""
    from nbtrack.bundles.export import unproven_bundle

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nbtrack-bundle-"))
    name = what if isinstance(what, str) else getattr(what, "id", str(what))
    return unproven_bundle(name, Path(folder), tell=tell)


def _store_for(store: Store | None) -> Store:
    from nbtrack.tracking.settled import settled

    return settled(store)


def _refuse(bundle: Bundle, asked: Asked) -> None:
    """A bundle that is not whole, or that nobody has looked at, is not run."""
    problems = bundle.problems()
    names = (*problems.tampered, *problems.missing, *problems.extra)
    if names:
        named = ", ".join(map(visible, names[:3]))
        raise BundleError(
            f"The bundle is not what its manifest says ({named}): it is not run. Get "
            "it again, or see what `nbtrack verify` says of it."
        )
    if not asked.trust and not is_trusted(bundle.id):
        raise BundleError(
            "This bundle is not yours: running it runs somebody else's code, with "
            "your rights. Look at run/run.py in it, then run it with trust=True "
            "(%rerun FILE --trust)."
        )
    trust(bundle.id)


class _Rerun:
    """One rerun of an opened bundle."""

    def __init__(self, bundle: Bundle, asked: Asked, store: Store) -> None:
        self._bundle = bundle
        self._asked = asked
        self._store = store
        self._began = time.monotonic()
        self._facts = facts_in(bundle)

    def verdict(self) -> Verdict:
        """Run it, and judge."""
        with tempfile.TemporaryDirectory(prefix="nbtrack-bundle-") as folder:
            extracted = Path(folder) / "bundle"
            self._bundle.extract(extracted)
            work = work_in(self._bundle, extracted)
            why = blocked_by(self._bundle, work)
            if why:
                return self._ended("BLOCKED", why)
            if self._asked.params:
                segments = with_params(work.segments, self._asked.params)
                work = replace(work, segments=segments)
            return self._run(work)

    def _run(self, work: Work) -> Verdict:
        asked, python = self._asked, None
        if asked.environment == "locked":
            try:
                made = fresh_environment(
                    self._bundle.json("env/packages.json"),
                    find_links=asked.find_links,
                    tell=asked.tell,
                )
            except EnvironmentBlockedError as exc:
                return self._ended("BLOCKED", str(exc))
            python = made.python
        timeout_s = asked.timeout_s or time_for_bundle(self._bundle)
        asked.tell(f"running {len(work.segments)} cells, at most {timeout_s:.0f} s")
        with Workplace(work) as place:
            ran = place.run(
                timeout_s=timeout_s,
                python=python,
                network=asked.network,
                tell=asked.tell,
            )
            run_id = None if ran.answer is None else ran.answer.run
            if run_id is None:
                reason = ran.problem or "no run was recorded"
                verdict = self._ended("FAILED", reason, ran)
                return self._with_causes(verdict, None, work, python)
            with Store.open(place.store) as there:
                again = there.run(run_id)
                verdict = self._judged(ran, there, again)
                told = self._with_causes(verdict, (there, again), work, python)
                origin = self._bundle.manifest["run"]
                kept = keep_rerun(self._store, there, again, told, origin)
        return replace(told, run=kept)

    def _judged(self, ran: Ran, there: Store, again: RunRecord) -> Verdict:
        metrics = self._metrics(there, again)
        word, remarks = self._word(metrics, there, again)
        failed = again.status != "finished"
        reason = ran.problem or (f"the rerun {again.status}" if failed else "")
        return self._ended("FAILED" if reason else word, reason, ran, metrics, remarks)

    def _with_causes(
        self,
        verdict: Verdict,
        again: tuple[Store, RunRecord] | None,
        work: Work,
        python: Path | None,
    ) -> Verdict:
        if verdict.is_good or verdict.verdict == "WHAT-IF":
            return verdict
        causes = causes_of_rerun(
            self._bundle,
            again,
            work.segments,
            divergence=verdict.divergence,
            python=python,
        )
        return replace(verdict, causes=causes)

    def _metrics(self, there: Store, again: RunRecord) -> tuple[MetricVerdict, ...]:
        was = series_of_lines(self._bundle.read("results/metrics.jsonl"))
        now: dict[str, Series] = series_of_run(there, again)
        told = self._bundle.manifest.get("tolerance", {})
        tolerances = {name: Tolerance.read(each) for name, each in told.items()}
        return judged(was, now, tolerances)

    def _word(
        self, metrics: Sequence[MetricVerdict], there: Store, again: RunRecord
    ) -> tuple[Word, tuple[str, ...]]:
        if self._asked.params:
            return "WHAT-IF", ()
        word = worst(m.verdict for m in metrics) if metrics else "DIVERGED"
        remarks: tuple[str, ...] = ()
        if word == "BITWISE":
            other = same_tensors(
                self._bundle.json("results/expected.json"), there, again
            )
            word, remarks = ("IDENTICAL" if other else word), other
        proven = self._bundle.manifest["slice"]["proof"] == "PROVEN"
        if word not in GOOD and not proven:
            word = "UNPROVEN"
        return word, remarks

    def _ended(
        self,
        word: Word,
        reason: str,
        ran: Ran | None = None,
        metrics: tuple[MetricVerdict, ...] = (),
        remarks: tuple[str, ...] = (),
    ) -> Verdict:
        divergence = None
        judged = word not in (*SAME, "WHAT-IF")
        if ran is not None and ran.answer is not None and judged:
            expected = self._bundle.json("rng/fingerprints.json")["cells"]
            divergence = first_divergence(expected, ran.answer.seen, metrics)
        if word == "UNPROVEN" and not reason:
            reason = "it differs, and its maker has never run it again either"
        n_cpus = len(os.sched_getaffinity(0))
        told = deviations(self._facts, flags=machine_flags(), n_cpus=n_cpus)
        return Verdict(
            word,
            metrics,
            reason,
            divergence,
            environment=self._asked.environment,
            remarks=(*remarks, *told),
            origin=str(self._bundle.manifest["run"]["id"]),
            bundle_id=self._bundle.id,
            duration_s=time.monotonic() - self._began,
            changed=dict(self._asked.params),
        )
