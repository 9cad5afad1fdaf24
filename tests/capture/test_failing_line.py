"""A failed run knows the line that failed: of its cell, or of the user's own file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import nbtrack
from nbtrack.capture.failing_line import NOWHERE, failure_facts

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def facts_of(name: str) -> dict:
    store = nbtrack.open()
    run = store.run(name)
    return {
        fact.name.removeprefix("error."): fact.value
        for fact in store.facts(run.id).values()
        if fact.name.startswith("error.")
    }


@pytest.fixture
def loaded(shell, capsys):
    shell.run_cell("%load_ext nbtrack", store_history=True)
    return shell


def test_the_line_of_the_tracked_cell(loaded):
    loaded.run_cell(
        "# mine\n%%track base --no-live\nx = 0\n\ny = 1 / x  # here\nz = 2",
        store_history=True,
    )
    assert facts_of("base") == {
        "type": "ZeroDivisionError",
        "line": 5,
        "text": "y = 1 / x  # here",
        "cell": "[2]",
    }
    assert "ZeroDivisionError" in nbtrack.open().run("base").error


def test_the_line_of_a_function_of_an_earlier_cell(loaded):
    loaded.run_cell("def f(x):\n    import json\n    json.loads(x)", store_history=True)
    loaded.run_cell("%%track base --no-live\nf('{')", store_history=True)
    found = facts_of("base")
    assert found["type"] == "json.decoder.JSONDecodeError"
    assert (found["cell"], found["line"]) == ("[2]", 3)
    assert found["text"] == "json.loads(x)"


def test_the_line_below_another_magic(loaded):
    loaded.run_cell(
        "%%track base --no-live\n%%time\nx = 0\nif True:\n    1 / x",
        store_history=True,
    )
    found = facts_of("base")
    assert (found["line"], found["text"]) == (5, "1 / x")


def test_the_line_of_a_module_of_one_s_own(loaded, tmp_path, monkeypatch):
    (tmp_path / "mine_nb.py").write_text("def f():\n    raise KeyError('k')\n")
    monkeypatch.syspath_prepend(tmp_path)
    loaded.run_cell("%%track base --no-live\nimport mine_nb\nmine_nb.f()")
    sys.modules.pop("mine_nb", None)
    found = facts_of("base")
    assert (found["file"], found["line"]) == ("mine_nb.py", 2)
    assert found["text"] == "raise KeyError('k')"


def test_the_line_of_a_run_by_hand(store_path):
    with pytest.raises(ValueError, match="no"), nbtrack.start("hand"):
        raise ValueError("no")
    found = facts_of("hand")
    assert found["file"] == Path(__file__).name
    assert found["text"] == 'raise ValueError("no")'


def test_a_stopped_run_has_no_failing_line(store_path):
    with pytest.raises(KeyboardInterrupt), nbtrack.start("cut"):
        raise KeyboardInterrupt
    assert facts_of("cut") == {}


def test_an_error_without_a_line_says_so():
    assert failure_facts(ValueError("no"))[1].missing == NOWHERE


def test_a_secret_in_the_line_is_not_kept(loaded):
    key = "hf_" + "a1B2c3D4e5F6g7H8i9J0"
    loaded.run_cell(f"%%track base --no-live\nint('{key}')")
    assert facts_of("base")["text"] == "int('[redacted]')"
