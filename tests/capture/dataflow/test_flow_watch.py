"""What executed cells read and change, seen at their boundaries."""

from __future__ import annotations

import os
import threading

import pytest

from nbtrack.capture.dataflow.flow_watch import FlowWatch
from nbtrack.capture.dataflow.users_names import users_names


class Notebook:
    """Cells run one after another, without IPython."""

    def __init__(self, *, tracking=False):
        self.names = {"__name__": "__main__"}
        self.watch = FlowWatch()
        self.watch.is_tracking = tracking

    def run(self, source, *, moved=(), out=None):
        begun = self.watch.begin(source, self.names)
        ok = True
        try:
            exec(compile(source, "<cell>", "exec"), self.names)
        except Exception:
            ok = False
        return self.watch.end(begun, self.names, ok=ok, moved=moved, out=out)


@pytest.fixture(params=[False, True], ids=["at rest", "tracking"])
def notebook(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Notebook(tracking=request.param)


COUNTER = """
def make():
  n = 0
  def up():
    nonlocal n
    n += 1
  return up
x = make()
"""
MUTATIONS = [
    ("x = [1]", "x.append(2)"),
    ("x = {}", "x['a'] = 1"),
    ("x = {'a': [1]}", "x['a'][0] = 5"),
    ("x = set()", "x.add(1)"),
    ("class A: pass\nx = A()", "x.n = 1"),
    (COUNTER, "x()"),
    ("x = iter([1, 2])", "next(x)"),
    ("def g():\n  yield 1\n  yield 2\nx = g()", "next(x)"),
    ("import functools\n@functools.lru_cache\ndef x(a): return a", "x(3)"),
    ("def x(a, seen=[]):\n  seen.append(a)", "x(1)"),
    ("class x:\n  n = 0\n  @classmethod\n  def up(cls): cls.n += 1", "x.up()"),
    ("import numpy as np\nx = np.zeros(3)", "x[0] = 1"),
    ("import numpy as np\nx = np.zeros(3)", "np.add(x, 1, out=x)"),
    ("import pandas as pd\nx = pd.DataFrame({'a': [1, 2]})", "x['b'] = 3"),
    ("from collections import deque\nx = deque([1, 2])", "x.rotate()"),
    ("x = bytearray(b'ab')", "x[0] = 0"),
    ("import random\nx = random.Random(1)", "x.random()"),
    (
        "import logging\nx = logging.getLogger('of a test')",
        "x.addHandler(logging.NullHandler())",
    ),
    ("import io\nx = io.StringIO('a\\nb')", "x.readline()"),
]


@pytest.mark.parametrize(("made", "changed"), MUTATIONS)
def test_a_change_in_place_is_a_write(notebook, made, changed):
    notebook.run(made)
    flow = notebook.run(changed)
    assert flow.writes.get("x") == "changed"
    assert "x" in flow.reads
    assert "x" not in flow.kills


@pytest.mark.parametrize(("made", "changed"), MUTATIONS)
def test_looking_is_no_write(notebook, made, changed):
    notebook.run(made)
    assert "x" not in notebook.run("type(x), id(x)").writes


def test_an_alias_changes_with_it(notebook):
    notebook.run("x = [1]")
    notebook.run("y = x")
    notebook.run("z = {'deep': y}")
    assert set(notebook.run("y.append(1)").writes) == {"x", "y", "z"}


def test_a_view_changes_its_base(notebook):
    notebook.run("import numpy as np\nx = np.zeros(4)")
    notebook.run("v = x[1:]")
    assert set(notebook.run("v[0] = 9").writes) == {"x", "v"}


def test_a_function_changes_what_it_reads(notebook):
    notebook.run("x = []\ndef f():\n  x.append(1)")
    flow = notebook.run("f()")
    assert flow.writes == {"x": "changed"}
    assert {"f", "x"} <= set(flow.reads)


def test_names_set_by_exec_and_globals_are_seen(notebook):
    assert notebook.run("exec('a' + ' = 1')").writes["a"] == "set"
    flow = notebook.run("globals()['b'] = a")
    assert flow.writes["b"] == "set"
    assert "@everything" in flow.reads


def test_a_cell_that_raised_wrote_what_it_wrote(notebook):
    notebook.run("x = [1]")
    flow = notebook.run("x.append(2)\ny = 1\n1 / 0\nz = 3")
    assert flow.writes == {"x": "changed", "y": "set"}


def test_a_store_under_a_condition_that_held_hides_earlier_ones(notebook):
    notebook.run("c, r = True, [1, 2]")
    notebook.run("if c:\n  x = 1.5\ny = x")
    flow = notebook.run("for v in r:\n  x = v * 1.1\ny = x")
    assert "x" not in flow.reads
    assert "x" in flow.kills


def test_a_loop_that_did_not_run_leaves_what_was_there(notebook):
    notebook.run("x, r = 2.5, []")
    flow = notebook.run("for v in r:\n  x = v\ny = x")
    assert "x" in flow.reads
    assert "x" not in flow.kills


def test_importing_again_changes_nothing(notebook):
    notebook.run("import math, json")
    assert notebook.run("import math").writes == {}


def test_deleting_is_a_write(notebook):
    notebook.run("x = 1")
    flow = notebook.run("del x")
    assert flow.writes == {"x": "deleted"}


def test_too_large_a_value_may_have_changed(notebook):
    notebook.run("import numpy as np\nx = np.zeros(40_000_000, dtype='int8')")
    flow = notebook.run("n = x.sum()")
    assert "over the budget" in flow.may_write["x"]
    assert flow.writes.keys() == {"n"}


def test_what_stands_around_is_seen(notebook, tmp_path, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    notebook.run("import os, decimal, math")
    (tmp_path / "sub").mkdir()
    assert notebook.run("os.chdir('sub')").writes == {"@cwd": "changed"}
    assert notebook.run("os.environ['MY_KEY'] = '1'").writes == {"@env:MY_KEY": "set"}
    assert "@env:MY_KEY" in notebook.run("k = os.environ['MY_KEY']").reads
    precision = "decimal.getcontext().prec = 5"
    assert notebook.run(precision).writes == {"@context:decimal": "changed"}
    assert "@context:decimal" in notebook.run("d = decimal.Decimal(1) / 3").reads
    assert "@context:decimal" not in notebook.run("e = math.pi").reads
    notebook.run("decimal.getcontext().prec = 28")
    del os.environ["MY_KEY"]


def test_patching_a_library_is_read_by_its_users(notebook):
    notebook.run("import textwrap, json\nold = textwrap.dedent")
    flow = notebook.run("textwrap.dedent = lambda text: 'patched'")
    assert flow.writes["@module:textwrap"] == "changed"
    assert "@module:textwrap" in notebook.run("y = textwrap.dedent('a')").reads
    assert "@module:textwrap" not in notebook.run("z = json.dumps(1)").reads
    notebook.run("textwrap.dedent = old")


def test_files_join_cells(notebook, tmp_path):
    path = str(tmp_path / "t.txt")
    wrote = notebook.run("with open('t.txt', 'w') as f:\n  f.write('5')")
    assert wrote.writes["@file:" + path] == "set"
    assert "@file:" + path in wrote.kills
    assert (
        "@file:" + path
        in notebook.run("from pathlib import Path\nd = Path('t.txt').read_text()").reads
    )
    more = notebook.run("with open('t.txt', 'a') as f:\n  f.write('6')")
    assert more.writes["@file:" + path] == "changed"
    assert "@file:" + path not in more.kills


def test_files_of_other_programs_join_cells(notebook, tmp_path):
    notebook.run("import subprocess")
    flow = notebook.run("subprocess.run('echo 7 > u.txt', shell=True)")
    assert f"@file:{tmp_path}/u.txt" in flow.writes
    assert "shell" in flow.notes
    assert (
        f"@file:{tmp_path}/u.txt"
        in notebook.run("with open('u.txt') as f:\n  f.read()").reads
    )
    assert "@files" in notebook.run("import os\nos.listdir('.')").reads


def test_outputs_join_cells(notebook):
    assert notebook.run("5", out=3).writes == {"@out:3": "set"}
    assert "@out:3" in notebook.run("x = _ + 1").reads
    assert "@out:3" in notebook.run("x = _3 + 1").reads
    assert "@out:3" in notebook.run("x = Out[3]").reads


def test_generators_join_cells(notebook):
    flow = notebook.run(
        "import random\nrandom.seed(3)\na = random.random()", moved=["random"]
    )
    assert flow.writes["@rng:random"] == "set"
    assert "@rng:random" in flow.kills
    flow = notebook.run("a = random.random()", moved=["random"])
    assert "@rng:random" in flow.reads
    assert "@rng:random" not in flow.kills


def test_a_thread_that_changes_a_value_between_cells_is_caught(notebook):
    notebook.run("import threading\nx, go = [0], threading.Event()")
    source = "def work():\n  go.wait(10)\n  x.append(1)\n"
    source += "t = threading.Thread(target=work)\nt.start()"
    assert "threads" in notebook.run(source).notes
    notebook.names["go"].set()
    notebook.names["t"].join()
    assert notebook.run("y = len(x)").between == {"x": 0}


def test_nothing_of_a_hostile_object_is_called(notebook):
    notebook.run(
        "calls = []\n"
        "class Trap:\n"
        "  def __getattribute__(self, name):\n"
        "    calls.append(name)\n    raise OSError\n"
        "  def __eq__(self, other):\n    calls.append('eq')\n    raise OSError\n"
        "  __hash__ = __repr__ = __len__ = __reduce_ex__ = __eq__\n"
        "trap = Trap()"
    )
    notebook.run("other = trap")
    assert notebook.names["calls"] == []


def test_the_namespace_may_change_while_it_is_looked_at(notebook):
    stop = threading.Event()

    def add():
        number = 0
        while not stop.is_set():
            notebook.names[f"n{number % 500}"] = [number]
            number += 1

    thread = threading.Thread(target=add)
    thread.start()
    try:
        for _ in range(20):
            notebook.run("y = 1")
    finally:
        stop.set()
        thread.join()


def test_the_variables_of_ipython_are_not_the_users():
    names = ["x", "_", "__", "_3", "_i3", "_ii", "In", "Out", "_dh", "_cache", "__x__"]
    assert users_names(dict.fromkeys(names)) == ["x", "_cache"]
