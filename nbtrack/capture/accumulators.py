"""Which first values of a cell start a count, a best or a history, and are no params.

`losses = []`, `best_acc = 0.0`, `running_loss = 0.0` say nothing about the run;
`lr = 0.1` before `lr *= 0.9` does. Told by the value, by what loops do to the name, and
last by the words of the name.
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any

from nbtrack.capture.survey import Survey


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TRACKED_WORDS = _words(
    "loss losses acc accs accuracy accuracies error errors err f1 auc best "
    "running total sum count counts counter correct history hist log logs metric "
    "metrics result results score scores prev previous last wait cum cumulative "
    "avg average mean precision recall ppl perplexity mse mae rmse r2 preds "
    "predictions "
)
_DATA_WORDS = _words(
    "x xs y ys data dataset inputs targets labels points samples texts sentences words "
    "docs documents corpus names chars vocab features preds"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_LONG_TEXT = 1000  # characters: a prompt is shorter, a corpus in the cell longer
_LARGE = 1e6  # `best_loss = 1e9` stands for infinity


def words_of(name: str) -> frozenset[str]:
    """The words of a snake_case or camelCase name, lower case.

    >>> sorted(words_of("best_valLoss"))
    ['best', 'loss', 'val']
    """
    return frozenset(word.lower() for word in _WORD.findall(name))


def is_tracked_name(name: str) -> bool:
    """Whether a name speaks of a result: a metric, a best, a count.

    >>> is_tracked_name("running_loss"), is_tracked_name("batch_size")
    (True, False)
    """
    return not TRACKED_WORDS.isdisjoint(words_of(name)) or "f1" in name.lower()


def is_accumulator(name: str, value: object, found: Survey) -> bool:
    r"""Whether `name = value` starts something that the cell then builds up.

    >>> from nbtrack.capture.survey import survey
    >>> text = "lr = .1\nn = 0\nfor b in x:\n lr *= .9\n n += 1"
    >>> found = survey(ast.parse(text).body)
    >>> is_accumulator("lr", 0.1, found), is_accumulator("n", 0, found)
    (False, True)
    """
    tracked, null = is_tracked_name(name), is_null(value)
    loops = found.stored_in_loop(name)
    if any(store.kind == "aug" and _adds(store.op) for store in loops):
        return tracked or null or value in (1, -1)
    if loops:
        return tracked or null or value == -1
    if name in found.mutated:
        return tracked or is_hollow(value)
    if is_hollow(value):
        return tracked or name in found.passed
    return tracked and null


def is_counter(name: str, found: Survey) -> bool:
    """Whether loops only count this name up or down, wherever it started.

    >>> from nbtrack.capture.survey import survey
    >>> is_counter("step", survey(ast.parse("for b in x: step += 1").body))
    True
    """
    stores = found.stored_in_loop(name)
    return bool(stores) and all(
        (store.kind == "aug" and _adds(store.op)) or _adds_to_itself(name, store.value)
        for store in stores
    )


def is_data(name: str, value: object) -> bool:
    """Whether a list or text under this name is what is learned from, not how.

    >>> is_data("xs", [1, 2]), is_data("dims", [1, 2]), is_data("x", 3)
    (True, False, False)
    """
    if isinstance(value, str):
        return len(value) > _LONG_TEXT
    listed = isinstance(value, list | tuple | set | frozenset)
    return listed and not _DATA_WORDS.isdisjoint(words_of(name))


def is_history(name: str, value: object) -> bool:
    """Whether a list or dict holds results of an earlier run, by its words.

    >>> is_history("losses", [0.3]), is_history("hist", {"val_loss": [0.3]})
    (True, True)
    """
    if isinstance(value, dict):
        return is_tracked_name(name) or all(is_tracked_name(str(k)) for k in value)
    return isinstance(value, list | tuple) and is_tracked_name(name)


def is_null(value: object) -> bool:
    """Values that stand for nothing yet: 0, None, infinity, False, empty.

    >>> is_null(0.0), is_null(float("-inf")), is_null(0.1)
    (True, True, False)
    """
    if value is None or is_hollow(value):
        return True
    if isinstance(value, int | float):
        return not value or not math.isfinite(value) or abs(value) >= _LARGE
    return False


def is_hollow(value: object) -> bool:
    """Containers with nothing in them yet, however deep.

    >>> is_hollow({"loss": [], "acc": []}), is_hollow([64])
    (True, False)
    """
    if isinstance(value, str):
        return not value
    inside: Any = value.values() if isinstance(value, dict) else value
    if not isinstance(value, list | tuple | set | dict):
        return False
    return all(is_hollow(item) or item is None or _is_zero(item) for item in inside)


def _is_zero(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool) and item == 0


def _adds(op: ast.operator | None) -> bool:
    return isinstance(op, ast.Add | ast.Sub)


def _adds_to_itself(name: str, value: ast.expr | None) -> bool:
    return (
        isinstance(value, ast.BinOp)
        and _adds(value.op)
        and isinstance(value.left, ast.Name)
        and value.left.id == name
        and isinstance(value.right, ast.Constant)
    )
