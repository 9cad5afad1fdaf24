"""Reads runs as columns: a thousand of them without an object per run and param.

A handful of statements, whatever the number of runs, and no points. SQLite gathers all
params into three JSON texts, so that Python decodes three and not twenty thousand.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from nbtrack.store.queries import CHOSEN, Alive, chosen, decode, status_now
from nbtrack.store.summary import decoded

_FIELDS = (
    "id", "name", "experiment", "status", "started_at", "ended_at", "duration_s",
    "group", "parent", "notes", "notebook", "execution", "error", "reason",
    "forked_from", "peak_rss_bytes", "peak_vram_bytes", "model_bytes",
    "grade", "grade_why",
)  # fmt: skip
_SIZES = """
  select run, sum(size_bytes) from (
    select distinct run, digest, size_bytes from checkpoints where gone_at is null)
  where {} group by run
"""
_ALWAYS = ("id", "session", "status", "reason")
# Not grouped by name: SQLite would sort them, and that takes twice as long as Python
# takes to tell them apart.
_PARAMS = """
  select json_group_array(name), json_group_array(run),
    '[' || coalesce(group_concat(coalesce(value, 'null')), '') || ']'
  from {}
"""
_AS_WRITTEN = "(select name, run, value from params where {} order by rowid)"
_TAGS = "select run, name, value from tags where {} order by rowid"
_METRICS = """
  select name, run, last,
    case goal when 'min' then min when 'max' then max else last end,
    coalesce(
      case goal when 'min' then min_step when 'max' then max_step end, last_step),
    min, max, goal
  from metrics where axis_of is null and n > 0 and deleted_at is null
    and name not glob 'system/*' and {} order by id
"""
_FEW = 100  # runs; for more, reading whole tables is quicker than choosing


class MetricCell(NamedTuple):
    """One metric of one run; numbers as SQLite keeps them, see `summary.decoded`."""

    name: str
    run: str
    last: float | str | None
    best: float | str | None
    best_step: int
    min: float | None
    max: float | None
    goal: str | None


_make = partial(tuple.__new__, MetricCell)  # half the time of `MetricCell._make`


@dataclass(frozen=True, slots=True)
class Table:
    """Runs as columns: `fields` in the order of the runs, the rest by run id.

    Parts may hold runs that are not among the ids: they are looked up, never listed.
    """

    fields: Mapping[str, Sequence[Any]]  # "id" and what was asked for
    tags: Mapping[str, Mapping[str, str | None]]
    params: Mapping[str, Mapping[str, Any]]  # by name, then by run
    metrics: Mapping[str, Mapping[str, MetricCell]]  # by name, then by run

    @property
    def ids(self) -> Sequence[str]:
        """The runs, in order."""
        return self.fields["id"]

    def __len__(self) -> int:
        return len(self.ids)

    def metric(self, name: str, field: str, missing: Any) -> list[Any]:
        """One number of a metric of each run, `missing` where a run has no such metric.

        Parameters
        ----------
        field
            "last", "best", "best_step", "min" or "max".
        """
        cells, at = self.metrics.get(name, {}), MetricCell._fields.index(field)
        found = map(cells.get, self.ids)
        if field == "best_step":
            return [missing if cell is None else cell[at] for cell in found]
        return [missing if cell is None else decoded(cell[at]) for cell in found]

    def take(self, ids: Sequence[str]) -> Table:
        """These runs in this order, as far as they are here."""
        place = {run: at for at, run in enumerate(self.ids)}
        places = [place[run] for run in ids if run in place]
        fields = {
            name: [column[at] for at in places] for name, column in self.fields.items()
        }
        return replace(self, fields=fields)


def read_table(
    connection: sqlite3.Connection,
    journal: Path,
    *,
    trashed: bool | None = False,
    ids: Sequence[str] | None = None,
    names: Collection[str] | None = None,
) -> Table:
    """Runs as a table; see `Store.table`."""
    few = json.dumps(list(ids)) if ids is not None and len(ids) <= _FEW else None
    values = {"runs": few, "names": None if names is None else json.dumps([*names])}
    of_runs = "run in (select value from json_each(:runs))" if few else "true"
    of_names = (
        "true" if names is None else "name in (select value from json_each(:names))"
    )
    of_both = f"{of_runs} and {of_names}"
    chooses = few is not None or names is not None

    def rows(query: str, where: str) -> list[tuple[Any, ...]]:
        return connection.execute(query.format(where), values).fetchall()

    fields = _fields(
        connection, Alive(journal), chosen(trashed=trashed, ids=few), names
    )
    if names is None or "checkpoint_bytes" in names:
        sizes = dict(rows(_SIZES, of_runs))
        fields["checkpoint_bytes"] = [sizes.get(run, 0) for run in fields["id"]]
    table = Table(
        fields,
        _tags(rows(_TAGS, of_runs)),
        _params(rows(_PARAMS, _AS_WRITTEN.format(of_both) if chooses else "params")),
        _metrics(rows(_METRICS, of_both)),
    )
    return table if ids is None else table.take(ids)


def _fields(
    connection: sqlite3.Connection,
    alive: Alive,
    which: Mapping[str, Any],
    names: Collection[str] | None,
) -> dict[str, Sequence[Any]]:
    asked = [name for name in _FIELDS if names is None or name in names]
    columns = list(dict.fromkeys([*_ALWAYS, *asked]))
    listed = ", ".join(f'"{name}"' for name in columns)
    rows = connection.execute(
        f"select {listed} from runs where id in ({CHOSEN})"  # noqa: S608 - constants only
        " order by started_at desc, id desc",
        which,
    ).fetchall()
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    fields: dict[str, Sequence[Any]] = dict(zip(columns, cells, strict=True))
    states = [
        status_now(status, reason, session, alive)
        for status, reason, session in zip(
            fields["status"], fields["reason"], fields.pop("session"), strict=True
        )
    ]
    fields["status"] = [status for status, _ in states]
    fields["reason"] = [reason for _, reason in states]
    return fields


def _tags(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, str | None]]:
    found: dict[str, dict[str, str | None]] = {}
    for run, name, value in rows:
        found.setdefault(run, {})[name] = value
    return found


def _params(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
    names, runs, values = (decode(part, 0)[0] for part in rows[0])
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for name, run, value in zip(names, runs, values, strict=True):
        found[name][run] = value
    return found


def _metrics(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, MetricCell]]:
    found: dict[str, dict[str, MetricCell]] = {}
    for cell in map(_make, rows):
        by_run = found.get(cell[0])
        if by_run is None:
            by_run = found[cell[0]] = {}
        by_run[cell[1]] = cell
    return found
