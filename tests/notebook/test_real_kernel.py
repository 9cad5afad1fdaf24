"""A tracked cell in a real kernel is the cell that it would be without `%%track`."""

from __future__ import annotations

import time

import pytest

LOOP = "for i in range(3):\n    loss = 1.0 / (i + 1)\n"


def last(store):
    return store.runs()[0]


def committed(store, name):
    """The run of that name, once the kernel's writer has committed its row."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for run in store.runs():
            if run.name == name:
                return run
        time.sleep(0.05)
    raise AssertionError(f"no run {name!r} in the store")


def test_the_last_expression_is_shown_and_the_run_is_kept(kernel, kernel_store):
    kernel.run("lr = 0.1")
    answer = kernel.run(f"%%track base -p k=lr*2\n{LOOP}loss")
    assert (answer.status, answer.result) == ("ok", "0.3333333333333333")
    run = last(kernel_store)
    assert (run.name, run.status) == ("base", "finished")
    assert run.params["k"].value == pytest.approx(0.2)
    assert run.metrics["loss"].n == 3
    assert answer.line.startswith("run base · params k")
    assert "watched loss" in answer.line


def test_the_raw_cell_and_its_number_are_kept(kernel, kernel_store):
    answer = kernel.run("# mine\n%%track raw\nx = 1", cellId="abc-1")
    run = kernel_store.run("raw")
    assert run.source == "# mine\n%%track raw\nx = 1"
    assert (run.cell_id, run.execution) == ("abc-1", answer.execution)
    history = kernel.run("get_ipython().history_manager.input_hist_raw[-2]").result
    assert history == repr("# mine\n%%track raw\nx = 1")


def test_top_level_await_works(kernel, kernel_store):
    answer = kernel.run(
        "%%track awaits\nimport asyncio\nawait asyncio.sleep(0.01)\n"
        f"{LOOP}await asyncio.sleep(0.01, loss)"
    )
    assert (answer.status, answer.result) == ("ok", "0.3333333333333333")
    assert kernel_store.run("awaits").metrics["loss"].n == 3


BROKEN = (
    "def f(x):\n    return x / 0\n\n"
    "for i in range(3):\n    loss = i / 2\n    if i == 1:\n        loss = f(loss)\n"
)


def test_a_traceback_is_that_of_the_untracked_cell(kernel, kernel_store):
    plain = kernel.run(f"_ = None  # padded\n{BROKEN}")
    tracked = kernel.run(f"%%track broken\n{BROKEN}")
    assert tracked.error == plain.error == "ZeroDivisionError: float division by zero"
    ours = tracked.traceback.replace(f"In[{tracked.execution}]", "In[N]")
    theirs = plain.traceback.replace(f"In[{plain.execution}]", "In[N]")
    begin = "__import__('nbtrack')._begin('broken')"
    assert ours.replace(begin, "_ = None  # padded") == theirs
    run = last(kernel_store)
    assert run.status == "failed"
    assert "ZeroDivisionError" in run.error
    assert "interactiveshell" not in run.error
    assert tracked.line.startswith("run broken failed")


def test_an_error_stops_the_cells_behind_it(kernel, kernel_store):
    first = kernel.send("%%track halts\n1 / 0")
    second = kernel.send("behind = 1")
    assert kernel.answer(first).status == "error"
    assert kernel.answer(second).status == "aborted"


def test_an_interrupt_makes_the_run_stopped_and_the_next_cell_works(
    kernel, kernel_store
):
    asked = kernel.send(
        "%%track cut\nimport time\nprint('busy', flush=True)\n"
        "while True:\n    time.sleep(0.01)\n    loss = 1.0"
    )
    kernel.wait_for_stdout(asked, "busy")
    kernel.manager.interrupt_kernel()
    answer = kernel.answer(asked)
    assert answer.status == "error"
    assert answer.error.startswith("KeyboardInterrupt")
    assert kernel_store.run("cut").status == "stopped"
    assert kernel.run("1 + 1").result == "2"
    assert kernel.run("%%track after\n2 + 2").result == "4"
    assert kernel_store.run("after").status == "finished"


def test_an_interrupted_await_makes_the_run_stopped(kernel, kernel_store):
    asked = kernel.send(
        "%%track waiting\nimport asyncio\nprint('busy', flush=True)\n"
        "for _ in range(400):\n    await asyncio.sleep(0.05)"
    )
    kernel.wait_for_stdout(asked, "busy")
    kernel.manager.interrupt_kernel()
    assert kernel.answer(asked).status == "error"
    assert kernel_store.run("waiting").status == "stopped"
    assert kernel.run("1 + 1").result == "2"


def test_stop_ends_the_cell_as_an_interrupt_does(kernel, kernel_store):
    asked = kernel.send(
        "%%track pressed\nimport time\nprint('busy', flush=True)\n"
        "while True:\n    time.sleep(0.01)\n    loss = 1.0"
    )
    kernel.wait_for_stdout(asked, "busy")
    kernel_store.control(committed(kernel_store, "pressed").id, "stop", by="test")
    answer = kernel.answer(asked)
    assert answer.status == "error"
    assert answer.error.startswith("RunStopped")
    assert kernel_store.run("pressed").status == "stopped"


@pytest.mark.parametrize("magic", ["%%time", "%%capture out"])
def test_it_goes_over_other_cell_magics(kernel, kernel_store, magic):
    name = "over-" + magic[2:6]
    answer = kernel.run(f"%%track {name}\n{magic}\nprint('hello')\n{LOOP}loss")
    assert answer.status == "ok"
    run = kernel_store.run(name)
    assert (run.status, run.metrics["loss"].n) == ("finished", 3)
    if magic == "%%time":
        assert "Wall time" in answer.stdout
        assert answer.result == "0.3333333333333333"
    else:
        assert answer.stdout == ""
        assert kernel.run("out.stdout").result == "'hello\\n'"


@pytest.mark.parametrize("magic", ["%%time", "%%capture out"])
def test_it_goes_under_other_cell_magics(kernel, kernel_store, magic):
    name = "under-" + magic[2:6]
    answer = kernel.run(f"{magic}\n%%track {name}\nprint('hello')\n{LOOP}loss")
    assert answer.status == "ok"
    run = kernel_store.run(name)
    assert (run.status, run.metrics["loss"].n) == ("finished", 3)
    if magic == "%%time":
        assert answer.result == "0.3333333333333333"


def test_errors_within_other_magics_are_those_without_tracking(kernel, kernel_store):
    plain = kernel.run("#\n%%time\nx = 1\n1 / 0".replace("#\n", ""))
    tracked = kernel.run("%%track timed\n%%time\nx = 1\n1 / 0")
    assert tracked.error == plain.error
    assert "<timed exec>:2" in plain.traceback.replace(", line ", ":")
    assert "<timed exec>:2" in tracked.traceback.replace(", line ", ":")
    # IPython 8 shows an error in %%time and goes on; 9 raises it.
    ended = "failed" if plain.status == "error" else "finished"
    assert (tracked.status, kernel_store.run("timed").status) == (plain.status, ended)


def test_a_syntax_error_begins_no_run_and_names_its_line(kernel, kernel_store):
    before = len(kernel_store.runs(trashed=None))
    answer = kernel.run("%%track never\nx = 1\nif x\n    y = 2")
    assert answer.error.startswith("SyntaxError")
    assert "line 3" in answer.error
    timed = kernel.run("%%track never\n%%time\nx = 1\nif x\n    y = 2")
    assert timed.error.startswith("SyntaxError")
    assert len(kernel_store.runs(trashed=None)) == before
    assert kernel.run(f"%%track fine\n{LOOP}").status == "ok"


def test_a_compile_error_is_the_users_and_switches_nothing_off(kernel, kernel_store):
    answer = kernel.run("%%track outside\nloss = 1\nreturn loss")
    assert answer.error.startswith("SyntaxError: 'return' outside function")
    assert answer.error.endswith("line 3)")
    assert answer.stderr == ""
    assert kernel_store.run("outside").status == "failed"
    kernel.run(f"%%track still-watched\n{LOOP}")
    assert kernel_store.run("still-watched").metrics["loss"].n == 3


def test_system_exit_ends_the_run_and_not_the_kernel(kernel, kernel_store):
    kernel.run("%%track leaves\nimport sys\nsys.exit(0)")
    kernel.run("%%track breaks\nsys.exit('no data')")
    assert kernel_store.run("leaves").status == "finished"
    assert kernel_store.run("breaks").status == "failed"
    assert kernel.run("1 + 1").result == "2"


@pytest.mark.parametrize("body", ["", "# soon", "\n\n", '"""only words"""'])
def test_bodies_without_code_are_runs_too(kernel, kernel_store, body):
    answer = kernel.run(f"%%track hollow\n{body}")
    assert answer.status == "ok"
    assert answer.line.startswith("run hollow")


def test_magics_and_shell_lines_work_in_the_body(kernel, kernel_store):
    answer = kernel.run("%%track shell\nhere = %pwd\n!echo said\nhere == str(here)")
    assert (answer.status, answer.result) == ("ok", "True")
    assert "said" in answer.stdout


def test_docstring_and_future_lines_stay_valid(kernel, kernel_store):
    body = '"""doc"""\nfrom __future__ import annotations\ndef f(x: nope): ...\n'
    for cell in (f"%%track future\n{body}", f"%%time\n%%track future\n{body}7"):
        assert kernel.run(cell).status == "ok"
    assert kernel.run("f.__annotations__['x']").result == "'nope'"


def test_a_slip_in_the_options_stops_the_cell_in_one_line(kernel, kernel_store):
    before = len(kernel_store.runs(trashed=None))
    answer = kernel.run("%%track --tga x\nran = True")
    says = "UsageError: nbtrack: Unknown option --tga. Did you mean --tag?\n"
    assert (answer.status, answer.stderr, answer.traceback) == ("error", says, "")
    assert kernel.run("'ran' in globals()").result == "False"
    bad = kernel.run("%%track -p lr=1/0\nran = True")
    assert bad.stderr.startswith("UsageError: nbtrack: Bad -p lr=1/0")
    assert len(kernel_store.runs(trashed=None)) == before


def test_values_given_with_the_options_are_kept(kernel, kernel_store):
    kernel.run(
        "%%track full -p a={'b': [1, 2.5]} -p opt=adam -t first -t 'data: mnist' "
        "-g folds -m err:max --notes 'two words' --experiment digits --seed 3\n"
        "import random\nerr = 0.5\nfor i in range(2):\n    err = random.random()\nerr"
    )
    run = kernel_store.run("full")
    assert (run.group, run.notes, run.experiment) == ("folds", "two words", "digits")
    assert dict(run.tags) == {"first": None, "data": "mnist"}
    assert run.params["opt"].value == "adam"
    assert run.params["seed"].value == 3
    assert run.metrics["err"].goal == "max"
    again = kernel.run("random.seed(3); [random.random() for _ in range(2)][-1]").result
    assert float(again) == run.metrics["err"].last


def test_no_watch_records_only_what_is_asked_for(kernel, kernel_store):
    kernel.run(f"%%track quiet --no-watch\n{LOOP}")
    kernel.run(f"%%track asked --no-watch --watch i\n{LOOP}")
    kernel.run("%%track named --watch thing\nfor i in range(3):\n    thing = i * 2")
    assert not kernel_store.run("quiet").metrics
    assert list(kernel_store.run("named").metrics) == ["thing"]


def test_a_cell_that_runs_a_tracked_cell_is_the_parent_of_its_run(kernel, kernel_store):
    answer = kernel.run(
        "%%track outer\nfor i in range(2):\n"
        "    loss = 1.0\n"
        f"    get_ipython().run_cell({'%%track inner' + chr(10) + LOOP!r})\n"
        "loss"
    )
    assert (answer.status, answer.result) == ("ok", "0.3333333333333333")
    outer = kernel_store.run("outer")
    inner = [r for r in kernel_store.runs() if r.name.startswith("inner")]
    assert [r.parent for r in inner] == [outer.id] * 2
    assert {r.status for r in [outer, *inner]} == {"finished"}
    assert outer.metrics["loss"].n == 2
    assert all(r.metrics["loss"].n == 3 for r in inner)


def test_a_run_started_within_a_tracked_cell_is_its_child(kernel, kernel_store):
    kernel.run(
        "%%track family\nwith nbtrack.start('child') as run:\n    run.log(loss=1.0)\n"
        "nbtrack.log(after=2.0)"
    )
    family, child = kernel_store.run("family"), kernel_store.run("child")
    assert child.parent == family.id
    assert "loss" in child.metrics
    assert "after" in family.metrics
    assert kernel.run("nbtrack.current() is None").result == "True"


def test_two_tracked_cells_in_a_row_are_two_runs(kernel, kernel_store):
    first = kernel.send(f"%%track row\n{LOOP}")
    second = kernel.send(f"%%track row\n{LOOP}loss")
    assert kernel.answer(first).line.startswith("run row ")
    assert kernel.answer(second).line.startswith("run row-2 ·")
    assert kernel_store.run("row-2").parent is None


def test_params_inherited_from_cells_are_said_with_their_cell(kernel, kernel_store):
    cell = kernel.run("width = 64").execution
    answer = kernel.run("%%track inherits\nmodel = [0] * width")
    assert kernel_store.run("inherits").params["width"].cell == f"[{cell}]"
    assert f"width (cell {cell})" in answer.line


def test_functions_of_earlier_cells_are_watched_and_given_back(kernel, kernel_store):
    kernel.run(
        "def train(n):\n    for i in range(n):\n        loss = 1.0 / (i + 1)\n"
        "    return loss\ncode = train.__code__"
    )
    answer = kernel.run("%%track calls\ntrain(4)")
    assert answer.result == "0.25"
    assert kernel_store.run("calls").metrics["loss"].n == 4
    assert kernel.run("train.__code__ is code").result == "True"


def test_a_trial_that_fails_or_is_stopped_is_no_error_of_the_cell(kernel):
    pytest.importorskip("optuna")
    swept = kernel.run(
        "%%sweep x=[1,2,3] --sampler grid --metric loss:min --name half\n"
        "x = 0\nfor i in range(2):\n    loss = x\n"
        "if x == 2:\n    raise ValueError('no two')\n"
        "if x == 3:\n    nbtrack.current().request_stop('test')\n"
        "    nbtrack.log(loss=x)\n"
    )
    assert (swept.status, swept.error, swept.traceback) == ("ok", "", "")
    kernel.run("import nbtrack")
    ended = kernel.run("sorted(nbtrack.runs('tags.sweep == \"half\"')['status'])")
    assert ended.result == "['failed', 'finished', 'stopped']"
    assert kernel.run("1 / 0").error == "ZeroDivisionError: division by zero"
