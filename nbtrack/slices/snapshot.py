"""Values of the running session, kept for a script that cannot make them again.

The last resort of a proof: what somebody typed in, what a thread changed between cells.
Only a value that no cell has changed since the run can stand for what the run read; it
is pickled into the folder of the proof, and into a bundle that was proven with it: its
manifest says so.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from nbtrack.guard import tolerated
from nbtrack.records import CellRecord
from nbtrack.slices.claim import Claim
from nbtrack.text import shorten

FOLDER = "values"
SIZE_MAX_BYTES = 200_000_000


class _TooLarge(ValueError):
    """More than is kept."""


class _Limited(io.BytesIO):
    def write(self, part: Any) -> int:  # Any: bytes, or a view of them
        if self.tell() + len(memoryview(part).cast("B")) > SIZE_MAX_BYTES:
            raise _TooLarge(f"it is larger than {SIZE_MAX_BYTES:,} bytes")
        return super().write(part)


def snapshots_of(
    claim: Claim, names: Iterable[str]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The values that can be kept, pickled; and why the others cannot."""
    kept: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    namespace = vars(sys.modules["__main__"])
    for name in names:
        why = _why_not(claim, name, namespace)
        if why is None:
            pickled = _pickled(namespace[name])
            if isinstance(pickled, bytes):
                kept[name] = pickled
                continue
            why = pickled
        refused[name] = why
    return kept, refused


def without_reading(
    cells: Sequence[CellRecord], names: Collection[str]
) -> list[CellRecord]:
    """The cells as if nobody had to make these variables.

    >>> from nbtrack.records import FlowRecord
    >>> cell = CellRecord(0, None, 1, "x + y", "", "", flow=FlowRecord(("x", "y")))
    >>> without_reading([cell], {"x"})[0].flow.reads
    ('y',)
    """
    from nbtrack.slices.closure import flow_of

    changed = []
    for cell in cells:
        flow = flow_of(cell)
        reads = tuple(name for name in flow.reads if name not in names)
        changed.append(replace(cell, flow=replace(flow, reads=reads)))
    return changed


def _why_not(claim: Claim, name: str, namespace: dict[str, Any]) -> str | None:
    """Why the value of now cannot stand for the one that was read."""
    if not claim.live:
        return "its session is over"
    if name not in namespace:
        return "it is gone"
    for cell in claim.cells:
        if claim.target is None or cell.seq < claim.target:
            continue
        flow = cell.flow
        label = f"[{cell.execution or cell.seq + 1}]"
        if flow is None:
            return f"what {label} changed was not looked at"
        if name in flow.writes or name in flow.may_write:
            return f"{label} may have changed it since"
        if name in flow.between and cell.seq > claim.target:
            return f"it changed before {label}"
    return None


def _pickled(value: Any) -> bytes | str:
    """The pickle, or why there is none."""
    written = _Limited()
    why: list[Exception] = []
    with tolerated(why.append):
        pickle.Pickler(written, protocol=5).dump(value)
    if why:
        return shorten(f"{type(why[0]).__name__}: {why[0]}", 120)
    return written.getvalue()
