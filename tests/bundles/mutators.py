"""Orders in which people really run a notebook: again, edited, deleted, crosswise.

A mutator makes another session out of one, the same one for the same draw. It does not
know whether that session runs: who plays it draws again where a cell raises.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from slices.corpus import Session, Step

Mutator = Callable[[random.Random, list[Step]], "list[Step] | None"]
NONE = "as written"


def mutated(session: Session, mutator: str, *, draw: int = 0) -> Session | None:
    """The session as that mutator changes it; None where there is nothing to change."""
    if mutator == NONE:
        return session if draw == 0 else None
    dice = random.Random(f"{session.name} {mutator} {draw}")
    files = [step for step in session.steps if step.file is not None]
    steps = MUTATORS[mutator](dice, session.cells)
    if steps is None or steps == session.cells:
        return None
    return replace(session, steps=(*files, *steps))


def rerun(dice: random.Random, steps: list[Step]) -> list[Step] | None:
    """An earlier cell is run again, later, before the tracked one."""
    at = dice.choice(_earlier(steps))
    later = dice.randint(at + 1, len(steps) - 1)
    return [*steps[:later], steps[at], *steps[later:]]


def delete(dice: random.Random, steps: list[Step]) -> list[Step] | None:
    """A cell is gone that had been run: a try with another number, or one of them."""
    at = dice.choice(_earlier(steps))
    tried = _with_another_number(dice, steps[at].text)
    if tried is None or dice.random() < 0.4:
        last = max(k for k, step in enumerate(steps) if step.id == steps[at].id)
        gone = replace(steps[last], deleted=True)
        return [*steps[:last], gone, *steps[last + 1 :]]
    scratch = Step(tried, id="scratch", deleted=True)
    return [*steps[: at + 1], scratch, *steps[at + 1 :]]


def edit(dice: random.Random, steps: list[Step]) -> list[Step] | None:
    """A number in a cell is changed and the cell run again; the new text stays."""
    places = [
        at for at in _earlier(steps) if _with_another_number(dice, steps[at].text)
    ]
    if not places:
        return None
    at = dice.choice(places)
    text = _with_another_number(dice, steps[at].text)
    assert text is not None
    later = dice.randint(at + 1, len(steps) - 1)
    return [*steps[:later], replace(steps[at], text=text), *steps[later:]]


def out_of_order(dice: random.Random, steps: list[Step]) -> list[Step] | None:
    """Two cells change places, or one runs again with another one in between."""
    if len(steps) < 4:
        return None
    first, second = sorted(dice.sample(_earlier(steps), 2))
    if steps[first].id == steps[second].id:
        return None
    if dice.random() < 0.5:
        swapped = list(steps)
        swapped[first], swapped[second] = steps[second], steps[first]
        return swapped
    return [*steps[: second + 1], steps[first], steps[second], *steps[second + 1 :]]


MUTATORS: dict[str, Mutator] = {
    "run again": rerun,
    "deleted": delete,
    "edited": edit,
    "out of order": out_of_order,
}


def _earlier(steps: Sequence[Step]) -> range:
    """Places of the cells before the tracked one."""
    return range(len(steps) - 1)


def _with_another_number(dice: random.Random, text: str) -> str | None:
    """The text with one of its numbers changed; None where it has none."""
    found = [node for node in _numbers(text) if node.value not in (0, 1)]
    if not found:
        return None
    node = dice.choice(found)
    value: Any = node.value  # a number
    new = value + dice.choice((1, 2)) if isinstance(value, int) else value * 1.5
    return with_literal(text, node, repr(new))


def with_literal(text: str, node: ast.Constant, new: str) -> str:
    """The text with that literal replaced."""
    lines = text.splitlines(keepends=True)
    row = node.lineno - 1
    line = lines[row].encode()
    lines[row] = (
        line[: node.col_offset] + new.encode() + line[node.end_col_offset :]
    ).decode()
    return "".join(lines)


def _numbers(text: str) -> list[ast.Constant]:
    """The plain numbers of a cell; none where it has magics in it."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and type(node.value) in (int, float)
        and node.lineno == node.end_lineno
    ]
