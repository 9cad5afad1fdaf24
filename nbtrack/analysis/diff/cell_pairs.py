"""Which cell of one run belongs to which cell of the other.

First the two tracked cells, then the last executions of one cell of the notebook (or,
where the front end does not name cells, of what sets the same variables), then the same
text, then likeness. What one run has besides is paired with the same text of the other,
which executed it too. Of what no result depends on only the last executions count.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nbtrack.analysis.diff.cell_names import body_of
from nbtrack.analysis.diff.side import Side
from nbtrack.capture.dataflow.pseudo import MARK
from nbtrack.records import CellRecord

LIKE_ENOUGH = 0.5  # of the words; below, two cells have little in common
_PAIRS_MAX = 2_500  # looked at for likeness: about a second at worst
_TOKENS_MAX = 2_000
_TOKENS = re.compile(r"\w+|[^\w\s]")
Key = Callable[[CellRecord], str | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two executions that belong together; None: only the other run has it."""

    a: CellRecord | None
    b: CellRecord | None
    is_needed: bool  # by at least one of the two results
    is_tracked: bool = False


def pair_cells(a: Side, b: Side) -> list[Pair]:
    """The cells of two runs in pairs, in the order of execution, the tracked ones last.

    Examples
    --------
    >>> from nbtrack.records import RunRecord
    >>> def side(*sources):
    ...     cells = [CellRecord(n, None, n, text, text, "")
    ...              for n, text in enumerate(sources)]
    ...     run = RunRecord("1", "x", "e", "finished", "", None, 1)
    ...     return Side(run, cells=cells, needed=frozenset(range(len(cells))))
    >>> pairs = pair_cells(side("x = 1", "fit(x)"), side("n = 1", "x = 2", "fit(x, n)"))
    >>> [(p.a and p.a.source, p.b and p.b.source) for p in pairs]
    [(None, 'n = 1'), ('x = 1', 'x = 2'), ('fit(x)', 'fit(x, n)')]
    """
    pairing = _Pairing(a, b)
    pairing.tracked()
    pairing.by_key(_id_of)
    pairing.by_key(_role_of)
    pairing.by_key(_text_of)
    pairing.by_likeness()
    pairing.by_what_both_executed()
    return pairing.result()


class _Pairing:
    """What is left of each run, and the pairs that were found."""

    def __init__(self, a: Side, b: Side) -> None:
        self._executed = (a.cells, b.cells)
        self._needed = (list(a.needed_cells), list(b.needed_cells))
        self._others = (_latest_others(a), _latest_others(b))
        self._found: list[Pair] = []

    def tracked(self) -> None:
        """The two cells that were recorded as runs."""
        old, new = self._needed
        if old and new:
            self._found.append(Pair(old.pop(), new.pop(), True, is_tracked=True))

    def by_key(self, key: Key) -> None:
        """Pair what has the same key: needed ones first, then with the others."""
        for old, new in (
            self._needed,
            (self._needed[0], self._others[1]),
            (self._others[0], self._needed[1]),
            self._others,
        ):
            is_needed = old is self._needed[0] or new is self._needed[1]
            found = [Pair(*pair, is_needed) for pair in _same_key(old, new, key)]
            self._take(old, new, found)

    def by_likeness(self) -> None:
        """Pair what is left of the needed cells, the most alike first."""
        old, new = self._needed
        if not old or not new or len(old) * len(new) > _PAIRS_MAX:
            return
        tokens = {id(cell): _tokens(cell) for cell in (*old, *new)}
        scores = [
            (_likeness(tokens[id(one)], tokens[id(other)]), i, j)
            for i, one in enumerate(old)
            for j, other in enumerate(new)
        ]
        taken: list[Pair] = []
        seen: tuple[set[int], set[int]] = (set(), set())
        for score, i, j in sorted(scores, key=lambda s: (-s[0], s[1], s[2])):
            if score >= LIKE_ENOUGH and i not in seen[0] and j not in seen[1]:
                seen[0].add(i)
                seen[1].add(j)
                taken.append(Pair(old[i], new[j], True))
        self._take(old, new, taken)

    def by_what_both_executed(self) -> None:
        """An earlier execution of what has its pair already: no other code ran."""
        texts = [{_text_of(cell): cell for cell in cells} for cells in self._executed]
        old, new = self._needed
        pairs = [(cell, texts[1].get(_text_of(cell))) for cell in old]
        self._take(old, [], [Pair(c, o, True) for c, o in pairs if o is not None])
        pairs = [(cell, texts[0].get(_text_of(cell))) for cell in new]
        self._take([], new, [Pair(o, c, True) for c, o in pairs if o is not None])

    def _take(
        self, old: list[CellRecord], new: list[CellRecord], pairs: Sequence[Pair]
    ) -> None:
        """Keep these pairs; what is in them is no longer waiting for one."""
        self._found += pairs
        taken = {id(cell) for pair in pairs for cell in (pair.a, pair.b)}
        old[:] = [cell for cell in old if id(cell) not in taken]
        new[:] = [cell for cell in new if id(cell) not in taken]

    def result(self) -> list[Pair]:
        """All pairs, with what has no other half."""
        alone = [Pair(cell, None, True) for cell in self._needed[0]]
        alone += [Pair(None, cell, True) for cell in self._needed[1]]
        alone += [Pair(cell, None, False) for cell in self._others[0]]
        alone += [Pair(None, cell, False) for cell in self._others[1]]
        return sorted([*self._found, *alone], key=_place)


def _place(pair: Pair) -> tuple[bool, int]:
    cell = pair.b or pair.a
    return pair.is_tracked, cell.seq if cell is not None else 0


def _latest_others(side: Side) -> list[CellRecord]:
    """The last execution of each cell that the result does not depend on."""
    latest: dict[str, CellRecord] = {}
    for cell in side.cells:
        key = cell.cell_id or cell.source_digest
        latest.pop(key, None)
        latest[key] = cell
    needed = side.needed or frozenset()
    return [cell for cell in latest.values() if cell.seq not in needed]


def _id_of(cell: CellRecord) -> str | None:
    return cell.cell_id


def _role_of(cell: CellRecord) -> str | None:
    """What a cell without an id is there for: the variables that it sets."""
    if cell.cell_id is not None or cell.flow is None:
        return None
    names = sorted(n for n in cell.flow.writes if not n.startswith(MARK))
    return " ".join(names) or None


def _text_of(cell: CellRecord) -> str:
    if cell.source is None:
        return cell.source_digest
    return body_of(cell.source)


def _same_key(
    old: Sequence[CellRecord], new: Sequence[CellRecord], key: Key
) -> Iterator[tuple[CellRecord, CellRecord]]:
    """Of a key that several have, the last ones belong together."""
    theirs: dict[str, list[CellRecord]] = {}
    for cell in new:
        if (its := key(cell)) is not None:
            theirs.setdefault(its, []).append(cell)
    for cell in reversed(old):
        its = key(cell)
        waiting = theirs.get(its) if its is not None else None
        if waiting:
            yield cell, waiting.pop()


def _tokens(cell: CellRecord) -> list[str]:
    return _TOKENS.findall(body_of(cell.source or ""))[:_TOKENS_MAX]


def _likeness(a: Sequence[str], b: Sequence[str]) -> float:
    """The mean of the words in order and of the names in common: `x = 1`, `x = 2`."""
    names = [{token for token in tokens if token.isidentifier()} for tokens in (a, b)]
    either = names[0] | names[1]
    shared = len(names[0] & names[1]) / len(either) if either else 1.0
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if (matcher.quick_ratio() + shared) / 2 < LIKE_ENOUGH:
        return 0.0
    return (matcher.ratio() + shared) / 2
