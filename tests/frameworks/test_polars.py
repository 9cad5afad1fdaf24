"""Digests of tables of polars, where it is installed."""

from __future__ import annotations

import os

import pytest

from nbtrack.capture.data_taking import SHARED, Taker
from nbtrack.capture.digests import digest_of, kind_of
from nbtrack.capture.file_readers import reader_patches
from nbtrack.capture.opened_files import ReadLog

pytestmark = pytest.mark.frameworks
polars = pytest.importorskip("polars")


def made(third=3):
    return polars.DataFrame({"x": [1, None, third], "s": ["a", "b", None]})


def test_rows_count_and_chunks_do_not():
    in_two = polars.concat([made().head(1), made().tail(2)], rechunk=False)
    assert digest_of(in_two) == digest_of(made()) != digest_of(made(4))
    assert kind_of(made().lazy()) == "stream"


def test_a_table_is_held_as_it_was():
    table = made()
    taken = Taker().take("x", table, "polars")
    table[0, "x"] = 9
    assert taken.held == SHARED
    assert digest_of(taken.value) == digest_of(made()) != digest_of(table)


def test_files_that_it_reads_are_seen(tmp_path):
    made().write_parquet(tmp_path / "a.parquet")
    made().write_csv(tmp_path / "b.csv")
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    log = ReadLog()
    reader_patches.add(log, {})
    try:
        polars.read_parquet(tmp_path / "a.parquet")
        polars.scan_csv(tmp_path / "b.csv")
    finally:
        reader_patches.remove(log)
    assert [path.name for path, _ in log.found()] == ["a.parquet", "b.csv"]
