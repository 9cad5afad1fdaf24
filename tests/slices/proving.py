"""A notebook in a real shell, whose cells a test keeps or drops as it likes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbtrack
from nbtrack.records import FlowRecord
from nbtrack.slices.attempt import Trial, attempt
from nbtrack.slices.begin import start_of
from nbtrack.slices.claim import Claim


@dataclass(frozen=True)
class Written:
    """A script that a test wrote; as `nbtrack.slices.script.Script`."""

    source: str
    files: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    segments: tuple = ()

    def write(self, folder: Path, name: str = "run.py") -> Path:
        for relative, text in {**self.files, name: self.source}.items():
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            (folder / relative).write_text(text)
        return folder / name


class Notebook:
    """Runs cells, then tries scripts of some of them."""

    def __init__(self, shell, folder: Path) -> None:
        self.shell = shell
        self.folder = folder
        shell.run_line_magic("load_ext", "nbtrack")
        self.environment = dict(os.environ)

    def run(self, *cells: str) -> None:
        for cell in cells:
            result = self.shell.run_cell(cell, store_history=True)
            assert result.success, result

    def claim(self, flows: Mapping[int, FlowRecord] | None = None, **changes) -> Claim:
        """The newest run; flows of cells by their number from the end, -1 the last."""
        from nbtrack.analysis.code_view import settled_store

        store = settled_store()
        run = store.run(store.runs()[0].id)
        cells = [replace(c, flow=FlowRecord()) for c in store.cells(run.id)]
        for at, flow in (flows or {}).items():
            cells[at] = replace(cells[at], flow=flow)
        target = next(c.seq for c in cells if c.execution == run.execution)
        start = replace(
            start_of(cells, run, live=True),
            folder=self.folder,
            environment=self.environment,
        )
        claim = Claim(
            cells=tuple(cells),
            start=start,
            store=store,
            run=run,
            target=target,
            live=True,
        )
        return replace(claim, **changes)

    def attempt(self, claim: Claim, *keep: int, timeout_s: float = 60.0, **files: str):
        """Try a script of these cells, by their place in the session."""
        cells = tuple(claim.cells[at] for at in keep)
        source = "\n".join(as_segment(c, c.seq == claim.target) for c in cells)
        trial = Trial("slice", cells, Written(source, files))
        return attempt(claim, trial, timeout_s=timeout_s)


def as_segment(cell, tracked: bool) -> str:
    """A cell as it stands in a script."""
    mark = f"# %% [cell {cell.seq + 1} · exec {cell.execution}"
    if not tracked:
        return f"{mark}]\n{cell.source}"
    return f"{mark} · tracked]\n# {cell.source}"


def proofs_left() -> list[str]:
    """Folders of proofs of this process that were not removed."""
    import tempfile

    return [
        p.name
        for p in Path(tempfile.gettempdir()).glob("nbtrack-proof-*")
        if p.name.startswith(f"nbtrack-proof-{os.getpid()}-")
    ]


__all__ = ["Notebook", "Written", "as_segment", "nbtrack", "proofs_left"]
