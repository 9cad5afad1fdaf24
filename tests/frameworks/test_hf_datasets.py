"""Digests of Hugging Face datasets: rows and mapping of indices, nothing else."""

from __future__ import annotations

import pytest

from nbtrack.capture.data_statistics import statistics_of
from nbtrack.capture.digests import NotDigestible, digest_of, kind_of

pytestmark = pytest.mark.frameworks
datasets = pytest.importorskip("datasets")
ROWS = {"text": [f"row {i}" for i in range(20_000)], "label": [0, 1] * 10_000}


@pytest.fixture(autouse=True)
def _quiet(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    datasets.disable_progress_bars()


def made(**changed):
    return datasets.Dataset.from_dict({**ROWS, **changed})


def test_equal_rows_have_equal_digests_whatever_the_fingerprint():
    one, other = made(), made()
    assert one._fingerprint != other._fingerprint or one is not other
    assert digest_of(one) == digest_of(other)


def test_one_value_in_row_10001_changes_the_digest():
    label = [*ROWS["label"]]
    label[10_000] = 7
    assert digest_of(made(label=label)) != digest_of(made())


def test_a_slice_a_shuffle_and_a_split_are_told_apart():
    rows = made()
    found = [rows, rows.select(range(10)), rows.shuffle(seed=0), rows.shuffle(seed=1)]
    found += [datasets.DatasetDict({"train": rows}), rows.remove_columns("label")]
    assert len({digest_of(each) for each in found}) == len(found)
    assert digest_of(rows.shuffle(seed=0)) == digest_of(made().shuffle(seed=0))


def test_rows_on_disk_count_as_those_in_memory(tmp_path):
    made().save_to_disk(tmp_path / "rows")
    loaded = datasets.load_from_disk(tmp_path / "rows")
    assert digest_of(loaded) == digest_of(made())


def test_the_format_in_which_rows_are_handed_out_does_not_count():
    assert digest_of(made().with_format("numpy")) == digest_of(made())


def test_a_stream_is_never_read():
    stream = made().to_iterable_dataset()
    assert kind_of(stream) == "stream"
    with pytest.raises(NotDigestible, match="made when they are asked for"):
        digest_of(stream)


def test_the_schema_and_fingerprint_are_told():
    def told_of(value):
        told.update((yield from statistics_of(value, "hf")))

    told: dict = {}
    list(told_of(made()))
    assert [c["name"] for c in told["columns"]] == ["text", "label"]
    assert told["fingerprint"]


def test_a_tracked_cell_reads_it(shell):
    import nbtrack

    shell.user_ns["rows"] = made()
    shell.run_cell("%load_ext nbtrack")
    assert shell.run_cell("%%track base\nloss = len(rows) / 2").success
    record = nbtrack.open().run("base")
    from nbtrack.tracking.data_worker import data_worker

    assert data_worker.settle(20)
    nbtrack.open().journal.flush(5)
    (found,) = nbtrack.open().inputs(record.id)
    assert (found.type, found.n_rows) == ("dataset", 20_000)
    assert found.digest == digest_of(made())
