"""The one line after a tracked cell: what was captured, and what was not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nbtrack.records import Param, RunRecord
from nbtrack.text import shorten

N_SHOWN = 6  # names of one kind; the rest is counted
N_NOTICES = 2
_CHECKPOINT = "checkpoint"


def summary_line(record: RunRecord, notices: Sequence[str] = ()) -> str:
    """Sum up a finished run in one line.

    Parameters
    ----------
    record : RunRecord
        The run as it stands in the store.
    notices : sequence of str
        What was not captured, and why.

    Examples
    --------
    >>> from nbtrack.records import Param, RunRecord
    >>> params = {"lr": Param("lr", 0.1, "inherited", "[3]")}
    >>> base = RunRecord("1", "base", "x", "finished", "", None, 2.0, params=params)
    >>> summary_line(base, ["f (a function)"])
    'run base · params lr (cell 3) · nothing watched · not recorded: f (a function)'
    """
    parts = [_head(record), *_captured(record)]
    if notices:
        parts.append(f"not recorded: {_listed(notices, N_NOTICES)}")
    return " · ".join(parts)


def _head(record: RunRecord) -> str:
    status = "" if record.status == "finished" else f" {record.status}"
    return f"run {record.name}{status}"


def _captured(record: RunRecord) -> list[str]:
    params = [_param(param) for param in record.params.values()]
    metrics = [shorten(name, 40) for name in record.metrics]
    n_files = len(record.checkpoints)
    return [
        f"params {_listed(params, N_SHOWN)}" if params else "no params",
        f"watched {_listed(metrics, N_SHOWN)}" if metrics else "nothing watched",
        *([f"{n_files} checkpoint{'s' * (n_files > 1)}"] if n_files else []),
        *[
            _thinned(m.name, m.thinned)
            for m in record.metrics.values()
            if m.thinned > 1
        ],
    ]


def _param(param: Param) -> str:
    cell = f" (cell {param.cell.strip('[]')})" if param.cell else ""
    return f"{shorten(param.name, 40)}{cell}"


def _thinned(name: str, k: int) -> str:
    return f"{shorten(name, 40)} thinned 1:{k}"


def _listed(texts: Iterable[str], limit: int) -> str:
    every = list(texts)
    more = f" +{len(every) - limit}" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
