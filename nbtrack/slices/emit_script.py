"""The script of a slice put together: header, stand-ins, then cell after cell."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nbtrack.records import CellRecord
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.emission import NO_FRAME, Emission, Frame
from nbtrack.slices.emit_awaits import (
    cells_on_the_loop,
    compiles,
    is_async,
    on_the_loop,
)
from nbtrack.slices.emit_between import after_cell, before_cell
from nbtrack.slices.emit_cell import NotPython, parsed, python_of
from nbtrack.slices.emit_header import header
from nbtrack.slices.emit_imports import futures_taken, hoisted
from nbtrack.slices.emit_names import bound_anywhere
from nbtrack.slices.emit_outputs import (
    Shown,
    preamble,
    text_kept,
    what_is_read,
    with_value_kept,
)
from nbtrack.slices.emit_random import put_back
from nbtrack.slices.emit_standins import standins_of
from nbtrack.slices.emit_text import in_comment, indented


@dataclass(slots=True)
class Part:
    """A cell on its way into the script."""

    kept: KeptCell
    text: str = ""  # as Python
    magic_line: str | None = None
    tracked: bool = False
    is_async: bool = False
    above: list[str] = field(default_factory=list)  # before its mark

    @property
    def cell(self) -> CellRecord:
        """The execution."""
        return self.kept.cell

    @property
    def seq(self) -> int:
        """Its number in the session."""
        return self.kept.cell.seq

    @property
    def execution(self) -> int | None:
        """The number that the notebook shows."""
        return self.kept.cell.execution

    @property
    def mark(self) -> str:
        """The line that a cell begins with."""
        exec_no = "" if self.execution is None else f" · exec {self.execution}"
        tracked = " · tracked" if self.tracked else ""
        return f"# %% [cell {self.seq + 1}{exec_no}{tracked}]"


@dataclass(slots=True)
class Made:
    """The finished text."""

    source: str
    files: dict[str, str]
    notes: list[str]
    segments: list[tuple[Part, int, int]]  # with the first line, and how many


def assembled(
    kept: Sequence[KeptCell],
    title: str,
    snapshots: Mapping[str, str],
    *,
    reads_files: bool = True,
    frame: Frame = NO_FRAME,
) -> Made:
    """The script for these cells.

    >>> assembled([], "nothing", {}).segments
    []
    """
    emission = Emission([k.cell for k in kept], reads_files=reads_files)
    emission.bound = _bound_in(emission) | frozenset(snapshots)
    parts = [_part(k, emission) for k in kept]
    if parts:
        parts[-1].tracked = parts[-1].magic_line is not None
    top = futures_taken(parts, emission) + hoisted(parts, emission)
    shown = what_is_read([part.text for part in parts], emission.bound)
    _wrap(parts, emission, shown)
    body, segments = _joined(parts)
    front = _front(title, parts, top, shown, emission, snapshots, body, frame)
    n_before = front.count("\n")
    end = "\n_nb_loop.close()\n" if "_nb_Loop" in emission.needs else ""
    source = front + body + end
    placed = [(part, first + n_before, n) for part, first, n in segments]
    return Made(source, emission.files, emission.notes, placed)


def _bound_in(emission: Emission) -> frozenset[str]:
    """The names that the cells bind; magics bind some too."""
    names: set[str] = set()
    for cell in emission.cells:
        probe = Emission([cell], cell, reads_files=emission.reads_files)
        try:
            tree = parsed(python_of(cell.source or "", probe))
        except NotPython:
            continue
        names |= bound_anywhere(tree) if tree else frozenset()
    return frozenset(names)


def _part(kept: KeptCell, emission: Emission) -> Part:
    """The cell as Python, or as a comment that says why it is none."""
    emission.cell, emission.magic_line = kept.cell, None
    part = Part(kept)
    if kept.cell.source is None:
        part.text = emission.left_out("the text", "is not known: it was not kept")
        return part
    try:
        part.text = python_of(kept.cell.source, emission)
        part.is_async = is_async(part.text)
        if not part.is_async and not compiles(_without_futures(part.text)):
            raise NotPython("it is no Python")
    except NotPython:
        first = kept.cell.source.strip().partition("\n")[0]
        part.text = emission.left_out(first, "was left out: it is no Python")
        part.is_async = False
    part.magic_line = emission.magic_line
    return part


def _without_futures(text: str) -> str:
    """For a first look: they are taken to the top of the script later."""
    return re.sub(r"(?m)^from __future__ import [^\n;(]*$", "pass", text)


def _wrap(parts: Sequence[Part], emission: Emission, shown: Shown) -> None:
    """What stands around the cells: values kept, errors caught, loops, generators."""
    texts = {at: part.text for at, part in enumerate(parts)}
    failed = frozenset(at for at, part in enumerate(parts) if part.cell.ok is False)
    needs_loop = cells_on_the_loop(texts, failed=failed)
    needs_loop |= {at for at, part in enumerate(parts) if part.is_async}
    for at, part in enumerate(parts):
        emission.cell = part.cell
        last = at == len(parts) - 1
        if shown.keeps(part.cell):
            emission.need("_nb_shown")
            part.text = with_value_kept(part.text, part.execution)
        if at in needs_loop:
            emission.need("_nb_Loop")
            part.text = on_the_loop(part.text, f"cell_{part.seq + 1}")
        if part.cell.ok is False and not last:
            part.text = _caught(part.text, part.cell)
        if not compiles(f"pass\n{part.text}"):
            part.text = emission.left_out("the cell", "was left out: it fits no script")
        part.above += before_cell(parts, at, emission, has_loop=bool(needs_loop))
        if shown.ins:
            emission.need("_nb_typed")
            part.above.append(text_kept(part.cell))
        restored = put_back(part.kept, emission)
        part.above += [restored] if restored else []
        if not last:
            parts[at + 1].above += after_cell(part.text, emission)


def _caught(text: str, cell: CellRecord) -> str:
    """A cell that raised did so in the notebook too: the script goes on."""
    import builtins

    said = (cell.error or "").strip()
    name = re.match(r"\w*", said)
    kind = getattr(builtins, name[0] if name else "", None)
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    caught = name[0] if known and name else "Exception"
    why = f": {in_comment(said)}" if said else ""
    body = indented(text, "    ") or "    pass"
    return (
        f"try:\n{body}\n    pass\nexcept {caught}:\n"
        f"    pass  # it raised in the notebook too{why}"
    )


def _joined(parts: Sequence[Part]) -> tuple[str, list[tuple[Part, int, int]]]:
    """All cells as text, and where each stands in it."""
    lines, places = [""], []
    for part in parts:
        for above in part.above:
            lines += above.split("\n")
        text = part.text.strip("\n")
        block = [part.mark, *([part.magic_line] if part.magic_line else [])]
        block += text.split("\n") if text else []
        places.append((part, len(lines) + 1, len(block)))
        lines += [*block, ""]
    return "\n".join(lines), places


def _front(
    title: str,
    parts: Sequence[Part],
    top: Sequence[str],
    shown: Shown,
    emission: Emission,
    snapshots: Mapping[str, str],
    body: str,
    frame: Frame,
) -> str:
    """All that stands above the first cell."""
    futures = [line for line in top if line.startswith("from __future__")]
    imports = [line for line in top if line not in futures]
    values = {"_nb_files": repr(emission.run_files)}
    loaded = _loaded(snapshots, emission)
    _need_names(body, emission)
    blocks = [
        frame.above,
        header(title, len(parts), emission.notes),
        "\n".join(futures),
        standins_of(emission.needs, values),
        frame.start,
        *before_all(emission),
        "_nb_loop = _nb_Loop()" if "_nb_Loop" in emission.needs else "",
        preamble(shown),
        "\n".join(imports),
        loaded,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def before_all(emission: Emission) -> list[str]:
    """What makes a script's process like a notebook's, where cells could tell."""
    lines = []
    if emission.words & {"matplotlib", "seaborn", "pylab", "plt", "plotnine"}:
        lines.append(
            "# figures are drawn, and shown nowhere\n"
            '__import__("os").environ.setdefault("MPLBACKEND", "agg")'
        )
    if emission.words & {"import", "run"}:
        lines.append(
            "# a notebook looks for modules in the working folder\n"
            '__import__("sys").path.insert(0, "")'
        )
    if "__file__" in emission.words:
        lines.append('globals().pop("__file__", None)  # a notebook has none')
    return lines


def _need_names(body: str, emission: Emission) -> None:
    """`display` and `get_ipython` stand in every notebook."""
    tree = parsed(body)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} if tree else set()
    if "display" in names - emission.bound:
        emission.need("display")
    if "get_ipython" in names - emission.bound:
        emission.need("get_ipython")
        emission.note("get_ipython() is a stand-in that does nothing")


def _loaded(snapshots: Mapping[str, str], emission: Emission) -> str:
    lines = []
    for name, path in snapshots.items():
        if not name.isidentifier():
            emission.note(f"the saved value of {in_comment(name)} has no name to go to")
            continue
        emission.need("_nb_load")
        lines.append(f"{name} = _nb_load({path!r})")
        emission.note(f"{name} is not computed here: its value was saved")
    if not lines:
        return ""
    warning = (
        "# NOT COMPUTED BY THIS SCRIPT: these values were saved from the notebook,\n"
        "# as its cells did not give them again. What follows builds on them."
    )
    return "\n".join([warning, *lines])
