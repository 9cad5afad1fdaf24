"""Finds the smallest slice of each session by executing subsets of its cells.

    python tests/slices/brute_force.py [PATTERN]      recomputes and writes truth.json

Small sessions: all subsets, by size. Larger ones: cells whose loss alone breaks the
number are needed, cells that may all go together are not, and the rest is searched by
size within a budget. A subset is right when the tracked metrics are the same to the
bit and no cell raises that did not raise in the session.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

EXHAUSTIVE_UP_TO = 8  # executed cells: 128 subsets
BUDGET = 400  # subsets of one session


def same_series(a: dict[str, list[float]], b: dict[str, list[float]]) -> bool:
    """Equal to the bit; NaN is equal to itself."""
    return _plain(a) == _plain(b)


def _plain(series: dict[str, list[float]]) -> dict[str, list[Any]]:
    return {
        name: ["nan" if math.isnan(value) else value for value in values]
        for name, values in series.items()
    }


def truth_of(session: Any, play: Callable[..., Any]) -> dict[str, Any]:
    """The record for truth.json; `play(positions, **how)` executes a subset."""
    everything = list(range(1, len(session.cells) + 1))
    full = play(everything, as_recorded=True, take=True)
    if not full["series"]:
        raise ValueError(f"{session.name}: no metric in the tracked cell")

    def right(positions: list[int], **how: Any) -> bool:
        got = play(positions, **how)
        if got is None or not set(got["raised"]) <= set(full["raised"]):
            return False
        return same_series(got["series"], full["series"])

    minimal, exact = smallest(everything, right)
    found = {"minimal": minimal, "minimal_with_states": None, "exact": exact}
    if session.rng:
        with_states, also = smallest(
            everything, lambda positions: right(positions, states=full["states"])
        )
        found |= {"minimal_with_states": with_states, "exact": exact and also}
    return found


def smallest(
    everything: list[int], right: Callable[[list[int]], bool]
) -> tuple[list[int] | None, bool]:
    """The smallest right subset that ends with the last cell, and whether surely."""
    if not right(everything):
        return None, True
    tried: dict[tuple[int, ...], bool] = {tuple(everything): True}

    def test(positions: tuple[int, ...]) -> bool:
        if positions not in tried:
            tried[positions] = right(list(positions))
        return tried[positions]

    if len(everything) <= EXHAUSTIVE_UP_TO:
        return list(_by_size(everything[:-1], everything[-1:], test)), True
    needed = [c for c in everything[:-1] if not test(_without(everything, c))]
    free = [c for c in everything[:-1] if c not in needed]
    greedy = _shrunk(everything, free, test)
    # Two cells may undo each other, so that neither can go alone.
    for a, b in itertools.combinations(needed, 2):
        if len(tried) < BUDGET and test(_without(greedy, a, b)):
            greedy = _shrunk(list(_without(greedy, a, b)), [], test)
    for positions in _candidates(free, needed, everything[-1], below=len(greedy)):
        if len(tried) >= BUDGET:
            return greedy, False
        if test(positions):
            return list(positions), True
    return greedy, True


def _by_size(
    choices: list[int], always: list[int], test: Callable[[tuple[int, ...]], bool]
) -> tuple[int, ...]:
    for positions in _candidates(choices, [], always[0], below=len(choices) + 1):
        if test(positions):
            return positions
    return (*choices, *always)


def _candidates(
    choices: list[int], needed: list[int], last: int, *, below: int
) -> Iterator[tuple[int, ...]]:
    for size in range(len(choices) + 1):
        if size + len(needed) + 1 >= below:
            return
        for some in itertools.combinations(choices, size):
            yield (*sorted((*some, *needed)), last)


def _without(positions: list[int], *gone: int) -> tuple[int, ...]:
    return tuple(p for p in positions if p not in gone)


def _shrunk(
    positions: list[int], free: list[int], test: Callable[[tuple[int, ...]], bool]
) -> list[int]:
    """All that may go, from the last to the first; first of all, all of it at once."""
    kept = list(positions)
    if free and test(_without(kept, *free)):
        return list(_without(kept, *free))
    for cell in reversed(positions[:-1]):
        if test(_without(kept, cell)):
            kept = list(_without(kept, cell))
    return kept


def compute(session: Any) -> dict[str, Any]:
    """The truth of one session; in a warm process."""
    from slices.farm import Job, answer_all

    def play(positions: list[int], **how: Any) -> Any:
        given = {"session": session, "positions": positions, **how}
        job = Job(0, "slices.replays.play_cells", given, timeout_s=20)
        return answer_all([job])[0].value

    return truth_of(session, play)


def main() -> None:
    """Recompute sessions of a pattern; `new`: those without a truth."""
    from slices.corpus import TRUTH, sessions
    from slices.farm import HEAVY, LIGHT, warm_up

    pattern = sys.argv[1] if len(sys.argv) > 1 else "*"
    known = {session.name for session in sessions()}
    chosen = sessions("*" if pattern == "new" else pattern)
    heavy = [s for s in chosen if any(n in c.text for c in s.cells for n in HEAVY)]
    warm_up(LIGHT)
    for session in sorted(chosen, key=heavy.__contains__):
        if session in heavy and "torch" not in sys.modules:
            warm_up()
        kept = json.loads(TRUTH.read_text()) if TRUTH.exists() else {}
        if pattern == "new" and session.name in kept:
            continue
        try:
            kept[session.name] = compute(session)
        except Exception as exc:
            print(f"{session.name}: FAILED {exc!r}", flush=True)
            continue
        print(f"{session.name}: {kept[session.name]}", flush=True)
        lines = [f"{json.dumps(n)}: {json.dumps(kept[n])}" for n in sorted(kept)]
        lines = [line for line in lines if json.loads("{" + line + "}").keys() <= known]
        TRUTH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    import os

    os.environ.setdefault("MPLBACKEND", "agg")
    main()
