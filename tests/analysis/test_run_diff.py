"""What differs between two runs: params, cells, modules, data, metrics; two stores."""

from __future__ import annotations

import json
import math
import sys
from itertools import permutations

import pytest
from conftest import fresh_shell

import nbtrack
from nbtrack.analysis.code_view import settled_store
from nbtrack.analysis.diff.code import change_of_sources
from nbtrack.analysis.diff.lines import side_by_side, unified, words
from nbtrack.analysis.diff.params import compare_values
from nbtrack.analysis.diff.run_diff import PARTS, diff_sides
from nbtrack.analysis.diff.side import Side
from nbtrack.analysis.edits import trash
from nbtrack.errors import OptionError, RunNotFoundError, StoreError
from nbtrack.records import (
    CellRecord,
    Fact,
    InputRecord,
    MetricSummary,
    Param,
    RunRecord,
    TextRecord,
)
from nbtrack.store import Store

EVIL = "<img src=x onerror=alert(1)>"
NAN = math.nan
TRACKED = """\
%%track {name} --no-live -p note={note!r}
scale = 2
for epoch in range(3):
    loss = local_part.half(lr) * (epoch + 1) / scale
"""


@pytest.fixture(scope="module")
def store_of_session(tmp_path_factory):
    """The store of one session in a real shell: base, again, other, module."""
    folder = tmp_path_factory.mktemp("session")
    with pytest.MonkeyPatch.context() as patch, fresh_shell() as shell:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setenv("NBTRACK_STORE", str(folder / ".nbtrack"))
        patch.setenv("NBTRACK_OFF", "environment system rng")
        play(shell, folder)
        settled_store()
        nbtrack.tracking.session.process_session().close()
        sys.modules.pop("local_part", None)
    return folder / ".nbtrack"


def play(shell, folder):
    def run(code):
        done = shell.run_cell(code, store_history=True)
        done.raise_error()

    module = folder / "local_part.py"
    module.write_text("def half(v):\n    return v / 2\n")
    run("%load_ext nbtrack")
    run("import local_part")
    run(f"lr = 0.1  # {EVIL}\nunused = 1")
    run(TRACKED.format(name="base", note=EVIL))
    run(TRACKED.format(name="again", note=EVIL))
    run(f"lr = 0.2  # {EVIL}\nunused = 2")
    run(TRACKED.format(name="other", note="x").replace("range(3)", "range(4)"))
    settled_store()  # the module is read in the background
    module.write_text("def half(v):\n    return v / 4\n")
    run("import importlib; _ = importlib.reload(local_part)")
    run(TRACKED.format(name="module", note="x").replace("range(3)", "range(4)"))


@pytest.fixture
def store(store_of_session):
    with Store.open(store_of_session, create=False) as opened:
        yield opened


def record(name="x", **fields):
    return RunRecord(
        name, name, "e", "finished", "2026-11-01T10:00:00Z", None, 1, **fields
    )


def metric(name, *values, goal=None):
    good = [v for v in values if not math.isnan(v)] or [NAN]
    low, high = min(good), max(good)
    return MetricSummary(
        name, goal, len(values), values[-1], len(values) - 1,
        low, values.index(low) if low in values else 0,
        high, values.index(high) if high in values else 0,
        sum(map(math.isnan, values)),
    )  # fmt: skip


def with_metrics(*metrics):
    return Side(record(metrics={m.name: m for m in metrics}))


def with_params(**params):
    told = {name: Param(name, value, "literal") for name, value in params.items()}
    return Side(record(params=told))


def with_cells(*sources, ids=None, needed=None):
    cells = [
        CellRecord(n, ids[n] if ids else None, n + 1, text, f"sha {text}", "2026")
        for n, text in enumerate(sources)
    ]
    return Side(record(), cells=cells, needed=frozenset(needed or range(len(cells))))


def by_name(rows):
    return {row.name: row for row in rows}


def test_params_stand_side_by_side_with_where_they_came_from(store):
    found = by_name(nbtrack.diff("base", "other", store=store).params)
    lr = found["lr"]
    assert (lr.change, lr.a, lr.b) == ("changed", 0.1, 0.2)
    assert (lr.origin_a, lr.origin_b) == ("inherited from [3]", "inherited from [6]")
    assert lr.read_by == ("[7]",)
    assert (found["scale"].change, found["note"].origin_b) == ("same", "option")
    assert found["note"].read_by == ()
    assert (found["epoch"].a, found["epoch"].b) == (3, 4)


def test_only_cells_that_the_results_depend_on_are_compared_by_text(store):
    found = nbtrack.diff("base", "other", store=store)
    changes = {cell.name: cell.change for cell in found.code.cells if cell.is_needed}
    assert changes == {"[2]": "same", "[3] → [6]": "values", "[4] → [7]": "values"}
    tracked = found.code.cells[-1]
    assert tracked.is_tracked
    assert "-for epoch in range(3):" in tracked.unified
    row = next(row for row in tracked.side_by_side if row.kind == "changed")
    assert (row.n_a, row.a, row.b) == (
        2, "for epoch in range(3):", "for epoch in range(4):"
    )  # fmt: skip


def test_equal_runs_say_equal(store):
    found = nbtrack.diff("base", "again", store=store)
    assert (found.is_same, found.metrics_differ, found.causes) == (True, False, ())
    text = repr(found)
    assert "The metric is the same, and nothing else that was recorded differs." in text
    assert "The same: 1 metric (loss), 4 params" in text
    assert "Most likely" not in text
    same = nbtrack.diff("base", "base", store=store)
    assert "A and B are the same run." in repr(same)


def test_a_local_module_that_changed_is_compared_by_its_lines(store):
    found = nbtrack.diff("other", "module", store=store)
    module = by_name(found.code.modules)["local_part.py"]
    assert module.change == "changed"
    assert "-    return v / 2" in module.unified
    causes = [cause.sentence for cause in found.causes]
    assert causes[:2] == [
        "cell [8] is needed in B only",
        "local module local_part.py changed",
    ]
    assert [param.change for param in found.params if param.change != "same"] == []


def test_metrics_have_best_step_last_and_difference(store):
    [loss] = nbtrack.diff("base", "other", store=store).metrics
    assert (loss.goal, loss.a.best, loss.a.best_step) == ("min", 0.025, 0)
    assert (loss.delta, loss.better) == (0.025, "a")
    assert loss.delta_last == pytest.approx(0.2 - 0.075)


def test_what_was_not_recorded_is_said(store):
    unseen = nbtrack.diff("base", "other", store=store).unseen
    assert "A and B: the environment was not recorded" in unseen
    assert "A and B: the random generators were not looked at" in unseen
    text = repr(nbtrack.diff("base", "other", store=store))
    assert "packages" not in text.partition("Not recorded")[0]
    assert (
        "A and B: which cells made it is not known"
        in diff_sides(Side(record()), Side(record())).unseen
    )


def test_the_page_is_static_and_holds_no_markup_of_runs(store):
    page = nbtrack.diff("base", "other", store=store)._repr_html_()
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert "<script" not in page
    assert "http" not in page
    assert "lr = <span style='background-color:" in page  # the changed words
    assert page.count("<details") == page.count("</details>")
    assert page.count("<td") == page.count("</td>")


def test_names_of_strangers_move_no_terminal():
    hostile = "evil\x1b[31m\u202e\r\nname"
    sides = [
        Side(
            record(
                hostile,
                params={hostile: Param(hostile, hostile * n, "option", hostile)},
                metrics={hostile: metric(hostile, float(n))},
            ),
            {"python.version": Fact("python.version", hostile * n)},
            inputs=[InputRecord(hostile, hostile, f"{n}{hostile}")],
            cells=[CellRecord(0, None, None, hostile * n, str(n), "")],
            needed=frozenset({0}),
            unknown={hostile: hostile},
        )
        for n in (1, 2)
    ]  # fmt: skip
    found = diff_sides(*sides)
    for shown in (repr(found), found._repr_html_()):
        assert not [c for c in "\x1b\u202e\r" if c in shown]
        assert "evil" in shown


def test_every_part_is_a_table_and_all_of_it_is_json(store):
    found = nbtrack.diff("base", "other", store=store)
    tables = {part: found.to_frame(part) for part in PARTS}
    assert tables["params"].set_index("name").loc["lr", ["a", "b"]].tolist() == [
        0.1,
        0.2,
    ]
    assert tables["causes"]["kind"].tolist() == [c.kind for c in found.causes]
    assert tables["metrics"]["better"].tolist() == ["a"]
    assert tables["packages"].empty
    told = json.loads(json.dumps(found.to_dict()))
    assert (told["a"]["name"], told["b"]["name"]) == ("base", "other")
    [tracked] = [cell for cell in told["code"] if cell["is_tracked"]]
    assert tracked["side_by_side"][1]["kind"] == "changed"
    assert told["metrics"][0]["best_step_b"] == 0
    with pytest.raises(OptionError, match="Did you mean params"):
        found.to_frame("param")


def test_runs_of_two_stores_are_compared_and_the_second_is_only_read(
    store, store_path, plain_surroundings
):
    with nbtrack.start("base", params={"lr": 0.3}) as run:
        run.log(loss=1.0)
    other = store.path

    def listing():
        files = [path for path in other.rglob("*") if path.is_file()]
        return {p: p.stat().st_mtime_ns for p in files if "-shm" not in p.name}

    before = listing()
    found = nbtrack.diff(run, "base", other=other)
    assert {p.suffix for p in listing().keys() ^ before.keys()} <= {".db-wal"}
    assert before.items() <= listing().items()
    assert by_name(found.params)["lr"].a == 0.3
    assert by_name(found.params)["lr"].b == 0.1
    assert by_name(found.metrics)["loss"].better == "b"
    with pytest.raises(StoreError, match="There is no store at"):
        nbtrack.diff(run, "base", other=store_path / "none")


def test_a_run_that_is_gone_or_in_the_trash_is_an_error_with_the_way_out(
    store_path, plain_surroundings
):
    for name in ("first", "second", "third"):
        with nbtrack.start(name):
            pass
    with Store.open(store_path) as store:
        gone = store.run("third").id
        trash(store, "second")
        store.purge(gone)
    with pytest.raises(RunNotFoundError, match=r"lies in the trash.*%runs restore"):
        nbtrack.diff("first", "second")
    with pytest.raises(RunNotFoundError, match=r"If it was deleted.*nbtrack\.runs\(\)"):
        nbtrack.diff("first", "3rd")
    with pytest.raises(RunNotFoundError, match="Did you mean first"):
        nbtrack.diff("frst", "first")
    assert nbtrack.diff("first").is_same  # the last one is itself


def test_a_script_without_cells_is_compared_by_params_and_metrics(
    store_path, plain_surroundings
):
    runs = []
    for nth in range(2):
        with nbtrack.start("base", params={"lr": nth}) as run:
            run.log(loss=1.0)
        runs.append(run)
    found = nbtrack.diff(*runs)
    assert [p.read_by for p in found.params] == [None]
    assert not found.metrics_differ
    assert "What differs" in repr(found)


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (1, 1, "same"), (1, 1.0, "type"), (1, True, "changed"), (0, False, "changed"),
        (1, 2, "changed"), (1, 2.5, "changed"), (NAN, NAN, "same"), (NAN, 1, "changed"),
        (math.inf, math.inf, "same"), (0.0, -0.0, "same"), ("1", 1, "changed"),
        (None, None, "same"), (None, 0, "changed"), (None, False, "changed"),
        ([1, NAN], [1.0, NAN], "type"), ([1, 2], [2, 1], "changed"),
        ([1], [1, 1], "changed"), ({"a": 1}, {"a": 1}, "same"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1.0}, "type"), ({"a": 1}, {"b": 1}, "changed"),
        ([True], [1], "changed"), (2**53 + 1, float(2**53), "changed"),
    ],
)  # fmt: skip
def test_values_of_params_are_told_apart_by_number_and_by_type(a, b, says):
    assert compare_values(a, b) == says
    assert compare_values(b, a) == says


def test_a_param_may_be_missing_none_of_another_type_or_from_elsewhere():
    told = Side(
        record(params={"lr": Param("lr", 1, "option"), "n": Param("n", 1, "literal")})
    )
    rows = by_name(diff_sides(with_params(lr=1, gone=None, n=1.0), told).params)
    assert {name: row.change for name, row in rows.items()} == {
        "lr": "origin", "n": "type", "gone": "only in a"
    }  # fmt: skip
    assert (rows["gone"].origin_a, rows["gone"].origin_b) == ("literal", None)
    text = repr(diff_sides(with_params(n=None), with_params()))
    assert "param n: None in A, not there in the other" in text
    long = ["x" * 100 + end for end in "ab"]
    text = repr(diff_sides(with_params(s=long[0]), with_params(s=long[1])))
    assert "xa' in A" in text


def test_metrics_with_nan_or_missing_or_without_a_goal():
    a = with_metrics(
        metric("loss", NAN, goal="min"), metric("acc", 0.5, NAN, goal="max"),
        metric("lr", 0.1, 0.2), metric("gone", 1.0), metric("mixed", 1.0, goal="min"),
    )  # fmt: skip
    b = with_metrics(
        metric("loss", NAN, goal="min"), metric("acc", 0.5, 0.7, goal="max"),
        metric("lr", 0.1, 0.3), metric("new", 1.0), metric("mixed", 2.0, goal="max"),
    )  # fmt: skip
    rows = by_name(diff_sides(a, b).metrics)
    assert (rows["loss"].change, rows["loss"].better) == ("same", None)
    assert math.isnan(rows["loss"].delta)
    assert (rows["acc"].change, rows["acc"].better) == ("changed", "b")
    assert rows["acc"].delta == pytest.approx(0.2)
    assert math.isnan(rows["acc"].delta_last)
    assert rows["lr"].delta == pytest.approx(0.1)
    assert rows["lr"].better is None
    assert (rows["gone"].change, rows["gone"].delta) == ("only in a", None)
    assert (rows["new"].change, rows["new"].better) == ("only in b", None)
    assert (rows["mixed"].goal, rows["mixed"].better, rows["mixed"].delta) == (
        None, None, 1.0
    )  # fmt: skip
    nan = with_metrics(metric("loss", NAN, goal="min"))
    number = with_metrics(metric("loss", 1.0, goal="min"))
    assert by_name(diff_sides(nan, number).metrics)["loss"].better == "b"
    assert diff_sides(nan, nan).metrics_differ is False
    infinite = with_metrics(metric("loss", math.inf))
    assert by_name(diff_sides(infinite, infinite).metrics)["loss"].delta == 0.0


def test_numbers_that_four_digits_do_not_tell_apart_are_shown_with_more():
    text = repr(
        diff_sides(
            with_metrics(metric("loss", 0.123412, goal="min")),
            with_metrics(metric("loss", 0.123413, goal="min")),
        )
    )
    assert "loss 0.123412 → 0.123413 (A better)" in text


def test_data_are_compared_by_digest_and_found_under_another_name():
    a = Side(record(), inputs=[
        InputRecord("x", "list", "1", 8, 2), InputRecord("/old/d.csv", "file", "2", 9),
        InputRecord("z", "array", None, 8, 3, missing="too large"),
        InputRecord("gone", "list", "5"), InputRecord("same", "list", "6"),
    ])  # fmt: skip
    b = Side(record(), inputs=[
        InputRecord("x", "list", "3", 8, 2), InputRecord("/new/d.csv", "file", "2", 9),
        InputRecord("z", "array", None, 8, 3, missing="too large"),
        InputRecord("new", "list", "4"), InputRecord("same", "list", "6"),
    ])  # fmt: skip
    found = diff_sides(a, b)
    assert {row.name: row.change for row in found.inputs} == {
        "x": "same rows, values differ", "/new/d.csv": "other name", "z": "not known",
        "new": "only in b", "same": "same", "gone": "only in a",
    }  # fmt: skip
    assert "A and B: no digest of `z`: too large" in found.unseen


def test_packages_and_settings_are_compared_where_both_have_them():
    def side(numpy, loaded, threads, *lines):
        facts = {
            "python.version": "3.11.7", "numerics.torch.threads": threads,
            "python.loaded": loaded,
        }  # fmt: skip
        body = "\n".join([f"numpy=={numpy}", *lines])
        texts = [TextRecord("packages", "requirements.txt", body, body)]
        return Side(record(), {n: Fact(n, v) for n, v in facts.items()}, texts)

    a = side("2.0", ["numpy==2.0"], 1, "old==1")
    b = side("2.1", ["numpy==2.1"], 8, "new==1")
    found = diff_sides(a, b)
    assert [(p.name, p.a, p.b, p.is_loaded) for p in found.packages] == [
        ("new", None, "1", False), ("numpy", "2.0", "2.1", True),
        ("old", "1", None, False),
    ]  # fmt: skip
    assert [(f.name, f.a, f.b) for f in found.environment] == [
        ("numerics.torch.threads", 1, 8)
    ]
    bare = diff_sides(a, Side(record()))
    assert (bare.packages, bare.environment) == ((), ())
    assert "B: the packages were not recorded" in bare.unseen


@pytest.mark.parametrize(
    ("a", "b", "params", "says"),
    [
        ("x = 1", "x = 1  # one", (), "layout"),
        ("x = 1", "x  =  1\n", (), "layout"),
        ("x = 1", "x = 2", (), "changed"),
        ("x = 1", "x = 2", ("x",), "values"),
        ("x: int = 1\nfit(x)", "x: int = 2\nfit(x)", ("x",), "values"),
        ("x = f(1)", "x = f(2)", ("x",), "changed"),
        ("for i in range(3): fit()", "for i in range(4): fit()", ("i",), "values"),
        ("for i in range(3): fit()", "for i in range(n): fit()", ("i",), "changed"),
        ("c = {'lr': 1}", "c = {'lr': 2}", ("c",), "values"),
        ("x = 1; y = 1", "x = 2; y = 2", ("x",), "changed"),
        ("%%track a -t x\nx = 1", "%%nbtrack b\nx = 1", (), "same"),
        ("%time f(1)", "%time f(2)", (), "changed"),
        ("x = = 1", "x = = 2", (), "changed"),
        ("x = 1", "x = 1", (), "secret"),
        ("x = " + "-" * 3_000 + "1", "x = 2", ("x",), "changed"),
        ("x = '\\d' is 3", "x = '\\d' is 4", (), "changed"),
    ],
)
def test_how_two_cells_differ(a, b, params, says):
    assert change_of_sources(a, b, params) == says


def test_cells_are_paired_by_id_then_text_then_likeness():
    a = with_cells("x = 1", "n = 1", "fit(x, n)", ids=["i1", "i2", "t"])
    b = with_cells(
        "x = 1",
        "x = 2",
        "n = 1",
        "p = 1",
        "fit(x, n, p)",
        ids=["i1", "i1", "i9", "i8", "u"],
    )
    found = {cell.name: cell.change for cell in diff_sides(a, b).code.cells}
    assert found == {
        "[1]": "same",  # it ran in both, before the other execution of that cell
        "[1] → [2]": "changed", "[2] → [3]": "same", "[4]": "only in b",
        "[3] → [5]": "changed",
    }  # fmt: skip
    alike = diff_sides(
        with_cells("def half(v):\n    return v / 2", "t()"),
        with_cells("import os", "def half(v):\n    return v / 3", "t()"),
    )
    assert [cell.name for cell in alike.code.cells] == ["[1]", "[1] → [2]", "[2] → [3]"]


def test_what_no_result_depends_on_is_told_in_one_line():
    a = with_cells("plot(1)", "y = 1", ids=["p", "t"], needed=[1])
    b = with_cells("plot(2)", "y = 1", ids=["p", "t"], needed=[1])
    found = diff_sides(a, b)
    assert [(c.name, c.is_needed) for c in found.code.cells] == [
        ("[1]", False),
        ("[2]", True),
    ]
    assert found.is_same
    assert "plot" not in repr(found)
    assert [row["name"] for row in found.to_dict()["code"]] == ["[2]"]
    assert len(found.to_frame("code")) == 2


def test_texts_come_back_from_their_lines():
    texts = ["", "a", "a\nb\n", "b\nc\n\n", "\x0c\n a\tb", "a\nx\nb\ny\nc\nz\nd" * 5]
    for a, b in permutations(texts, 2):
        rows = side_by_side(a, b, context=1_000)
        old = [row.a for row in rows if row.n_a is not None]
        new = [row.b for row in rows if row.n_b is not None]
        assert ("\n".join(old), "\n".join(new)) == (a, b)
        assert unified(a, b)
    assert (unified(a, a), [row.kind for row in side_by_side(a, a)]) == ((), ["gap"])
    far = "\n".join(map(str, range(100)))
    rows = side_by_side(far, far.replace("50", "x"))
    assert [row.kind for row in rows].count("gap") == 2
    assert sum(row.n_left_out for row in rows) == 100 - 7
    left, right = words("loss = f(0.10)", "loss = g(0.25)")
    assert [part for part, changed in left if changed] == ["f", "0.10"]
    assert [part for part, changed in right if changed] == ["g", "0.25"]
