"""The machine under a run as a frame, and everywhere else out of the way."""

from __future__ import annotations

import json
import time

import pandas as pd
import pytest

import nbtrack
from nbtrack.analysis.frames import RunFeed
from nbtrack.analysis.static_panel import static_panel
from nbtrack.analysis.system_view import system
from nbtrack.errors import MetricNotFoundError
from nbtrack.server.rows import run_row
from nbtrack.tracking import system_part


@pytest.fixture
def sampled(store_path, monkeypatch):
    monkeypatch.setattr(system_part, "EVERY_S", 0.05)
    with nbtrack.start("base") as run:
        for step in range(6):
            run.log(loss=1 / (step + 1), step=10 * step)
            time.sleep(0.05)
    return run.record()


def test_samples_are_rows_by_time(sampled):
    frame = system("last")
    assert {"rss_bytes", "ram_percent", "process_cpu_percent"} <= set(frame.columns)
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert str(frame.index.tz) == "UTC"
    assert frame.index.is_monotonic_increasing
    assert len(frame) == sampled.system["system/rss_bytes"].n
    assert frame["rss_bytes"].notna().all()
    assert frame.index.name == "at"


def test_a_run_without_samples_gives_an_empty_frame(store_path):
    with nbtrack.start("base", off="system"):
        pass
    assert system("base").empty


def test_a_series_is_a_curve_like_any_other(sampled):
    curve = nbtrack.curve("last", "system/rss_bytes")
    assert curve["step"].tolist() == list(range(len(curve)))
    assert curve["value"].min() > 1e6


def test_series_of_the_machine_stand_in_no_table(sampled):
    frame = nbtrack.runs()
    assert [c for c in frame.columns if "system" in c or "percent" in c] == []
    assert list(nbtrack.open().table().metrics) == ["loss"]
    assert list(sampled.metrics) == ["loss"]


def test_sizes_are_columns_that_can_be_asked_for(sampled):
    (row,) = nbtrack.runs("peak_rss_bytes > 1000000").to_dict("records")
    assert row["peak_rss_bytes"] == sampled.peak_rss_bytes
    assert row["checkpoint_bytes"] == 0
    types = nbtrack.runs().dtypes
    sizes = ["peak_rss_bytes", "peak_vram_bytes", "model_bytes", "checkpoint_bytes"]
    assert [str(types[name]) for name in sizes] == ["Int64"] * 4
    assert len(nbtrack.runs("peak_rss_bytes < 1000")) == 0


def test_the_sizes_can_be_shown_by_the_magic(sampled):
    from nbtrack.notebook.runs_magic import runs_magic

    table = repr(runs_magic("--cols name peak_rss_bytes checkpoint_bytes"))
    assert str(sampled.peak_rss_bytes) in table
    assert "peak_rss_bytes" not in repr(runs_magic(""))


def test_panels_and_pictures_show_no_series_of_the_machine(sampled):
    store = nbtrack.open()
    frame = RunFeed(store, sampled.id).json_frame(full=True)
    assert {one["metric"] for one in frame["series"]} == {"loss"}
    assert [meta["name"] for meta in frame["run"]["metrics"]] == ["loss"]
    assert frame["run"]["headline"] == ["loss"]
    for picture in static_panel(store, sampled.id).values():
        assert "system/" not in picture
        assert "cpu_percent" not in picture
    assert list(store.tail(sampled.id).points) == ["loss"]


def test_the_ghost_and_the_servers_row_know_only_metrics(sampled):
    store = nbtrack.open()
    with nbtrack.start("next") as run:
        run.log(loss=0.9)
    feed = RunFeed(store, run.record().id)
    assert "system/" not in json.dumps(feed.json_frame(full=True))
    assert "system/" not in json.dumps(run_row(sampled))


def test_a_slip_is_answered_with_metrics_of_the_run_only(sampled):
    with pytest.raises(MetricNotFoundError) as caught:
        nbtrack.curve("last", "lss")
    assert "loss" in str(caught.value)
    assert "system/" not in str(caught.value)
