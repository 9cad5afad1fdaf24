"""`%report` writes a file, shows a link to it, and its line makes the same again."""

from __future__ import annotations

import pytest

CELL = "%%track {name} --no-live -g both\nfor i in range(3):\n    loss = lr / (i + 1)"


@pytest.fixture
def session(shell, plain_surroundings):
    def run(code):
        return shell.run_cell(code, store_history=True)

    run("%load_ext nbtrack")
    for name, lr in (("base", 0.1), ("two", 0.2)):
        run(f"lr = {lr}")
        run(CELL.format(name=name))
    return run


def test_a_report_of_a_session_and_its_link(session, capsys):
    link = session("%report loss < 1 --title 'Week 3' --diff base two").result
    text = link.path.read_text()
    assert "<h1>Week 3</h1>" in text
    assert "param lr: 0.1 in A, 0.2 in B" in text
    assert "<a href='report.html'" in link._repr_html_()
    line = link.made.line
    assert line.startswith("%report loss < 1 --diff ")
    again = session(line).result  # the line that it shows
    assert again.made.line == line
    refreshed = session("%report -o report.html").result
    assert "refreshed with its own selection" in repr(refreshed)
    assert refreshed.made.line == line
    markdown = session("%report base two -o sub-week.md --baseline base").result
    assert markdown.made.n_runs == 2
    assert markdown.path.with_name("sub-week_files").is_dir()
    capsys.readouterr()
    slips = {
        "%report nobody": "nobody",
        "%report --diff base": "--diff takes two runs",
        "%report --titel x": "Did you mean --title?",
        "%report loss < 0": "No run answers to",
    }
    for slip, says in slips.items():
        session(slip)
        said = capsys.readouterr()
        assert says in said.out + said.err
        assert "Traceback" not in said.out + said.err
