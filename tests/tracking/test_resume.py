"""A resumed run is the same run: its steps, its time and its row go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.errors import ResumeError, RunNotFoundError

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def test_steps_params_and_duration_go_on(store_path):
    with nbtrack.start("base", params={"lr": 0.1, "n": 3}) as first:
        for _ in range(3):
            first.log(loss=1.0)
        time.sleep(0.05)
    with nbtrack.start(resume="base", params={"lr": 0.2}) as again:
        again.log(loss=2.0, acc=0.5)
    run = again.record()
    assert (again.id, run.name, run.status) == (first.id, "base", "finished")
    assert list(nbtrack.open().curve(run.id, "loss").steps) == [0, 1, 2, 3]
    assert run.metrics["acc"].last_step == 0
    assert {n: p.value for n, p in run.params.items()} == {"lr": 0.2, "n": 3}
    assert run.duration_s > 0.05
    assert len(nbtrack.open().runs()) == 1


def test_a_step_that_is_given_goes_before_the_one_counted(store_path):
    with nbtrack.start("base") as run:
        run.log(loss=1.0, step=10)
    with nbtrack.start(resume=run) as again:
        again.log(loss=2.0)
        again.log(loss=3.0, step=5)
    assert list(nbtrack.open().curve(run.id, "loss").steps) == [5, 10, 11]


def test_a_failed_run_is_finished_after_its_second_life(store_path):
    with pytest.raises(ValueError, match="no"), nbtrack.start("base"):
        raise ValueError("no")
    with nbtrack.start(resume="last"):
        pass
    run = nbtrack.open().run("base")
    assert (run.status, run.error) == ("finished", None)


def test_last_is_the_newest_of_the_experiment_that_is_named(store_path):
    for name in ("a", "b"):
        with nbtrack.start(name, experiment=name):
            pass
    with nbtrack.start(resume="last", experiment="a") as run:
        assert run.name == "a"
    with nbtrack.start(resume="last") as run:
        assert run.name == "b"


def test_a_run_that_lives_or_lies_in_the_trash_is_refused(run):
    with pytest.raises(ResumeError, match=f"still goes on in process {os.getpid()}"):
        nbtrack.start(resume=run)
    run.finish()
    edits.trash(run.store, run.id)
    with pytest.raises(ResumeError, match="takes it back"):
        nbtrack.start(resume=run.id)
    with pytest.raises(RunNotFoundError):
        nbtrack.start(resume="nobody")


CRASHES = """
import nbtrack, os, signal
run = nbtrack.start("base", params={"lr": 0.1})
for n in range(50):
    run.log(loss=float(n))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_whose_process_was_killed_goes_on(store_path):
    nbtrack.open()  # before: what a dead process left is taken over all the same
    done = subprocess.run([sys.executable, "-c", CRASHES], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    with nbtrack.start(resume="last") as run:
        run.log(loss=50.0)
    curve = nbtrack.open().curve(run.id, "loss")
    assert list(curve.values) == [float(n) for n in range(51)]
    assert list(curve.steps) == list(range(51))


def test_a_tracked_cell_goes_on_with_watched_steps_and_axes(shell):
    shell.run_line_magic("load_ext", "nbtrack")
    body = "for epoch in range({0}, {1}):\n    loss = float(epoch)\n"
    shell.run_cell("%%track base --no-live\n" + body.format(0, 3))
    shell.run_cell("%%track --no-live --resume base\n" + body.format(3, 5))
    store = nbtrack.open()
    [run] = store.runs()
    curve = store.curve(run.id, "loss")
    assert list(curve.steps) == [0, 1, 2, 3, 4]
    assert list(curve.values) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert list(curve.axes["epoch"]) == [0, 1, 2, 3, 4]
    assert store.texts(run.id, "source")[0].body.startswith("%%track base")
    assert "--resume base" in store.run("base").source


def test_what_was_renamed_meanwhile_begins_anew(store_path):
    """In one process too, where the journal knows the metric by a number."""
    with nbtrack.start("base") as run:
        run.log(loss=1.0)
    run.store.edits().rename_metric("loss", "old_loss", runs=[run.id])
    with nbtrack.start(resume=run) as again:
        again.log(loss=2.0)
    assert {n: m.last for n, m in again.record().metrics.items()} == {
        "old_loss": 1.0, "loss": 2.0
    }  # fmt: skip


def test_what_a_second_life_writes_over_is_kept(store_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_OFF")  # the machine is looked at
    from nbtrack.records import Fact, TextRecord

    with nbtrack.start("base") as run:
        run.log_facts([Fact("room.light", "aaa")])
        run.log_texts([TextRecord("stdout", "stdout", None, "first life")])
    run.log_measured(peak_rss_bytes=1 << 50)
    first = run.record()
    with nbtrack.start(resume=run) as again:
        again.log_facts([Fact("room.light", "bbb")])
        again.log_texts([TextRecord("stdout", "stdout", None, "second life")])
    store, now = again.store, again.record()
    assert store.facts(run.id)["room.light"].value == "bbb"
    [facts] = store.texts(run.id, "facts")
    assert (facts.name, '"room.light": "aaa"' in facts.body) == (
        f"until {first.ended_at}", True
    )  # fmt: skip
    said = {text.name: text.body for text in store.texts(run.id, "stdout")}
    assert said == {"stdout": "second life", f"until {first.ended_at}": "first life"}
    assert now.peak_rss_bytes == 1 << 50
    # The series of the machine go on behind those of the first life.
    name = next(iter(first.system))
    curve = store.curve(run.id, name)
    assert len(curve) == now.system[name].n > first.system[name].n
