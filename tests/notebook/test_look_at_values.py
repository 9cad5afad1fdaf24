"""The look at values around every cell: the cell is the cell, whatever fails in it."""

from __future__ import annotations

import builtins

import pytest

from nbtrack.slices.slice import slice
from nbtrack.tracking.session import process_session

pytestmark = pytest.mark.reproduce

ROOM = "nbtrack.capture.dataflow."
BREAKS = [
    "flow_watch.FlowWatch.begin",
    "flow_watch.cell_reads",
    "flow_watch.look_around",
    "flow_watch.seeded_first",
    "flow_watch.reads_around",
    "flow_watch.files_behind",
    "known_values.portrait",
    "known_values.KnownValues.changes",
    "known_values.KnownValues.sweep",
    "files_touched.FileTrace.begin",
    "files_touched._look_into",
]


@pytest.fixture
def notebook(shell, plain_surroundings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell.run_cell("%load_ext nbtrack", store_history=True)
    yield shell
    shell.run_cell("%unload_ext nbtrack")


def run(shell, *cells):
    return [shell.run_cell(cell, store_history=True) for cell in cells]


@pytest.mark.parametrize("what", BREAKS)
def test_a_failure_of_ours_is_one_line_and_no_cells_business(
    notebook, monkeypatch, capsys, what
):
    def broken(*args, **kwargs):
        raise RuntimeError("broken on purpose")

    own_open = builtins.open
    monkeypatch.setattr(ROOM + what, broken)
    done = run(
        notebook,
        "x = [1]\nopen('t.txt', 'w').close()",
        "x.append(2)\nlen(x)",
        "%%track still\nfor i in range(3):\n    loss = len(x) / (i + 1)",
        "y = 1 / 0",
    )
    assert [cell.success for cell in done] == [True, True, True, False]
    assert done[1].result == 2
    assert isinstance(done[3].error_in_exec, ZeroDivisionError)
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count("broken on purpose") <= 1
    assert builtins.open is own_open
    assert process_session().executed.cells[-1].ok is False


def test_without_the_look_slices_come_from_the_texts(notebook):
    process_session().executed.looks_at_values = False
    run(notebook, "x = [1]", "z = 5", "x.append(2)", "y = len(x)")
    kept = [kept.cell.source for kept in slice("var:y").kept]
    assert kept == ["x = [1]", "x.append(2)", "y = len(x)"]


BAD = [
    "def f(:",
    "raise SystemError('x')",
    "exec('q = 1')",
    "globals()['r'] = 2",
    "class Odd:\n    def __reduce__(self):\n        raise OSError\nodd = Odd()",
    "odd2 = (lambda: (yield))()",
    "import threading\nt = threading.Thread(target=threading.Event().wait, args=(9,))\n"
    "t.daemon = True\nt.start()",
    "big = bytearray(80_000_000)",
    "big[5] = 1",
    "deep = []\nfor _ in range(5000):\n    deep = [deep]",
    "%load_ext autoreload\n%autoreload 2",
    "del x",
    "import builtins as b\nb.my_own = 3\ndel b.my_own",
    "x = input()",
    "%nosuchmagic 3",
    "x = " + "-" * 300 + "1",
    "_ = 3\n__ = 4",
    "In = None\nOut = None",
]


def test_whatever_a_cell_is_it_gives_what_it_gives_without_us(
    shell, plain_surroundings
):
    def outcomes():
        found = []
        for cell in BAD:
            done = shell.run_cell(cell, store_history=True)
            error = done.error_in_exec or done.error_before_exec
            found.append((done.success, type(error).__name__))
        return found

    shell.run_cell("x = 1")
    without = outcomes()
    shell.reset()
    shell.run_cell("%load_ext nbtrack")
    shell.run_cell("x = 1")
    assert outcomes() == without
    assert len(process_session().executed.cells) >= len(BAD)
    assert all(cell.flow is not None for cell in process_session().executed.cells[1:])
    shell.run_cell("%unload_ext nbtrack")
