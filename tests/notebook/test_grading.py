"""After a tracked cell its run has a grade, and the line under it names the culprit."""

from __future__ import annotations

import json
import os
import time

import pytest

import nbtrack
from nbtrack.analysis.code_view import settled_store
from nbtrack.guard import guard
from nbtrack.slices.saved_notebook import read_saved
from nbtrack.tracked.grading import FEATURE, Grading
from nbtrack.tracking.background import background

LOOP = "for i in range(3):\n    loss = x / (i + 1)"


@pytest.fixture
def notebook(shell, tmp_path, plain_surroundings):
    """A shell that has loaded nbtrack, and its notebook's file."""
    path = tmp_path / "digits.ipynb"
    shell.user_ns["__vsc_ipynb_file__"] = str(path)
    shell.run_cell("%load_ext nbtrack", store_history=True, cell_id="load")

    def run(cell_id, source):
        done = shell.run_cell(source, store_history=True, cell_id=cell_id)
        assert done.success or "1 / 0" in source

    def save(*cells, minutes=1):
        """Save these (id, source), minutes from now."""
        code = [{"cell_type": "code", "id": i, "source": s} for i, s in cells]
        path.write_text(json.dumps({"cells": code}))
        at = time.time() + 60 * minutes
        os.utime(path, (at, at))

    run.save = save
    return run


def line_of(capsys):
    """The summary line under the last cell."""
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if line.startswith("run ")][-1]


def test_a_result_that_its_notebook_explains_is_an_a_and_the_line_is_silent(
    notebook, capsys
):
    tracked = f"%%track base\n{LOOP}"
    notebook.save(("load", "%load_ext nbtrack"), ("a", "x = 1"), ("b", tracked))
    notebook("a", "x = 1")
    notebook("b", tracked)
    record = nbtrack.open().run("base")
    assert record.grade == "A"
    assert record.grade_why.startswith("judged by the notebook as it was saved")
    assert "grade" not in line_of(capsys)


def test_a_deleted_an_edited_and_a_failed_cell_are_named(notebook, capsys):
    notebook("gone", "x = 1")
    tracked = f"%%track deleted\n{LOOP}"
    notebook.save(("b", tracked))
    notebook("b", tracked)
    assert line_of(capsys).endswith("grade D: `x` comes from a deleted cell [2]")
    notebook("a", "x = 2")
    tracked = f"%%track edited\n{LOOP}"
    notebook.save(("a", "x = 3"), ("b", tracked))
    notebook("b", tracked)
    assert "grade C: `x` comes from a cell that was edited since [4]" in line_of(capsys)
    notebook("a", "x = 4; 1 / 0")
    tracked = f"%%track failed\n{LOOP}"
    notebook.save(("a", "x = 4; 1 / 0"), ("b", tracked))
    notebook("b", tracked)
    assert "grade C: `x` comes from a cell that raised [6]" in line_of(capsys)
    frame = nbtrack.runs("grade > 'A'")
    assert frame["grade"].tolist() == ["C", "C", "D"]


def test_repetition_and_chance_are_a_b(notebook):
    notebook("a", "x = 0")
    notebook("more", "x += 1")
    notebook("more", "x += 1")
    notebook("b", f"%%track repeated\n{LOOP}")
    notebook("c", "import random\nx = random.random()")
    notebook("b", f"%%track by-chance\n{LOOP}")
    store = nbtrack.open()
    assert store.run("repeated").grade == "B"
    assert "executions of one cell count" in store.run("repeated").grade_why
    assert store.run("by-chance").grade == "B"
    assert "unseeded" in store.run("by-chance").grade_why


def test_what_is_switched_off_is_not_kept_and_not_judged(notebook):
    notebook("a", "x = 1")
    notebook("b", f"%%track without --off slices\n{LOOP}")
    background.settle(5)
    store = nbtrack.open()
    run = store.run("without")
    assert run.grade is None
    assert [cell.flow for cell in store.cells(run.id)] == [None] * 3
    notebook("b", f"%%track with\n{LOOP}")
    background.settle(5)
    assert store.run("with").grade is not None
    assert store.cells(store.run("with").id)[-1].flow is not None
    nbtrack.configure(off=["slices"])
    notebook("a", "x = 2")
    background.settle(5)
    notebook("a", "x = 3")
    notebook("b", f"%%track folder\n{LOOP}")
    background.settle(5)
    assert store.run("folder").grade is None
    assert store.cells(run.id)[-1].flow is None


def test_a_judgement_that_fails_is_one_line_and_the_run_is_whole(
    notebook, monkeypatch, capsys
):
    def broken(self):
        with guard(FEATURE):
            raise RuntimeError("broken on purpose")

    monkeypatch.setattr(Grading, "_judge", broken)
    notebook("a", "x = 1")
    for n in range(2):
        notebook("b", f"%%track base{n}\n{LOOP}")
    assert capsys.readouterr().err.count("the grade failed") == 1
    assert [run.status for run in nbtrack.open().runs()] == ["finished"] * 2
    assert nbtrack.open().run("base0").grade is None


def test_a_judgement_that_takes_long_keeps_nobody_waiting_and_comes_later(
    notebook, monkeypatch, capsys
):
    def slow(path):
        time.sleep(1.0)
        return read_saved(path)

    monkeypatch.setattr("nbtrack.slices.saved_notebook.read_saved", slow)
    notebook("a", "import random\nx = random.random()")
    notebook("b", f"%%track base\n{LOOP}")
    assert "grade" not in line_of(capsys)
    store = nbtrack.open()
    until = time.monotonic() + 30
    while store.run("base").grade is None and time.monotonic() < until:
        time.sleep(0.05)
    assert store.run("base").grade == "B"


def test_a_tracked_cell_that_code_runs_has_no_place_in_the_log_and_no_grade(notebook):
    notebook("a", "get_ipython().run_cell_magic('track', 'inner', 'loss = 1')")
    assert nbtrack.open().run("inner").status == "finished"
    assert nbtrack.open().run("inner").grade is None


def test_the_grade_stands_in_the_table_of_runs_once_there_is_one(notebook):
    with nbtrack.start("by hand"):
        pass
    from nbtrack.notebook.runs_magic import runs_magic

    assert "grade" not in repr(runs_magic(""))
    notebook("b", "%%track base\nloss = 1.0")
    head, first, second = repr(runs_magic("")).splitlines()
    assert head.split()[:3] == ["name", "status", "grade"]
    assert first.split()[:3] == ["base", "finished", "A"]
    assert second.split()[:2] == ["by", "hand"]
    assert len(runs_magic("grade == 'A'")) == 1
    assert '<td style="white-space: nowrap; color: #2ca02c">A</td>' in (
        runs_magic("")._repr_html_()
    )


def test_our_own_threads_are_none_that_a_cell_leaves_running(notebook):
    notebook("a", "x = 1")
    notebook("b", f"%%track first\n{LOOP}")
    notebook("c", "%%track second\nafter = loss + 1")
    store = nbtrack.open()
    assert store.run("second").grade == "A"
    notebook("d", "import threading, time\n"
             "threading.Thread(target=time.sleep, args=(2,)).start()")  # fmt: skip
    cells = settled_store().cells(store.run("second").id)
    notes = [cell.flow.notes for cell in cells[1:]]
    assert ["threads" in note for note in notes] == [False, False, False, True]
