"""Stores of older versions become today's, and new ones are born as that."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
from past_stores import past_store

from nbtrack.store import Store
from nbtrack.store.birth import make_store
from nbtrack.store.schema import APPLICATION_ID, VERSION

pytest.importorskip("sqlite_utils")


def shape_of(path):
    """Everything that the tables are: columns, keys, indexes, views."""
    connection = sqlite3.connect(path)
    try:
        names = connection.execute(
            "select type, name, sql from sqlite_master where name not like 'sqlite_%'"
            " and name not like '%sqlite_migrations%' order by type, name"
        ).fetchall()
        return [
            (
                kind,
                name,
                as_written(sql),
                connection.execute(f"pragma table_info('{name}')").fetchall(),
            )
            for kind, name, sql in names
            if kind != "view"
        ] + [
            (kind, name, as_written(sql)) for kind, name, sql in names if kind == "view"
        ]
    finally:
        connection.close()


def as_written(sql):
    """The text without what `alter table` does to its line breaks."""
    text = " ".join((sql or "").split())
    return text.replace(" ,", ",").replace(" )", ")").replace("( ", "(")


@pytest.fixture
def of_version_1(tmp_path):
    """A store as nbtrack 0.1 of version 1 left it, with a run in it."""
    return past_store(
        tmp_path / ".nbtrack",
        1,
        "insert into runs(id, name, experiment, status, started_at)"
        " values ('r', 'base', 'mnist', 'finished', '2026-11-01T00:00:00Z');"
        "insert into metrics(run, name, n, last, last_step)"
        " values ('r', 'a', 1, 2, 0);",
    )


@pytest.fixture
def of_version_2(tmp_path):
    """A store as nbtrack 0.1 of version 2 left it, with a run and its cells in it."""
    return past_store(
        tmp_path / ".nbtrack",
        2,
        "insert into sessions(id, started_at) values ('s', '2026-11-01T00:00:00Z');"
        "insert into runs(id, name, experiment, status, started_at, session)"
        " values ('r', 'base', 'mnist', 'finished', '2026-11-01T00:00:00Z', 's');"
        "insert into sources values ('d', 'x = 1');"
        "insert into cells(session, seq, execution, digest, source_digest, started_at)"
        " values ('s', 0, 3, 'd', 'd', '2026-11-01T00:00:00Z');",
    )


@pytest.fixture
def of_version_3(tmp_path):
    """A store as nbtrack 0.1 of version 3 left it, with checkpoints in it."""
    at = "'2026-11-01T00:00:00Z'"
    return past_store(
        tmp_path / ".nbtrack",
        3,
        "insert into runs(id, name, experiment, status, started_at) values"
        f" ('r', 'base', 'mnist', 'finished', {at}),"
        f" ('s', 'two', 'x', 'finished', {at});"
        "insert into checkpoints(run, name, version, type, digest, size_bytes, path,"
        " step, metrics, created_at) values"
        " ('r', 'mlp', 1, 'checkpoint', 'aa', 5, 'm/mlp.pt', 3,"
        f" '{{\"loss\": 0.5}}', {at}),"
        f" ('r', 'mlp', 2, 'checkpoint', 'bb', 6, 'm/mlp.pt', 4, '{{}}', {at}),"
        f" ('s', 'mlp', 1, 'checkpoint', 'aa', 5, 'mlp.pt', null, '{{}}', {at});",
    )


@pytest.fixture
def of_version_4(tmp_path):
    """A store as nbtrack 0.1 of version 4 left it, with a run in it that saw NaN."""
    return past_store(
        tmp_path / ".nbtrack",
        4,
        "insert into runs(id, name, experiment, status, started_at)"
        " values ('r', 'base', 'mnist', 'finished', '2026-11-01T00:00:00Z');"
        "insert into metrics(run, name, n, last, last_step, n_nan, first_nan_step)"
        " values ('r', 'loss', 3, 'nan', 2, 1, 2);",
    )


@pytest.fixture
def oldest(tmp_path):
    """A store before its first migration: stamped, and empty."""
    (tmp_path / ".nbtrack").mkdir()
    path = tmp_path / ".nbtrack" / "nbtrack.db"
    connection = sqlite3.connect(path)
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute("pragma user_version = 0")
    connection.close()
    return path


def test_migrations_from_empty_end_at_the_frozen_schema(oldest, tmp_path):
    Store.open(oldest.parent).close()
    born = tmp_path / "born" / ".nbtrack" / "nbtrack.db"
    make_store(born, network=False)
    assert shape_of(oldest) == shape_of(born)


def test_a_store_of_version_1_becomes_the_frozen_schema(of_version_1, tmp_path):
    Store.open(of_version_1.parent).close()
    born = tmp_path / "born" / ".nbtrack" / "nbtrack.db"
    make_store(born, network=False)
    assert shape_of(of_version_1) == shape_of(born)


def test_a_store_of_version_1_keeps_its_runs(of_version_1):
    with Store.open(of_version_1.parent) as store:
        run = store.run("base")
        assert (run.metrics["a"].last, run.forked_from, run.peak_rss_bytes) == (
            2.0, None, None
        )  # fmt: skip
        assert store.facts("r") == {}


def test_a_store_of_version_2_becomes_the_frozen_schema(of_version_2, tmp_path):
    Store.open(of_version_2.parent).close()
    born = tmp_path / "born" / ".nbtrack" / "nbtrack.db"
    make_store(born, network=False)
    assert shape_of(of_version_2) == shape_of(born)


def test_cells_of_version_2_were_not_looked_at_and_its_runs_have_no_grade(of_version_2):
    with Store.open(of_version_2.parent) as store:
        run, [cell] = store.run("base"), store.cells("r")
        assert (run.grade, run.grade_why) == (None, None)
        assert (cell.source, cell.execution, cell.flow) == ("x = 1", 3, None)
        assert store.table().fields["grade"] == (None,)


def test_checkpoints_of_version_3_become_artifacts(of_version_3, tmp_path):
    with Store.open(of_version_3.parent) as store:
        first, second = store.run("base").checkpoints
        [same] = store.run("two").checkpoints
    born = tmp_path / "born" / ".nbtrack" / "nbtrack.db"
    make_store(born, network=False)
    assert shape_of(of_version_3) == shape_of(born)
    assert (first.name, first.version, first.digest, first.path) == (
        "mlp", 0, "aa", "m/mlp.pt"
    )  # fmt: skip
    assert (first.step, first.metrics, first.gone_at) == (3, {"loss": 0.5}, None)
    assert (second.version, same.version, same.step) == (1, 0, None)


def test_a_store_of_version_4_gets_room_for_alerts(of_version_4, tmp_path):
    with Store.open(of_version_4.parent) as store:
        run = store.run("base")
    born = tmp_path / "born" / ".nbtrack" / "nbtrack.db"
    make_store(born, network=False)
    assert shape_of(of_version_4) == shape_of(born)
    assert (run.alerts, run.metrics["loss"].first_nan_step) == ((), 2)


def test_a_migrated_store_is_stamped_and_works(oldest):
    with Store.open(oldest.parent) as store:
        store.journal.emit({"kind": "run_started", "run": "r"})
        assert store.journal.flush()
        assert store.run("r").status == "running"
    connection = sqlite3.connect(oldest)
    assert connection.execute("pragma user_version").fetchone() == (VERSION,)
    assert connection.execute("pragma application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


def test_a_new_store_is_born_without_sqlite_utils(tmp_path):
    code = """
import sys
from nbtrack.store import Store
with Store.open(sys.argv[1]) as store:
    store.journal.emit({"kind": "run_started", "run": "r"})
    store.journal.flush(), store.runs()
print([m for m in ("sqlite_utils", "pandas", "numpy", "datasette") if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_two_that_are_born_at_once_are_one(tmp_path):
    code = """
import sys
from nbtrack.store import Store
print(Store.open(sys.argv[1]).created)
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert set(answers) <= {"True\n", "False\n"}
    assert [p.name for p in (tmp_path / ".nbtrack").glob(".new*")] == []
    with Store.open(tmp_path) as store:
        assert store.runs() == []
