"""Jobs of the background run in order, fail alone, and are waited for when asked."""

from __future__ import annotations

import os
import threading

from nbtrack.guard import guard
from nbtrack.tracking.background import Background


def test_jobs_run_in_their_order_on_one_thread():
    work, seen = Background(), []
    for n in range(20):
        work.submit(
            lambda n=n: seen.append((n, threading.current_thread().name)), feature="f"
        )
    assert work.settle(5.0)
    assert [n for n, _ in seen] == list(range(20))
    assert {name for _, name in seen} == {"nbtrack-background"}


def test_a_job_that_raises_is_a_warning_and_the_next_one_runs(capsys):
    work, seen = Background(), []
    work.submit(lambda: 1 / 0, feature="sums")
    work.submit(lambda: seen.append(1), feature="sums")
    assert work.settle(5.0)
    assert (seen, guard.failures["sums"]) == ([1], 1)
    assert "sums failed and was left out" in capsys.readouterr().err


def test_settling_gives_up_when_the_time_is_up():
    work, go = Background(), threading.Event()
    work.submit(go.wait, feature="slow")
    assert not work.settle(0.05)
    go.set()
    assert work.settle(5.0)


def test_a_job_may_hand_in_another_one():
    work, seen = Background(), []
    work.submit(lambda: work.submit(lambda: seen.append(1), feature="f"), feature="f")
    assert work.settle(5.0)
    assert seen == [1]


def test_a_forked_child_runs_nothing_and_waits_for_nothing():
    work = Background()
    go = threading.Event()
    work.submit(go.wait, feature="slow")
    child = os.fork()
    if child == 0:
        work.submit(lambda: os._exit(3), feature="f")
        os._exit(0 if work.settle(1.0) else 4)
    go.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
