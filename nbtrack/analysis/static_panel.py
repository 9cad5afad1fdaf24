"""What a run leaves in the notebook: a still picture and text that need nothing.

No script, no style sheet, no reference to anything outside: readable in nbconvert, on a
code host, without a kernel. Every text of a run passes `text.escape`. Curves are
pictures, and lines of bars where a reader of notebooks drops those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from nbtrack.analysis.alerts import alert_lines, alerts_html
from nbtrack.analysis.families import in_order
from nbtrack.analysis.family_charts import (
    POINTS_PER_CURVE,
    drawn_families,
    families_of,
)
from nbtrack.analysis.frames import METRICS_MAX, RunFeed
from nbtrack.analysis.marks import load_line, marks_of, n_marks
from nbtrack.analysis.svg import as_picture, chart_svg, lines_alt
from nbtrack.analysis.wire import (
    CheckpointMeta,
    GradeMeta,
    MetricMeta,
    RunMeta,
    SeriesDelta,
)
from nbtrack.analysis.wording import count, duration, number, sparkline
from nbtrack.records import RunRecord
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store

CHARTS_MAX = 12
ROWS_MAX = 16
POINTS_BUDGET = 3_600  # of all curves: ten bytes each, a third more as base64
LAST = 5
PARAMS_MAX = 12
CHECKPOINTS_MAX = 20
_DOTS = {
    "running": "#2e9d57",
    "finished": "#2e9d57",
    "failed": "#d64545",
    "crashed": "#d64545",
    "stopped": "#d98f00",
    "pruned": "#d98f00",
}
_GRADES = {"A": "#2e9d57", "B": "#5b84b1", "C": "#d98f00", "D": "#d64545"}
_MUTED = "opacity:.68"
_PICTURE = "display:inline-block;max-width:100%;margin:6px 8px 0 0"
_CELL = "padding:1px 0 1px 16px;text-align:right;white-space:nowrap;border:0"


def static_panel(store: Store, run_id: str) -> dict[str, str]:
    """The mime bundle of a run as it stands in the store.

    Parameters
    ----------
    store : Store
        Where the run is; only read.
    run_id : str
        The full id.

    Returns
    -------
    dict
        `text/html` and `text/plain`; about 100 KB at most.
    """
    return static_bundle(RunFeed(store, run_id))


def static_bundle(feed: RunFeed) -> dict[str, str]:
    """The same from a feed that has followed the run."""
    feed.advance()
    run, deltas, _ = feed.frame(full=True)
    html = _html(feed.require(), run, deltas)
    return {"text/html": html, "text/plain": _plain(run, deltas)}


# -- text ------------------------------------------------------------------------------


def _plain(run: RunMeta, deltas: Sequence[SeriesDelta]) -> str:
    own = {delta.metric: delta for delta in deltas if not delta.ghost}
    grade = [f"grade {visible(run['grade']['letter'])}"] if run["grade"] else []
    head = " · ".join([visible(run["name"]), *_facts(run), *grade])
    shown = in_order(run["metrics"])[:ROWS_MAX]
    width = max((len(meta["name"]) for meta in shown), default=0)
    lines = [_plain_line(meta, own.get(meta["name"]), min(width, 30)) for meta in shown]
    return "\n".join([head, *alert_lines(run["alerts"]), *lines])


def _plain_line(meta: MetricMeta, series: SeriesDelta | None, width: int) -> str:
    name = shorten(visible(meta["name"]), width).ljust(width)
    values = series.values if series else []
    last = number(values[-1]) if len(values) else "–"
    parts = [f"  {name}", sparkline(values).ljust(24), last.rjust(9)]
    if meta["goal"] and meta["best"] is not None:
        parts.append(f"best {number(meta['best'])} @ step {meta['best_step']}")
    return "  ".join([*parts, *_remarks(meta)])


def _facts(run: RunMeta) -> list[str]:
    facts: list[str] = [run["status"]]
    if run["reason"]:
        facts.append(visible(run["reason"]))
    facts.append(duration(run["elapsed_s"]))
    return facts


def _remarks(meta: MetricMeta) -> list[str]:
    """What must be said of a curve beside its numbers."""
    remarks = []
    if meta["thinned"] > 1:
        remarks.append(f"thinned 1:{count(meta['thinned'])}")
    if meta["first_nan_step"] is not None:
        remarks.append(f"NaN@{meta['first_nan_step']}")
    return remarks


# -- HTML ------------------------------------------------------------------------------


def _html(record: RunRecord, run: RunMeta, deltas: Sequence[SeriesDelta]) -> str:
    families = families_of(run, deltas)
    return "".join(
        [
            "<div style='font:13px/1.45 system-ui,sans-serif;max-width:1080px'>",
            _heading(run),
            _best(run),
            _params(record),
            _error(run),
            alerts_html(run["alerts"]),
            _charts(run, families, marks_of(record)),
            _table(run, deltas),
            _checkpoints(record),
            "</div>",
        ]
    )


def _heading(run: RunMeta) -> str:
    facts = " · ".join(escape(fact) for fact in _facts(run))
    return (
        f"<div><span style='color:{_DOTS[run['status']]}'>●</span> "
        f"<b>{escape(run['name'])}</b> <span style='{_MUTED}'>{facts}</span>"
        f"{_grade(run['grade'])}</div>"
    )


def _grade(grade: GradeMeta | None) -> str:
    """The letter; what speaks against the run is said to who points at it."""
    if grade is None:
        return ""
    colour = _GRADES.get(grade["letter"], "inherit")
    why = "&#10;".join(escape(line) for line in grade["why"])
    style = "border:1px solid;border-radius:3px;padding:0 4px;margin-left:8px"
    return (
        f" <span title='{why}' style='{style};font-size:11px;color:{colour}'>"
        f"grade {escape(grade['letter'])}</span>"
    )


def _best(run: RunMeta) -> str:
    by_name = {meta["name"]: meta for meta in run["metrics"]}
    best = [by_name[name] for name in run["headline"] if name in by_name]
    spans = [
        f"<span style='margin-right:18px'><span style='{_MUTED}'>best "
        f"{escape(meta['name'])}</span> <b>{number(meta['best'])}</b> "
        f"<span style='{_MUTED}'>@ step {meta['best_step']}</span></span>"
        for meta in best
        if meta["best"] is not None
    ]
    wraps = "overflow-wrap:anywhere"  # a long name leaves its value in view
    return f"<div style='{wraps}'>{' '.join(spans)}</div>" if spans else ""


def _params(record: RunRecord) -> str:
    """The first few params in a line: what one looks for in an old notebook."""
    params = list(record.params.values())
    shown = " · ".join(
        f"{escape(shorten(param.name, 40))} {escape(shorten(str(param.value), 40))}"
        for param in params[:PARAMS_MAX]
    )
    more = f" · {len(params) - PARAMS_MAX} more" if len(params) > PARAMS_MAX else ""
    return f"<div style='{_MUTED}'>{shown}{more}</div>" if shown else ""


def _error(run: RunMeta) -> str:
    if not run["error"]:
        return ""
    last_line = run["error"].strip().splitlines()[-1:]
    return f"<div style='color:#d64545'>{escape(' '.join(last_line))}</div>"


def _charts(
    run: RunMeta,
    families: Mapping[str, list[SeriesDelta]],
    marks: Sequence[CheckpointMeta],
) -> str:
    shown = dict(list(families.items())[:CHARTS_MAX])
    n_curves = sum(map(len, shown.values()))
    most = max(20, min(POINTS_PER_CURVE, POINTS_BUDGET // max(1, n_curves)))
    # The axis is chosen by all of them, also by those that are not drawn.
    drawn = islice(drawn_families(families, most, marks), CHARTS_MAX)
    pictures = [
        as_picture(
            chart_svg(name, lines, x_label=x_label),
            lines_alt(name, [line for line in lines if not line.is_ghost]),
            style=_PICTURE,
        )
        for name, lines, x_label in drawn
    ]
    notes = ["◆ a saved checkpoint"] if marks and shown else []
    if run["ghost"]:
        name = escape(run["ghost"]["name"])
        notes.append(f"grey: {name}, the best earlier run of this cell")
    if len(families) > CHARTS_MAX:
        notes.append(f"{len(families) - CHARTS_MAX} more charts are not drawn")
    note = f"<div style='{_MUTED};font-size:11px'>{' · '.join(notes)}</div>"
    return f"<div>{''.join(pictures)}</div>{note if notes else ''}"


def _checkpoints(record: RunRecord) -> str:
    """The saved checkpoints, the last ones first, each with the line that loads it."""
    marks = marks_of(record)[::-1]
    if not marks:
        return ""
    n_all = n_marks(record)
    n_more = n_all - CHECKPOINTS_MAX
    more = f"<div style='{_MUTED}'>and {n_more} more: %artifacts</div>"
    rows = "".join(_checkpoint(record, mark) for mark in marks[:CHECKPOINTS_MAX])
    n = f"{count(n_all)} checkpoint{'s' * (n_all != 1)}"
    return (
        f"<details style='margin-top:4px'><summary style='cursor:pointer'>{n}</summary>"
        "<table style='border-collapse:collapse;font-size:12px'><tbody>"
        f"{rows}</tbody></table>{more if n_more > 0 else ''}</details>"
    )


def _checkpoint(record: RunRecord, mark: CheckpointMeta) -> str:
    numbers = ", ".join(f"{n} {number(v)}" for n, v in mark["metrics"].items())
    load = escape(load_line(record.id, mark["step"], mark["name"]))
    line = f"<code>{load}</code>"
    if mark["gone"]:
        line = f"<span style='{_MUTED}'>{escape(mark['gone'])}: not kept now</span>"
    style = f"{_CELL};text-align:left;padding-left:0;padding-right:16px"
    cells = (
        escape(shorten(f"{mark['name']}:v{mark['version']}", 60)),
        f"@ step {mark['step']}",
        escape(shorten(numbers, 100)),
        line,
    )
    row = "".join(f"<td style='{style}'>{cell}</td>" for cell in cells)
    return f"<tr style='border:0'>{row}</tr>"


def _table(run: RunMeta, deltas: Sequence[SeriesDelta]) -> str:
    own = {delta.metric: delta for delta in deltas if not delta.ghost}
    shown = in_order(run["metrics"])[:ROWS_MAX]
    if not shown:
        return f"<div style='{_MUTED}'>no metrics</div>"
    heads = [*[""] * LAST, "last", "best", "points", ""]
    style = f"{_CELL};{_MUTED};font-weight:400"
    top = "".join(f"<th style='{style}'>{text}</th>" for text in heads)
    rows = "".join(_row(meta, own.get(meta["name"])) for meta in shown)
    hidden = len(run["metrics"]) - len(shown)
    most = "or more" if len(run["metrics"]) >= METRICS_MAX else ""
    more = f"<div style='{_MUTED}'>and {hidden} {most} more metrics</div>"
    return (
        "<table style='border-collapse:collapse;font-size:12px;margin:6px 0 0;"
        "font-variant-numeric:tabular-nums'>"
        f"<thead><tr style='border:0'>{top}</tr></thead><tbody>{rows}</tbody></table>"
        f"{more if hidden else ''}"
    )


def _row(meta: MetricMeta, series: SeriesDelta | None) -> str:
    values = [number(value) for value in series.values[-LAST:]] if series else []
    last = [*[""] * (LAST - len(values)), *values]
    best = f"{number(meta['best'])} @ {meta['best_step']}" if meta["goal"] else ""
    cells = [*last[:-1], f"<b>{last[-1]}</b>", best, count(meta["n"])]
    name = escape(shorten(meta["name"], 60))
    remarks = escape(" · ".join(_remarks(meta)))
    columns = "".join(f"<td style='{_CELL}'>{cell}</td>" for cell in [*cells, remarks])
    return (
        f"<tr style='border:0'><th scope='row' style='{_CELL};text-align:left;"
        f"font-weight:400;padding-left:0'>{name}</th>{columns}</tr>"
    )
