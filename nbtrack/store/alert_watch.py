"""Raises alerts where points come in: in the writer's transaction, never in `log()`.

An alert is committed together with the points that raised it, so it comes once, also
where a dead session's journal is taken over. Whether a condition is new is told from
the metric's summary before these points: nothing has to be remembered between drains.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nbtrack.errors import StoreError
from nbtrack.guard import guard
from nbtrack.metric_names import goal_of
from nbtrack.records import SYSTEM_PREFIX, AlertRecord, Goal, Level
from nbtrack.store.alert_rows import (
    alert_of,
    crashes,
    insert_alert,
    rules_of,
    stalls,
    stalls_since,
)
from nbtrack.store.alert_rules import OF_STATUS, RULES_FACT, Rule
from nbtrack.store.values import iso, now, storable

if TYPE_CHECKING:
    from nbtrack.store.chunks import Columns
    from nbtrack.store.summary import Summary

SAME_MAX = 10  # alerts of one rule on one metric of a run: a loss may go to and fro
_LEVELS: dict[str, Level] = {"nan": "error", "failed": "error", "finished": "info"}
_TEXT_CHARS = 2_000


class _Watched(NamedTuple):
    """One series, and the rules that its points can raise."""

    run: str
    metric: str
    goal: Goal | None
    rules: tuple[Rule, ...]
    is_own: bool  # no axis, and not of the machine: it says that the run goes on


@dataclass(slots=True)
class _Pace:
    """How a run goes that wants to be told of a stall."""

    rules: tuple[Rule, ...]
    last_s: float | None = None  # when its last point came, once one was seen


class AlertWatch:
    """Looks at what one session commits; used by the thread that commits it."""

    def __init__(self, connection: sqlite3.Connection, session: str) -> None:
        self.raised: list[AlertRecord] = []  # and committed, to be taken away
        self._connection = connection
        self._session = session
        self._new: list[AlertRecord] = []  # of the transaction under way
        self._series: dict[int, _Watched] = {}
        self._paces: dict[str, _Pace] = {}  # of runs that wait for a stall

    # -- inside the transaction --------------------------------------------------

    def begin(self) -> None:
        """A transaction begins, perhaps anew after one that failed."""
        self._new = []

    def committed(self) -> None:
        """What was raised stands."""
        # Events come before the points that were logged before them.
        self.raised += sorted(self._new, key=lambda alert: alert.at)
        self._new = []

    def forget(self) -> None:
        """Runs or metrics may be other ones than before; points come once more."""
        self._series.clear()
        self._new = [alert for alert in self._new if alert.metric is None]

    def heard(self, event: Mapping[str, Any]) -> None:
        """Look at an event that was applied, or put aside."""
        kind, run = event.get("kind"), str(event.get("run"))
        with guard("alerts", letting=(sqlite3.Error,)):
            if kind == "facts":
                self._heard_rules(event, run)
            elif kind == "alert":
                with suppress(KeyError, TypeError, ValueError, StoreError):
                    self._new.append(alert_of(event))
            elif kind == "run_finished":
                self._paces.pop(run, None)
                self._ended(event, run)

    def saw(
        self, series: int, columns: Columns, *, before: Summary, after: Summary
    ) -> None:
        """Look at points that were inserted."""
        watched = self._watched(series)
        if watched is None:
            return
        if watched.is_own and watched.run in self._paces:
            self._went_on(watched.run, columns)
        is_finite = math.isfinite(sum(columns.values))
        for rule in watched.rules:
            # What no alert can come of must cost next to nothing.
            with guard("alerts", letting=(sqlite3.Error,)):
                if rule.kind == "plateau":
                    self._plateau(rule, watched, before, after)
                elif not is_finite or _may_hold(rule, columns.values):
                    self._new_values(rule, watched, before, columns)

    # -- between transactions ----------------------------------------------------

    def overdue(self, now_s: float) -> list[AlertRecord]:
        """Stalls of this session's runs that are to be written down."""
        found: list[AlertRecord] = []
        for run, pace in list(self._paces.items()):
            shortest_s = min(rule.after_s for rule in pace.rules)
            if pace.last_s is None or now_s - pace.last_s >= shortest_s:
                found += stalls(self._connection, run, pace.rules, now_s)
        return found

    # -- inside ------------------------------------------------------------------

    def _heard_rules(self, event: Mapping[str, Any], run: str) -> None:
        if any(fact and fact[0] == RULES_FACT for fact in event.get("facts") or ()):
            self._series.clear()
            rules = rules_of(self._connection, run)
            waiting = tuple(rule for rule in rules if rule.kind == "stalled")
            if waiting:
                self._paces[run] = _Pace(waiting)

    def _went_on(self, run: str, columns: Columns) -> None:
        """A point after a long pause: a process that hung could not say so itself."""
        pace = self._paces[run]
        if pace.last_s is not None:
            for alert in stalls_since(
                self._connection, run, pace.rules, pace.last_s, columns.at[0]
            ):
                self._keep(alert)
        pace.last_s = columns.at[-1]

    def _ended(self, event: Mapping[str, Any], run: str) -> None:
        status = event.get("status")
        if status not in OF_STATUS or not self._is_there(run):
            return
        if any(rule.kind == status for rule in rules_of(self._connection, run)):
            why = storable(event.get("reason") or _last_line(event.get("error"))) or ""
            self._raise(
                run, str(status), f"run {status}", text=why, rule=str(status),
                at=iso(event.get("ended_at")),
            )  # fmt: skip

    def _is_there(self, run: str) -> bool:
        found = self._connection.execute("select 1 from runs where id = ?", (run,))
        return found.fetchone() is not None

    def _watched(self, series: int) -> _Watched | None:
        if series not in self._series:
            row = self._connection.execute(
                """
                select run, name, axis_of, goal
                from series join metrics on metrics.id = series.metric
                where session = ? and series = ?
                """,
                (self._session, series),
            ).fetchone()
            if row is None:
                return None
            run, name, axis_of, goal = row
            rules = () if axis_of is not None else rules_of(self._connection, run)
            self._series[series] = _Watched(
                run, name, goal or goal_of(name), tuple(_concerning(rules, name)),
                axis_of is None and not name.startswith(SYSTEM_PREFIX),
            )  # fmt: skip
        return self._series[series]

    def _new_values(
        self, rule: Rule, watched: _Watched, before: Summary, columns: Columns
    ) -> None:
        did_hold = before.n > 0 and rule.holds(before.last)
        for place in _rises(rule, columns.values, did_hold=did_hold):
            value = columns.values[place]
            is_nan = rule.kind == "nan"
            self._raise(
                watched.run,
                rule.kind,
                f"{watched.metric} is {_shown(value)}" if is_nan else rule.text,
                text="" if is_nan else f"{watched.metric} is {_shown(value)}",
                rule=rule.text,
                metric=watched.metric,
                step=columns.steps[place],
                at=iso(columns.at[place]),
            )

    def _plateau(
        self, rule: Rule, watched: _Watched, before: Summary, after: Summary
    ) -> None:
        goal = rule.goal or watched.goal
        if not _since_best(before, goal) < rule.n <= _since_best(after, goal):
            return
        best, at = (
            (after.min, after.min_step)
            if goal == "min"
            else (after.max, after.max_step)
        )
        self._raise(
            watched.run,
            "plateau",
            f"{watched.metric} has not improved for {rule.n} steps",
            text=f"the best is {_shown(best or 0.0)} @ step {at}",
            rule=rule.text,
            metric=watched.metric,
            step=after.last_step,
        )

    def _raise(
        self, run: str, kind: str, title: str, *, text: str, rule: str,
        metric: str | None = None, step: int | None = None, at: str | None = None,
    ) -> None:  # fmt: skip
        (n_before,) = self._connection.execute(
            "select count(*) from alerts where run = ? and rule = ? and metric is ?",
            (run, rule, metric),
        ).fetchone()
        if metric is not None and n_before >= SAME_MAX:
            return
        if metric is not None and n_before == SAME_MAX - 1:
            text = f"{text} (the {SAME_MAX}th time: not said again of this run)".strip()
        alert = AlertRecord(
            run, at or now(), kind, _LEVELS.get(kind, "warn"), title,
            text[:_TEXT_CHARS], step, metric, rule,
        )  # fmt: skip
        self._keep(alert)

    def _keep(self, alert: AlertRecord) -> None:
        insert_alert(self._connection, alert)
        self._new.append(alert)


def alert_crashed(connection: sqlite3.Connection, session: str) -> None:
    """Write down that the runs of a session that still ran have crashed."""
    rows = connection.execute(
        "select id from runs where session = ? and status = 'running'", (session,)
    ).fetchall()
    for (run,) in rows:
        for alert in crashes(connection, run, rules_of(connection, run)):
            insert_alert(connection, alert)


def _concerning(rules: Iterable[Rule], metric: str) -> Iterator[Rule]:
    for rule in rules:
        is_of_machine = rule.kind == "nan" and metric.startswith(SYSTEM_PREFIX)
        if rule.concerns(metric) and not is_of_machine:
            yield rule


def _may_hold(rule: Rule, values: array[float]) -> bool:
    """Whether any of these finite values can be what the rule waits for."""
    if rule.kind != "threshold":
        return False
    return rule.holds(max(values) if rule.sign.startswith(">") else min(values))


def _rises(rule: Rule, values: array[float], *, did_hold: bool) -> Iterator[int]:
    """The places at which the condition begins to hold."""
    for place, value in enumerate(values):
        holds = rule.holds(value)
        if holds and not did_hold:
            yield place
        did_hold = holds


def _since_best(summary: Summary, goal: Goal | None) -> int:
    best = {"min": summary.min_step, "max": summary.max_step}.get(goal or "")
    return 0 if best is None or summary.last_step is None else summary.last_step - best


def _shown(value: float) -> str:
    return "NaN" if value != value else f"{value:.6g}"


def _last_line(error: object) -> str:
    lines = str(error or "").strip().splitlines()
    return lines[-1] if lines else ""
