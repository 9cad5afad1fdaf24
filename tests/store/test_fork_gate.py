"""The gate that keeps forks out of SQLite calls of other threads."""

from __future__ import annotations

import threading
import time

from nbtrack.store.fork_gate import FORK_WAIT_S, ForkGate


def test_a_fork_waits_for_who_is_inside():
    gate, is_in, may_leave = ForkGate(), threading.Event(), threading.Event()

    def call():
        with gate.inside():
            is_in.set()
            may_leave.wait(5)

    thread = threading.Thread(target=call)
    thread.start()
    is_in.wait(5)
    threading.Timer(0.05, may_leave.set).start()
    gate.close()
    assert gate.n_inside == 0
    gate.open()
    thread.join()


def test_a_fork_waits_no_longer_than_its_time():
    gate, may_leave = ForkGate(), threading.Event()

    def call():
        with gate.inside():
            may_leave.wait(5)

    thread = threading.Thread(target=call)
    thread.start()
    while gate.n_inside == 0:
        time.sleep(0.001)
    began = time.monotonic()
    gate.close()
    assert FORK_WAIT_S * 0.9 < time.monotonic() - began < FORK_WAIT_S + 2
    gate.open()
    may_leave.set()
    thread.join()


def test_nobody_comes_in_until_the_fork_is_over():
    gate, came_in = ForkGate(), threading.Event()
    gate.close()

    def call():
        with gate.inside():
            came_in.set()

    thread = threading.Thread(target=call)
    thread.start()
    assert not came_in.wait(0.1)
    gate.open()
    assert came_in.wait(5)
    thread.join()


def test_a_call_within_a_call_and_a_fork_within_a_call_do_not_wait():
    gate = ForkGate()
    with gate.inside():
        began = time.monotonic()
        gate.close()
        with gate.inside():
            assert gate.n_inside == 1
        gate.open()
    assert time.monotonic() - began < FORK_WAIT_S
    assert gate.n_inside == 0
