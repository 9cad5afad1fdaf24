"""`--off` and `%track_config` switch features off and say what there is."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.notebook.config_magic import config_lines
from nbtrack.notebook.options import parse_options


def test_off_takes_features_by_name():
    assert parse_options("base --off system data").off == {"system", "data"}
    assert not parse_options("base --off watching").zero_edit
    with pytest.raises(OptionError, match="There are: source"):
        parse_options("base --off gpu_stuff")


def test_config_switches_off_and_on_again(store_path):
    assert any(
        line.startswith("off in this store: data") for line in config_lines("off data")
    )
    assert "data" in nbtrack.configure()
    assert all(not line.startswith("off") for line in config_lines("on"))
    with pytest.raises(OptionError, match="is not understood"):
        list(config_lines("maybe data"))


def test_a_cell_can_leave_its_source_out(shell):
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell("%%track base --no-live --off source\nx = 'planted-7731'")
    store = nbtrack.open()
    run = store.run("base")
    assert (run.source, run.status) == (None, "finished")


def test_the_digest_of_a_cell_is_that_of_what_was_typed(shell):
    from hashlib import sha256

    shell.run_line_magic("load_ext", "nbtrack")
    cell = "%%track base --no-live\npassword = 'hunter2'"
    shell.run_cell(cell)
    run = nbtrack.open().run("base")
    assert run.source_digest == sha256(cell.encode()).hexdigest()
    assert "[redacted]" in run.source
