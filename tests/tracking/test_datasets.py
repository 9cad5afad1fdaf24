"""Data sets that are kept by hand, inputs that are noted by hand, and their table."""

from __future__ import annotations

import builtins
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nbtrack
from nbtrack.analysis.data_view import diff_inputs, inputs
from nbtrack.capture.digests import digest_of
from nbtrack.errors import MissingExtraError, ValueNotLoggedError
from nbtrack.records import InputRecord
from nbtrack.tracking.data_worker import DataWorker, data_worker
from nbtrack.tracking.known_data import KnownData

pytestmark = pytest.mark.usefixtures("plain_surroundings")

FRAME = pd.DataFrame({"x": [1, 2, 3], "text": ["a", None, "b"]})


def test_a_data_set_is_kept_as_parquet_with_schema_and_statistics(run):
    run.log_dataset(FRAME, "train", metadata={"source": "survey"})
    record = run.record()
    (kept,) = record.checkpoints
    assert (kept.name, kept.type, kept.version) == ("train", "dataset", 0)
    table = pq.read_table(run.store.file_path(kept.digest)).to_pandas()
    pd.testing.assert_frame_equal(table, FRAME)
    (told,) = run.store.inputs(run.id)
    assert (told.type, told.n_rows) == ("logged dataset", 3)
    assert told.detail["metadata"] == {"source": "survey"}
    assert [c["nulls"] for c in told.detail["columns"]] == [0, 1]
    assert told.detail["columns"][0]["mean"] == 2.0


def test_the_same_content_is_the_same_version(store_path):
    for frame in (FRAME, FRAME.copy(), FRAME.assign(x=9)):
        with nbtrack.start("base") as run:
            run.log_dataset(frame, "train")
        run.record()
    versions = [r.checkpoints[0].version for r in nbtrack.open().runs()]
    assert versions == [1, 0, 0]


KINDS = {
    "frame": FRAME,
    "series": FRAME["x"],
    "table": pa.table({"x": [1, 2, 3]}),
    "batch": pa.record_batch({"x": [1, 2, 3]}),
    "array": np.arange(6.0).reshape(3, 2),
    "vector": np.arange(3),
    "record": np.array([(1, 2.0)] * 3, dtype=[("a", "i4"), ("b", "f8")]),
    "columns": {"x": [1, 2, 3]},
    "rows": [{"x": 1}, {"x": 2}, {"x": 3}],
}


@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_every_kind_are_taken(run, kind):
    run.log_dataset(KINDS[kind], "train")
    run.record()
    (told,) = run.store.inputs(run.id)
    assert told.n_rows == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("text", "A str has no rows and columns"),
        (np.zeros((2, 2, 2)), "An array of 3 axes is no table"),
        (pd.DataFrame({"x": [1, "a", object()]}), "column x"),
    ],
)
def test_what_is_no_table_is_refused_with_the_way_out(run, data, said):
    with pytest.raises(ValueNotLoggedError, match=said):
        run.log_dataset(data, "train")


def test_without_pyarrow_the_extra_is_named(run, monkeypatch):
    real = builtins.__import__

    def no_pyarrow(name, *args, **kwargs):
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pyarrow)
    with pytest.raises(MissingExtraError, match=r'pip install "nbtrack\[data\]"'):
        run.log_dataset(FRAME, "train")


def test_a_full_disk_is_one_line_and_training_goes_on(run, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    run.log_dataset(FRAME, "train")
    run.log(loss=0.5)
    said = capsys.readouterr().err
    assert "data set 'train' was not kept: No space left on device" in said
    assert run.record().checkpoints == ()
    assert list((run.store.path / "tmp").iterdir()) == []


def test_secrets_in_metadata_and_columns_are_taken_out(run):
    secret = "sk-" + "a1B2" * 10
    run.log_dataset(pd.DataFrame({"k": [secret]}), "train", metadata={"token": secret})
    run.record()
    assert secret not in repr(run.store.inputs(run.id))


# -- inputs by hand -----------------------------------------------------------------


def test_a_script_notes_data_files_and_folders(run, tmp_path):
    (tmp_path / "d").mkdir()
    for n in range(3):
        (tmp_path / "d" / f"{n}.txt").write_text(str(n))
    run.log_input(FRAME, "train")
    run.log_input(tmp_path / "d" / "1.txt", "one")
    run.log_input(str(tmp_path / "d"), "folder")
    table = inputs(run).set_index("name")
    assert table.loc["train", "digest"] == digest_of(FRAME)
    assert table.loc["one", "type"] == "file"
    assert table.loc["folder", "detail"] == {"files": 3}
    assert table["missing"].isna().all()


def test_what_is_no_data_and_no_file_is_refused(run):
    with pytest.raises(ValueNotLoggedError, match="There is no file"):
        run.log_input("none.csv")
    with pytest.raises(ValueNotLoggedError, match="object of type object"):
        run.log_input(object(), "x")


def test_a_script_that_ends_at_once_has_its_inputs(tmp_path):
    code = (
        "import nbtrack, numpy\n"
        "with nbtrack.start('base') as run: run.log_input(numpy.zeros(9_000_000), 'x')"
    )
    env = {"NBTRACK_STORE": str(tmp_path / ".nbtrack"), "PATH": ""}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    with nbtrack.open(tmp_path / ".nbtrack") as store:
        (found,) = store.inputs(store.run("base").id)
    assert found.digest == digest_of(np.zeros(9_000_000))


def test_two_runs_are_compared_input_by_input(store_path):
    for rows, name in ((3, "old"), (5, "new")):
        with nbtrack.start("base") as run:
            run.log_input(np.arange(float(rows)), "x")
            run.log_input(FRAME, "same")
            run.log_input(FRAME, name)
    found = diff_inputs("base", "base-2").set_index("name")["change"].to_dict()
    assert found == {"x": "+2 rows", "old": "only in a", "new": "only in b"}
    assert inputs("base-2").set_index("name").loc["x", "drift"] == "+2 rows since base"


# -- memory and worker --------------------------------------------------------------


def test_what_cannot_change_is_read_once(run, monkeypatch):
    table = pa.table({"a": list(range(1000))})
    run.log_input(table, "one")
    assert data_worker.settle(10)
    monkeypatch.setattr(
        "nbtrack.tracking.data_reading.pieces_of", lambda _: pytest.fail("read again")
    )
    run.log_input(table, "two")
    found = {r.name: r for r in (run.record(), run.store.inputs(run.id))[1]}
    assert found["two"].digest == found["one"].digest is not None


def test_an_id_that_comes_again_is_not_taken_for_the_old_object():
    known, record = KnownData(), InputRecord("x", "array", "d")
    array = np.zeros(3)
    known.put(array, record)
    assert known.get(array) is record
    key = id(array)
    known._found[id(FRAME)] = known._found.pop(key)  # as if the id had come again
    assert known.get(FRAME) is None


def test_a_file_is_read_again_once_it_was_touched(tmp_path):
    import os

    from nbtrack.capture.file_sweep import stamp_of

    path = tmp_path / "a"
    path.write_text("1")
    known = KnownData()
    known.put_file(path, stamp_of(path), "d")  # written just now: may change unseen
    assert known.file(path) is None
    os.utime(path, (1, 1))
    known.put_file(path, stamp_of(path), "d")
    assert known.file(path) == "d"
    path.write_text("2")
    assert known.file(path) is None


def test_small_work_is_done_while_large_work_goes_on():
    order = []

    def large():
        for _ in range(20):
            time.sleep(0.01)
            yield 0.0
        order.append("large")

    def small():
        yield 0.0
        order.append("small")

    worker = DataWorker()
    worker.submit(large())
    worker.submit(small())
    assert worker.settle(20)
    assert order == ["small", "large"]


def test_work_that_fails_does_not_stop_the_next(capsys):
    def broken():
        yield 0.0
        raise RuntimeError("injected")

    def fine():
        yield 0.0
        done.append(1)

    done = []
    worker = DataWorker()
    worker.submit(broken())
    worker.submit(fine())
    assert worker.settle(5)
    assert done == [1]
    assert "injected" in capsys.readouterr().err
