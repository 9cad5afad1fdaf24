"""What differs in the code of two runs: their cells, local modules, commits.

A change that is only layout, or only the value of a param that is told as such, or of
a variable that nothing reads, is said to be so. What is only committed and not kept as
text is compared by digest.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from nbtrack.analysis.diff.cell_names import body_of, names_in, names_set, tree_of
from nbtrack.analysis.diff.cell_pairs import Pair, pair_cells
from nbtrack.analysis.diff.lines import SideLine, side_by_side, unified
from nbtrack.analysis.diff.side import Side
from nbtrack.capture.dataflow.pseudo import EVERYTHING
from nbtrack.records import CellRecord, TextRecord

_ROLES = ("module", "script")
_GIT = ("git.commit", "git.branch", "git.dirty", "git.folder")
_PLAIN_VALUE = (
    ast.Constant, ast.Dict, ast.List, ast.Tuple, ast.Set, ast.UnaryOp, ast.BinOp,
    ast.operator, ast.unaryop, ast.expr_context,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact that differs; None where it is not known."""

    name: str
    a: Any  # a JSON value
    b: Any


@dataclass(frozen=True, slots=True)
class CodeChange:
    """A cell, or a local module, beside the two runs."""

    name: str  # "[5]", "[5] → [7]", the path of a module
    part: str  # "cell", "module", "script"
    # "same", "changed", "layout" (comments, spacing), "values" (that are told, or that
    # nothing reads), "secret" (only what was taken out), "only in a", "only in b"
    change: str
    a: str | None  # the text; None where it was not kept, or is not there
    b: str | None
    is_needed: bool  # whether one of the results depends on it
    is_tracked: bool = False

    @property
    def unified(self) -> tuple[str, ...]:
        """The lines of a unified diff; none where a text was not kept."""
        return () if None in self._texts else unified(self.a or "", self.b or "")

    @property
    def side_by_side(self) -> tuple[SideLine, ...]:
        """The rows of the two texts beside one another, as far as they differ."""
        return () if None in self._texts else side_by_side(self.a or "", self.b or "")

    @property
    def _texts(self) -> tuple[str | None, str | None]:
        """A cell that is only in one run has an empty text in the other."""
        a = "" if self.change == "only in b" else self.a
        return a, "" if self.change == "only in a" else self.b


@dataclass(frozen=True, slots=True)
class CodeDiff:
    """The code of two runs: what they depend on first, in the order of execution."""

    cells: tuple[CodeChange, ...] = ()
    modules: tuple[CodeChange, ...] = ()
    git: tuple[FactChange, ...] = ()  # that differ

    def __iter__(self) -> Iterator[CodeChange]:
        yield from self.cells
        yield from self.modules


def diff_code(a: Side, b: Side, *, params: Collection[str] = ()) -> CodeDiff:
    """Compare the code of two runs.

    Parameters
    ----------
    params
        Variables whose values differ and are told, as params or as data: code that
        differs in nothing but them has the change "values".

    Examples
    --------
    >>> from nbtrack.records import RunRecord
    >>> def side(source):
    ...     cell = CellRecord(0, "a", 1, source, source, "")
    ...     run = RunRecord("1", "x", "e", "finished", "", None, 1)
    ...     return Side(run, cells=(cell,), needed=frozenset({0}))
    >>> diff_code(side("y = x"), side("y = x  # twice")).cells[0].change
    'layout'
    """
    read = _read_by_any(a) | _read_by_any(b)
    cells = [_cell_change(p, _free_names(p, params, read)) for p in pair_cells(a, b)]
    return CodeDiff(tuple(cells), tuple(_modules(a, b)), tuple(_git(a, b)))


def _read_by_any(side: Side) -> frozenset[str]:
    return frozenset().union(*map(names_in, side.needed_cells))


def _free_names(
    pair: Pair, params: Collection[str], read: frozenset[str]
) -> frozenset[str] | None:
    """The names whose values are no news of a pair of cells; None: of no interest."""
    if not pair.is_needed:
        return None
    if pair.is_tracked or EVERYTHING in read:  # what it sets may be its metrics
        return frozenset(params)
    texts = [cell.source for cell in (pair.a, pair.b) if cell and cell.source]
    names = frozenset().union(*map(names_set, texts))
    return frozenset(params) | (names - read)


def _cell_change(pair: Pair, params: frozenset[str] | None) -> CodeChange:
    a, b = pair.a, pair.b
    return CodeChange(
        _label(a, b),
        "cell",
        _change_of_cells(a, b, params),
        None if a is None or a.source is None else body_of(a.source),
        None if b is None or b.source is None else body_of(b.source),
        pair.is_needed,
        pair.is_tracked,
    )


def _label(a: CellRecord | None, b: CellRecord | None) -> str:
    labels = [_number(cell) for cell in (a, b) if cell is not None]
    return " → ".join(dict.fromkeys(labels))


def _number(cell: CellRecord) -> str:
    if cell.execution is None:
        return f"cell {cell.seq + 1}"
    return f"[{cell.execution}]"


def _change_of_cells(
    a: CellRecord | None, b: CellRecord | None, params: frozenset[str] | None
) -> str:
    if a is None or b is None:
        return "only in b" if a is None else "only in a"
    if a.source_digest and a.source_digest == b.source_digest:
        return "same"
    if a.source is None or b.source is None:
        return "changed"
    if params is None:
        return "same" if body_of(a.source) == body_of(b.source) else "changed"
    return change_of_sources(a.source, b.source, params)


def change_of_sources(a: str, b: str, params: Collection[str] = ()) -> str:
    r"""How the texts of two cells differ, whose digests do.

    Examples
    --------
    >>> change_of_sources("lr = 0.1\ny = lr", "lr = 0.2\ny = lr", {"lr"})
    'values'
    >>> change_of_sources("%%track a\ny = 1", "%%track b\ny = 1")
    'same'
    """
    if a == b:
        return "secret"
    if body_of(a) == body_of(b):
        return "same"
    one, other = tree_of(a), tree_of(b)
    if one is None or other is None:
        return "changed"
    try:
        if ast.dump(one) == ast.dump(other):
            return "layout"
        is_told = _without(one, params) == _without(other, params)
    except RecursionError:  # it parses, but is nested too deeply to be walked
        return "changed"
    return "values" if is_told else "changed"


def _without(tree: ast.Module, names: Collection[str]) -> str:
    """The tree with what is told of these params left out."""
    # The tree itself is shared.
    return ast.dump(_Blanked(names).visit(deepcopy(tree)))


class _Blanked(ast.NodeTransformer):
    """Puts nothing in the place of plain values of some names."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """`lr = 0.1`."""
        if all(map(self._is_meant, node.targets)) and _is_plain(node.value):
            node.value = ast.Constant(None)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """`lr: float = 0.1`."""
        if self._is_meant(node.target) and node.value and _is_plain(node.value):
            node.value = ast.Constant(None)
        return self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        """`for epoch in range(3)`: the bound is the param `epoch`."""
        bounds = node.iter.args if isinstance(node.iter, ast.Call) else []
        if self._is_meant(node.target) and bounds and all(map(_is_plain, bounds)):
            node.iter = ast.Constant(None)
        return self.generic_visit(node)

    def _is_meant(self, target: ast.AST) -> bool:
        return isinstance(target, ast.Name) and target.id in self._names


def _is_plain(value: ast.AST) -> bool:
    return all(isinstance(node, _PLAIN_VALUE) for node in ast.walk(value))


def _modules(a: Side, b: Side) -> Iterator[CodeChange]:
    if not _told_code(a) or not _told_code(b):
        return  # not recorded in one of them: nothing can be compared
    old, new = _texts(a.texts), _texts(b.texts)
    for key in dict.fromkeys([*new, *old]):
        one, other = old.get(key), new.get(key)
        names = [text.name for text in (one, other) if text is not None]
        yield CodeChange(
            " → ".join(dict.fromkeys(names)),
            key[0],
            _change_of_texts(one, other),
            one.body if one else None,
            other.body if other else None,
            is_needed=True,  # which of them a cell reaches is not recorded
        )


def _told_code(side: Side) -> bool:
    return "git.commit" in side.facts or bool(_texts(side.texts))


def _texts(texts: Sequence[TextRecord]) -> dict[tuple[str, str], TextRecord]:
    # There is one script at most, and each run may have had another name for it.
    return {
        (text.role, text.name if text.role == "module" else ""): text
        for text in texts
        if text.role in _ROLES
    }


def _change_of_texts(a: TextRecord | None, b: TextRecord | None) -> str:
    if a is None or b is None:
        return "only in b" if a is None else "only in a"
    if a.digest is not None and a.digest == b.digest:
        return "same"
    if a.body is not None and a.body == b.body:
        return "secret"
    return "changed"


def _git(a: Side, b: Side) -> Iterator[FactChange]:
    if not _told_code(a) or not _told_code(b):
        return
    for name in _GIT:
        one, other = a.fact(name), b.fact(name)
        if one != other:
            yield FactChange(name, one, other)
    diffs = [_digest_of_diff(side.texts) for side in (a, b)]
    if diffs[0] != diffs[1]:
        yield FactChange("git.diff", *diffs)


def _digest_of_diff(texts: Sequence[TextRecord]) -> str | None:
    return next((text.digest for text in texts if text.role == "diff"), None)


def names_told(changes: Mapping[str, str]) -> frozenset[str]:
    """The variables behind params and data that differ: `cfg.lr` is told of `cfg`.

    >>> sorted(names_told({"cfg.lr": "changed", "n": "same"}))
    ['cfg']
    """
    return frozenset(
        name.partition(".")[0] for name, how in changes.items() if how != "same"
    )
