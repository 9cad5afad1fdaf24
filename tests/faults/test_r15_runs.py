"""R15: Ctrl-C at any instant of start, log, save and finish; then on it goes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from faults.children import Acknowledged
from nbtrack.guard import Guard
from nbtrack.interrupts import Changes, Signal
from nbtrack.store import Store
from nbtrack.store.segments import SLOT_BYTES, memory_segment
from nbtrack.tracking.artifacts import api

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
INTERRUPTS = 200
LONGEST_S = 0.04  # of one round of the program below

# Each time it says that it is in its `try`, it is interrupted; what ends a run is its
# `with`, as in a script. The last run is the next cell, which must work.
PROGRAM = """
import json, sys
import nbtrack
from faults.children import Acknowledged

done, n = Acknowledged(sys.argv[1]), 0
with nbtrack.start("warm") as run:  # has everything imported
    run.log_artifact({"i": 0}, "x")
    run.checkpoint({"w": [0]}, name="m")
while n < int(sys.argv[2]):
    try:
        done.set(n + 1)
        while True:
            with nbtrack.start("cut") as run:
                for i in range(9):
                    run.log({"loss": float(i)})
                    run.log({"loss": i + 0.5, "acc": i})
                    if i % 4 == 0:
                        run.log_artifact({"i": i, "n": n}, "x")
                        run.checkpoint({"w": [i, n]}, name="m", step=i)
    except KeyboardInterrupt:
        n += 1
done.set(-1)
left = nbtrack.current()
with nbtrack.start("after", parent="") as run:
    run.log(loss=1.0)
print(json.dumps([left and left.name, run.store.journal.flush(20.0)]))
"""


def interrupted(process, done, n, chance, until):
    """Interrupt it once it is at its round `n`, until it has noticed."""
    until(lambda: done.get() == n)
    time.sleep(chance.uniform(0.0, LONGEST_S))
    while done.get() == n:
        # Python throws away one that comes in a destructor or a weak reference's call.
        process.send_signal(signal.SIGINT)
        for _ in range(50):
            time.sleep(0.01)
            if done.get() != n:
                break


def test_r15_runs_that_are_interrupted_are_stopped_and_the_next_one_works(
    tmp_path, until
):
    ack, chance = tmp_path / "ack", random.Random(15)
    done = Acknowledged(str(ack))
    path = os.pathsep.join(["tests", os.environ.get("PYTHONPATH", "")])
    settings = {
        "PYTHONPATH": path,
        "NBTRACK_STORE": str(tmp_path / ".nbtrack"),
        "NBTRACK_OFF": "code environment system rng",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(ack), str(INTERRUPTS)],
        env={**os.environ, **settings}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        for n in range(1, INTERRUPTS + 1):
            interrupted(process, done, n, chance, until)
        said, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    assert json.loads(said) == [None, True], errors
    with Store.open(tmp_path) as store:
        runs = store.runs()
        statuses = Counter(run.status for run in runs)
        assert statuses.keys() <= {"finished", "stopped"}, statuses
        assert statuses["stopped"] > INTERRUPTS / 2
        assert (runs[0].name, runs[0].status) == ("after", "finished")
        for run in runs:
            check_rows(store, run)
        assert store.sql("select count(*) from unread")[1] == [(0,)]
        assert api.verify(store=store)


def check_rows(store, run):
    """What is there of each metric is a whole beginning of what was logged."""
    for name, first in (("loss", [i / 2 for i in range(18)]), ("acc", range(9))):
        if name in run.metrics and run.metrics[name].n and run.name.startswith("cut"):
            values = list(store.curve(run.id, name).values)
            assert values == list(first)[: len(values)]


def cleaning_up_badly():
    """As `shutil.rmtree` does: its clean-up fails of the interrupt."""
    try:
        raise KeyboardInterrupt
    finally:
        os.close(10**6)


def test_r15_an_error_that_came_of_an_interrupt_is_the_interrupt():
    guard = Guard(warn=lambda _: None)
    with pytest.raises(KeyboardInterrupt), guard("a feature"):
        cleaning_up_badly()
    assert guard.failures == {}


def test_r15_an_error_after_an_interrupt_was_handled_is_an_error():
    """`except KeyboardInterrupt: run.log_artifact(...)` is a fair thing to write."""
    guard = Guard(warn=lambda _: None)
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        with guard("a feature"):
            os.close(10**6)
    assert guard.failures == {"a feature": 1}


def test_r15_a_segment_that_was_begun_and_never_used_holds_nothing_up(store):
    """As an interrupt in the middle of going on to the next one leaves it."""
    journal = store.journal
    journal.emit({"kind": "run_started", "run": "r"})
    series = journal.series("r", "loss")
    reserve, unused = journal._reserve, []

    def next_and_be_interrupted(text_bytes=0):
        unused.append(type(reserve).next(reserve, text_bytes))
        journal.segments.append(unused[0])
        del reserve.next
        raise KeyboardInterrupt

    reserve.next = next_and_be_interrupted
    n = 0
    try:
        while True:
            journal.point(series, n, float(n), 1e9)
            n += 1
    except KeyboardInterrupt:
        pass
    for more in range(n + 1, n + 2000):  # the interrupted one is lost
        journal.point(series, more, float(more), 1e9)
    assert journal.flush(5.0)
    assert len(store.curve("r", "loss")) == n + 1999


def test_r15_seal_that_was_cut_off_is_done_by_the_next_one():
    segment = memory_segment(1, 100, 0)
    for _ in range(10):
        segment.take()
    segment._burned.extend(range(11 * SLOT_BYTES, 200 * SLOT_BYTES, SLOT_BYTES))
    assert segment.end == 101
    segment.seal()
    segment.seal()
    assert segment.end == 11


@pytest.mark.parametrize("made", [Changes, lambda: Signal()._cond])
def test_r15_the_lock_of_a_wait_is_entered_in_c(made):
    """Between its two sides no bytecode of Python runs, so no interrupt comes."""
    changes = made()
    assert isinstance(type(changes).__enter__, property)
    entered = []
    sys.setprofile(lambda frame, what, _: entered.append((what, frame.f_code.co_name)))
    with changes:
        pass
    sys.setprofile(None)
    assert [call for call in entered if call[0] == "call"] == []
