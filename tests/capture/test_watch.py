"""Which values of a cell become points, under which names, steps and axes."""

from __future__ import annotations

import pytest
from watching import RecordingSink, run_watched

from nbtrack.errors import RunStopped
from nbtrack.guard import guard


def test_an_assignment_in_a_loop_is_a_series_with_its_counter():
    ran = run_watched("for epoch in range(3): loss = 1 / (epoch + 1)")
    assert ran.sink.steps_and_values("loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert ran.sink.axis("loss", "epoch") == [0, 1, 2]
    assert ran.report.loops == [("epoch", 3, 3)]


def test_epoch_times_batch_keeps_every_point_with_both_counters():
    ran = run_watched(
        """
for epoch in range(3):
    for i, x in enumerate([5.0, 6.0]):
        loss = x / (epoch + 1)
"""
    )
    assert len(ran.sink.values("loss")) == 6
    assert ran.sink.axis("loss", "epoch") == [0, 0, 1, 1, 2, 2]
    assert ran.sink.axis("loss", "i") == [0, 1, 0, 1, 0, 1]
    epochs = ran.sink.steps_and_values("epoch", "loss")
    assert len(epochs) == 3, "an axis is written when it changes"


SHAPES = {
    "annotated": ("loss: float = float(i)", "loss", [0, 1, 2]),
    "tuple target": ("loss, acc = i + 0.5, 1.0", "loss", [0.5, 1.5, 2.5]),
    "nested tuple": ("(a, (loss, b)), *c = (1, (i, 2)), 3", "loss", [0, 1, 2]),
    "chained": ("a = loss = i * 2", "loss", [0, 2, 4]),
    "constant subscript": ("hist['val_loss'] = i", "val_loss", [0, 1, 2]),
    "nested subscript": ("deep['train']['loss'].append(i)", "train_loss", [0, 1, 2]),
    "list in a dict": ("lists['acc'].append(i)", "acc", [0, 1, 2]),
    "attribute": ("me.loss = i", "loss", [0, 1, 2]),
    "list of losses": ("losses.append(i)", "loss", [0, 1, 2]),
    "history list": ("loss_history.append(i)", "loss", [0, 1, 2]),
    "attribute list": ("me.train_losses.append(i)", "train_loss", [0, 1, 2]),
    "record": ("rows.append({'epoch': i, 'val_f1': i + 1.0})", "val_f1", [1, 2, 3]),
    "dict call": ("rows.append(dict(epoch=i, auc=i))", "auc", [0, 1, 2]),
    "walrus": ("print(end='') if (loss := i) else None", "loss", [0, 1, 2]),
    "one line if": ("if True: loss = i", "loss", [0, 1, 2]),
    "with": ("with open('/dev/null'): loss = i", "loss", [0, 1, 2]),
    "try": ("try: loss = i\n    finally: pass", "loss", [0, 1, 2]),
    "match": ("match i:\n        case _: loss = i", "loss", [0, 1, 2]),
    "camel case": ("valLoss = i", "valLoss", [0, 1, 2]),
    "scaled": ("lr *= 0.5", "lr", [4, 2, 1]),
    "dict of splits": ("losses = two(i)", "val_loss", [0, 1, 2]),
}
BEFORE = """
from types import SimpleNamespace
def two(i): return {"train": i + 1, "val": i}
hist, lists, deep = {}, {"acc": []}, {"train": {"loss": []}}
losses, loss_history, rows, lr = [], [], [], 8.0
me = SimpleNamespace(train_losses=[])
"""


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_assignment_and_append_is_seen(shape):
    statement, name, expected = SHAPES[shape]
    ran = run_watched(f"for i in range(3):\n    {statement}", BEFORE)
    assert ran.error is None
    assert ran.sink.values(name) == expected
    assert ran.sink.axis(name, "i") == [0, 1, 2]


UNWATCHED = {
    "running_loss += x": "running_loss = 0.0",
    "loss_fn = len": "",
    "criterion = x": "",
    "best_loss = x": "",
    "name = 'loss'": "",
    "x = 0.5": "",
    "loss_name = 'a'": "",
    "glossary = 3": "",
}


@pytest.mark.parametrize("statement", UNWATCHED)
def test_names_that_say_no_metric_are_left_alone(statement):
    ran = run_watched(f"for x in range(3): {statement}", UNWATCHED[statement])
    assert not ran.names
    assert not ran.report.skipped


def test_outside_of_loops_nothing_is_watched():
    assert not run_watched("loss = 0.5\nlosses = [1.0]\nlosses.append(2.0)").names


def test_an_exception_called_error_is_no_metric():
    ran = run_watched(
        "for i in range(2):\n try: 1 / 0\n except ZeroDivisionError as error: pass"
    )
    assert not ran.names
    assert ran.error is None


@pytest.mark.parametrize("value", ["'low'", "None", "True", "len", "float"])
def test_flags_texts_and_functions_are_passed_over_in_silence(value):
    ran = run_watched(f"for i in range(2): loss = {value}")
    assert not ran.names
    assert not ran.report.skipped


def test_a_first_value_that_is_no_scalar_switches_off_with_the_reason():
    ran = run_watched(
        "import numpy as np\nfor i in range(2): error = np.ones((2, 3)) * i"
    )
    assert ran.report.skipped == {"error": "ndarray of shape (2, 3)"}


# -- once, and the value a person would note -----------------------------------------


def test_the_same_value_assigned_and_appended_is_one_series():
    ran = run_watched(
        """
losses = []
for i in range(3):
    loss = i * 1.5
    losses.append(loss)
"""
    )
    assert ran.names == {"loss"}
    assert ran.sink.values("loss") == ran.namespace["losses"]


def test_an_append_now_and_then_does_not_replace_the_assignment():
    ran = run_watched(
        """
losses = []
for i in range(4):
    loss = float(i)
    if i % 2 == 0:
        losses.append(loss)
"""
    )
    assert ran.names == {"loss"}
    assert ran.sink.values("loss") == [0, 1, 2, 3]


def test_a_loss_that_is_refined_is_kept_once_with_its_last_value():
    ran = run_watched(
        """
for i in range(3):
    loss = float(i)
    loss = loss + 10
    if i == 2:
        loss *= 2
"""
    )
    assert ran.sink.values("loss") == [10, 11, 24]


def test_a_loss_summed_over_a_sequence_is_kept_when_the_sum_is_done():
    ran = run_watched(
        """
for i in range(2):
    loss = 0
    for t in range(3):
        loss += t
"""
    )
    assert ran.sink.values("loss") == [3, 3]


def test_an_accumulator_counts_once_it_is_divided():
    ran = run_watched(
        """
for epoch in range(2):
    running_loss = 0.0
    for x in [1.0, 2.0]:
        running_loss += x
    running_loss /= 2
"""
    )
    assert ran.sink.values("running_loss") == [1.5, 1.5]


def test_branches_of_an_if_are_one_series():
    ran = run_watched(
        "for i in range(3):\n if i % 2: loss = 1.0\n else: loss = i + 2.0"
    )
    assert ran.sink.values("loss") == [2, 1, 4]


def test_train_and_validation_loops_do_not_mix():
    ran = run_watched(
        """
for epoch in range(2):
    for x in train_loader:
        loss = x + 0.0
    for x in val_loader:
        loss = x + 100.0
""",
        "train_loader, val_loader = [1, 2], [3]",
    )
    assert ran.sink.values("loss") == [1, 2, 1, 2]
    assert ran.sink.values("val_loader.loss") == [103, 103]


def test_two_measures_of_one_name_in_one_body_do_not_mix():
    ran = run_watched("for i in range(2):\n loss = i + 1.0\n loss = i + 9.0")
    assert ran.sink.values("loss") == [1, 2]
    assert ran.sink.values("loss_2") == [9, 10]


# -- loops ---------------------------------------------------------------------------


def test_an_early_break_shows_in_the_rounds_of_the_loop():
    ran = run_watched("for epoch in range(50):\n loss = 1.0\n if epoch == 3: break")
    assert ran.report.loops == [("epoch", 50, 4)]


def test_a_while_loop_has_the_counter_it_counts_up():
    ran = run_watched(
        "step, loss = 0, 8.0\nwhile loss > 1:\n    loss = loss / 2\n    step += 1",
    )
    assert ran.sink.values("loss") == [4, 2, 1]
    assert run_watched(
        "n = 0\nwhile True:\n    loss = 1.0\n    n += 1\n    if n > 2: break"
    ).report.loops == [("n", None, 3)]


def test_a_counter_without_a_value_before_the_loop_is_not_touched():
    cell = "while True:\n    loss = 1.0\n    n += 1"
    ran = run_watched(cell)
    assert isinstance(ran.error, NameError)
    assert ran.sink.values("loss") == [1.0]


def test_a_deleted_counter_is_no_axis():
    ran = run_watched("for i in range(2):\n    del i\n    loss = 1.0")
    assert ran.error is None
    assert ran.sink.values("loss") == [1, 1]
    assert ran.sink.series == [("loss", None)]


def test_loops_over_things_have_no_counter_and_numbers_written_out_have():
    ran = run_watched("for i in ['a', 'b']: loss = 1.0")
    assert ran.sink.series == [("loss", None)]
    ran = run_watched("for C in [0.01, 0.1]: score = C * 2")
    assert ran.sink.axis("score", "C") == [0.01, 0.1]


def test_a_counter_that_holds_arrays_does_no_harm():
    ran = run_watched(
        "import numpy as np\nfor i in list(np.ones((3, 2))): loss = float(i[0])"
    )
    assert ran.sink.values("loss") == [1, 1, 1]
    assert not ran.report.skipped


def test_nested_loops_may_share_a_variable():
    ran = run_watched("for i in range(2):\n for i in range(3): loss = float(i)")
    assert ran.sink.axis("loss", "i") == [0, 1, 2, 0, 1, 2]


def test_tqdm_and_else_and_continue_are_fine():
    pytest.importorskip("tqdm")
    ran = run_watched(
        """
from tqdm import tqdm
for epoch in tqdm(range(4), disable=True):
    if epoch == 1:
        continue
    loss = epoch
else:
    finished = True
"""
    )
    assert ran.sink.axis("loss", "epoch") == [0, 2, 3]
    assert ran.namespace["finished"]
    assert ran.report.loops == [("epoch", 4, 4)]


def test_a_comprehension_of_steps_is_a_loop():
    ran = run_watched(
        "losses = [step(i) for i in range(3)]", "def step(i): return i / 2"
    )
    assert ran.sink.values("loss") == [0, 0.5, 1]


# -- asked for by name ---------------------------------------------------------------


def test_watch_takes_any_name_anywhere():
    cell = "total_loss = 0.0\nfor i in range(3):\n    total_loss += i\nz = 4"
    ran = run_watched(cell, watch=("total_loss", "z"))
    assert ran.sink.values("total_loss") == [0, 1, 3]
    assert ran.sink.values("z") == [4]


def test_without_zero_edit_only_what_was_asked_for_is_watched():
    cell = "for i in range(2):\n    loss = 1.0\n    x = i"
    assert run_watched(cell, watch=("x",), zero_edit=False).names == {"x"}
    assert run_watched(cell, zero_edit=False).names == set()


def test_a_watched_loop_variable_counts():
    ran = run_watched("for lr in [0.1, 0.2]: pass", watch=("lr",))
    assert ran.sink.values("lr") == [0.1, 0.2]


# -- who wins, who stops, what fails -------------------------------------------------


def test_logging_by_hand_wins_from_the_first_point():
    sink = RecordingSink()
    cell = "for i in range(3):\n    loss = 1.0\n    acc = 0.5\n    run.log(loss=loss)"

    class Run:
        def log(self, **values):
            sink.logged_names.update(values)

    ran = run_watched(cell, namespace={"run": Run()}, sink=sink)
    assert ran.sink.values("loss") == []
    assert ran.sink.values("acc") == [0.5] * 3


def test_a_single_point_is_kept_where_the_cell_logs_other_things():
    cell = "for i in range(1):\n    acc = 0.5\n    run.log(loss=1)"

    class Run:
        def log(self, **values): ...

    assert run_watched(cell, namespace={"run": Run()}).sink.values("acc") == [0.5]


def test_stop_reaches_the_loop_through_the_next_value():
    ran = run_watched(
        "n = 0\nfor i in range(100):\n    loss = 1.0\n    n += 1",
        sink=RecordingSink(stop_after=6),
    )
    assert isinstance(ran.error, RunStopped)
    assert ran.namespace["n"] < 5


@pytest.mark.parametrize("method", ["declare", "point", "thinned"])
def test_a_sink_that_raises_costs_one_warning_and_the_cell_completes(method, capsys):
    class Broken(RecordingSink):
        pass

    def fail(*_, **__):
        raise OSError("no space left")

    setattr(Broken, method, fail)
    guard.failures.clear()
    ran = run_watched("for i in range(3000): loss = i / 2\ndone = True", sink=Broken())
    assert ran.error is None
    assert ran.namespace["done"]
    assert capsys.readouterr().err.count("no space left") == 1
    guard.failures.clear()


def test_a_tree_that_cannot_be_read_is_run_as_it_is(monkeypatch, capsys):
    def fail(*_, **__):
        raise RuntimeError("bad tree")

    monkeypatch.setattr("nbtrack.capture.watch.read_scope", fail)
    guard.failures.clear()
    ran = run_watched("for i in range(2): loss = 1.0\ndone = True")
    assert ran.namespace["done"]
    assert not ran.names
    assert capsys.readouterr().err.count("bad tree") == 1
    guard.failures.clear()
