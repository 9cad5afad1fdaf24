"""The one line after a tracked cell or script: what was captured, and what was not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from nbtrack.errors import NbtrackError, RunNotFoundError
from nbtrack.records import Param, RunRecord
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.slices.grade import Grade
    from nbtrack.tracked.parts import Tracking

N_SHOWN = 6  # names of one kind; the rest is counted
N_NOTICES = 2
N_ALERTS = 3


def summary_line(
    record: RunRecord,
    notices: Sequence[str] = (),
    *,
    logged: Collection[str] = (),
    label: str = "",
    remarks: Sequence[str] = (),
    grade: Grade | None = None,
) -> str:
    """Sum up a finished run in one line.

    Parameters
    ----------
    record : RunRecord
        The run as it stands in the store.
    notices : sequence of str
        What was not captured, and why.
    logged : collection of str
        Names of the metrics that the user logged by hand.
    label : str
        What the run changed since the one before it.
    remarks : sequence of str
        What is to be known of the run beside it.
    grade : Grade, optional
        Said with its first culprit where it is worse than A.

    Examples
    --------
    >>> from nbtrack.records import Param, RunRecord
    >>> params = {"lr": Param("lr", 0.1, "inherited", "[3]")}
    >>> base = RunRecord("1", "base", "x", "finished", "", None, 2.0, params=params)
    >>> summary_line(base, ["f (a function)"])
    'run base · params lr (cell 3) · nothing watched · not recorded: f (a function)'
    """
    parts = [_head(record, label), *_captured(record, logged)]
    parts += [shorten(remark, 80) for remark in remarks]
    if grade is not None and grade.letter != "A":
        parts.append(f"grade {grade.letter}: {shorten(grade.culprits[0], 100)}")
    if notices:
        said = [shorten(text.replace(" not recorded", ""), 60) for text in notices]
        parts.append(f"not recorded: {_listed(said, N_NOTICES)}")
    return " · ".join(parts)


def line_of(on: Tracking, grade: Grade | None) -> str:
    """The line for a run that is over, whose record was read."""
    from nbtrack.analysis.labels import label_of

    assert on.record is not None
    return summary_line(
        on.record,
        on.notices,
        logged=on.run.logged_names,
        label=label_of(on.run.store, on.record),
        remarks=on.run.remarks,
        grade=grade,
    )


def unread_line(name: str, exc: NbtrackError) -> str:
    """The line of a run whose record cannot be read, with what is true of it."""
    if isinstance(exc, RunNotFoundError):
        # It was locked, or the disk full, for all of the run: that is told as well.
        return f"run {name} · waits in the journal until the store takes it"
    return f"run {name} · not recorded: {exc}"


def alerts_part(record: RunRecord) -> str:
    """What goes behind the line where no panel has told of alerts; the newest first."""
    from nbtrack.analysis.alerts import alert_line

    told = [shorten(alert_line(a.title, a.step), 60) for a in reversed(record.alerts)]
    what = "alerts" if len(told) > 1 else "alert"
    return f" · {what}: {_listed(told, N_ALERTS)}" if told else ""


def _head(record: RunRecord, label: str) -> str:
    status = "" if record.status == "finished" else f" {record.status}"
    return f"run {record.name}{status}" + (f" ({label})" if label else "")


def _captured(record: RunRecord, logged: Collection[str]) -> list[str]:
    params = [_param(param) for param in record.params.values()]
    by_hand = [shorten(name, 40) for name in record.metrics if name in logged]
    watched = [shorten(name, 40) for name in record.metrics if name not in logged]
    n_files = len(record.checkpoints)
    return [
        f"params {_listed(params, N_SHOWN)}" if params else "no params",
        *([f"logged {_listed(by_hand, N_SHOWN)}"] if by_hand else []),
        *([f"watched {_listed(watched, N_SHOWN)}"] if watched else []),
        *([] if record.metrics else ["nothing watched"]),
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
