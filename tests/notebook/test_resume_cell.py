"""`%%track --resume last`: the same run goes on, in a kernel that was restarted too."""

from __future__ import annotations

import pytest

import nbtrack

pytestmark = pytest.mark.reproduce

LOOP = """
%%track {name} --no-live {options}
losses = []
for epoch in nbtrack.epochs({n}, resume=True, state={{"weights": weights}}):
    for batch in range(5):
        weights["w"] += 1
        loss = 100 / weights["w"]
    {then}
"""


def loop(name="", options="", *, n=4, then="pass"):
    return LOOP.format(name=name, options=options, n=n, then=then).strip()


def test_a_kernel_that_is_killed_in_mid_run_goes_on(kernel, kernel_store):
    kernel.run("import nbtrack, os; weights = {'w': 0}")
    die = "if epoch == 2: os.kill(os.getpid(), 9)"
    kernel.send(loop("base", "-p lr=.1", then=die))
    kernel.wait_until_dead()
    kernel_store.recover()
    [run] = kernel_store.runs()
    assert (run.status, run.metrics["loss"].n) == ("crashed", 15)
    kernel.restart()
    kernel.run("%load_ext nbtrack")
    kernel.run("import nbtrack, os; weights = {'w': 0}")
    answer = kernel.run(loop(options="--resume last -p lr=.2"))
    assert (answer.status, answer.error) == ("ok", "")
    assert answer.line.startswith("run base · ")
    [again] = kernel_store.runs()
    assert (again.id, again.status, again.error) == (run.id, "finished", None)
    curve = kernel_store.curve(run.id, "loss")
    assert list(curve.steps) == list(range(20))
    # The epoch that was cut off was done again, from the weights before it.
    assert list(curve.values) == [100 / n for n in range(1, 21)]
    assert list(curve.axes["epoch"]) == [e for e in range(4) for _ in range(5)]
    assert again.params["lr"].value == 0.2
    [before] = kernel_store.texts(run.id, "source")
    assert before.digest == run.source_digest != again.source_digest
    assert "os.kill" in before.body


@pytest.fixture
def cell(shell):
    shell.run_line_magic("load_ext", "nbtrack")
    return shell.run_cell


def test_a_cell_with_nothing_to_resume_does_not_run(cell):
    for name in ("last", "nobody"):
        result = cell(f"%%track --resume {name} --no-live\nran = True")
        assert "--resume" in str(result.error_in_exec)
    live = nbtrack.start("live")
    result = cell("%%track --resume live --no-live\nran = True")
    assert "still goes on in process" in str(result.error_in_exec)
    live.finish()
    assert cell("'ran' in globals()").result is False


def test_last_is_the_cells_run_and_not_a_fold_of_it(cell):
    cell("""%%track base --no-live
import nbtrack
with nbtrack.start("fold"):
    nbtrack.log(acc=.5)""")
    cell("%%track --resume last --no-live\npass")
    names = {run.name: run.status for run in nbtrack.open().runs()}
    assert names == {"base": "finished", "fold": "finished"}
    with nbtrack.start(resume="last") as run:
        assert run.name == "base"
