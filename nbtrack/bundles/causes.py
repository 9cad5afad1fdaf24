"""Why a rerun gave something else: found out in this order, the likeliest first.

    1  what of the bundle is not as it was exported: data, cells, modules, states
    2  the first cell whose generators stood elsewhere
    3  packages, and settings and the machine, where the environment is another
    4  where nothing of that is known to differ: what the first cell that gave
       something else reads from outside, and what it computed

A variable or a param that is another is a consequence, as all of them are computed by
the cells: it counts only where a cell was edited, or nothing else is known.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from nbtrack.analysis.diff.cause import DATA, LOADED, PACKAGES, SEED, WEAK, Cause
from nbtrack.analysis.diff.run_diff import diff_sides
from nbtrack.analysis.diff.side import Side, side_of
from nbtrack.bundles.archive.reading import Bundle
from nbtrack.bundles.diverging import GENERATOR
from nbtrack.bundles.edited import changed_files, changed_states, edits_of, reads_of
from nbtrack.bundles.environment.compared import compare_environment
from nbtrack.bundles.importing.run_import import import_bundle
from nbtrack.bundles.verdict import Divergence
from nbtrack.errors import EnvironmentBlockedError
from nbtrack.records import Fact, RunRecord
from nbtrack.slices.segments import Segment
from nbtrack.store import Store

_BY_DESIGN = ("python.environment", "container.", "ram.total_bytes", "os.kernel")
_TORCH_THREADS, _POOLS = "numerics.torch.threads", "numerics.threadpools"
SEEDS = re.compile(r"\bseed\b|_seed\b|\bSEED|random_state|default_rng\(\d")
_PINNED = re.compile(r"env\.\w+: not known in A")  # we set it, as the run was without
# What the manifest says of the run as well; what else says so may have been edited.
_SAID_TWICE = {
    "threads": _TORCH_THREADS,
    "isa": "numerics.torch.cpu_capability",
    "python": "python.version",
}


def causes_of_rerun(
    bundle: Bundle,
    again: tuple[Store, RunRecord] | None,
    segments: Iterable[Segment],
    *,
    divergence: Divergence | None = None,
    python: Path | None = None,
) -> tuple[Cause, ...]:
    """What may have made a rerun differ from its bundle, the likeliest first.

    Parameters
    ----------
    again
        The rerun, if it came so far that one was recorded.
    segments
        The cells as they ran.
    divergence
        Where it first held something else.
    python
        That ran them; None: this one.
    """
    first = None if divergence is None else divergence.cell
    edits = list(edits_of(bundle, segments, first))
    compared = [] if again is None else _compared(bundle, again)
    found = [*changed_files(bundle), *edits, *changed_states(bundle)]
    found += _generators(divergence)
    found += [c for c in compared if c.kind == "params" and edits]
    found += _packages(bundle, python)
    found += [c for c in compared if c.kind in ("environment", "hardware")]
    found = [c for c in found if c.rank < WEAK]
    if not found:
        found = [*_seeded_in(bundle, divergence), *_read_by(bundle, first)]
        found += [c for c in compared if c.kind == "seed"]
    if not found:
        found = [c for c in compared if c.kind in ("data", "params", "unknown")]
    return tuple(sorted(_without_pools(found), key=lambda cause: cause.rank))


def _compared(bundle: Bundle, again: tuple[Store, RunRecord]) -> list[Cause]:
    """The causes of `nbtrack.diff`, with the bundle as A; code and packages apart."""
    with (
        tempfile.TemporaryDirectory(prefix="nbtrack-causes-") as folder,
        Store.open(Path(folder) / ".nbtrack", create=True) as store,
    ):
        was = side_of(store, import_bundle(bundle.path, store=store))
        now = side_of(*again)
    a = _bare(replace(was, facts={**was.facts, **dict(_said(bundle))}))
    causes = diff_sides(a, _bare(now)).causes
    if _threads_of_pools(a) == _threads_of_pools(now):
        causes = tuple(c for c in causes if not c.sentence.startswith(_POOLS))
    return [cause for cause in causes if not _is_by_design(cause)]


def _bare(side: Side) -> Side:
    """Without code and packages, which are compared by what the bundle has of them."""
    return replace(side, cells=(), needed=None, texts=(), unknown={})


def _said(bundle: Bundle) -> Iterator[tuple[str, Fact]]:
    told = bundle.manifest.get("environment", {})
    for key, name in _SAID_TWICE.items():
        if told.get(key) is not None:
            yield name, Fact(name, told[key])


def _generators(divergence: Divergence | None) -> Iterator[Cause]:
    if divergence is not None and (divergence.variable or "").startswith(GENERATOR):
        said = f"{divergence.variable} stood elsewhere before {divergence.cell}"
        yield Cause("seed", said, (), SEED)


def _packages(bundle: Bundle, python: Path | None) -> Iterator[Cause]:
    """Those of the run that are another version here, or are not here."""
    told = bundle.json("env/packages.json")
    of_run = [p for p in told["packages"] if p["group"] == "run"]
    loaded = {p["name"] for p in of_run if p["loaded"]}
    try:
        found = compare_environment({**told, "packages": of_run}, python)
    except EnvironmentBlockedError:
        return
    for each in found.differences:
        rank = LOADED if each.name in loaded else PACKAGES
        yield Cause("packages", f"package {each.line}", (), rank)


def _read_by(bundle: Bundle, first: str | None) -> Iterator[Cause]:
    """Nothing is known to differ: then it came in where it first shows."""
    for path in reads_of(bundle, first):
        said = f"file {path}: nothing else is known to differ, and {first} reads it"
        yield Cause("data", said, (), DATA)


def _seeded_in(bundle: Bundle, divergence: Divergence | None) -> Iterator[Cause]:
    """A seed that is set in the first cell that gave something else."""
    if divergence is None or divergence.cell is None:
        return
    cells = bundle.json("run/slice.json")["cells"]
    text = next((c["emitted"] for c in cells if c["label"] == divergence.cell), "")
    if SEEDS.search(f"{divergence.variable}\n{text}"):
        said = f"{divergence.cell} sets a seed, and nothing else is known to differ"
        yield Cause("seed", said, (), SEED)


def _without_pools(causes: list[Cause]) -> list[Cause]:
    """PyTorch's number of threads says what the pools beside it say at length."""
    if not any(cause.sentence.startswith(_TORCH_THREADS) for cause in causes):
        return causes
    return [c for c in causes if not c.sentence.startswith(_POOLS)]


def _threads_of_pools(side: Side) -> dict[str, object]:
    """Library -> its threads; in which order they were loaded moves no bit."""
    pools = side.fact(_POOLS)
    listed = pools if isinstance(pools, list) else []
    return {str(p.get("internal_api")): p.get("num_threads") for p in listed}


def _is_by_design(cause: Cause) -> bool:
    if cause.kind == "end" or cause.sentence.startswith(_BY_DESIGN):
        return True
    return _PINNED.match(cause.sentence) is not None
