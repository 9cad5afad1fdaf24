"""Values that a cell only tells: printed, formatted or handed to another logger.

`print(f"Loss: {running_loss / n:.3f}")` has a metric that no name keeps. Noted are sums
divided for the eye, and results of calls behind a word like "accuracy"; what a watched
name holds anyway is left to that name.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Collection, Iterator
from typing import Any, TypeGuard

from nbtrack.capture.watch_names import (
    is_accumulator_name,
    says_evaluation,
    says_metric,
    series_name,
    words_of,
)
from nbtrack.capture.watch_scopes import (
    Slot,
    bare_name,
    converted,
    last_name,
    slot_value,
)
from nbtrack.capture.watch_style import names_in

Told = tuple[str, Slot]  # a label or name, and where the value hangs

_TELLS = frozenset({"print", "info", "write", "display"})
_PERCENT = re.compile(r"%[#0\- +]*+(?:\d++|\*)?(?:\.\d++)?[a-zA-Z]")
_BREAKS = re.compile(r"[|;,:=\n\t()\[\]{}!]")
_QUALIFIERS_TEXT = """
    train training test testing val valid validation dev eval avg average mean final
    total set top macro micro weighted policy value d g
"""
_QUALIFIERS = frozenset(_QUALIFIERS_TEXT.split())
_MEANS = frozenset({"mean", "average", "median", "fmean"})
_AVERAGES = frozenset({"avg", "average", "global_avg"})


def values_told(
    statement: ast.Expr, sums: Collection[str], means: Collection[str] = ()
) -> Iterator[Told]:
    r"""The metrics of a `print` or `add_scalar`, which no name of their own holds.

    Parameters
    ----------
    sums
        Names that are added up.
    means
        Names that are divided in place, sums before.

    >>> cell = ast.parse("print(f'Test Accuracy: {100 * hits / n:.1f}%')")
    >>> [name for name, _ in values_told(cell.body[0], {"hits"})]
    ['test_accuracy']
    """
    call = statement.value
    if not isinstance(call, ast.Call):
        return
    if last_name(call.func) in _TELLS:
        for label, slot in _shown(call):
            name = _name_of(slot_value(*slot), label, sums, means)
            if name is not None:
                yield name, slot
    else:
        yield from _logged(call)


# -- what is printed ------------------------------------------------------------------


def _shown(call: ast.Call) -> Iterator[Told]:
    """Every value of a print with the text in front of it."""
    before = ""
    for index, argument in enumerate(call.args):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            before = argument.value
        elif _is_text(argument):
            yield from _in_text(argument)
            before = ""
        else:
            yield before, (call.args, index)
            before = ""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or _template(node) is not None


def _template(node: ast.expr) -> str | None:
    """The text of `"...".format(...)` and `"..." % ...`."""
    text: ast.expr | None = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        text = node.left
    elif isinstance(node, ast.Call) and last_name(node.func) == "format":
        text = node.func.value if isinstance(node.func, ast.Attribute) else None
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return text.value
    return None


def _in_text(node: ast.expr) -> Iterator[Told]:
    if isinstance(node, ast.JoinedStr):
        before = ""
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield before, (part, "value")
            before = str(part.value) if isinstance(part, ast.Constant) else ""
        return
    template = _template(node) or ""
    if isinstance(node, ast.Call):
        yield from zip(_fields(template), _slots(node.args), strict=False)
    elif isinstance(node, ast.BinOp):
        labels = _PERCENT.split(template.replace("%%", ""))
        one: list[Slot] = [(node, "right")]
        many = _slots(node.right.elts) if isinstance(node.right, ast.Tuple) else one
        yield from zip(labels, many, strict=False)


def _fields(template: str) -> list[str]:
    """The texts before the fields of a format string that are filled in order."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return []
    fields = [(text, name) for text, name, *_ in parts if name is not None]
    return [text for text, name in fields] if not any(n for _, n in fields) else []


def _slots(values: list[ast.expr]) -> Iterator[Slot]:
    return iter([(values, index) for index in range(len(values))])


def _name_of(
    value: ast.expr, label: str, sums: Collection[str], means: Collection[str]
) -> str | None:
    bare = bare_name(value)
    names = names_in(value)
    if any(not says_metric(name) for name in names.intersection(means)):
        return _label(label)  # `correct /= n`, then `100 * correct`
    if bare is not None:
        is_sum = bare in sums and is_accumulator_name(bare) and says_metric(bare)
        return bare if is_sum else None
    summed = sorted(names.intersection(sums))
    if summed and any(isinstance(n, ast.Div) for n in ast.walk(value)):
        return next((s for s in summed if says_metric(s)), None) or _label(label)
    if isinstance(value, ast.Attribute) and value.attr in _AVERAGES:
        holder = series_name(last_name(value.value) or "")
        return _label(label) or (f"avg_{holder}" if holder else None)
    return _name_of_call(value, label)


def _name_of_call(value: ast.expr, label: str) -> str | None:
    """`print("MAE:", mean_absolute_error(y, p))`, `print(evaluate(model))`."""
    call = _core(value)
    if call is None:
        return None
    called = {n.func.id for n in ast.walk(value) if _is_plain_call(n)}
    function = last_name(call.func) or ""
    if function in _MEANS:
        return _label(label)  # `np.mean(fold_scores)`
    if any(says_metric(name) for name in names_in(value) - called):
        return None  # made of what is watched already
    return _label(label) or (function if says_evaluation(function) else None)


def _core(value: ast.expr) -> ast.Call | None:
    """The call in `100 * round(f(x).item(), 2)`."""
    while not isinstance(value, ast.Call) or converted(value) is not None:
        if isinstance(value, ast.BinOp):
            value = value.left if isinstance(value.right, ast.Constant) else value.right
            continue
        inner = converted(value)
        if inner is None:
            return None
        value = inner
    return value


def _is_plain_call(node: ast.AST) -> TypeGuard[Any]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _label(text: str) -> str | None:
    """`test_accuracy` of "| Test Accuracy of the model: "; None where it is none."""
    pieces = [piece for piece in _BREAKS.split(text) if piece.strip(" -.>")]
    words = words_of(pieces[-1]) if pieces else []
    for index, word in enumerate(words):
        if says_metric(word):
            first = index
            while first and words[first - 1] in _QUALIFIERS:
                first -= 1
            name = "_".join(words[first : index + 1])
            before = words[first - 1 : first]
            return series_name("_".join([*before, name])) and series_name(name)
    return None


# -- what goes to another logger -----------------------------------------------------


def _logged(call: ast.Call) -> Iterator[Told]:
    """`writer.add_scalar("Loss/train", x, step)`, `wandb.log({"loss": x})`."""
    kind = last_name(call.func)
    if kind in ("add_scalar", "log_metric") and len(call.args) >= 2:
        tag = call.args[0]
        if isinstance(tag, ast.Constant) and isinstance(tag.value, str):
            yield from _unkept(tag.value, (call.args, 1))
    elif kind in ("log", "log_metrics") and call.args and not _is_ours(call.func):
        first = call.args[0]
        if isinstance(first, ast.Dict):
            for index, key in enumerate(first.keys):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield from _unkept(key.value, (first.values, index))


def _unkept(tag: str, slot: Slot) -> Iterator[Told]:
    """A name is a counter, or is watched itself where it says metric."""
    if bare_name(slot_value(*slot)) is None:
        yield tag, slot


def _is_ours(function: ast.expr) -> bool:
    return "nbtrack" in names_in(function)
