"""The kept cells of a slice as one script that runs alone, and the files beside it.

It runs with plain `python run.py`: no IPython, and no nbtrack but where the cells
import it. The cells stand in it as they were typed. What cannot be taken over is left
out and named in `notes`; the script itself always compiles. Nothing is run here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbtrack.slices.closure import KeptCell
from nbtrack.slices.emission import NO_FRAME, Frame
from nbtrack.slices.emit_script import assembled


@dataclass(frozen=True, slots=True)
class Segment:
    r"""Where one cell stands in the script; lines are ended by `\n` alone."""

    seq: int
    first_line: int  # of the line `# %% [cell 12 · exec 31]`, from 1
    n_lines: int  # with that line
    tracked: bool
    execution: int | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and what belongs to it."""

    source: str
    files: Mapping[str, str] = field(default_factory=dict)  # relative path -> text
    notes: tuple[str, ...] = ()  # "%pip install x of [4] was left out"
    segments: tuple[Segment, ...] = ()

    def write(self, folder: Path, name: str = "run.py") -> Path:
        r"""Write the script and its files into a folder, and return the script's path.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Script("x = 1\n").write(Path(folder)).read_text()
        'x = 1\n'
        """
        for path, text in {**self.files, name: self.source}.items():
            _write(folder / path, text)
        return folder / name


def script_of(
    kept: Sequence[KeptCell],
    *,
    title: str,
    snapshots: Mapping[str, str] | None = None,
    reads_files: bool = True,
    frame: Frame = NO_FRAME,
) -> Script:
    r"""Write the kept cells down as a script.

    Parameters
    ----------
    kept
        The cells in the order of their execution; a tracked cell comes last.
    title
        What the script gives: the name of the run, of the variable.
    snapshots
        Variable -> relative path of a pickle file beside the script, to load first.
    reads_files
        Whether what a cell runs by `%run` is looked for on this disk and put beside the
        script. False for cells that others may have written: no file of theirs to name.
    frame
        What stands above the script, and what it does before its first cell.

    >>> from nbtrack.records import CellRecord
    >>> cell = CellRecord(0, None, 3, "%%track base\nx = 1", "", "")
    >>> script = script_of([KeptCell(cell, ())], title="base")
    >>> print(script.source[script.source.index("# %%"):])
    # %% [cell 1 · exec 3 · tracked]
    # %%track base
    x = 1
    <BLANKLINE>
    """
    made = assembled(kept, title, snapshots or {}, reads_files=reads_files, frame=frame)
    segments = tuple(
        Segment(part.seq, first, n, part.tracked, part.execution)
        for part, first, n in made.segments
    )
    return Script(made.source, made.files, tuple(made.notes), segments)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
