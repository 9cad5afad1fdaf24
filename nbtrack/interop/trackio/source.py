"""Runs of trackio: one database a project, files beside it.

Metrics are JSON, a row a step. Before version 2 of its tables a run had no id but its
name; then its id here is `<project>/<name>`. It keeps no status: a run is finished.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbtrack.errors import ImportSourceError
from nbtrack.interop.databases import columns_of, has_tables, open_database, tables_of
from nbtrack.interop.foreign import (
    ForeignImage,
    ForeignRun,
    ForeignSeries,
    ForeignText,
    FoundRun,
)
from nbtrack.interop.rich import rich_value
from nbtrack.interop.series import Gathered
from nbtrack.interop.trackio.artifacts import artifacts_of
from nbtrack.interop.trackio.values import content_of, is_rich, media_file, numbers_in
from nbtrack.records import SYSTEM_PREFIX
from nbtrack.store.values import epoch_s
from nbtrack.text import shorten, visible

_TABLES = ("metrics", "configs")
_ROWS = ("metrics", "system_metrics", "alerts")
_OWN = ("_Username", "_Created", "_Group")  # what trackio adds to a config


def recognises(place: str) -> bool:
    """Whether a database of a project lies there, or a folder of them."""
    return bool(_databases(Path(place)))


def open_source(place: str) -> TrackioRuns:
    """The runs of a project's database, or of all in a folder.

    Raises
    ------
    ImportSourceError
        Where there are none.
    """
    found = _databases(Path(place))
    if not found:
        shown = shorten(visible(repr(place)))
        raise ImportSourceError(
            f"No database of trackio is at {shown}. Give a project's `.db` file, or "
            "the folder that holds it."
        )
    return TrackioRuns(found)


def _databases(place: Path) -> list[Path]:
    files = sorted(place.glob("*.db")) if place.is_dir() else [place]
    return [file for file in files if _is_project(file)]


def _is_project(file: Path) -> bool:
    if not file.is_file() or not has_tables(file, _TABLES):
        return False
    with closing(open_database(file)) as connection:
        return {"run_name", "metrics", "step"} <= set(columns_of(connection, "metrics"))


@dataclass(frozen=True, slots=True)
class _Rich:
    name: str
    step: int
    at: float
    value: Any


class TrackioRuns:
    """The runs of some databases."""

    tool = "trackio"

    def __init__(self, databases: Sequence[Path]) -> None:
        self._projects = [Project(path) for path in databases]

    def found(self) -> list[FoundRun]:
        """The runs, oldest first."""
        runs = [run for project in self._projects for run in project.found()]
        return sorted(runs, key=lambda run: run.started_at)

    def close(self) -> None:
        """Let go of the databases."""
        for project in self._projects:
            project.connection.close()


class Project:
    """One database."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.folder = path.parent
        self.connection = open_database(path)
        tables = tables_of(self.connection)
        self.rows = [table for table in _ROWS if table in tables]
        self.has_artifacts = "run_artifact_links" in tables
        self.has_traces = "traces" in tables
        # Before trackio 0.24 a run was known by its name alone.
        has_ids = "run_id" in columns_of(self.connection, "metrics")
        self.key = "run_id" if has_ids else "run_name"

    def found(self) -> list[FoundRun]:
        """Its runs."""
        found: dict[str, str] = {}
        for table in [*self.rows, "configs"]:
            # The newest name: a run that was renamed has older rows of the same id.
            query = f"select {self.key}, run_name from {table}"  # noqa: S608 - constants
            found |= dict(self._ask(query))
        return [self._found(key, name) for key, name in found.items()]

    def _found(self, key: str, name: str) -> FoundRun:
        own_id = key if self.key == "run_id" else f"{self.name}/{name}"
        try:
            began = self._times(key)[0]
        except (ValueError, TypeError):
            began = 0.0  # who reads it is told what is wrong
        return FoundRun(
            own_id, began, lambda: self._read(key, name), name, state=self._state(key)
        )

    def _ask(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        return self.connection.execute(query, values)

    def _state(self, key: str) -> str:
        """Rows are only ever added."""
        last = [
            next(self._ask(f"select max(id) from {table} where {self.key} = ?", key))  # noqa: S608 - constants
            for table in self.rows
        ]
        return ".".join(str(n or 0) for (n,) in last)

    def _times(self, key: str) -> tuple[float, float]:
        """When it began, and when the last was heard of it."""
        times = [
            text
            for table in self.rows
            for row in self._ask(
                f"select min(timestamp), max(timestamp) from {table}"  # noqa: S608 - constants
                f" where {self.key} = ?",
                key,
            )
            for text in row
            if text
        ]
        config, made = self._config(key)
        created = config.get("_Created") or made
        times += [created] if isinstance(created, str) else []
        moments = sorted(map(epoch_s, times)) or [0.0]
        return moments[0], moments[-1]

    def _config(self, key: str) -> tuple[dict[str, Any], str | None]:
        query = f"select config, created_at from configs where {self.key} = ?"  # noqa: S608 - constants
        text, made = next(self._ask(query, key), ("{}", None))
        config = json.loads(text)
        return (config if isinstance(config, dict) else {}), made

    def _read(self, key: str, name: str) -> ForeignRun:
        config, _ = self._config(key)
        numbers, rich, notices = Gathered(), list[_Rich](), list[str]()
        self._read_metrics(key, numbers, rich)
        rich = [value for value in rich if self._is_there(value, notices)]
        notices += self._left_out(key)
        own_id = key if self.key == "run_id" else None
        artifacts = []
        if self.has_artifacts:
            artifacts = artifacts_of(self, own_id, name=name, notices=notices)
        group = config.get("_Group")
        return ForeignRun(
            name=name,
            experiment=self.name,
            status="finished",
            ended_at=self._times(key)[1],
            params={k: v for k, v in config.items() if k not in _OWN},
            group=group if isinstance(group, str) else None,
            facts=_facts(config),
            texts=list(self._alerts(key)),
            artifacts=artifacts,
            series=self._series(key, numbers),
            images=map(self._rich, rich),
            notices=notices,
        )

    def _read_metrics(self, key: str, numbers: Gathered, rich: list[_Rich]) -> None:
        query = (
            "select step, timestamp, metrics from metrics"  # noqa: S608 - constants
            f" where {self.key} = ? order by id"
        )
        for step, moment, text in self._ask(query, key):
            at = epoch_s(moment)
            for name, value in json.loads(text).items():
                if is_rich(value):
                    rich.append(_Rich(name, step, at, value))
                    continue
                for leaf, number in numbers_in(name, value):
                    numbers.add(leaf, step=step, value=number, at=at)

    def _series(self, key: str, numbers: Gathered) -> Iterator[ForeignSeries]:
        yield from numbers.series()
        if "system_metrics" not in self.rows:
            return
        system = Gathered()
        query = (
            "select timestamp, metrics from system_metrics"  # noqa: S608 - constants
            f" where {self.key} = ? order by id"
        )
        for moment, text in self._ask(query, key):
            for name, value in json.loads(text).items():
                for leaf, number in numbers_in(SYSTEM_PREFIX + name, value):
                    step = system.n_of(leaf)
                    system.add(leaf, step=step, value=number, at=epoch_s(moment))
        yield from system.series()

    def _alerts(self, key: str) -> Iterator[ForeignText]:
        if "alerts" not in self.rows:
            return
        names = ("timestamp", "level", "title", "text", "step")
        query = f"select {', '.join(names)} from alerts where {self.key} = ?"  # noqa: S608 - constants
        rows = [
            dict(zip(names, row, strict=True))
            for row in self._ask(query + " order by id", key)
        ]
        if rows:
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            yield ForeignText("alerts", "alerts", lines)

    def _left_out(self, key: str) -> list[str]:
        """Conversations of language models have no place in a run here."""
        if not self.has_traces:
            return []
        query = f"select count(*) from traces where {self.key} = ?"  # noqa: S608 - constants
        [(n,)] = self._ask(query, key)
        return [f"{n} traces did not come"] if n else []

    def _is_there(self, rich: _Rich, notices: list[str]) -> bool:
        path = rich.value.get("file_path") if isinstance(rich.value, dict) else None
        if path is None or media_file(self.media, str(path)).is_file():
            return True
        notices.append(f"{rich.name} at step {rich.step}: its file {path} is gone")
        return False

    def _rich(self, rich: _Rich) -> ForeignImage:
        caption = rich.value.get("caption") if isinstance(rich.value, dict) else None
        about = {"caption": caption} if caption else {}
        content = content_of(rich.value, self.media)
        return rich_value(rich.name, content, step=rich.step, at=rich.at, about=about)

    @property
    def media(self) -> Path:
        """Where the files of its values are."""
        return self.folder / "media"


def _facts(config: dict[str, Any]) -> dict[str, Any]:
    user = config.get("_Username")
    return {"user": user} if isinstance(user, str) else {}
