"""Functions and classes of the notebook: watched in the cell, then as before."""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import os
import pickle
import sys

import pytest
from watching import RecordingSink, run_watched

from nbtrack.capture.watch import Watcher

TRAIN = """
def train_epoch(data):
    total = 0.0
    for i, x in enumerate(data):
        loss = x / 2
        total += loss
    epoch_loss = total / len(data)
    return epoch_loss
"""


def test_loops_of_an_earlier_function_are_watched_with_the_callers_counter():
    ran = run_watched("for epoch in range(2): train_epoch([1.0, 2.0])", TRAIN)
    assert ran.sink.values("loss") == [0.5, 1.0] * 2
    assert ran.sink.axis("loss", "epoch") == [0, 0, 1, 1]
    assert ran.sink.axis("loss", "i") == [0, 1, 0, 1]
    assert ran.sink.values("epoch_loss") == [0.75, 0.75]


def test_a_function_called_once_has_its_loops_watched_but_not_its_locals():
    ran = run_watched("train_epoch([1.0, 2.0])", TRAIN)
    assert ran.names == {"loss"}


def test_a_result_that_is_kept_under_a_metric_name_is_not_kept_twice():
    cell = "for epoch in range(2): train_loss = train_epoch([1.0, 2.0])"
    ran = run_watched(cell, TRAIN)
    assert ran.names == {"train_loss", "loss"}


def test_functions_are_followed_through_others():
    fit = "def fit(n):\n    for epoch in range(n): train_epoch([4.0])"
    ran = run_watched("fit(3)", TRAIN, fit)
    assert ran.sink.axis("loss", "epoch") == [0, 1, 2]
    assert ("epoch", 3, 3) in ran.report.loops


def test_functions_of_the_tracked_cell_itself_are_watched():
    ran = run_watched(TRAIN + "for epoch in range(2): train_epoch([1.0])")
    assert ran.sink.values("loss") == [0.5, 0.5]


WRAPPERS = {
    "wraps": "from functools import wraps\ndef deco(f):\n    @wraps(f)\n"
    "    def inner(*a): return f(*a)\n    return inner\n@deco",
    "no_grad": "import torch\n@torch.no_grad()",
    "inference_mode": "import torch\n@torch.inference_mode()",
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_decorated_functions_are_watched(wrapper):
    if wrapper != "wraps":
        pytest.importorskip("torch")
    ran = run_watched("train_epoch([1.0])", WRAPPERS[wrapper] + TRAIN)
    assert ran.sink.values("loss") == [0.5]


def test_partial_functions_are_watched():
    partial = "from functools import partial\nstep = partial(train_epoch, [1.0, 3.0])"
    assert run_watched("step()", TRAIN, partial).sink.values("loss") == [0.5, 1.5]


TRAINER = """
class Trainer:
    def __init__(self): self.losses = []
    def step(self, x): return x / 2
    def fit(self, n):
        for epoch in range(n):
            loss = self.step(epoch)
            self.losses.append(loss)
    @staticmethod
    def score_all(n):
        for k in range(n): score = k * 2
class Special(Trainer): pass
trainer = Special()
"""


def test_methods_of_notebook_classes_are_watched_also_inherited_ones():
    ran = run_watched("trainer.fit(3)\nTrainer.score_all(2)", TRAINER)
    assert ran.sink.values("loss") == ran.namespace["trainer"].losses == [0, 0.5, 1]
    assert ran.sink.values("score") == [0, 2]
    assert ran.names == {"loss", "score"}


def test_closures_keep_their_cells():
    make = """
def make(factor):
    def run(n):
        for i in range(n): loss = i * factor
        return loss
    return run
run = make(3)
"""
    ran = run_watched("result = run(3)", make)
    assert ran.sink.values("loss") == [0, 3, 6]
    assert ran.namespace["result"] == 6


def test_recursion_counts_every_assignment():
    walk = "def walk(n):\n    for i in range(1): loss = float(n)\n    if n: walk(n - 1)"
    assert run_watched("walk(3)", walk).sink.values("loss") == [3, 2, 1, 0]


def test_generators_and_coroutines_are_watched():
    setup = """
def train():
    for epoch in range(3):
        loss = epoch / 2
        yield loss
async def atrain():
    for epoch in range(2):
        acc = float(epoch)
"""
    cell = "import asyncio\nfor _ in train(): pass\nasyncio.run(atrain())"
    ran = run_watched(cell, setup)
    assert ran.error is None
    assert ran.sink.values("loss") == [0, 0.5, 1]
    assert ran.sink.values("acc") == [0, 1]


def test_evaluation_does_not_take_the_plain_name_from_training():
    setup = """
def evaluate():
    for x in [8.0]: loss = x
def train():
    for x in [1.0]: loss = x
"""
    ran = run_watched("evaluate()\ntrain()", setup)
    assert ran.sink.values("loss") == [1.0]
    assert ran.sink.values("evaluate.loss") == [8.0]


# -- as before -----------------------------------------------------------------------


def code_of(namespace, name):
    return namespace[name].__code__


@pytest.mark.parametrize("ending", ["", "\nraise KeyboardInterrupt", "\n1 / 0"])
def test_every_function_has_its_own_code_again(ending):
    namespace = {"__name__": "__main__"}
    exec(compile(TRAIN, "<cell 0>", "exec"), namespace)
    before = code_of(namespace, "train_epoch")
    tree = ast.parse("for e in range(2): train_epoch([1.0])" + ending)
    watcher = Watcher(RecordingSink())
    watched = watcher.instrument(tree, namespace)
    watcher.instrument_functions(tree, namespace, {"<cell 0>": TRAIN}.get)
    assert code_of(namespace, "train_epoch") is not before
    with contextlib.suppress(KeyboardInterrupt, ZeroDivisionError):
        exec(compile(watched, "<tracked>", "exec"), namespace)
    watcher.finish()
    assert code_of(namespace, "train_epoch") is before
    assert "__nbtrack_watch__" not in namespace


def test_functions_that_the_cell_made_have_clean_code_afterwards():
    cell = f'{TRAIN}{TRAINER}train_epoch([1.0])\ntrainer.fit(1)\n"""end"""'
    ran = run_watched(cell)
    plain = {"__name__": "__main__"}
    exec(compile(cell, "<tracked>", "exec"), plain)
    assert code_of(ran.namespace, "train_epoch") == code_of(plain, "train_epoch")
    fit = ran.namespace["Trainer"].fit.__code__
    assert fit == plain["Trainer"].fit.__code__
    assert "__nbtrack_watch__" not in fit.co_names


def test_line_numbers_and_names_of_a_lent_function_stay():
    ran = run_watched(
        "fail()", "def fail():\n    for i in range(2):\n        loss = 1 / i"
    )
    frames = []
    trace = ran.error.__traceback__
    while trace:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    assert frames[-2:] == [("<tracked>", 1), ("<cell 0>", 3)]


def test_calls_after_the_run_record_nothing_and_a_generator_may_go_on():
    setup = (
        "def train():\n    for i in range(4):\n        loss = float(i)\n        yield i"
    )
    ran = run_watched("g = train(); next(g)", setup)
    n = len(ran.sink.points)
    assert list(ran.namespace["g"]) == [1, 2, 3]
    assert len(ran.sink.points) == n


def test_a_second_watcher_does_not_hear_the_first_ones_calls():
    setup = (
        "def train():\n    for i in range(4):\n        loss = float(i)\n        yield i"
    )
    first = run_watched("g = train(); next(g)", setup)
    second = run_watched("for x in g: acc = 0.5", namespace=first.namespace)
    assert second.names == {"acc"}
    assert second.sink.values("acc") == [0.5] * 3


def test_reset_in_the_middle_of_the_cell_does_no_harm():
    cell = (
        "for i in range(3):\n    globals().pop('__nbtrack_watch__', 0)\n    loss = 1.0"
    )
    ran = run_watched(cell)
    assert ran.error is None
    assert ran.sink.values("loss") == [1, 1, 1]


# -- left alone ----------------------------------------------------------------------


def test_what_goes_to_a_compiler_is_left_alone():
    setup = """
class torch:
    @staticmethod
    def compile(f): return f
def step():
    for i in range(2): loss = 1.0
"""
    ran = run_watched("fast = torch.compile(step)\nfast()", setup)
    assert not ran.names
    ran = run_watched(
        "def njit(f): return f\n@njit\n"
        "def step():\n for i in range(2): loss = 1.0\nstep()"
    )
    assert not ran.names


def test_a_function_whose_source_is_unknown_or_another_is_left_alone():
    namespace = {"__name__": "__main__"}
    exec(compile(TRAIN, "<gone>", "exec"), namespace)
    assert not run_watched("train_epoch([1.0])", namespace=namespace).names
    changed = {"__name__": "__main__"}
    exec(compile(TRAIN.replace("data", "rows"), "<cell 0>", "exec"), changed)
    tree, watcher = ast.parse("train_epoch([1.0])"), Watcher(RecordingSink())
    watcher.instrument(tree, changed)
    before = code_of(changed, "train_epoch")
    watcher.instrument_functions(tree, changed, {"<cell 0>": TRAIN}.get)
    assert code_of(changed, "train_epoch") is before
    watcher.finish()


def test_library_functions_are_left_alone():
    import textwrap

    before = textwrap.dedent.__code__
    run_watched(
        "for i in range(2): score = len(dedent('a'))", "from textwrap import dedent"
    )
    assert textwrap.dedent.__code__ is before


# -- other processes -----------------------------------------------------------------


def test_a_function_pickled_by_value_in_the_cell_runs_elsewhere(tmp_path):
    cloudpickle = pytest.importorskip("cloudpickle")
    cell = f"{TRAIN}\ntrain_epoch([1.0])\nsent = dumps(train_epoch)"
    ran = run_watched(
        cell, namespace={"__name__": "__main__", "dumps": cloudpickle.dumps}
    )
    assert ran.error is None
    assert pickle.loads(ran.namespace["sent"])([1.0, 3.0]) == 1.0


def test_in_a_forked_child_nothing_is_recorded():
    cell = """
import os
for i in range(2):
    loss = 1.0
    if i == 0:
        pid = os.fork()
        if pid == 0:
            child = True
"""
    sink = RecordingSink()
    reading, writing = os.pipe()
    try:
        ran = run_watched(cell, sink=sink)
        if ran.namespace.get("child"):
            os.write(writing, str(len(sink.values("loss"))).encode())
            os._exit(0)
        os.waitpid(ran.namespace["pid"], 0)
        assert os.read(reading, 10) == b"1"
        assert sink.values("loss") == [1.0, 1.0]
    finally:
        os.close(reading)
        os.close(writing)


def test_the_hidden_object_is_one_per_process_and_copies_are_inert():
    run_watched("for i in range(2): loss = 1.0")
    hidden = builtins.__nbtrack_watch__
    run_watched("for i in range(2): loss = 1.0")
    assert builtins.__nbtrack_watch__ is hidden
    copy = pickle.loads(pickle.dumps(hidden))
    assert copy.v1(3) == 3
    assert copy.a1(3) is None


def test_top_level_await_cells_are_watched():
    tree = ast.parse(
        "import asyncio\n"
        "for i in range(2):\n    await asyncio.sleep(0)\n    loss = i / 1\n"
    )
    sink, namespace = RecordingSink(), {"__name__": "__main__"}
    watcher = Watcher(sink)
    watched = watcher.instrument(tree, namespace)
    code = compile(watched, "<t>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    asyncio.run(eval(code, namespace))
    watcher.finish()
    assert sink.values("loss") == [0, 1]


def test_async_functions_of_the_cell_get_clean_code():
    cell = (
        "import asyncio\nasync def f():\n"
        "    for i in range(2): loss = 1.0\nasyncio.run(f())"
    )
    ran = run_watched(cell)
    assert ran.sink.values("loss") == [1, 1]
    assert "__nbtrack_watch__" not in ran.namespace["f"].__code__.co_names


def test_every_line_that_runs_is_a_line_that_ran_before():
    cell = (
        TRAIN
        + "for epoch in range(2):\n    loss = train_epoch(\n        [1.0]\n    )\n"
    )
    assert lines_of(cell, watched=True) == lines_of(cell, watched=False)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of Python 3.12")
def test_functions_with_type_parameters_are_watched_and_put_back():
    setup = """
def fit[T: float](rate: T) -> T:
    for epoch in range(3):
        loss = epoch * rate
    return loss
class Model[T]:
    def train(self, rate: T):
        for step in range(2):
            acc = step * rate
"""
    ran = run_watched("fit(0.5); Model().train(0.5)", setup)
    assert ran.sink.values("loss") == [0.0, 0.5, 1.0]
    assert ran.sink.values("acc") == [0.0, 0.5]
    assert ran.namespace["fit"](2) == 4
    assert len(ran.sink.values("loss")) == 3


def lines_of(cell: str, *, watched: bool) -> set[int]:
    lines: set[int] = set()

    def trace(frame, event, arg):
        if frame.f_code.co_filename == "<tracked>":
            lines.add(frame.f_lineno)
        return trace

    sys.settrace(trace)
    try:
        if watched:
            run_watched(cell)
        else:
            exec(compile(cell, "<tracked>", "exec"), {"__name__": "__main__"})
    finally:
        sys.settrace(None)
    return lines
