"""R14: eight threads log at once: exact counts, and the order of each thread."""

from __future__ import annotations

import sys
import threading

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(90)]
THREADS, POINTS = 8, 10_000


@pytest.fixture
def _busy_switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # as many thread changes between bytecodes as can be
    yield
    sys.setswitchinterval(before)


def in_threads(work):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("_busy_switching")
def test_r14_eight_threads_in_one_metric(store):
    journal = store.journal
    journal.emit({"kind": "run_started", "run": "r"})

    def work(number):
        series = journal.series("r", "loss")
        for n in range(POINTS):
            journal.point(series, n * THREADS + number, float(n), 1e9 + n / 1000)

    in_threads(work)
    assert journal.flush(30.0)
    assert journal.dropped == 0
    assert store.run("r").metrics["loss"].n == THREADS * POINTS
    tail = store.tail("r").points["loss"]
    for number in range(THREADS):
        mine = [s // THREADS for s in tail[0] if s % THREADS == number]
        assert mine == list(range(POINTS))
    assert list(store.curve("r", "loss").steps) == list(range(THREADS * POINTS))


@pytest.mark.usefixtures("_busy_switching")
def test_r14_eight_threads_with_runs_of_their_own(store):
    journal = store.journal

    def work(number):
        run = f"r{number}"
        journal.emit({"kind": "run_started", "run": run})
        for n in range(POINTS):
            journal.point(journal.series(run, f"m{n % 3}"), n, float(n), 1e9)
        journal.emit({"kind": "run_finished", "run": run, "status": "finished"})

    in_threads(work)
    assert journal.flush(30.0)
    for number in range(THREADS):
        for metric in range(3):
            curve = store.curve(f"r{number}", f"m{metric}")
            assert list(curve.steps) == list(range(metric, POINTS, 3))
        assert store.run(f"r{number}").status == "finished"
