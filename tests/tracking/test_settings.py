"""What is switched off is off: for a run, for a store, for a process."""

from __future__ import annotations

import stat

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.tracking import settings
from nbtrack.tracking.settings import FILE_NAME, features_of


def test_a_run_can_leave_features_out(store_path):
    with nbtrack.start(off="system output") as run:
        assert not run.captures("system")
        assert run.captures("data")


def test_a_store_remembers_what_is_off(store_path):
    nbtrack.configure(off=["data"])
    with nbtrack.start() as run:
        assert not run.captures("data")
    file = store_path / FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    nbtrack.configure(off=[])
    with nbtrack.start() as run:
        assert run.captures("data")


def test_a_process_can_switch_off_all(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")
    with nbtrack.start() as run:
        assert not run.captures("code")


def test_an_unknown_word_names_the_known_ones():
    with pytest.raises(OptionError, match="Did you mean system") as refused:
        features_of(["sytem"])
    assert "environment" in str(refused.value)


def test_a_damaged_settings_file_switches_off_nothing(store_path):
    with nbtrack.start():
        (store_path / FILE_NAME).write_text("{")
    with nbtrack.start() as run:
        assert run.captures("data")


def test_a_limit_of_data_is_kept_beside_what_is_off(store_path, monkeypatch):
    nbtrack.configure(off=["system"])
    nbtrack.configure(data_limit="20 GB")
    assert settings.read_data_limit(store_path) == 20 << 30
    assert nbtrack.configure() == {"system"}
    nbtrack.configure(off=[])
    assert settings.read_data_limit(store_path) == 20 << 30
    monkeypatch.setenv("NBTRACK_DATA_LIMIT", "1K")
    assert settings.read_data_limit(store_path) == 1024


def test_a_limit_that_is_no_size_is_refused(store_path):
    with pytest.raises(OptionError, match="'much' is no size"):
        nbtrack.configure(data_limit="much")
    assert settings.read_data_limit(store_path) is None
