"""Why a rerun gave something else: the causes of `nbtrack.diff`, with the bundle as A.

The bundle becomes a run of a store that is thrown away, and is compared with the rerun,
B, as any two runs are. Their cells are those of the script: as its maker wrote it, and
as it ran. What differs by design (the folder, the memory of the machine) is no cause.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbtrack.analysis.diff.cause import LOADED, WEAK, Cause
from nbtrack.analysis.diff.run_diff import diff_sides
from nbtrack.analysis.diff.side import Side, side_of
from nbtrack.bundles.archive.reading import Bundle
from nbtrack.bundles.environment.compared import compare_environment
from nbtrack.bundles.importing.run_import import import_bundle
from nbtrack.capture.dataflow.static_flow import static_flow
from nbtrack.records import CellRecord, Fact, RunRecord
from nbtrack.slices.segments import Segment
from nbtrack.store import Store

_BY_DESIGN = ("python.environment", "container.", "ram.total_bytes", "os.kernel")
_TORCH_THREADS, _POOLS = "numerics.torch.threads", "numerics.threadpools"
_PINNED = re.compile(r"env\.\w+: not known in A")  # we set it, as the run was without
# What the manifest says of the run as well; what else says so may have been edited.
_SAID_TWICE = {
    "threads": "numerics.torch.threads",
    "isa": "numerics.torch.cpu_capability",
    "python": "python.version",
}


def causes_of_rerun(
    bundle: Bundle,
    again: tuple[Store, RunRecord] | None,
    segments: Iterable[Segment],
    python: Path | None = None,
) -> tuple[Cause, ...]:
    """What may have made a rerun differ from its bundle, the likeliest first.

    Parameters
    ----------
    again
        The rerun, if it came so far that one was recorded.
    segments
        The cells as they ran.
    python
        That ran them; None: this one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="nbtrack-causes-") as folder,
        Store.open(Path(folder) / ".nbtrack", create=True) as store,
    ):
        run = import_bundle(bundle.path, store=store)
        was = side_of(store, run)
        now = Side(replace(run, id="rerun")) if again is None else side_of(*again)
    told = bundle.json("run/slice.json")["cells"]
    was = replace(was, facts={**was.facts, **dict(_said(bundle))})
    a = _with_cells(was, {str(c["label"]): str(c["emitted"]) for c in told}, told)
    b = _with_cells(now, {each.label: each.source for each in segments}, told)
    found = list(diff_sides(a, b).causes)
    if again is None:
        found = [c for c in found if c.kind in ("code", "params")]
        found += _of_packages(bundle.json("env/packages.json"), python)
    return _of_weight([c for c in found if c.rank < WEAK and not _is_by_design(c)])


def _said(bundle: Bundle) -> Iterator[tuple[str, Fact]]:
    told = bundle.manifest.get("environment", {})
    for key, name in _SAID_TWICE.items():
        if told.get(key) is not None:
            yield name, Fact(name, told[key])


def _with_cells(
    side: Side, texts: Mapping[str, str], told: Iterable[Mapping[str, Any]]
) -> Side:
    cells = [_cell(each, texts.get(str(each["label"]), "")) for each in told]
    return replace(
        side, cells=cells, needed=frozenset(cell.seq for cell in cells), unknown={}
    )


def _cell(told: Mapping[str, Any], source: str) -> CellRecord:
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
    return CellRecord(
        int(told["seq"]), told["cell_id"], told["execution"], source, digest, "",
        ok=True, flow=static_flow(source),
    )  # fmt: skip


def _of_packages(packages: Mapping[str, Any], python: Path | None) -> list[Cause]:
    """Of an environment in which the cells did not come to their end."""
    found = compare_environment(dict(packages), python)
    return [Cause("packages", each.line, (), LOADED) for each in found.differences]


def _of_weight(causes: list[Cause]) -> tuple[Cause, ...]:
    """Without consequences: a variable that cells compute, pools beside PyTorch's own.

    Where nothing else is known they are the trace that there is.
    """
    first = [c for c in causes if not _is_consequence(c)]
    if any(cause.sentence.startswith(_TORCH_THREADS) for cause in first):
        first = [c for c in first if not c.sentence.startswith(_POOLS)]
    return tuple(first or causes)


def _is_consequence(cause: Cause) -> bool:
    return cause.kind == "data" and not cause.sentence.startswith("file ")


def _is_by_design(cause: Cause) -> bool:
    if cause.kind == "end" or cause.sentence.startswith(_BY_DESIGN):
        return True
    return _PINNED.match(cause.sentence) is not None
