"""Reads the SQLite database of MLflow, whichever of its schemas it has.

Columns and tables that an older MLflow did not have are taken as empty. SQL of a
foreign schema: it is here and not in `nbtrack.store`, which knows our own alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nbtrack.interop.databases import columns_of, has_tables, open_database, tables_of
from nbtrack.interop.foreign import ForeignRun, ForeignSeries, FoundRun
from nbtrack.interop.mlflow.artifact_files import Place
from nbtrack.interop.mlflow.kept import (
    PARENT_TAG,
    RUN_ID_TAG,
    KeptModel,
    KeptRun,
    as_foreign,
    float_of,
)
from nbtrack.interop.mlflow.ours import as_ours
from nbtrack.text import text_digest

POINTS_AT_ONCE = 250_000
_NEEDED = {"experiments", "runs", "metrics", "params", "tags"}
Row = dict[str, Any]  # Any: what SQLite holds


def is_database(path: Path) -> bool:
    """Whether it is MLflow's: SQLite is asked, so that no lock of anybody is lost."""
    return path.is_file() and has_tables(path, _NEEDED)


class DatabaseRuns:
    """The runs of a database."""

    def __init__(self, path: Path) -> None:
        self._connection = open_database(path)
        tables = tables_of(self._connection)
        self._tables = {table: columns_of(self._connection, table) for table in tables}
        self._place = Place([path.resolve().parent])

    def found(self) -> Iterator[tuple[FoundRun, str | None]]:
        """The runs, and the id of the one that each is nested in."""
        states = self._states()
        marks = self._marks()
        for row in self._rows("runs", order="start_time"):
            id_, tags = row["run_uuid"], marks[row["run_uuid"]]
            told = [row.get(c) for c in ("name", "status", "end_time")]
            state = f"{told}{row.get('lifecycle_stage')}{states.get(id_)}"
            yield FoundRun(
                id_, (row.get("start_time") or 0) / 1000, _reader(self, row),
                name=row.get("name") or "",
                state=text_digest(state)[:16],
                ours=tags.get(RUN_ID_TAG),
            ), tags.get(PARENT_TAG)  # fmt: skip

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def read(self, row: Row) -> ForeignRun:
        """All of one run."""
        kept = self._kept(row)
        series = self._series(kept.id)
        if RUN_ID_TAG in kept.tags:
            return as_ours(kept, series, self._place)
        return as_foreign(kept, series, *self._place.of_run(kept))

    def _kept(self, row: Row) -> KeptRun:
        id_ = row["run_uuid"]
        experiment = self._rows("experiments", experiment_id=row.get("experiment_id"))
        tags = self._pairs("tags", "key", "value", run_uuid=id_)
        if row.get("source_version"):
            tags.setdefault("mlflow.source.git.commit", row["source_version"])
        return KeptRun(
            id=id_,
            name=row.get("name") or "",
            experiment=next((e["name"] for e in experiment), "default"),
            status=row.get("status") or "",
            ended_ms=row.get("end_time"),
            artifact_uri=row.get("artifact_uri") or "",
            is_trashed=row.get("lifecycle_stage") == "deleted",
            user=row.get("user_id"),
            params=self._pairs("params", "key", "value", run_uuid=id_),
            tags=tags,
            datasets=list(self._datasets(id_)),
            models=list(self._models(id_)),
            registered=[
                f"{row['name']} {row['version']}"
                for row in self._rows("model_versions", run_id=id_)
            ],
        )

    def _datasets(self, run: str) -> Iterator[Row]:
        for edge in self._rows(
            "inputs", destination_id=run, destination_type="RUN", source_type="DATASET"
        ):
            tags = self._pairs(
                "input_tags", "name", "value", input_uuid=edge["input_uuid"]
            )
            for dataset in self._rows("datasets", dataset_uuid=edge["source_id"]):
                yield dataset | {"tags": tags}

    def _models(self, run: str) -> Iterator[KeptModel]:
        steps = {
            edge["destination_id"]: edge.get("step")
            for edge in self._rows("inputs", source_id=run, source_type="RUN_OUTPUT")
        }
        for row in self._rows("logged_models", source_run_id=run):
            if row.get("lifecycle_stage") == "deleted":
                continue
            id_ = row["model_id"]
            yield KeptModel(
                id_, row["name"], row["artifact_location"], type=row.get("model_type"),
                step=steps.get(id_),
                tags=self._pairs(
                    "logged_model_tags", "tag_key", "tag_value", model_id=id_
                ),
                params=self._pairs(
                    "logged_model_params", "param_key", "param_value", model_id=id_
                ),
            )  # fmt: skip

    def _series(self, run: str) -> Iterator[ForeignSeries]:
        """The metrics of a run, in pieces, in the order in which they were logged."""
        known = self._tables["metrics"]
        step = "step" if "step" in known else "0"
        is_nan = "is_nan" if "is_nan" in known else "0"
        names = self._connection.execute(
            "select key from metrics where run_uuid = ?"
            " group by key order by min(rowid)",
            (run,),
        ).fetchall()
        for (name,) in names:
            points = self._connection.execute(
                f"select {step}, value, {is_nan}, timestamp from metrics"  # noqa: S608
                " where run_uuid = ? and key = ? order by rowid",
                (run, name),
            )
            while rows := points.fetchmany(POINTS_AT_ONCE):
                yield _piece(name, rows)

    def _states(self) -> dict[str, tuple[Any, ...]]:
        """What changes with a run, by its id; points are not counted one by one."""
        n_points = "0, 0" if self._has("latest_metrics", "step") else "count(*), 0"
        table = "metrics"
        if n_points == "0, 0":
            table, n_points = "latest_metrics", "count(*), total(step)"
        found: defaultdict[str, tuple[Any, ...]] = defaultdict(tuple)
        for query in (
            f"select run_uuid, {n_points}, max(timestamp) from {table} group by 1",  # noqa: S608
            "select run_uuid, count(*), total(length(value)) from tags group by 1",
            "select run_uuid, count(*) from params group by 1",
        ):
            for id_, *counts in self._connection.execute(query):
                found[id_] += tuple(counts)
        return found

    def _marks(self) -> defaultdict[str, dict[str, str]]:
        """The tags that say what belongs together."""
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for id_, key, value in self._connection.execute(
            "select run_uuid, key, value from tags where key in (?, ?)",
            (RUN_ID_TAG, PARENT_TAG),
        ):
            found[id_][key] = value
        return found

    def _has(self, table: str, column: str) -> bool:
        return column in self._tables.get(table, ())

    def _rows(self, table: str, *, order: str = "rowid", **where: Any) -> Iterator[Row]:
        """Rows of a table, if this schema has it; names are ours, values bound."""
        known = self._tables.get(table, ())
        if not {*where} <= {*known}:
            return
        chosen = " and ".join(f"{name} = :{name}" for name in where) or "1"
        found = self._connection.execute(
            f"select * from {table} where {chosen} order by {order}",  # noqa: S608
            where,
        ).fetchall()
        for row in found:
            yield dict(zip(known, row, strict=True))

    def _pairs(self, table: str, name: str, value: str, **where: Any) -> dict[str, str]:
        rows = self._rows(table, **where)
        return {row[name]: row[value] or "" for row in rows}


def _reader(source: DatabaseRuns, row: Row) -> Any:
    return lambda: source.read(row)


def _piece(name: str, rows: Sequence[tuple[Any, ...]]) -> ForeignSeries:
    steps, values, are_nan, times = zip(*rows, strict=True)
    return ForeignSeries(
        name,
        [step or 0 for step in steps],
        list(map(float_of, values, are_nan)),
        [(ms or 0) / 1000 for ms in times],
    )
