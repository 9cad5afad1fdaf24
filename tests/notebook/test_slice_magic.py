"""`%slice` shows which cells made a result, `%restore` gives them back as cells."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

import nbtrack
from nbtrack.notebook.slice_magic import SliceView, SourceView, slice_magic
from nbtrack.records import CellRecord
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.restored_cells import as_one_cell, restored_cells

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def session(shell, plain_surroundings):
    """A shell in which a run needs two of the cells before it; `session(code)` runs."""

    def run(code):
        return shell.run_cell(code, store_history=True)

    run("%load_ext nbtrack")
    run("x = 2")
    run(f"unused = '{EVIL}'")
    run("def half(v):\n    return v / 2")
    run("%%track base --no-live\nfor i in range(3):\n    loss = half(x) / (i + 1)")
    run.shell = shell
    return run


def shown(capsys):
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_slice_says_what_is_kept_why_and_how_good_it_is(session):
    view = session("%slice base").result
    assert isinstance(view, SliceView)
    assert view.slice.executions == (2, 4, 5)
    lines = repr(view).splitlines()
    assert lines[0] == "3 of 5 cells made run base · grade A"
    assert "[2]  x = 2" in lines
    assert "     sets x, which [5] reads" in lines
    assert lines[-1] == "not needed: [1], [3]"
    assert repr(session("%slice").result) == repr(view)  # the last run


def test_the_page_of_a_slice_is_text_and_a_picture_alone(session):
    page = session("%slice base").result._repr_html_()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page  # of the cell that is not needed
    assert "2 cells are not needed</summary>" in page
    assert "the script that makes it again" in page
    assert page.count("<img ") == 1
    assert "data:image/svg+xml;base64," in page
    assert "http" not in page


def test_the_source_is_a_script_that_runs_alone(session, tmp_path, capsys):
    view = session("%slice base --source").result
    assert isinstance(view, SourceView)
    ast.parse(repr(view))
    assert view._repr_html_().startswith("<pre>")
    session(f"%slice base -o {tmp_path / 'there' / 'mine.py'}")
    session(f"%slice base -o {tmp_path / 'folder'}")
    assert "wrote " in shown(capsys)
    for path in (tmp_path / "there" / "mine.py", tmp_path / "folder" / "run.py"):
        assert path.read_text() == view.source
    done = subprocess.run([sys.executable, path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "file").write_text("")
    session(f"%slice base -o {tmp_path / 'file' / 'x.py'}")
    assert "cannot be written" in shown(capsys)


def test_a_run_comes_first_and_a_prefix_says_which(session):
    session("base = 7")
    assert session("%slice base").result.slice.run.name == "base"
    assert session("%slice run:base").result.slice.run.name == "base"
    assert session("%slice var:base").result.slice.variable == "base"
    assert session("%slice unused").result.slice.variable == "unused"
    assert "made variable unused" in repr(session("%slice unused").result)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%slice bse", "Did you mean base?"),
        ("%slice unuse", "Did you mean the variable unused?"),
        ("%slice var:unusd", "Did you mean unused?"),
        ("%slice run:unused", "There is no run 'unused'"),
        ("%slice base other", "%slice takes one run or variable, not 'base other'"),
        ("%slice base --prov", "Did you mean --prove?"),
        ("%slice base --timeout 5", "--timeout and --allow-writes go with --prove"),
        ("%slice base --prove --timeout soon", "needs a number of seconds"),
        ("%slice base --shrink 0", "needs a number of seconds"),
        ("%slice base -o", "needs a value"),
        ("%restore bse", "Did you mean base?"),
        ("%restore base other", "%restore takes one run or variable"),
        ("%restore --prove", "Unknown option"),
    ],
)
def test_a_slip_is_one_line(session, capsys, line, says):
    capsys.readouterr()
    session(line)
    said = shown(capsys)
    assert says in said
    assert "Traceback" not in said


def test_slips_before_there_is_any_run_are_one_line_too(shell, capsys):
    shell.run_cell("%load_ext nbtrack")
    shell.run_cell("%slice")
    shell.run_cell("%restore")
    said = shown(capsys)
    assert said.count("UsageError: nbtrack: There is no run 'last'") == 2
    assert "Traceback" not in said


def test_a_proof_is_told_as_it_goes_and_its_verdict_stays(session, capsys):
    capsys.readouterr()
    view = session("%slice base --prove --timeout 60").result
    said = shown(capsys)
    print(said)
    assert "proving: slice: 3 cells, at most 60 s" in said
    assert view.proof.outcome == "PROVEN"
    assert "PROVEN: 3 of 5 cells give the same result" in repr(view)
    again = repr(session("%slice base").result)
    assert "proven by the slice (3 of 5 cells)" in again


def test_restored_cells_run_again_to_the_same(session, capsys):
    capsys.readouterr()
    session("%restore base")
    assert "3 cells of run base put below as one cell" in shown(capsys)
    text = session.shell.rl_next_input
    assert text.splitlines()[0] == "# [2] of run base: sets x, which [5] reads"
    assert "\n# %%track base --no-live\n" in text
    scope = {}
    exec(compile(text, "restored", "exec"), scope)
    assert scope["loss"] == pytest.approx(1 / 3)


def test_a_run_whose_cells_were_not_kept_says_so(session, capsys):
    with nbtrack.start("by hand"):
        pass
    session("%slice 'by hand'")
    assert "has no cells" in shown(capsys)


def kept(source, *reasons, execution=4):
    return KeptCell(CellRecord(0, None, execution, source, "", ""), reasons)


@pytest.mark.parametrize(
    ("source", "cell", "in_one"),
    [
        ("x = 1", "# [4] of it\nx = 1", "# [4] of it\nx = 1"),
        ("%%time\nx = 1", "%%time\n# [4] of it\nx = 1",
         "# [4] of it\n# %%time\nx = 1"),
        ("# so\n%%track a\nx = 1", "# [4] of it\n# so\n%%track a\nx = 1",
         "# [4] of it\n# so\n# %%track a\nx = 1"),
        ("%%bash\nls", "%%bash\nls",
         "# [4] of it\n# (a cell of its own:)\n# %%bash\n# ls"),
        ("%%writefile a.py\ny", "%%writefile a.py\ny",
         "# [4] of it\n# (a cell of its own:)\n# %%writefile a.py\n# y"),
        ("", "# [4] of it\n", "# [4] of it"),
    ],
)  # fmt: skip
def test_a_cell_magic_stays_where_it_works(source, cell, in_one):
    assert restored_cells([kept(source)], "it") == [cell]
    assert as_one_cell([kept(source)], "it") == in_one


def test_hostile_names_stay_within_their_comment():
    evil = "x\n__import__('os').system('ls')\r\x85\u2028"
    [text] = restored_cells([kept("x = 1", f"sets {evil}")], evil)
    tree = ast.parse(text)
    assert [type(node) for node in tree.body] == [ast.Assign]
    assert ast.dump(ast.parse(as_one_cell([kept("x = 1", evil)], evil))) == (
        ast.dump(tree)
    )


def test_a_view_is_made_without_a_shell_too(session):
    assert slice_magic("base").slice.executions == (2, 4, 5)
