"""A folder for scripts, and a store of the test's own."""

from __future__ import annotations

import pytest
from scripts_folder import Folder


@pytest.fixture
def folder(tmp_path, store_path, monkeypatch):
    """Where the scripts of a test stand and run."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    place = tmp_path / "project"
    place.mkdir()
    return Folder(place, store_path)
