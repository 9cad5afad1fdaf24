"""The input transformation by itself: pure, idempotent, nothing else moves."""

from __future__ import annotations

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from nbtrack.notebook.transform import TrackTransform, inner_magics_peeled

pytestmark = pytest.mark.usefixtures("plain_surroundings")

BEGIN = "__import__('nbtrack')._begin"


def transformed(cell: str) -> list[str]:
    manager = TransformerManager()
    manager.cleanup_transforms.append(TrackTransform())
    return manager.transform_cell(cell).splitlines()


def test_the_magic_line_becomes_one_call_and_nothing_moves():
    lines = transformed("%%track base -p lr=.1\nx = 1\n\nx\n")
    assert lines == [f"{BEGIN}('base -p lr=.1')", "x = 1", "", "x"]


@pytest.mark.parametrize("magic", ["%%track", "%%nbtrack"])
def test_both_names_are_known(magic):
    assert transformed(f"{magic}\nx = 1")[0] == f"{BEGIN}('')"


def test_comments_and_blank_lines_above_are_accepted():
    lines = transformed("# first\n\n# second\n%%track\nx = 1")
    assert lines == ["# first", "", "# second", f"{BEGIN}('')", "x = 1"]


@pytest.mark.parametrize(
    "cell",
    [
        "x = 1\n%%track\n",
        "%%tracker\nx = 1",
        "%%track?",
        "%%time\nx = 1",
        "'%%track'",
        "",
        "\n\n",
        "# only a comment",
        "if x:\n    pass\n",
    ],
)
def test_other_cells_are_left_alone(cell):
    lines = cell.splitlines(keepends=True)
    assert TrackTransform()(lines) is lines


def test_it_is_pure_and_idempotent():
    lines = ["%%track base\n", "x = 1\n"]
    once = TrackTransform()(lines)
    assert lines == ["%%track base\n", "x = 1\n"]
    assert TrackTransform()(once) is once


def test_options_reach_the_call_as_they_were_typed():
    line = transformed("%%track -p a='b' -p c={\"d\": 1} $x {y}\n1")[0]
    assert eval(line.removeprefix(BEGIN)) == "-p a='b' -p c={\"d\": 1} $x {y}"


def test_an_inner_magic_keeps_its_body_and_runs_after_the_call():
    lines = transformed("%%track base\n%%time -r\nx = 1\nx")
    assert lines == [
        f"{BEGIN}('base')",
        "get_ipython().run_cell_magic('time', '-r', 'x = 1\\nx\\n')",
    ]


def test_line_magics_and_shell_lines_of_the_body_are_transformed():
    lines = transformed("%%track\nx = %pwd\n!ls")
    assert lines[1] == "x = get_ipython().run_line_magic('pwd', '')"
    assert lines[2] == "get_ipython().system('ls')"


def test_an_indented_body_is_dedented_as_ipython_does():
    assert transformed("%%track\n    x = 1\n    if x:\n        y = 2")[1:] == [
        "x = 1",
        "if x:",
        "    y = 2",
    ]


def test_an_empty_body_and_a_comment_body_are_just_the_call():
    assert transformed("%%track") == [f"{BEGIN}('')"]
    assert transformed("%%track\n# soon")[1] == "# soon"


def test_a_terminal_waits_for_the_blank_line_as_with_every_cell_magic():
    manager = TransformerManager()
    manager.cleanup_transforms.append(TrackTransform())
    assert manager.check_complete("%%track base\n")[0] == "incomplete"


def test_only_the_given_names_are_transformed():
    lines = ["%%track\n", "x = 1\n"]
    assert TrackTransform(("nbtrack",))(lines) is lines


def test_peeling_finds_the_python_below_the_magics():
    known = {"track", "time"}.__contains__
    assert inner_magics_peeled("# a\n%%time\n%%track b\nx", known) == ("x", 3)
    assert inner_magics_peeled("%%track\n%%bash\nls", known) == ("%%bash\nls", 1)
    assert inner_magics_peeled("x", known) == ("x", 0)
