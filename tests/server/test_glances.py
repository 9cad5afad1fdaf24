"""Sparks of many runs and the runs of cells, asked by HTTP."""

from __future__ import annotations

import pytest

from nbtrack.analysis.edits import trash
from nbtrack.tracking.session import process_session

pytest_plugins = ["pytest_jupyter.jupyter_server"]

SOME_ID = "0" * 13


def ran(name="base", values=(), metric="val_loss", **about):
    with process_session().start(name, **about) as run:
        for value in values:
            run.log({metric: value})
    assert run.store.journal.flush(5.0)
    return run


async def sparks_of(ask, *runs):
    asked = ",".join(run if isinstance(run, str) else run.id for run in runs)
    return (await ask("sparks", params={"runs": asked}))["sparks"]


async def test_a_short_curve_comes_as_it_is_with_gaps_for_what_json_lacks(
    ask, store_path
):
    run = ran(values=[1.0, float("nan"), 0.5, float("inf")])
    spark = {"metric": "val_loss", "y": [1.0, None, 0.5, None]}
    assert await sparks_of(ask, run) == {run.id: spark}


async def test_a_long_curve_keeps_its_spike_in_forty_eight_points(ask, store_path):
    values = [1.0] * 10_000
    values[4321] = 40.0
    run = ran(values=values)
    (spark,) = (await sparks_of(ask, run)).values()
    assert len(spark["y"]) <= 48
    assert max(spark["y"]) == 40.0


async def test_a_curve_that_grew_is_drawn_anew(ask, run):
    run.log(acc=0.5)
    run.store.journal.flush()
    before = await sparks_of(ask, run)
    run.log(acc=0.75)
    run.store.journal.flush()
    after = await sparks_of(ask, run)
    assert before[run.id]["y"] == [0.5]
    assert after[run.id]["y"] == [0.5, 0.75]


async def test_runs_without_a_telling_curve_or_without_a_store_have_none(
    ask, store_path
):
    plain, trashed = ran(values=[1.0], metric="lr"), ran(values=[1.0])
    trash(trashed.store, trashed.id)
    assert set(await sparks_of(ask, plain, trashed, SOME_ID)) == {trashed.id}


@pytest.mark.parametrize(
    ("path", "question"),
    [
        ("sparks", {}),
        ("sparks", {"runs": ""}),
        ("sparks", {"runs": "../x"}),
        ("sparks", {"runs": f"{SOME_ID},"}),
        ("sparks", {"runs": ",".join([SOME_ID] * 201)}),
        ("cells", {}),
        ("cells", {"ids": "a b"}),
        ("cells", {"ids": "a/../b"}),
        ("cells", {"ids": "x" * 65}),
        ("cells", {"ids": "<script>"}),
        ("cells", {"ids": ",".join(["a"] * 501)}),
    ],
)
async def test_what_are_no_ids_or_too_many_is_refused(refused, store, path, question):
    code, error = await refused(path, params=question)
    assert code == 400
    assert set(error) == {"message", "reason"}


async def cells_of(ask, *ids):
    return (await ask("cells", params={"ids": ",".join(ids)}))["cells"]


async def test_a_cell_has_its_latest_run_how_many_and_the_best(ask, store_path):
    for n, losses in enumerate(([0.5, 0.3], [0.4, 0.1], [0.9, 0.2])):
        ran(f"run-{n}", losses, cell_id="cell-1")
    ran("elsewhere", [0.01], cell_id="cell-2")
    found = await cells_of(ask, "cell-1", "cell-3")
    assert set(found) == {"cell-1"}
    cell = found["cell-1"]
    assert cell["run"]["name"] == "run-2"
    assert cell["n_runs"] == 3
    assert (cell["best"]["name"], cell["best"]["best"]) == ("val_loss", 0.1)
    assert cell["spark"] == [0.3, 0.1, 0.2]


async def test_the_best_is_that_of_all_runs_and_the_spark_of_the_last_twenty(
    ask, store_path, plain_surroundings
):
    for n in range(25):
        ran(f"run-{n}", [n], metric="val_loss", cell_id="c")
    cell = (await cells_of(ask, "c"))["c"]
    assert cell["n_runs"] == 25
    assert cell["best"]["best"] == 0.0
    assert cell["spark"] == list(range(5, 25))


async def test_a_metric_that_is_to_grow_is_best_where_it_is_greatest(ask, store_path):
    for acc in (0.5, 0.9, 0.7):
        ran(values=[acc], metric="acc", cell_id="c")
    assert (await cells_of(ask, "c"))["c"]["best"]["best"] == 0.9


async def test_a_cell_whose_latest_run_has_no_value_yet_is_judged_by_those_before(
    ask, store_path
):
    ran("first", [0.5], cell_id="c")
    live = process_session().start("second", cell_id="c")
    live.record()
    cell = (await cells_of(ask, "c"))["c"]
    live.finish()
    assert (cell["run"]["name"], cell["run"]["status"]) == ("second", "running")
    assert cell["best"]["best"] == 0.5
    assert cell["spark"] == [0.5, None]


async def test_a_sweeps_trials_do_not_stand_for_its_cell(ask, store_path):
    parent = process_session().start("sweep", cell_id="c")
    child = process_session().start("trial", cell_id="c", parent=parent.id, beside=True)
    child.log(val_loss=0.5)
    child.finish()
    parent.finish()
    assert parent.store.journal.flush(5.0)
    cell = (await cells_of(ask, "c"))["c"]
    assert (cell["run"]["name"], cell["n_runs"]) == ("sweep", 2)
    assert cell["best"]["best"] == 0.5


async def test_runs_without_a_goal_have_no_best(ask, store_path):
    ran(values=[0.1], metric="lr", cell_id="c")
    cell = (await cells_of(ask, "c"))["c"]
    assert (cell["best"], cell["spark"]) == (None, [None])


async def test_runs_in_the_trash_do_not_count(ask, store_path):
    gone = ran(values=[0.1], cell_id="c")
    ran(values=[0.2], cell_id="c")
    trash(gone.store, gone.id)
    cell = (await cells_of(ask, "c"))["c"]
    assert (cell["n_runs"], cell["best"]["best"]) == (1, 0.2)


async def test_a_curve_that_cannot_be_read_is_left_out_and_the_store_stays(
    ask, store_path
):
    import sqlite3

    broken, sound = ran(values=[0.1, 0.2]), ran(values=[0.3])
    broken.store.close()
    connection = sqlite3.connect(store_path / "nbtrack.db")
    connection.execute(
        "update chunks set body = x'00' where metric in"
        " (select id from metrics where run = ?)",
        (broken.id,),
    )
    connection.commit()
    connection.close()
    assert set(await sparks_of(ask, broken, sound)) == {sound.id}
    assert (await ask("stores"))["stores"][0]["state"] == "ok"
