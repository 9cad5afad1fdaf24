"""Reads runs: a fixed number of queries, whatever the number of runs, and no points.

Nothing here writes. Whether a running run has crashed is looked up at once, by its
session's lock, and not taken from what the tables say.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from nbtrack.errors import RunNotFoundError
from nbtrack.records import (
    SYSTEM_PREFIX,
    AlertRecord,
    CheckpointRecord,
    MetricSummary,
    Param,
    RunRecord,
)
from nbtrack.store.alert_rows import read_alerts, unwritten
from nbtrack.store.liveness import is_alive
from nbtrack.store.summary import decoded
from nbtrack.text import did_you_mean, shorten

CHOSEN = """
  select id from runs
  where (:experiment is null or experiment = :experiment)
    and ((trashed_at is not null) = :trashed or :trashed is null)
    and (:ids is null or id in (select value from json_each(:ids)))
"""
_RUNS = f"""
  select id, name, experiment, status, started_at, ended_at, duration_s, "group",
    parent, notes, notebook, cell_id, execution, source_digest, error, reason,
    trashed_at, session, forked_from, fork_step, peak_rss_bytes, peak_vram_bytes,
    model_bytes, grade, grade_why,
    (select json_extract(facts, '$.kernel_id') from sessions where id = runs.session)
  from runs where id in ({CHOSEN}) order by started_at desc, id desc
"""  # noqa: S608 - constants only
_STATUS, _SESSION = 3, 17  # places in a row
_OFCHOSEN = f"run in ({CHOSEN})"
_PARAMS = "select run, name, value, origin, cell from params where {} order by rowid"
_TAGS = "select run, name, value from tags where {} order by rowid"
_METRICS = """
  select run, name, goal, n, last, last_step, min, min_step, max, max_step, n_nan,
    first_nan_step, thinned
  from metrics where axis_of is null and n > 0 and deleted_at is null and {}
  order by id
"""
_CHECKPOINTS = """
  select run, name, version, type, digest, size_bytes, path, step, metrics, created_at,
    gone_at, gone_why
  from checkpoints where {} order by id
"""


def _special(leaf: dict[str, Any]) -> Any:
    """The number behind `{"$float": "nan"}` or `{"$int": "..."}`, which JSON lacks."""
    if len(leaf) == 1:
        ((key, text),) = leaf.items()
        kind = {"$float": float, "$int": int}.get(key)
        if kind is not None and isinstance(text, str):
            return kind(text)
    return leaf


# A third of what `json.loads` takes; not in the stubs.
decode = cast(Any, json.JSONDecoder(object_hook=_special)).scan_once
# Last: it looks through the facts of all runs.
_OF_ORIGIN = """
  select id from runs where id in
    (select run from facts where name = 'origin.id' and value = json_quote(?))
"""
_N_NAMED = 5  # runs named in an error


def chosen(
    *, experiment: str | None = None, trashed: bool | None, ids: str | None
) -> dict[str, Any]:
    """What `CHOSEN` asks for, by name: Python 3.12.1 warns of `?1` beside a tuple."""
    return {"experiment": experiment, "trashed": trashed, "ids": ids}


def read_runs(
    connection: sqlite3.Connection,
    journal: Path,
    *,
    experiment: str | None = None,
    trashed: bool | None = False,
    ids: Sequence[str] | None = None,
) -> list[RunRecord]:
    """The runs that fit, newest first; `trashed=None` means both kinds."""
    few = None if ids is None else json.dumps(list(ids))
    which = chosen(experiment=experiment, trashed=trashed, ids=few)
    # Without a choice whole tables are read: a fifth of the time for a thousand runs.
    everything = experiment is None and ids is None
    where, values = ("true", {}) if everything else (_OFCHOSEN, which)

    def rows(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query.format(where), values).fetchall()

    parts = _Parts(
        _params(rows(_PARAMS)),
        _grouped(rows(_TAGS), lambda row: (row[1], row[2])),
        _grouped(rows(_METRICS), _metric),
        _grouped(rows(_CHECKPOINTS), lambda row: ("", _checkpoint(row))),
        read_alerts(connection, where, values),
    )
    alive = Alive(journal)
    found = connection.execute(_RUNS, which).fetchall()
    for row in found:
        if row[_STATUS] == "running":
            _look_at(connection, row, parts, alive)
    return [_run(row, parts, alive) for row in found]


def _look_at(
    connection: sqlite3.Connection, row: tuple[Any, ...], parts: _Parts, alive: Alive
) -> None:
    """Add what a running run cannot say itself: that it stalls, or is gone."""
    new = unwritten(
        connection, row[0], is_alive=alive(row[_SESSION]), now_s=time.time()
    )
    for alert in new:
        parts.alerts.setdefault(row[0], []).append(alert)


def read_summaries(
    connection: sqlite3.Connection, runs: str, names: str | None
) -> dict[str, dict[str, MetricSummary]]:
    """Metrics of these names of these runs, both as JSON, by run and name."""
    rows = connection.execute(
        _METRICS.format(
            "run in (select value from json_each(:runs))"
            " and (:names is null or name in (select value from json_each(:names)))"
            " and name not glob 'system/*'"
        ),
        {"runs": runs, "names": names},
    ).fetchall()
    found: dict[str, dict[str, MetricSummary]] = {}
    for row in rows:
        name, summary = _metric(row)
        found.setdefault(row[0], {})[name] = summary
    return found


def read_one(connection: sqlite3.Connection, journal: Path, run_id: str) -> RunRecord:
    """The run with this id; RunNotFoundError where there is none."""
    found = read_runs(connection, journal, trashed=None, ids=[run_id])
    if not found:
        raise RunNotFoundError(_unknown(connection, run_id))
    return found[0]


def is_running(connection: sqlite3.Connection, journal: Path, run_id: str) -> bool:
    """Whether the run is running and its process lives."""
    row = connection.execute(
        "select status, session from runs where id = ?", (run_id,)
    ).fetchone()
    return row is not None and row[0] == "running" and Alive(journal)(row[1])


def read_source(connection: sqlite3.Connection, digest: str | None) -> str | None:
    """The source of a cell by its digest."""
    row = connection.execute(
        "select body from sources where digest = ?", (digest,)
    ).fetchone()
    return None if row is None else str(row[0])


def find_run_id(connection: sqlite3.Connection, asked: str) -> str:
    """The id of the run meant by an id, a name, the start of an id, or "last".

    The id that another tool gave to a run that came from there does too.

    Raises RunNotFoundError, with a hint, or with the candidates.
    """
    if asked == "last":
        ids = _ids(connection, "select id from runs where trashed_at is null", ())
        if ids:
            return ids[0]
    for query in (
        "select id from runs where id = ?",
        "select id from runs where name = ? and trashed_at is null",
        "select id from runs where name = ?",
        "select id from runs where instr(id, ?) = 1",
        _OF_ORIGIN,
    ):
        ids = _ids(connection, query, (asked,))
        if len(ids) == 1:
            return ids[0]
        if ids:
            raise RunNotFoundError(_ambiguous(asked, ids))
    raise RunNotFoundError(_unknown(connection, asked))


def last_of_name(connection: sqlite3.Connection, base: str) -> int:
    """The highest number in use among `base` (1), `base-2`, `base-3`...; 0 for none."""
    row = connection.execute(
        """
        select max(cast(substr(name, length(:base) + 2) as integer) + (name = :base))
        from runs where name = :base or (
          instr(name, :base || '-') = 1 and length(name) > length(:base) + 1
          and substr(name, length(:base) + 2) not glob '*[^0-9]*')
        """,
        {"base": base},
    ).fetchone()
    return row[0] or 0


def previous_run(connection: sqlite3.Connection, run_id: str) -> str | None:
    """The id of the run that started before this one in its experiment."""
    row = connection.execute(
        """
        select earlier.id from runs join runs as earlier using (experiment)
        where runs.id = ? and earlier.trashed_at is null
          and (earlier.started_at, earlier.id) < (runs.started_at, runs.id)
        order by earlier.started_at desc, earlier.id desc limit 1
        """,
        (run_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def newest_run(connection: sqlite3.Connection, experiment: str | None) -> str | None:
    """The newest run, of an experiment where one is named, the trash left out.

    One that stands for itself before the children of others: a cell makes the parent.
    """
    row = connection.execute(
        """
        select id from runs
        where (:experiment is null or experiment = :experiment) and trashed_at is null
        order by parent is not null, started_at desc, id desc limit 1
        """,
        {"experiment": experiment},
    ).fetchone()
    return None if row is None else str(row[0])


def read_pid(connection: sqlite3.Connection, run_id: str) -> int | None:
    """The process in which a run was recorded last."""
    row = connection.execute(
        "select pid from sessions where id = (select session from runs where id = ?)",
        (run_id,),
    ).fetchone()
    return None if row is None else row[0]


def read_notices(connection: sqlite3.Connection, run_id: str) -> list[str]:
    """What was not captured, as the run's own lines."""
    rows = connection.execute(
        "select text from notices where run = ? order by id", (run_id,)
    ).fetchall()
    return [text for (text,) in rows]


class _Parts:
    """What belongs to runs, by run."""

    def __init__(
        self, params: Any, tags: Any, metrics: Any, checkpoints: Any, alerts: Any
    ) -> None:
        self.params, self.tags = params, tags
        self.metrics, self.checkpoints = metrics, checkpoints
        self.alerts: dict[str, list[AlertRecord]] = alerts


class Alive:
    """Liveness by session, asked once each."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._known: dict[str, bool] = {}

    def __call__(self, session: str | None) -> bool:
        """Whether its process runs; a run without a session is taken at its word."""
        if session is None:
            return True
        if session not in self._known:
            self._known[session] = is_alive(self._journal / session)
        return self._known[session]


def status_now(
    status: Any, reason: str | None, session: str | None, alive: Alive
) -> tuple[Any, str | None]:
    """Status and reason of a run; a running one whose process is gone has crashed."""
    if status == "running" and not alive(session):
        return "crashed", reason or "process gone"
    return status, reason


def _grouped(
    rows: Iterable[tuple[Any, ...]], part: Callable[[tuple[Any, ...]], tuple[str, Any]]
) -> dict[str, list[tuple[str, Any]]]:
    found: dict[str, list[tuple[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(part(row))
    return found


def _params(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, Param]]:
    found: dict[str, dict[str, Param]] = {}
    for run, name, text, origin, cell in rows:
        if run not in found:
            found[run] = {}
        found[run][name] = Param(name, decode(text, 0)[0], origin, cell)
    return found


def _metric(row: tuple[Any, ...]) -> tuple[str, MetricSummary]:
    (_, name, goal, n, last, last_step, low, low_step, high, high_step, *rest) = row
    summary = MetricSummary(
        name, goal, n, decoded(last), last_step,
        decoded(low), last_step if low_step is None else low_step,
        decoded(high), last_step if high_step is None else high_step, *rest,
    )  # fmt: skip
    return name, summary


def _checkpoint(row: tuple[Any, ...]) -> CheckpointRecord:
    _, name, version, kind, digest, size, path, step, metrics, *times = row
    return CheckpointRecord(
        name, version, kind, digest, size, path, step, json.loads(metrics), *times
    )


def _run(row: tuple[Any, ...], parts: _Parts, alive: Alive) -> RunRecord:
    (
        id_, name, experiment, status, started_at, ended_at, duration_s, group, parent,
        notes, notebook, cell_id, execution, digest, error, reason, trashed_at, session,
        forked_from, fork_step, rss, vram, model_bytes, grade, why,
        kernel_id,
    ) = row  # fmt: skip
    status, reason = status_now(status, reason, session, alive)
    metrics, system = _told_apart(parts.metrics.get(id_, ()))
    return RunRecord(
        id_, name, experiment, status, started_at, ended_at, duration_s,
        group=group, parent=parent, notes=notes, notebook=notebook, cell_id=cell_id,
        execution=execution, source_digest=digest, error=error, reason=reason,
        trashed_at=trashed_at, kernel_id=kernel_id,
        tags=dict(parts.tags.get(id_, ())),
        params=parts.params.get(id_, {}),
        metrics=metrics, system=system, forked_from=forked_from, fork_step=fork_step,
        peak_rss_bytes=rss, peak_vram_bytes=vram, model_bytes=model_bytes,
        grade=grade, grade_why=why,
        checkpoints=tuple(c for _, c in parts.checkpoints.get(id_, ())),
        alerts=tuple(parts.alerts.get(id_, ())),
    )  # fmt: skip


def _told_apart(
    found: Iterable[tuple[str, MetricSummary]],
) -> tuple[dict[str, MetricSummary], dict[str, MetricSummary]]:
    """A run's own metrics, and the series of the machine under it."""
    own: dict[str, MetricSummary] = {}
    system: dict[str, MetricSummary] = {}
    for name, summary in found:
        (system if name.startswith(SYSTEM_PREFIX) else own)[name] = summary
    return own, system


def _ids(
    connection: sqlite3.Connection, query: str, values: tuple[str, ...]
) -> list[str]:
    rows = connection.execute(f"{query} order by started_at desc, id desc", values)
    return [run for (run,) in rows.fetchall()]


def _ambiguous(asked: str, ids: list[str]) -> str:
    listed = ", ".join(ids[:_N_NAMED]) + (", …" if len(ids) > _N_NAMED else "")
    return (
        f"{len(ids)} runs answer to {shorten(repr(asked))}: {listed}. "
        "Name one by its id."
    )


def _unknown(connection: sqlite3.Connection, asked: str) -> str:
    rows = connection.execute(
        "select id, name from runs order by started_at desc limit 1000"
    ).fetchall()
    known = [word for row in rows for word in row]
    hint = " The store has no runs yet."
    if rows:
        hint = did_you_mean(asked, known) or " %runs or nbtrack ls shows what there is."
    return f"There is no run {shorten(repr(asked))}.{hint}"
