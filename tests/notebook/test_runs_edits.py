"""`%runs` over many runs: groups, metrics, experiments, the trash, and undo."""

from __future__ import annotations

import pytest

import nbtrack

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def ip(shell):
    shell.run_cell("%load_ext nbtrack")
    return shell


@pytest.fixture
def seeds(store_path):
    for group, values in {
        "wide": [0.90, 0.92, 0.91],
        "<b>": [0.5],
        None: [0.1],
    }.items():
        for value in values:
            with nbtrack.start(
                "base", experiment="dgits", group=group, off="all"
            ) as run:
                run.log(acc=value, oops=1.0)
    return nbtrack.open()


def said(ip, capsys, line):
    capsys.readouterr()
    assert ip.run_cell(f"%runs {line}").success
    return capsys.readouterr().out.strip()


def test_runs_by_group_show_means_with_intervals(ip, seeds):
    table = ip.run_cell("%runs --by group").result
    lines = repr(table).splitlines()
    assert lines[0].split() == ["group", "runs", "acc", "oops"]
    assert lines[1].split() == ["<b>", "1", "0.5", "(n=1)", "1", "(n=1)"]
    assert lines[2].startswith("wide   3     0.9100 ± 0.0248 (n=3)")
    assert lines[3] == "best values: mean ± 95 % confidence interval (Student's t)"
    assert lines[4] == "1 run without a group left out"
    assert '<td style="white-space: nowrap">&lt;b&gt;</td>' in table._repr_html_()
    assert table.df["n"].tolist() == [1, 3]
    assert len(ip.run_cell("%runs acc > .6 --by group").result) == 1
    nobody = ip.run_cell("%runs --by parent").result
    assert repr(nobody).startswith("none of 5 runs has a parent: ")
    assert "none of 5 runs" in nobody._repr_html_()


def test_a_metric_is_renamed_deleted_and_brought_back(ip, capsys, seeds):
    assert said(ip, capsys, "metric rename acc 'val acc'") == (
        "metric acc is now val acc in 5 runs · %runs undo 1 takes it back"
    )
    assert "best.val acc" in nbtrack.runs().columns
    assert "deleted in 1 run ·" in said(
        ip, capsys, f"metric delete oops {seeds.runs()[0].id}"
    )
    assert "undone" in said(ip, capsys, "undo")
    assert "undone" in said(ip, capsys, "undo 1")
    assert "best.acc" in nbtrack.runs().columns


def test_runs_that_answer_to_a_query_are_trashed_and_brought_back(ip, capsys, seeds):
    text = said(ip, capsys, 'trash --where group == "wide" and acc > .9')
    assert text.startswith("2 runs put in the trash: ")
    assert len(seeds.runs()) == 3
    assert "undone" in said(ip, capsys, "undo")
    assert len(seeds.runs()) == 5
    said(ip, capsys, "trash --where 'acc > .9'")
    assert len(seeds.runs()) == 3


def test_an_experiment_is_renamed_and_can_still_be_asked_for(ip, capsys, seeds):
    assert "experiment dgits is now digits for 5 runs" in said(
        ip, capsys, "experiment dgits digits"
    )
    assert len(ip.run_cell('%runs experiment == "digits"').result) == 5
    assert len(ip.run_cell('%runs experiment in ("dgits", "x")').result) == 0


def test_a_metric_that_is_called_metric_can_be_asked_for(ip, seeds):
    with nbtrack.start("other", off="all") as run:
        run.log(metric=1.0)
    assert len(ip.run_cell("%runs metric < 2").result) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("metric rename acc", "Write %runs metric rename OLD NEW [RUN...]"),
        ("metric drop acc", "%runs metric delete NAME [RUN...]"),
        ("metric", "Write %runs metric rename OLD NEW"),
        ("metric rename ac x", "Did you mean acc?"),
        ("metric rename acc oops", "is there already in base ("),
        ("metric delete acc nope", "nope"),
        ("experiment dgits", "Write %runs experiment OLD NEW"),
        ("experiment dgit x", "Did you mean dgits?"),
        ("undo", "nothing to undo"),
        ("undo 7", "no edit 7"),
        ("undo all", "the number of an edit"),
        ("trash --where", "a query, as in loss > 5"),
        ("trash --where acc > 5", "No run answers"),
        ("--by grup", "Did you mean group?"),
        ("--by group --sort acc", "--sort does not go with --by"),
    ],
)
def test_a_slip_is_one_line_and_changes_nothing(ip, capsys, seeds, line, says):
    capsys.readouterr()
    assert not ip.run_cell(f"%runs {line}").success
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("UsageError: nbtrack: ")
    assert says in lines[0]
    assert len(seeds.runs()) == 5
    assert seeds.edits().all() == []
