"""Cells run in a real shell, and their script gives the same: names and outputs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from slices.emitting import played

from nbtrack.records import CellRecord
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.script import script_of
from nbtrack.slices.segments import segments_of


def cell(source, seq=0, **more):
    return CellRecord(seq, None, seq + 1, source, "", "", **more)


def kept(*sources):
    return [KeptCell(cell(source, at), ()) for at, source in enumerate(sources)]


def text_of(*sources):
    """The script's cells, without what stands above them."""
    source = script_of(kept(*sources), title="a test").source
    return source[source.index("# %% [cell 1") :]


# ---- the frame of a script


def test_cells_stand_as_typed_under_their_mark():
    typed = "x = 1  # one\n\n\ndef f( a ):\n    'doc'\n    return  a\n"
    assert text_of(typed) == f"# %% [cell 1 · exec 1]\n{typed}"


def test_a_cell_without_a_number_has_a_mark_without_one():
    nameless = CellRecord(4, None, None, "x = 1", "", "")
    source = script_of([KeptCell(nameless, ())], title="a test").source
    assert "# %% [cell 5]\nx = 1\n" in source


def test_the_tracked_cell_shows_its_magic_and_segments_name_its_lines():
    script = script_of(kept("a = 1", "# top\n%%track base -p lr=.1\nb = a"), title="r")
    first, tracked = script.segments
    lines = script.source.split("\n")
    assert lines[tracked.first_line - 1 :][: tracked.n_lines] == [
        *("# %% [cell 2 · exec 2 · tracked]", "# %%track base -p lr=.1"),
        *("# top", "b = a"),
    ]
    assert (first.tracked, tracked.tracked, tracked.seq) == (False, True, 1)


def test_a_text_that_looks_like_a_mark_is_no_segment():
    script = script_of(
        kept("s = '''\n# %% [cell 7 · tracked]\n'''", "y = 2"), title="t"
    )
    assert [segment.seq for segment in script.segments] == [0, 1]
    lines = script.source.split("\n")
    second = script.segments[1]
    assert lines[second.first_line] == "y = 2"
    n_lines = {segment.first_line: segment.n_lines for segment in script.segments}
    labels = [segment.label for segment in segments_of(script.source, n_lines)]
    assert labels[-2:] == ["cell 1 · exec 1", "cell 2 · exec 2"]


@pytest.mark.parametrize(
    "title",
    ['"""', '\\"""\nimport os', "a\r\nb", "x\u2028y\x00z", "\\", '"', "\ud800", "'''"],
)
def test_no_title_breaks_out_of_the_docstring(title):
    import ast

    source = script_of(kept("x = 1"), title=title).source
    source.encode("utf-8")
    doc, cell = ast.parse(source).body
    assert "written by nbtrack" in doc.value.value
    assert ast.unparse(cell) == "x = 1"


def test_no_note_breaks_out_of_its_comment():
    import ast

    source = script_of(
        kept("%config x = '''\\\u2028\x0c\"\"\"", "x = 1"), title="t"
    ).source
    assert [ast.unparse(node) for node in ast.parse(source).body[1:]] == ["x = 1"]


def test_files_and_script_are_written_into_the_folder(tmp_path):
    (tmp_path / "there.py").write_text("x = 1\n")
    source = f"%run {tmp_path / 'there.py'}"
    path = script_of(kept(source), title="t").write(tmp_path / "out", name="go.py")
    assert (tmp_path / "out/run_files/there.py").read_text() == "x = 1\n"
    assert path == tmp_path / "out/go.py"


# ---- cells that are no Python, or that raised


def test_what_is_no_python_is_left_out_with_a_note(gives_the_same):
    script = gives_the_same("x = (\n", "y = 3", "z = = 2\n'''")
    assert [n.endswith("it is no Python") for n in script.notes] == [True, True]


@pytest.mark.parametrize("source", ["x = '\ud800'", "(" * 400, "a\x00b", "\f\x1a"])
def test_a_text_that_nobody_can_compile_breaks_nothing(source):
    script = script_of(kept(source, "y = 2"), title="t")
    compile(script.source.encode(), "run.py", "exec")
    assert "y = 2" in script.source


def test_a_cell_that_fits_no_script_is_left_out():
    cells = kept("x = 1", "from __future__ import annotations; y = 2", "z = 3")
    script = script_of(cells, title="t")
    compile(script.source, "run.py", "exec")
    assert script.notes == ("the cell of [2] was left out: it fits no script",)
    assert "z = 3" in script.source


def test_a_cell_whose_text_was_not_kept_is_named():
    script = script_of([KeptCell(cell(None), ())], title="t")
    assert script.notes == ("the text of [1] is not known: it was not kept",)


def test_a_cell_that_raised_keeps_what_it_did_before(gives_the_same):
    gives_the_same("x = [1]\nx.append(2)\nraise ValueError('no')\nx = 3", "y = x[-1]")


def test_a_cell_that_raised_an_error_of_its_own(gives_the_same):
    gives_the_same("class Odd(Exception): pass", "a = '''\n  b'''\nraise Odd", "c = a")


def test_the_last_cell_raises_as_it_did(notebook, tmp_path):
    notebook.run("x = 1", "1 / 0")
    with pytest.raises(ZeroDivisionError):
        played(notebook.script(), tmp_path)


def test_a_magic_that_is_not_known_stops_the_cell_as_it_did(gives_the_same, capsys):
    gives_the_same("a = 1\n%nosuch x\na = 2", "%%nosuch\na = 3", "b = a")


def test_cells_in_other_shapes_than_python(gives_the_same):
    gives_the_same(
        "  x = 1\n  y = '''\na\n  b'''\n",
        ">>> z = 1\n>>> u = 2\n",
        "In [1]: v = 1",
        "w = '''a\r\nb'''\r\n",
    )


def test_a_script_has_the_name_main_and_no_file(gives_the_same):
    gives_the_same(
        "try:\n    here = __file__\nexcept NameError:\n    here = 'notebook'",
        "if __name__ == '__main__':\n    ran = True",
    )


def test_future_imports_go_to_the_top(gives_the_same):
    script = gives_the_same(
        "y = 1",
        "from __future__ import annotations\nclass B:\n    x: Undefined = 1",
        "v = B.x",
    )
    assert "annotations of [2] holds for all cells here" in script.notes[0]


# ---- Out, _, In


def test_outputs_are_there_for_cells_that_read_them(gives_the_same):
    gives_the_same(
        "f = 3\nf * 2  # six",
        "(f\n + _)",
        "z = (_1, Out[2], _2, _, __, ___)",
    )


def test_outputs_are_kept_only_where_they_are_read():
    assert "_nb_shown" not in text_of("x = 1\nx")
    assert text_of("7", "8", "x = _1").count("_nb_shown(") == 1


def test_a_semicolon_keeps_the_output_from_underscore(gives_the_same):
    gives_the_same("1", "2;", "3 ; # none", "a = _")


def test_an_underscore_of_ones_own_stays(gives_the_same):
    gives_the_same("5", "_ = 4", "7", "b = _", "for _ in range(3): pass", "c = _")


def test_what_was_typed_is_there_for_cells_that_read_it(gives_the_same):
    gives_the_same("x = 1 # ü", "a = In[1]", "b = _i1, _i", "c = len(In)")


def test_display_shows_nothing_and_can_be_updated(gives_the_same):
    script = gives_the_same(
        "h = display(4, display_id=True)\nh.update(3)\nx = display(3)", without=["h"]
    )
    assert "def display(" in script.source
    assert "def display(" not in script_of(kept("x = 1"), title="t").source


# ---- await


def test_cells_that_await_bind_their_names_in_the_script(gives_the_same):
    gives_the_same(
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x * 2",
        "a = await f(3)\nif (w := a): pass\nfor k in range(3): pass\n"
        "import math as mm\nclass C: pass\ntext = '''\n  a'''\n"
        "with open('/dev/null') as file: pass\nfile = None\n"
        "[q := i for i in range(3)]\ndel k\n"
        "try: 1/0\nexcept ZeroDivisionError as e: said = str(e)\n"
        "match [1, 2]:\n    case [p, *rest]: pass\n",
        "n = mm.floor(2.5), C.__qualname__\nb = [await f(i) for i in range(2)]",
        "await f(4)",
        "d = _",
    )


def test_cells_that_await_and_cannot_be_functions(gives_the_same):
    gives_the_same(
        "import asyncio\nfrom os.path import *\nawait asyncio.sleep(0)\n"
        "v = join('a', 'b')",
        "x: int = 4\nawait asyncio.sleep(0)",
    )


def test_a_task_outlives_its_cell(gives_the_same):
    gives_the_same(
        "import asyncio\nlog = []\nasync def work():\n    for i in range(3):\n"
        "        log.append(i)\n        await asyncio.sleep(0)",
        "task = asyncio.create_task(work())\nx = 1",
        "y = 2",
        "await task\nn = len(log)\ndel task",
    )


def test_a_cell_that_makes_a_task_through_a_function_has_a_loop(gives_the_same):
    script = gives_the_same(
        "import asyncio\ndef go():\n"
        "    return asyncio.ensure_future(asyncio.sleep(0, 7))",
        "t = go()",
        "value = await t\ndel t",
    )
    assert "_cell_2" in script.source
    assert "_cell_1" not in script.source


def test_a_loop_runs_around_a_cell_in_the_script_too(gives_the_same):
    """`asyncio.run` raises in a notebook, and so it does here."""
    gives_the_same(
        "import asyncio\nasync def f(): return 1\nc = f()\nq = 0\n"
        "try:\n    q = asyncio.run(c)\nfinally:\n    c.close()\n    del c",
        "z = q",
    )


def test_an_awaiting_cell_that_raised(gives_the_same):
    gives_the_same(
        "import asyncio\na = 1\nawait asyncio.sleep(0)\na = 2\n1 / 0", "b = a"
    )


# ---- really run


def test_scripts_run_with_plain_python(notebook, tmp_path):
    """One process runs a script after another, as `python run.py` would."""
    notebook.run(
        "%%writefile own_module.py\nvalue = 3\n",
        "import own_module\nfrom sys import flags",
        "%env SOME=thing\nimport os, asyncio\nawait asyncio.sleep(0)",
        "if 'IPython' in sys.modules if (sys := __import__('sys')) else 0: pass",
        "import json\nresult = own_module.value, os.environ['SOME'], __name__",
        "with open('answer.json', 'w') as f: json.dump(result, f)",
        "loaded = sorted({'IPython', 'nbtrack', 'numpy'} & set(sys.modules))\n"
        "with open('loaded.txt', 'w') as f: f.write(' '.join(loaded))",
    )
    path = notebook.script().write(tmp_path / "alone")
    done = subprocess.run(
        [sys.executable, "-I", path], cwd=path.parent, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (path.parent / "answer.json").read_text() == '[3, "thing", "__main__"]'
    assert (path.parent / "loaded.txt").read_text() == ""
