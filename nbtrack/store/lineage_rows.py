"""Reads what lineage is made of: a handful of queries, whatever is asked.

The edges of the whole store come as plain tuples, and are followed in memory: a query
for each node of a long chain would take a thousand times as long. Nothing here writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from nbtrack.records import Goal, InputRecord
from nbtrack.store.queries import Alive, status_now
from nbtrack.store.summary import decoded

_USES = "select run, version, role, step, path from artifact_uses order by id"
# Files that runs opened, where a version of an artifact holds the same bytes.
_OPENED = """
  select inputs.run, inputs.digest, inputs.name, runs.started_at
  from inputs join runs on runs.id = inputs.run
  where exists (select 1 from artifact_files where digest = inputs.digest)
  order by inputs.run, inputs.rowid
"""
_HOLDERS = """
  select files.digest, files.version, artifact, versions.created_at
  from artifact_files as files
  join artifact_versions as versions on versions.id = files.version
  where files.digest in (select digest from inputs where digest is not null)
  order by versions.created_at, versions.id
"""
_FORKS = "select id, forked_from, fork_step from runs where forked_from is not null"
_INPUTS = """
  select run, name, type, digest, size_bytes, n_rows, missing from inputs
  where run in (select value from json_each(?)) order by run, rowid
"""
_RUNS = """
  select id, name, experiment, status, started_at, duration_s, reason, session,
    trashed_at
  from runs where id in (select value from json_each(?)) order by started_at, id
"""
_BEST = """
  select run, name, goal, case goal when 'min' then min else max end from metrics
  where axis_of is null and n > 0 and deleted_at is null and goal is not null
    and run in (select value from json_each(?)) order by id
"""
_MODELS = """
  select artifact_version, models.name || '@' || model_versions.version, stage
  from model_versions join models on models.id = model
  where artifact_version in (select value from json_each(?))
  order by model_versions.id
"""


class Use(NamedTuple):
    """A run logged ("output") or read ("input") a version."""

    run: str
    version: int
    role: str
    step: int | None
    path: str


class Opened(NamedTuple):
    """A run opened a file whose bytes some artifact holds."""

    run: str
    digest: str
    name: str
    started_at: str  # of the run


class Holder(NamedTuple):
    """A version that holds a file which some run opened."""

    digest: str
    version: int
    artifact: int
    created_at: str


class Fork(NamedTuple):
    """A run that went on from a step of another."""

    run: str
    origin: str
    step: int | None


class Links(NamedTuple):
    """Every edge of the store; `holders` oldest first."""

    uses: list[Use]
    opened: list[Opened]
    holders: list[Holder]
    forks: list[Fork]


class RunBrief(NamedTuple):
    """What lineage says of a run."""

    id: str
    name: str
    experiment: str
    status: str
    started_at: str
    duration_s: float | None
    trashed_at: str | None
    best: dict[str, tuple[float, Goal]]  # metrics that can say which is better


class ReadsLineage:
    """The part of `Store` that reads edges of lineage."""

    path: Path
    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def lineage_links(self) -> Links:
        """Who logged and read which versions, opened which of their files, forked."""
        with self._reading() as reader:
            return Links(
                [Use(*row) for row in reader.execute(_USES)],
                [Opened(*row) for row in reader.execute(_OPENED)],
                [Holder(*row) for row in reader.execute(_HOLDERS)],
                [Fork(*row) for row in reader.execute(_FORKS)],
            )

    def lineage_inputs(self, runs: Iterable[str]) -> list[tuple[str, InputRecord]]:
        """The data that runs read, without its details, each with the run's id."""
        with self._reading() as reader:
            rows = reader.execute(_INPUTS, (json.dumps(list(runs)),)).fetchall()
        return [(run, _input(*rest)) for run, *rest in rows]

    def lineage_runs(self, runs: Iterable[str]) -> list[RunBrief]:
        """Runs by their ids, the first one first, with their best values."""
        asked = (json.dumps(list(runs)),)
        with self._reading() as reader:
            best: dict[str, dict[str, tuple[float, Goal]]] = {}
            for run, name, goal, value in reader.execute(_BEST, asked):
                best.setdefault(run, {})[name] = (decoded(value), goal)
            rows = reader.execute(_RUNS, asked).fetchall()
        alive = Alive(self.path / "journal")
        return [_brief(row, alive, best) for row in rows]

    def registered(self, versions: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
        """As which models (`fraud@1.2.0`, its stage) versions are registered."""
        with self._reading() as reader:
            rows = reader.execute(_MODELS, (json.dumps(list(versions)),)).fetchall()
        found: dict[int, list[tuple[str, str]]] = {}
        for version, model, stage in rows:
            found.setdefault(version, []).append((model, stage))
        return found


def _input(
    name: str,
    type: str,
    digest: str | None,
    size_bytes: int | None,
    n_rows: int | None,
    missing: str | None,
) -> InputRecord:
    return InputRecord(name, type, digest, size_bytes, n_rows, missing=missing)


def _brief(
    row: tuple[Any, ...], alive: Alive, best: dict[str, dict[str, tuple[float, Goal]]]
) -> RunBrief:
    id_, name, experiment, status, started_at, took_s, reason, session, trashed = row
    status, _ = status_now(status, reason, session, alive)
    return RunBrief(
        id_, name, experiment, status, started_at, took_s, trashed, best.get(id_, {})
    )
