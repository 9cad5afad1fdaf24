"""The executed-cell log of a kernel session."""

import hashlib
import time

import pytest

from nbtrack.capture.session import SessionLog, names_bound


def run(log, source, execution, *, ok=True, error=None, namespace=None, change=None):
    log.begin(source, f"id{execution}", execution, namespace=namespace)
    if change:
        namespace.update(change)
    log.end(ok, error, execution, namespace=namespace)


def test_cells_are_kept_in_order_with_what_happened():
    log = SessionLog()
    run(log, "a = 1", 1)
    run(log, "1/0", 2, ok=False, error="ZeroDivisionError: division by zero")
    first, second = log.cells
    assert first.digest == hashlib.sha256(b"a = 1").hexdigest()
    assert (first.cell_id, first.label, first.ok) == ("id1", "[1]", True)
    assert second.error == "ZeroDivisionError: division by zero"
    assert 0 <= second.duration_s < 5
    assert first.started_at < second.started_at
    assert first.started_at.endswith("Z")


def test_edited_cells_stay_in_the_log():
    log = SessionLog()
    log.begin("lr = 1", "same", 1)
    log.end(True, None, 1)
    log.begin("lr = 2", "same", 2)
    log.end(True, None, 2)
    assert [cell.source for cell in log.cells] == ["lr = 1", "lr = 2"]
    assert log.origin_of("lr") == "[2]"


def test_running_cell_is_not_its_own_origin():
    log = SessionLog()
    run(log, "lr = 1", 1)
    log.begin("lr = lr * 2", None, 2)
    assert log.origin_of("lr") == "[1]"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = 1; b: int = 2; c += 1", {"a", "b", "c"}),
        ("import os.path, numpy as np\nfrom x import y as z", {"os", "np", "z"}),
        ("def f(q): w = 1\nclass K:\n    inner = 1", {"f", "K"}),
        ("for i in x: pass\nwith o() as h: pass", {"i", "h"}),
        ("try: pass\nexcept E as e: pass\n[(k := t) for t in x]", {"e", "k"}),
        ("a, (b, *c) = x", {"a", "b", "c"}),
        ("x.attr = 1\ny[0] = 2\nprint(z)", set()),
        ("r = await job()", {"r"}),
        ("%matplotlib inline\na = 1\n!ls", {"a"}),
        ("for for", set()),
    ],
)
def test_names_that_a_cell_binds(source, names):
    assert names_bound(source) == names


def test_names_set_behind_the_text_are_found_in_the_namespace():
    log = SessionLog()
    namespace = {"old": object()}
    run(log, "setup()", 1, namespace=namespace, change={"lr": 0.1, "old": object()})
    assert (log.origin_of("lr"), log.origin_of("old")) == ("[1]", "[1]")


def test_cell_that_raised_binds_only_what_it_reached():
    log = SessionLog()
    namespace = {}
    run(log, "a = 1\n1/0\nb = 2", 1, ok=False, namespace=namespace, change={"a": 1})
    assert log.origin_of("a") == "[1]"
    assert log.origin_of("b") is None


def test_rebinding_the_same_value_moves_the_origin():
    log = SessionLog()
    namespace = {"n": 1}
    run(log, "n = 1", 1, namespace=namespace)
    run(log, "n = 1", 2, namespace=namespace)
    assert log.origin_of("n") == "[2]"


def test_cell_that_runs_another_one_ends_after_it():
    log = SessionLog()
    log.begin("outer()", None, 1)
    log.begin("inner = 1", None, 2)
    log.end(True, None, 2)
    log.end(True, None, 1)
    assert [cell.ok for cell in log.cells] == [True, True]
    assert log.origin_of("inner") == "[2]"


def test_number_that_the_end_tells_is_the_one_that_counts():
    log = SessionLog()
    log.begin("lr = 1", None, 8)
    log.end(True, None, 7)
    assert log.origin_of("lr") == "[7]"


def test_end_without_begin_is_ignored():
    log = SessionLog()
    log.end(True, None, 5)
    assert log.cells == []


def test_source_is_found_by_the_compiled_name():
    log = SessionLog()
    log.begin("%time f()", None, 1, filename="/tmp/k/1.py", python="run('f()')")
    assert log.source_of("/tmp/k/1.py") == "run('f()')"
    assert log.source_of("/tmp/k/2.py") is None


def test_hostile_source_is_logged():
    log = SessionLog()
    run(log, "x = '\ud800'\x00", 1)
    assert log.cells[0].ok is True


@pytest.mark.benchmark
def test_plain_cell_costs_under_a_millisecond():
    log = SessionLog()
    namespace = {f"name{k}": k for k in range(500)}
    source = "x = f(y)\n" * 30
    taken = []
    for execution in range(50):
        # Of this thread: other tests may run beside this one.
        started = time.thread_time()
        run(log, source, execution, namespace=namespace)
        taken.append(time.thread_time() - started)
    assert sorted(taken)[5] < 0.001
