"""SQL reads everything and changes nothing; points are rows wherever registered."""

from __future__ import annotations

import math
import sqlite3

import pytest

from nbtrack.errors import StoreError
from nbtrack.store.chunks import Columns, pack
from nbtrack.store.sql import points_json


@pytest.fixture
def filled(store):
    store.journal.emit({"kind": "run_started", "run": "r", "name": "base"})
    series = store.journal.series("r", "loss")
    for n, value in enumerate([0.5, math.inf, math.nan, 0.125]):
        store.journal.point(series, n, value, 1e9 + n)
    assert store.journal.flush()
    return store


POINTS = [
    ("r", "loss", 0, 0.5, 1e9),
    ("r", "loss", 1, math.inf, 1e9 + 1),
    ("r", "loss", 2, None, 1e9 + 2),
    ("r", "loss", 3, 0.125, 1e9 + 3),
]


def test_points_are_rows(filled):
    columns, rows = filled.sql("select run, metric, step, value, at from points")
    assert columns == ["run", "metric", "step", "value", "at"]
    assert rows == POINTS


@pytest.mark.parametrize(
    "query",
    [
        "delete from runs",
        "update runs set name = 'x'",
        "create table t (x)",
        "create temp table t (x)",
        "attach 'other.db' as o",
        "pragma query_only = off",
        "pragma user_version = 7",
        "vacuum into '/tmp/copy.db'",
        "select load_extension('x')",
        "select 1; select 2",
    ],
)
def test_anything_but_reading_is_refused(filled, query):
    with pytest.raises(StoreError, match="Only reading is allowed"):
        filled.sql(query)
    assert filled.run("r").name == "base"


@pytest.mark.parametrize(
    ("query", "way_out"),
    [
        ("select nam from runs", "no such column: nam. Tables and columns are listed"),
        ("select * from run", "no such table: run. Tables and columns are listed"),
        ("selec", "syntax error. It is SQL"),
        ("select", "incomplete input. It is SQL"),
    ],
)
def test_a_slip_is_no_attempt_to_write(filled, query, way_out):
    with pytest.raises(StoreError, match=way_out) as told:
        filled.sql(query)
    assert "Only reading" not in str(told.value)


def test_a_query_that_never_ends_is_stopped(filled):
    from nbtrack.store.sql import run_query

    endless = (
        "with recursive n(x) as (select 1 union all select x from n)"
        " select count(*) from n"
    )
    filled.sql("select 1")
    with pytest.raises(StoreError, match=r"interrupted\. It took too long"):
        run_query(filled._queries, endless, limit_s=0.2)
    assert filled.sql("select 1")[1] == [(1,)]


def test_a_hostile_body_is_an_error_of_the_query(filled):
    writing = sqlite3.connect(filled.path / "nbtrack.db")
    writing.execute("update chunks set body = x'0102'")
    writing.commit()
    writing.close()
    with pytest.raises(StoreError, match="The query failed"):
        filled.sql("select * from points")


def test_sqlite_utils_shows_points_through_the_plugin(filled):
    sqlite_utils = pytest.importorskip("sqlite_utils")
    from sqlite_utils.plugins import ensure_plugins_loaded, pm

    from nbtrack.store import plugin

    ensure_plugins_loaded()
    if not pm.is_registered(plugin):  # it is where nbtrack was installed
        pm.register(plugin)
    db = sqlite_utils.Database(filled.path / "nbtrack.db")
    rows = list(db.query("select run, metric, step, value, at from points"))
    db.close()
    assert [tuple(row.values()) for row in rows] == POINTS


def test_the_plugin_is_an_entry_point_of_both():
    from importlib.metadata import entry_points

    from nbtrack.store import plugin

    for group in ("sqlite_utils", "datasette"):
        found = [e for e in entry_points(group=group) if e.name == "nbtrack"]
        if not found:
            pytest.skip("nbtrack is not installed here")
        assert found[0].load() is plugin
    assert plugin.prepare_connection.sqlite_utils_impl
    assert plugin.prepare_connection.datasette_impl


def test_points_as_json_keep_infinities_and_steps():
    from array import array

    columns = Columns(
        array("q", [2**60, -1]), array("d", [-math.inf, 1.5]), array("d", [1.0, 2.0])
    )
    assert points_json(pack(columns)) == f"[[{2**60},-9e999,1.0],[-1,1.5,2.0]]"
    assert points_json(None) is None


PROMISED = {
    "runs": 'id, name, experiment, status, started_at, ended_at, duration_s, "group",'
    " parent, notes, notebook, trashed_at",
    "params": "run, name, value ->> '$', origin, cell",
    "tags": "run, name, value",
    "summaries": "run, run_name, experiment, name, goal, n, last, last_step, min,"
    " min_step, max, max_step, best, best_step, n_nan, first_nan_step, thinned",
    "points": "run, metric, axis_of, step, value, at",
    "checkpoints": "run, name, version, type, digest, size_bytes, path, step, metrics,"
    " created_at, gone_at, gone_why",
}


@pytest.mark.parametrize(("name", "columns"), PROMISED.items())
def test_what_the_docstring_of_sql_promises_is_there(filled, name, columns):
    from nbtrack.analysis.runs_table import sql

    filled.sql(f"select {columns} from {name}")
    told = " ".join(sql.__doc__.split())
    for column in columns.replace(" ->> '$'", "").split(","):
        assert column.strip().strip('"') in told, column
    assert f"`{name}`" in told
