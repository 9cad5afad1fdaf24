"""R15: Ctrl-C at any instant of a tracked cell: no run hangs, the next cell works."""

from __future__ import annotations

import random
import time

import pytest
from examples import often

from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

LONGEST_S = 0.06  # begin and end of a cell take about 10 ms each
CELL = (
    "%%track cut --no-live\nimport time\nfor i in range(20):\n"
    "    loss = 1.0 / (i + 1)\n    time.sleep(0.001)\nloss"
)


def next_answer(kernel) -> str | None:
    """Of the next cell; a kernel still clearing an error away aborts what comes."""
    answer = kernel.run("1 + 1")
    while answer.status == "aborted":
        answer = kernel.run("1 + 1")
    return answer.result


@pytest.mark.parametrize("rounds", often(60, 200))
def test_r15_interrupts_at_random_instants(kernel, rounds):
    kernel.run(CELL)  # the first cell also imports what it needs
    chance = random.Random(15)
    for _ in range(rounds):
        asked = kernel.send(CELL)
        time.sleep(chance.uniform(0, LONGEST_S))
        kernel.manager.interrupt_kernel()
        # After the cell's end it is the kernel itself that is interrupted, and then
        # no reply comes, with or without us.
        kernel.settle(asked, timeout_s=2)
        assert next_answer(kernel) == "2"
    assert kernel.run(CELL.replace("cut", "after")).result == "0.05"
    assert kernel.run("len(get_ipython().ast_transformers)").result == "0"
    assert kernel.run("import nbtrack; nbtrack.current() is None").result == "True"
    with Store.open(kernel.folder / ".nbtrack") as store:
        runs = store.runs()
    assert {run.status for run in runs} <= {"finished", "stopped"}
    assert sum(run.status == "stopped" for run in runs) > rounds / 4
    assert runs[0].status == "finished"
    for run in runs:
        if "loss" in run.metrics:
            assert run.metrics["loss"].n <= 20
