"""`%slice` and `%restore`: which cells made a result, proven, written, put back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import (
    Arguments,
    Option,
    parse_arguments,
    seconds_of,
    unquoted,
)
from nbtrack.notebook.display import show_line, updated_line
from nbtrack.slices.slice import Slice, slice
from nbtrack.slices.slice_view import slice_html, slice_text
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    from nbtrack.slices.claim import Proof

OPTIONS = (
    Option("prove", "flag", ("--prove",)),
    Option("shrink", "one", ("--shrink",)),
    Option("timeout", "one", ("--timeout",)),
    Option("writes", "flag", ("--allow-writes",)),
    Option("source", "flag", ("--source",)),
    Option("out", "one", ("-o", "--out")),
)
SCRIPT_NAME = "run.py"
_RESTORED = {
    "put": " put below",
    "sent": " sent to the page, which has not answered yet",
    "unheard": " put below as one cell",
}


@dataclass(frozen=True)
class SliceView:
    """What `%slice` shows; `.slice` is the slice, `.proof` what the proof said."""

    slice: Slice
    proof: Proof | None = None

    @property
    def source(self) -> str:
        """The script that makes the result again."""
        return self.slice.source

    def __repr__(self) -> str:
        return slice_text(self.slice, verdict=self._verdict())

    def _repr_html_(self) -> str:
        return slice_html(self.slice, verdict=self._verdict())

    def _verdict(self) -> list[str]:
        if self.proof is not None:
            return self.proof.lines()
        return _earlier_verdict(self.slice)


@dataclass(frozen=True)
class SourceView:
    """What `%slice --source` shows: the script, to be copied."""

    source: str

    def __repr__(self) -> str:
        return self.source

    def _repr_html_(self) -> str:
        # `escape` shows line breaks as escapes too: line by line.
        return f"<pre>{chr(10).join(map(escape, self.source.split(chr(10))))}</pre>"


def slice_magic(line: str) -> SliceView | SourceView:
    """Show which cells made a run or a variable; see `%slice?`.

    Raises
    ------
    OptionError
        For a slip in the line.
    RunNotFoundError
        Where neither a run nor a variable is called so.
    """
    found = parse_arguments(line, OPTIONS)
    timeout, shrink_s = seconds_of(found, "timeout"), seconds_of(found, "shrink")
    asks = found.has("prove") or shrink_s is not None
    for option in ("timeout", "writes"):
        if found.has(option) and not asks:
            raise OptionError("--timeout and --allow-writes go with --prove.")
    made = slice(_one_word(found, "%slice"))
    proof = None
    if asks:
        proof = _prove(made, timeout, shrink_s or 0.0, found.has("writes"))
    out = found.one("out")
    if out is not None:
        show_line(f"wrote {_written(made, out)}")
    return SourceView(made.source) if found.has("source") else SliceView(made, proof)


def restore_magic(line: str) -> None:
    """Put the cells that made a run or a variable back as new cells; see `%restore?`.

    Raises
    ------
    OptionError
        For a slip in the line, or where no text of the cells was kept.
    RunNotFoundError
        Where neither a run nor a variable is called so.
    """
    from nbtrack.notebook.cell_insertion import insert_cells, set_next
    from nbtrack.notebook.panels.outlets import current_shell
    from nbtrack.slices.restored_cells import as_one_cell, not_kept, restored_cells

    made = slice(_one_word(parse_arguments(line, ()), "%restore"))
    texts = restored_cells(made.kept, made.target)
    if not texts:
        raise OptionError(f"No text of the cells of {made.target} was kept.")
    shell = current_shell()
    lost = not_kept(made.kept)
    without = f" · without {', '.join(lost)}: the text was not kept" if lost else ""
    cells = f"{len(texts)} cell{'s' * (len(texts) > 1)} of {made.target}"
    answer = insert_cells(shell, texts)
    if answer == "unheard":
        set_next(shell, as_one_cell(made.kept, made.target))
    show_line(cells + _RESTORED[answer] + without)


def _one_word(found: Arguments, magic: str) -> str:
    if len(found.words) > 1:
        shown = shorten(visible(" ".join(found.words)), 60)
        raise OptionError(f"{magic} takes one run or variable, not {shown!r}.")
    return unquoted(found.words[0]) if found.words else "last"


def _prove(
    made: Slice, timeout: float | None, shrink_s: float, allow_writes: bool
) -> Proof:
    from nbtrack.slices.prove import prove

    tell = updated_line()
    tell("proving: the script is run in a fresh process")
    proof = prove(
        made,
        timeout=timeout,
        shrink_s=shrink_s,
        allow_writes=allow_writes,
        tell=lambda text: tell(f"proving: {text}"),
    )
    tell(proof.lines()[0])
    return proof


def _earlier_verdict(made: Slice) -> list[str]:
    from nbtrack.analysis.runs_table import store_here
    from nbtrack.slices.prove import proof_kept

    if made.run is None:
        return []
    kept = proof_kept(store_here(), made.run.id)
    return [] if kept is None else [kept]


def _written(made: Slice, out: str) -> Path:
    """Write the script and what belongs beside it; `x.py` names it, else a folder."""
    path = Path(out).expanduser()
    folder, name = (path.parent, path.name) if path.suffix == ".py" else (path, "")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return made.script.write(folder, name or SCRIPT_NAME)
    except OSError as exc:
        shown = shorten(visible(out), 80)
        raise OptionError(f"{shown!r} cannot be written: {exc.strerror}.") from exc
