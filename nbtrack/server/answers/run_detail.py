"""What is told of one run beside a list: params, metrics, notes, its cell."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable
from typing import Any

from nbtrack.records import Param
from nbtrack.server.answers.run_rows import row_of
from nbtrack.server.desk import Desk
from nbtrack.server.rows import metric_row
from nbtrack.text import shorten

MAX_PARAMS = 200
VALUE_CHARS = 200
ERROR_CHARS = 300
_LINE_CHARS = 1_000  # of one assignment; what is longer is no setting to be typed


def detail(desk: Desk, run_id: str) -> dict[str, Any]:
    """One run: its row, and what a row has no room for."""
    store = desk.stores.of_run(run_id)
    run = store.run(run_id)
    params = list(run.params.values())
    return {
        **row_of(desk, store, run),
        "metrics": [metric_row(metric) for metric in run.metrics.values()],
        "params": [_param_row(param) for param in params[:MAX_PARAMS]],
        "params_code": params_code(params),
        "source": run.source,
        "cell": None if run.execution is None else [run.execution],
        "notes": run.notes,
        "error": _error_line(run.error),
    }


def params_code(params: Iterable[Param]) -> str:
    r"""Assignments that give the params anew, of those that are names and plain values.

    >>> params_code([Param("lr", 0.1, "literal"), Param("opt.eps", 1e-8, "object")])
    'lr = 0.1\n'
    """
    lines = [
        f"{param.name} = {param.value!r}\n"
        for param in params
        if param.name.isidentifier()
        and not keyword.iskeyword(param.name)
        and _is_plain(param.value)
    ]
    return "".join(line for line in lines if len(line) <= _LINE_CHARS)


def _is_plain(value: Any) -> bool:
    """Whether Python reads the value back from what it prints."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, [*value, *value.values()]))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)


def _param_row(param: Param) -> list[str]:
    value = param.value
    text = value if isinstance(value, str) else repr(value)
    return [shorten(param.name, VALUE_CHARS), shorten(text, VALUE_CHARS), param.origin]


def _error_line(error: str | None) -> str | None:
    """What was raised at last, in one line: what follows a traceback's calls."""
    lines = [line for line in (error or "").splitlines() if line.strip()]
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].startswith("Traceback"):
            raised = (line for line in lines[at + 1 :] if not line.startswith(" "))
            return shorten(next(raised, lines[at]), ERROR_CHARS)
    return shorten(lines[0], ERROR_CHARS) if lines else None
