"""Alerts as panels, pages and lists word them; the mirror of `shared/alerts.ts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbtrack.analysis.wire import AlertMeta
from nbtrack.records import AlertRecord, Level, RunRecord
from nbtrack.store.values import epoch_s
from nbtrack.text import escape, shorten, visible

ALERTS_MAX = 50  # of one run that a viewer gets, the newest
SHOWN_MAX = 8  # in a picture, the newest
_COLOURS: dict[Level, str] = {"info": "#5b84b1", "warn": "#d98f00", "error": "#d64545"}
_MUTED = "opacity:.68"


def alerts_of(record: RunRecord) -> list[AlertMeta]:
    """The newest alerts of a run, in the order in which they came."""
    return [_meta(alert) for alert in record.alerts[-ALERTS_MAX:]]


def alert_line(title: str, step: int | None) -> str:
    """An alert in one line, with the step where it has one.

    >>> alert_line("loss is NaN", 1234), alert_line("run finished", None)
    ('loss is NaN @ step 1234', 'run finished')
    """
    return title if step is None else f"{title} @ step {step}"


def alert_lines(alerts: Sequence[AlertMeta]) -> Iterator[str]:
    """The newest alerts as plain text, in the order in which they came."""
    for alert in alerts[-SHOWN_MAX:]:
        line = shorten(visible(alert_line(alert["title"], alert["step"])), 120)
        yield f"  {'i' if alert['level'] == 'info' else '!'} {line}"


def alerts_html(alerts: Sequence[AlertMeta]) -> str:
    """The same as HTML that needs nothing; empty where there is none."""
    n_more = len(alerts) - SHOWN_MAX
    shown = "".join(map(_html, alerts[-SHOWN_MAX:]))
    more = f"<div style='{_MUTED}'>{n_more} alerts before these</div>"
    return f"<div>{more if n_more > 0 else ''}{shown}</div>" if shown else ""


def _html(alert: AlertMeta) -> str:
    line = escape(alert_line(alert["title"], alert["step"]))
    text = escape(shorten(alert["text"], 300))
    style = f"border-left:3px solid {_COLOURS[alert['level']]};padding-left:6px"
    return (
        f"<div style='{style};margin:2px 0;overflow-wrap:anywhere'>"
        f"<span style='font-weight:600'>{line}</span> "
        f"<span style='{_MUTED}'>{text}</span></div>"
    )


def _meta(alert: AlertRecord) -> AlertMeta:

    return {
        "key": alert.key,
        "kind": alert.kind,
        "level": alert.level,
        "title": alert.title,
        "text": alert.text,
        "step": alert.step,
        "at": epoch_s(alert.at),
    }
