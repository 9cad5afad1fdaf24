"""A run is labelled by what it changed since the one before it."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.analysis.labels import label, label_of, labels_of
from nbtrack.notebook.runs_magic import runs_magic

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def test_the_label_names_what_differs_and_counts_the_rest():
    before = {"lr": 0.1, "n": 5, "a": 1, "b": 1, "opt.eps": 1e-8}
    after = {"lr": 0.01, "n": 5, "a": 2, "b": 2, "opt.eps": 1e-6}
    assert label(after, before) == "lr=0.01 a=2 b=2 +1"
    assert label(before, before) == ""
    assert label({"x": 1}, {"x": True}) == "x=1"
    assert label({"x": float("nan")}, {"x": float("nan")}) == ""


def test_runs_are_compared_within_their_experiment(store_path):
    for experiment, lr in (("a", 0.1), ("b", 7), ("a", 0.2), ("b", 7)):
        with nbtrack.start(experiment=experiment, params={"lr": lr}):
            pass
    store = nbtrack.open()
    assert labels_of(store.table()) == ["", "lr=0.2", "", ""]
    assert label_of(store, store.run("a-2")) == "lr=0.2"


def test_names_are_unique_and_ids_sort_by_time(store_path):
    for _ in range(3):
        with nbtrack.start(experiment="digits"):
            pass
    runs = nbtrack.open().runs()
    assert [run.name for run in runs] == ["digits-3", "digits-2", "digits"]
    ids = [run.id for run in runs]
    assert ids == sorted(ids, reverse=True)


def test_the_table_of_runs_shows_what_changed(store_path):
    for lr in (0.1, 0.2):
        with nbtrack.start(experiment="digits", params={"lr": lr}):
            pass
    assert "changed" in repr(runs_magic("")).splitlines()[0]
    assert "lr=0.2" in repr(runs_magic(""))


def test_a_tracked_cell_says_what_it_changed(shell, capsys):
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell("%%track --no-live --experiment digits\nlr = 0.1")
    shell.run_cell("%%track --no-live --experiment digits\nlr = 0.3")
    assert "run digits-2 (lr=0.3) · params lr" in capsys.readouterr().out
