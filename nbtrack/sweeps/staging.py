"""The cells that a swept cell depends on, as what a worker runs before its trials.

It is the slice of the cell that is about to run: by what it was seen to read when it
ran before, else by its text. Files that earlier cells wrote are there already; their
writers are kept for their variables alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.capture.dataflow.pseudo import ALL_FILES, OF_FILES
from nbtrack.errors import SweepError
from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.closure import KeptCell, close_over, flow_of, label_of
from nbtrack.slices.script import Script, script_of
from nbtrack.slices.segments import Segment, segments_of
from nbtrack.slices.slice import live_cells
from nbtrack.sweeps.boundary import names_read
from nbtrack.sweeps.job import Stage
from nbtrack.text import text_digest

if TYPE_CHECKING:
    from nbtrack.sweeps.sites import CellText


def stage_of(cell: CellText, store: Path, folder: Path) -> Stage:
    """What a worker needs to run trials of a cell.

    Raises
    ------
    SweepError
        When a cell that it depends on cannot run again: it asked for input, its text
        was not kept, or nobody saw who set what it reads.
    """
    kept = kept_for(cell)
    for one in kept[:-1]:
        refuse_unrepeatable(one)
    script = script_of(kept, title="a sweep")
    _write_files(script, folder)
    n_lines = {part.first_line: part.n_lines for part in script.segments} or None
    segments = segments_of(script.source, n_lines)
    before = _before_the_last(segments)
    writes = [name for one in kept[:-1] for name in flow_of(one.cell).writes]
    return Stage(
        store=str(store),
        segments=tuple(before),
        python=cell.python,
        writes_files=any(name.startswith(OF_FILES) for name in writes),
    )


def kept_for(cell: CellText) -> tuple[KeptCell, ...]:
    """The cells of the slice, the swept one last.

    Raises
    ------
    SweepError
        For a variable that no cell was seen to set.
    """
    ended = [c for c in live_cells() if c.ok is not None or not c.started_at]
    target = _as_record(cell, len(ended))
    cells = [_without_files(one) for one in [*ended, target]]
    cells = [replace(one, seq=seq) for seq, one in enumerate(cells)]
    closure = close_over(cells, target=cells[-1].seq)
    unknown = [name for name in closure.missing if name in cell.namespace]
    if unknown:
        raise SweepError(f"{unknown[0]}: {closure.missing[unknown[0]]}")
    return closure.kept


def refuse_unrepeatable(kept: KeptCell) -> None:
    """Whether a cell can run in a worker at all.

    Raises
    ------
    SweepError
        When it asked for input, or its text is not known.
    """
    cell = kept.cell
    if cell.source is None:
        raise SweepError(f"the text of {label_of(cell)} was not kept")
    if "input" in flow_of(cell).notes:
        raise SweepError(f"{label_of(cell)} asks for input")


def _as_record(cell: CellText, seq: int) -> CellRecord:
    from nbtrack.sweeps.arrange import seen_before

    source = f"%%nbtrack\n{cell.text}"
    digest = text_digest(source)
    seen = seen_before(cell.text)
    reads: Sequence[str] = names_read(cell.python, cell.namespace)
    if seen is not None and seen.flow is not None:
        reads = [*reads, *seen.flow.reads]
    flow = FlowRecord(reads=tuple(dict.fromkeys(reads)))
    return CellRecord(seq, None, None, source, digest, "", flow=flow)


def _without_files(cell: CellRecord) -> CellRecord:
    flow = flow_of(cell)
    reads = tuple(
        name
        for name in flow.reads
        if not name.startswith(OF_FILES) and name != ALL_FILES
    )
    return replace(cell, flow=replace(flow, reads=reads))


def _before_the_last(segments: Sequence[Segment]) -> list[Segment]:
    at = next((i for i, one in enumerate(segments) if one.tracked), len(segments))
    return list(segments[:at])


def _write_files(script: Script, folder: Path) -> None:
    """What `%run` ran lies there as it was; where it was edited since, that is told."""
    for path, text in script.files.items():
        there = folder / path
        if not there.exists() or there.read_text(encoding="utf-8") != text:
            raise SweepError(f"{path}, which a cell ran, was changed since")


def environment_here() -> Mapping[str, str]:
    """The variables with which this session began: cells set theirs again."""
    import os

    from nbtrack.slices.begin import start_of

    start = start_of(live_cells(outline=True), None, live=True)
    told = ("JPY_SESSION_NAME", "PYTHONPATH", "VIRTUAL_ENV", "PATH")
    return {**start.environment, **{n: os.environ[n] for n in told if n in os.environ}}


def folder_of_session() -> str:
    """Where this session began."""
    from nbtrack.slices.begin import start_of

    return str(start_of(live_cells(outline=True), None, live=True).folder)
