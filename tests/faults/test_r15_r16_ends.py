"""R15, R16: Ctrl-C at any instant, and every way a process can end."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import pytest

from faults.children import Acknowledged
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(90)]


def test_r15_interrupts_lose_nothing_that_returned(tmp_path, child, until):
    done = Acknowledged(str(tmp_path / "ack"))
    process = child("interrupted", tmp_path, tmp_path / "ack", 200)
    assert process.stdout.readline() == "ready\n"
    for n in range(200):
        until(lambda n=n: done.get(1) == n)
        time.sleep(random.uniform(0.001, 0.01))
        process.send_signal(signal.SIGINT)
    answer, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    flushed, n_steps = json.loads(answer)
    assert flushed
    with Store.open(tmp_path) as store:
        steps = store.curve("r", "loss").steps
    assert len(set(range(n_steps)) - set(steps)) <= 200  # at most the interrupted ones
    assert len(steps) >= n_steps - 200


@pytest.mark.parametrize(("how", "code"), [("end", 0), ("raise", 3)])
def test_r16_a_process_that_ends_drains_within_two_seconds(tmp_path, child, how, code):
    process = child("exit_with", tmp_path, how, 100_000)
    _, logged_at = process.stdout.readline().split()
    process.wait(timeout=30)
    took_s = time.time() - float(logged_at)
    assert (process.returncode, process.stderr.read()) == (code, "")
    assert took_s < 2.0
    assert os.listdir(tmp_path / ".nbtrack" / "journal") == []
    with Store.open(tmp_path) as store:
        assert len(store.curve("r", "loss")) == 100_000


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_r16_a_signal_that_runs_no_hook_loses_nothing(tmp_path, child, how):
    process = child("exit_with", tmp_path, "wait", 100_000)
    assert process.stdout.readline().startswith("logged")
    process.send_signal(how)
    process.wait(timeout=60)
    with Store.open(tmp_path) as store:
        assert len(store.curve("r", "loss")) == 100_000
        assert store.run("r").status == "crashed"
