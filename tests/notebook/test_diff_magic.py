"""`%diff` shows why two runs differ, in a real shell."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.analysis.diff.run_diff import RunDiff

CELL = "%%track {name} --no-live\nfor i in range(3):\n    loss = lr / (i + 1)"


@pytest.fixture
def session(shell, plain_surroundings):
    """A shell with two runs, of which the second had another learning rate."""

    def run(code):
        return shell.run_cell(code, store_history=True)

    run("%load_ext nbtrack")
    run("lr = 0.1")
    run(CELL.format(name="base"))
    run("lr = 0.2")
    run(CELL.format(name="two"))
    return run


def test_two_runs_of_a_session_are_compared(session, capsys):
    found = session("%diff base two").result
    assert isinstance(found, RunDiff)
    assert [cause.sentence for cause in found.causes] == [
        "param lr: 0.1 in A, 0.2 in B"
    ]
    assert found.causes[0].evidence[0] == "read by [5]"
    assert "inherited from [2]" in repr(found)
    assert "<b>Most likely because of</b>" in found._repr_html_()
    assert repr(session("%diff base").result) == repr(found)  # with the last one
    assert session("%diff two two").result.is_same
    assert "1. param lr" in capsys.readouterr().out
    # Comparing is no cell that a later result depends on.
    session(CELL.format(name="three"))
    assert nbtrack.slice("three").executions == (4, 9)


def test_the_second_run_may_lie_in_another_store(session, tmp_path):
    found = session(f"%diff base two --other {tmp_path}").result
    assert [cause.kind for cause in found.causes] == ["params"]


def test_a_slip_is_one_line(session, capsys):
    slips = {
        "%diff": "%diff takes two runs. Write %diff A B.",
        "%diff base two three": "%diff takes two runs, not 'base two three'",
        "%diff base tw": "Did you mean two?",
        "%diff base two --othr x": "Did you mean --other?",
        "%diff base two --other ./none": "There is no store at",
    }
    for line, says in slips.items():
        session(line)
        said = capsys.readouterr()
        assert says in said.out + said.err
        assert "Traceback" not in said.out + said.err
