"""Where in the user's own code an exception came from: the cell or file, and the line.

The innermost line that is the user's counts: one of a cell, else of a file that is no
library's. The full traceback is kept beside it.
"""

from __future__ import annotations

import linecache
import os
import sys
import traceback
from dataclasses import dataclass
from typing import Any

from nbtrack.capture.modules import is_own_file
from nbtrack.records import Fact
from nbtrack.text import shorten

TEXT_MAX = 200  # characters of the line
NOWHERE = "no line of a cell or of an own file is in the traceback"


@dataclass(frozen=True, slots=True)
class _Place:
    line: int
    text: str
    cell: int | None = None
    file: str | None = None


def failure_facts(error: BaseException) -> list[Fact]:
    """What kind of error ended a run, and the line that it came from.

    >>> [fact.value for fact in failure_facts(ValueError("no"))]
    ['ValueError', None]
    """
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    facts = [Fact("error.type", name)]
    place = _place_of(error)
    if place is None:
        return [*facts, Fact("error.line", missing=NOWHERE)]
    facts += [Fact("error.line", place.line), Fact("error.text", place.text)]
    if place.cell is not None:
        facts.append(Fact("error.cell", f"[{place.cell}]"))
    if place.file is not None:
        facts.append(Fact("error.file", place.file))
    return facts


def _place_of(error: BaseException) -> _Place | None:
    shell = _shell()
    found: _Place | None = None
    in_cell: tuple[int, int] | None = None  # the cell's number, its line
    for frame, line in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        cell = _cell_of(filename, shell)
        if cell is not None:
            in_cell = (cell, line)
            text = _line_of_cell(shell, cell, line)
            text = text or _short(linecache.getline(filename, line))
            found = _Place(line, text, cell=cell)
        elif in_cell is not None and _is_body_of_magic(frame, filename, shell):
            cell, line = in_cell[0], in_cell[1] + line  # its body follows the magic
            found = _Place(line, _line_of_cell(shell, cell, line), cell=cell)
        elif is_own_file(filename):
            text = _short(linecache.getline(filename, line))
            found = _Place(line, text, file=os.path.basename(filename))
    return found


def _shell() -> Any:
    get = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if get is None else get()


def _cell_of(filename: str, shell: Any) -> int | None:
    """The number of the cell that was compiled under this name."""
    if shell is None:
        return None
    told = shell.compile.format_code_name(filename)
    if told is None or told[0] != "Cell":
        return None
    number = str(told[1]).removeprefix("In[").removesuffix("]")
    return int(number) if number.isdigit() else None


def _is_body_of_magic(frame: Any, filename: str, shell: Any) -> bool:
    """`%%time` compiles what is below it anew, as `<timed exec>`."""
    return filename.startswith("<") and frame.f_globals is shell.user_ns


def _line_of_cell(shell: Any, cell: int, line: int) -> str:
    # As typed; a cell that leaves no history is not there.
    typed = shell.history_manager.input_hist_raw
    lines = typed[cell].splitlines() if cell < len(typed) else []
    return _short(lines[line - 1]) if 0 < line <= len(lines) else ""


def _short(text: str) -> str:
    return shorten(text.strip(), TEXT_MAX)
