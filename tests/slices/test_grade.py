"""The grade names the worst that a result depends on, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.closure import close_over
from nbtrack.slices.grade import NO_FILE, grade_of
from nbtrack.slices.saved_notebook import (
    SavedCell,
    SavedNotebook,
    digests_of,
    read_saved,
)

NOON = 1_777_000_000.0  # seconds since the epoch
LATER = NOON + 3600  # a save after everything ran


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def cell(seq, source, *, id="", reads=(), sets=(), changes=(), ok=True, **more):
    """One execution, a second after the one before it."""
    kills = more.pop("kills", tuple(sets))
    flow = FlowRecord(
        reads=tuple(reads), kills=tuple(kills),
        writes={**dict.fromkeys(sets, "set"), **dict.fromkeys(changes, "changed")},
        notes=more.pop("notes", {}), between=more.pop("between", {}),
    )  # fmt: skip
    at = SavedNotebook(NOON + seq, ()).saved_at
    known = {"cell_id": id or f"c{seq}", "execution": seq + 1, "started_at": at,
             "flow": flow, **more}  # fmt: skip
    return CellRecord(
        seq=seq, source=source, source_digest=digest(source), ok=ok, **known
    )


def saved(*cells, at=LATER):
    """A notebook file with these (id, source), saved at that time."""
    return SavedNotebook(at, tuple(SavedCell(i, digests_of(s)) for i, s in cells))


def as_typed(cells):
    """The file in which every cell stands as it ran."""
    return saved(*{c.cell_id: (c.cell_id, c.source) for c in cells}.values())


def graded(cells, notebook="as typed", target=None):
    target = cells[-1].seq if target is None else target
    notebook = as_typed(cells) if notebook == "as typed" else notebook
    return grade_of(cells, close_over(cells, target=target), notebook, target=target)


X = cell(0, "x = 1", sets=["x"])
TRAIN = cell(2, "%%track\nloss = x", reads=["x"], sets=["loss"])


def test_cells_that_ran_once_in_order_and_stand_there_unchanged_are_an_a():
    grade = graded([X, cell(1, "y = 2", sets=["y"]), TRAIN])
    assert (grade.letter, grade.culprits) == ("A", ())
    assert grade.remark.startswith("judged by the notebook as it was saved at ")


def test_without_the_file_only_the_log_is_judged_and_that_is_said():
    assert graded([X, TRAIN], None).lines == (NO_FILE,)


def test_a_deleted_cell_is_a_d():
    grade = graded([X, TRAIN], saved(("c2", TRAIN.source)))
    assert (grade.letter, grade.culprits) == (
        "D",
        ("`x` comes from a deleted cell [1]",),
    )


def test_a_deleted_cell_that_the_result_does_not_need_is_no_matter():
    other = cell(1, "y = 2", sets=["y"])
    notebook = saved(("c0", X.source), ("c2", TRAIN.source))
    assert graded([X, other, TRAIN], notebook).letter == "A"


def test_a_cell_that_ran_after_the_last_save_is_not_called_deleted():
    assert graded([X, TRAIN], saved(("c2", TRAIN.source), at=NOON - 60)).letter == "A"
    # The front end may have sent the file before the cell ran: not sure, so not said.
    assert graded([X, TRAIN], saved(("c2", TRAIN.source), at=NOON + 1)).letter == "A"


def test_ids_of_a_front_end_that_are_not_those_of_the_file_prove_nothing():
    assert graded([X, TRAIN], saved(("other", "x = 1"))).letter == "A"


def test_a_cell_that_the_saved_notebook_holds_otherwise_is_a_c():
    grade = graded([X, TRAIN], saved(("c0", "x = 2"), ("c2", TRAIN.source)))
    assert grade.letter == "C"
    assert grade.culprits == ("`x` comes from a cell that was edited since [1]",)


def test_several_names_come_from_a_cell():
    both = cell(0, "x, y = 1, 2", id="c0", sets=("x", "y"))
    train = cell(2, "loss = x + y", id="c2", reads=("x", "y"), sets=("loss",))
    grade = graded([both, train], saved(("c0", "x, y = 3, 4"), ("c2", train.source)))
    assert grade.culprits == (
        "`x` and 1 more come from a cell that was edited since [1]",
    )


def test_a_file_older_than_the_execution_shows_no_edit():
    stale = saved(("c0", "x = 2"), ("c2", TRAIN.source), at=NOON - 60)
    assert graded([X, TRAIN], stale).letter == "A"


def test_a_last_line_break_is_no_edit():
    grade = graded([X, TRAIN], saved(("c0", "x = 1\n"), ("c2", TRAIN.source)))
    assert grade.letter == "A"


def test_an_edit_shows_in_the_log_too_as_long_as_it_was_not_taken_back():
    edited = cell(3, "x = 5", id="c0", sets=["x"])
    undone = cell(4, "x = 1", id="c0", sets=["x"])
    assert graded([X, TRAIN, edited], None, target=2).letter == "C"
    assert graded([X, TRAIN, edited, undone], None, target=2).letter == "A"


def test_the_saved_notebook_knows_better_than_the_log_what_stands_there_now():
    edited = cell(3, "x = 5", id="c0", sets=["x"])
    notebook = saved(("c0", "x = 1"), ("c2", TRAIN.source))
    assert graded([X, TRAIN, edited], notebook, target=2).letter == "A"


def test_a_tracked_cell_that_is_edited_later_is_a_c_from_then_on():
    later = cell(3, "%%track\nloss = x + 1", id="c2", reads=["x"], sets=["loss"])
    grade = graded([X, TRAIN, later], target=2)
    assert grade.culprits == ("the result comes from a cell that was edited since [3]",)


def test_a_cell_that_raised_midway_is_a_c_and_a_failed_result_is_not():
    raised = cell(0, "x = 1\n1 / 0", sets=["x"], ok=False)
    grade = graded([raised, TRAIN])
    assert grade.culprits == ("`x` comes from a cell that raised [1]",)
    failed = cell(1, "loss = 1 / 0", reads=["x"], ok=False)
    assert graded([X, failed]).letter == "A"


def test_executions_of_one_cell_that_add_up_are_a_b():
    first = cell(1, "x += 1", id="more", reads=["x"], sets=["x"], kills=())
    again = cell(2, "x += 1", id="more", reads=["x"], sets=["x"], kills=())
    train = cell(3, "loss = x", reads=["x"], sets=["loss"])
    grade = graded([X, first, again, train])
    assert grade.letter == "B"
    assert grade.culprits == ("2 executions of one cell count: [2], [3]",)


def test_a_cell_that_was_run_again_and_only_the_last_counts_is_an_a():
    again = cell(1, "x = 1", id="c0", sets=["x"])
    assert graded([X, again, TRAIN]).letter == "A"


def test_a_cell_that_ran_before_one_that_stands_above_it_is_a_b():
    y = cell(1, "y = 2", reads=["x"], sets=["y"])
    train = cell(2, "loss = y", reads=["y"], sets=["loss"])
    notebook = saved(("c1", y.source), ("c0", X.source), ("c2", train.source))
    grade = graded([X, y, train], notebook)
    assert grade.culprits == ("[1] ran before [2], which stands above it",)
    assert grade.letter == "B"


def test_random_numbers_that_nobody_seeded_are_a_b_and_seeded_ones_an_a():
    numpy = "@rng:numpy"
    seed = cell(0, "seed(1)", sets=[numpy])
    draw = cell(1, "x = rand()", reads=[numpy], sets=["x"], changes=[numpy],
                rng={"numpy": "..."})  # fmt: skip
    train = cell(2, "loss = x", reads=["x"], sets=["loss"])
    assert graded([seed, draw, train]).letter == "A"
    grade = graded([draw, train])
    assert grade.letter == "B"
    assert grade.culprits == ("[2] draws random numbers (numpy) unseeded",)


def test_a_seed_that_is_asked_for_with_the_cell_is_one():
    draw = {"reads": ["@rng:numpy"], "changes": ["@rng:numpy"], "rng": {"numpy": "..."}}
    assert graded([cell(0, "%%track a --seed 3\nloss = rand()", **draw)]).letter == "A"
    assert graded([cell(0, "%%track a --notes seed\nx", **draw)]).letter == "B"


def test_numbers_that_a_cell_went_on_with_were_not_unseeded():
    numpy = "@rng:numpy"
    seed = cell(0, "seed(1)", sets=[numpy])
    draws = {"reads": [numpy], "changes": [numpy], "rng": {"numpy": "..."}}
    other, train = cell(1, "rand()", **draws), cell(2, "loss = rand()", **draws)
    went_on = ("[3] goes on with the random numbers (numpy) of [1]",)
    assert graded([seed, other, train]).culprits in ((), went_on)
    option = cell(0, "%%track a --seed 1\nrand()", **draws)
    assert graded([option, other, train]).culprits == went_on


def test_what_no_cell_has_set_is_a_d():
    grade = graded([TRAIN])
    assert grade.letter == "D"
    assert grade.culprits[0].startswith("`x` has no known origin")


def test_what_was_typed_is_a_d():
    asked = cell(0, "x = input()", sets=["x"], notes={"input": "asks on stdin"})
    assert graded([asked, TRAIN]).culprits == (
        "`x` comes from what was typed into [1]",
    )


def test_what_a_console_set_is_a_d_and_without_any_ids_all_is_one_console():
    console = cell(0, "x = 1", sets=["x"], cell_id=None)
    assert graded([console, TRAIN]).culprits == (
        "`x` comes from outside the notebook [1]",
    )
    train = cell(2, "loss = x", reads=["x"], cell_id=None)
    assert graded([console, train], None).letter == "A"


def test_what_was_not_looked_at_is_a_b():
    unseen = cell(0, "x = 1", flow=None)
    assert graded([unseen, TRAIN]).culprits == (
        "`x` comes from a cell that was not looked at [1]",
    )
    before = cell(0, "x = 1", flow=None, started_at="", cell_id=None)
    assert graded([before, TRAIN]).culprits == (
        "`x` comes from before nbtrack was loaded [1]",
    )


def test_a_value_that_changes_between_cells_is_a_b():
    thread = cell(0, "start()", sets=["x"], notes={"threads": "one goes on"})
    train = cell(1, "loss = x", reads=["x"], between={"x": 0})
    grade = graded([thread, train])
    assert grade.letter == "B"
    assert "`x` is not sure" in " ".join(grade.culprits)
    assert "[1] leaves something running that may change values" in grade.culprits


def test_the_worst_comes_first_three_are_shown_and_the_rest_is_counted():
    sets = [cell(n, f"v{n} = 1", sets=[f"v{n}"], ok=n > 3) for n in range(5)]
    train = cell(5, "loss = ...", reads=[f"v{n}" for n in range(5)])
    rest = [c for c in sets if c.seq != 4]
    grade = graded([*sets, train], as_typed([*rest, train]))
    assert grade.letter == "D"
    assert grade.lines[0] == "`v4` comes from a deleted cell [5]"
    assert grade.lines[3] == "and 2 more"
    assert len(grade.lines) == 5


def test_hostile_names_stay_text_of_one_line():
    evil = "@file:/tmp/<script>\n\x1b[31m" + "a" * 200
    grade = graded(
        [cell(0, "w()", sets=[evil], ok=False), cell(1, "r()", reads=[evil])]
    )
    [culprit] = grade.culprits
    assert "\n" not in culprit
    assert "\x1b" not in culprit
    assert len(culprit) < 120


def test_the_slice_of_a_variable_is_graded_too():
    closure = close_over([X], target=None, wanted=["x"])
    assert grade_of([X], closure, as_typed([X])).letter == "A"
    gone = saved(("c9", ""))
    assert grade_of([X, cell(9, "")], closure, gone).culprits == (
        "`x` comes from a deleted cell [1]",
    )


def test_the_saved_cells_are_read_in_order_without_the_markdown(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [
        {"cell_type": "markdown", "id": "m", "source": "# x = 2"},
        {"cell_type": "code", "id": "a", "source": ["x = 1\n", "y = 2"]},
        {"cell_type": "code", "id": "b", "source": "z = 3"},
    ]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    os.utime(path, (NOON, NOON))
    notebook = read_saved(path)
    assert notebook.modified == NOON
    assert [c.id for c in notebook.cells] == ["a", "b"]
    assert digest("x = 1\ny = 2") in notebook.cells[0].digests
    assert notebook.place_of("m") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "not json", '{"cells": 3}', '{"cells": [null, 1, "x"]}',
        '{"cells": [{"cell_type": "code", "source": "x"}]}',  # of before ids
        '{"cells": [{"cell_type": "code", "id": 3, "source": {"a": 1}}]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_none(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert read_saved(path) is None


def test_a_notebook_that_cannot_be_read_is_none(tmp_path):
    assert read_saved(tmp_path) is None
    assert read_saved(None) is None
