"""`nbtrack.export`: a run becomes a bundle, once its cells have given the result again.

What the bundle will hold is laid out in a fresh folder and run by a fresh process; with
more cells where the slice alone does not do. Only then it is called proven. A run that
cannot be proven is exported as UNPROVEN, with the reason in it. Ctrl-C leaves no file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.bundles.archive.writing import write_bundle
from nbtrack.bundles.checking import Checker
from nbtrack.bundles.content import Content, content_of, facts_of
from nbtrack.bundles.drafting import members_of
from nbtrack.bundles.environment.closure import check_packaging
from nbtrack.bundles.judging import Tolerance
from nbtrack.bundles.ledger import WISHES, Wish
from nbtrack.bundles.locking import locked
from nbtrack.bundles.manifest import Draft
from nbtrack.bundles.trusted import trust
from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.slices.attempt import Trial
from nbtrack.slices.claim import Claim, Proof
from nbtrack.slices.ladder import climb, time_for
from nbtrack.slices.prove import (
    cells_of_session,
    claim_of,
    keep_proof,
    proof_of,
    why_no_proof,
)
from nbtrack.slices.script import script_of
from nbtrack.slices.slice import Slice, slice_kept, slice_of_run
from nbtrack.text import shorten, shown_bytes, visible

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

ENDING = ".nbt.zip"
_FEATURE = "keeping the proof"
_BUDGET_TIMES = 2  # of what the whole session may take: for all rungs together
_REPEATS_MAX = 100
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written."""

    path: Path
    bundle_id: str
    proof: Proof
    n_cells: int
    size_bytes: int
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # variables of the environment

    @property
    def line(self) -> str:
        """What came of it, in one line."""
        size = shown_bytes(self.size_bytes)
        if self.proof.is_proven:
            return f"exported {self.path.name} · {size} · {self.proof.reason}"
        return f"exported {self.path.name} · {size} · UNPROVEN: {self.proof.reason}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a run is to be exported."""

    repeat: int = 1
    data: Wish = "auto"
    private: tuple[str, ...] = ()
    tolerance: Mapping[str, float] | None = None
    timeout_s: float | None = None
    allow_writes: bool = False
    offline: bool = False
    prove: bool = True
    tell: Tell = lambda text: None

    def __post_init__(self) -> None:
        if self.data not in WISHES:
            shown = shorten(visible(repr(self.data)), 40)
            raise OptionError(f"data={shown}: it is one of {', '.join(WISHES)}.")
        if not 1 <= self.repeat <= _REPEATS_MAX:
            raise OptionError(f"repeat={self.repeat}: it is 1 to {_REPEATS_MAX}.")

    @property
    def declared(self) -> dict[str, Tolerance]:
        """The tolerances that somebody only says."""
        told = (self.tolerance or {}).items()
        return {name: Tolerance(atol=v, source="declared") for name, v in told}


def export(
    run: Run | RunRecord | str = "last",
    path: Path | str | None = None,
    *,
    repeat: int = 1,
    data: Wish = "auto",
    private: Sequence[str] = (),
    tolerance: Mapping[str, float] | None = None,
    timeout: float | None = None,
    allow_writes: bool = False,
    offline: bool = False,
    prove: bool = True,
    store: Store | None = None,
    tell: Tell = lambda text: None,
) -> Path:
    """Export a run as a reproducibility bundle, and prove it before.

    Parameters
    ----------
    run : Run, RunRecord or str
        A run, its id or name; default the last one. It was tracked in a notebook.
    path : path, optional
        Default: `<name of the run>.nbt.zip` in the working folder; a file that is
        there is replaced.
    repeat : int
        How often its cells are run again. From 2 on the spread of each metric over the
        repeats is kept: the noise that a rerun is allowed. Default 1.
    data : {"auto", "embed", "ref", "none"}
        Which of the files that the cells read go in. "auto": up to 50 MB each and
        200 MB together; the others are named with their digest.
    private : sequence of str
        Patterns of paths (`patients/*`) that never go in: their digest does.
    tolerance : mapping, optional
        Metric -> how far off it may be, in its own unit; a rerun inside of that alone
        is WITHIN-DECLARED.
    timeout : float, optional
        Seconds for one run of the cells. Default: three times what they took, and a
        minute.
    allow_writes : bool
        Let the cells write outside their folder.
    offline : bool
        Do not ask the package index for the hashes of the lock.
    prove : bool
        False: nothing is run, and the bundle says UNPROVEN.
    store : Store, optional
        Default: the store of this folder.
    tell : callable
        Hears in a few words what is done now.

    Returns
    -------
    Path
        Of the bundle, absolute.

    Raises
    ------
    RunNotFoundError
        When no run answers.
    OptionError
        For a run that was not recorded in a notebook, still goes on, or is in the
        trash.
    BundleError
        Where the file cannot be written.
    MissingExtraError
        Without `packaging`: `pip install "nbtrack[bundles]"`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("in a script"):
    ...     pass
    >>> export("in a script")
    Traceback (most recent call last):
        ...
    nbtrack.errors.OptionError: Run 'in a script' has no cells: it was not recorded \
in a notebook, or with the log of cells switched off.
    """
    wanted = Wanted(
        repeat, data, tuple(private), tolerance, timeout, allow_writes, offline,
        prove, tell,
    )  # fmt: skip
    return export_as(run, path, wanted, store=store).path


def export_as(
    run: Run | RunRecord | str,
    path: Path | str | None,
    wanted: Wanted,
    *,
    store: Store | None = None,
) -> Exported:
    """Export a run as it is wanted; see `export`."""
    found = run if isinstance(run, str) else run.id
    made = _slice_of(found, store)
    claim = claim_of(made, allow_writes=wanted.allow_writes, store=store)
    target = target_of(claim, path)
    check_packaging()  # before cells run for minutes
    content, proof = _proven(claim, made, wanted)
    wanted.tell("writing the bundle")
    packages, lock = locked(claim, content, offline=wanted.offline, tell=wanted.tell)
    draft = Draft(claim, made, content, proof, packages, lock)
    bundle_id = write_bundle(target, members_of(draft), tell=wanted.tell)
    trust(bundle_id)
    size = target.stat().st_size
    return Exported(
        target, bundle_id, proof, len(content.kept), size, content.script.notes,
        tuple(content.needs.names),
    )  # fmt: skip


def unproven_bundle(name: str, folder: Path, *, tell: Tell) -> Path:
    """A bundle of a run of this store for a rerun right now; nothing is run for it."""
    wanted = Wanted(offline=True, prove=False, tell=tell)
    return export_as(name, folder / f"run{ENDING}", wanted).path


def target_of(claim: Claim, path: Path | str | None) -> Path:
    """The file that is written."""
    assert claim.run is not None
    kept = (c if c.isalnum() or c in " ._-" else "_" for c in claim.run.name)
    name = "".join(kept).strip(" .")[:100] or claim.run.id
    target = Path(path or ".").expanduser().resolve()
    return target / f"{name}{ENDING}" if target.is_dir() else target


def _slice_of(name: str, store: Store | None) -> Slice:
    if store is None:
        return slice_of_run(name)
    return slice_kept(store, store.run(name))


def _proven(claim: Claim, made: Slice, wanted: Wanted) -> tuple[Content, Proof]:
    """What goes in, and what was shown of it."""
    assert claim.run is not None
    _refuse(claim.run)
    n_all = cells_of_session(claim)
    why = why_no_proof(claim)
    if why is not None or not wanted.prove:
        reason = why or "it was exported without being run again"
        return _unproven(claim, made, wanted), Proof(
            "UNPROVEN", None, reason, n_session=n_all
        )
    began = time.monotonic()
    facts = facts_of(claim.store, claim.run.id)
    checker = Checker(
        facts,
        wanted.data,
        wanted.private,
        repeat=wanted.repeat,
        declared=wanted.declared,
        tell=wanted.tell,
    )
    climbed = climb(
        claim,
        timeout_s=wanted.timeout_s,
        budget_s=_BUDGET_TIMES * wanted.repeat * time_for(claim.cells),
        tell=wanted.tell,
        tries=checker,
    )
    proof = proof_of(claim, climbed, began)
    if claim.store.why_read_only is None:
        with guard(_FEATURE):
            keep_proof(claim.store, claim.run.id, proof)
    content = checker.content if proof.is_proven else checker.first
    return content or _unproven(claim, made, wanted), proof


def _refuse(run: RunRecord) -> None:
    shown = repr(shorten(visible(run.name), 60))
    if run.status == "running":
        raise OptionError(
            f"Run {shown} still goes on: a bundle is of a run that has ended."
        )
    if run.trashed_at is not None:
        raise OptionError(f"Run {shown} is in the trash: restore it to export it.")


def _unproven(claim: Claim, made: Slice, wanted: Wanted) -> Content:
    """The slice as it is."""
    cells = tuple(each.cell for each in made.kept)
    script = script_of(made.kept, title=claim.title)
    trial = Trial("slice", cells, script, kept=made.kept)
    return content_of(claim, trial, wish=wanted.data, private=wanted.private)
