"""A run's page by REST: sections, differences, cells to put back; text stays text."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.tracking.background import background

pytest_plugins = ["pytest_jupyter.jupyter_server"]
pytestmark = pytest.mark.usefixtures("plain_surroundings")

SOME_ID = "0" * 13
EVIL = "<img src=x onerror=alert(1)>\"'\u202e\x1b[31m&\n</script>"


def posted(**body):
    return {"method": "POST", "body": json.dumps(body)}


@pytest.fixture
def session(shell):
    """A shell in which a run needs one of the two cells before it."""

    def run(code):
        return shell.run_cell(code, store_history=True)

    run("%load_ext nbtrack")
    run("x = 2")
    run("unused = 3")
    run("%%track base --no-live\nfor i in range(3):\n    loss = x / (i + 1)")
    run("%%track again --no-live\nfor i in range(4):\n    loss = x / (i + 2)")
    assert background.settle(10.0)
    store = nbtrack.open()
    store.journal.flush()
    run.base, run.again = (store.run(name).id for name in ("base", "again"))
    return run


async def test_a_page_has_the_sections_that_have_something_to_say(ask, session):
    page = await ask("runs", session.base, "page")
    sections = {section["title"]: section for section in page["sections"]}
    assert page["run"] == session.base
    assert page["headline"].startswith("base · finished")
    assert sections["Metrics"]["rows"][0][0] == "loss"
    assert ["x", "2", "inherited, cell [2]"] in sections["Params"]["rows"]
    assert sections["Code"]["texts"][0][0] == "The cell"
    assert "for i in range(3)" in sections["Code"]["texts"][0][1]
    assert page["files"] == []


async def test_files_are_listed_with_how_the_run_came_to_them(
    ask, store_path, tmp_path
):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    with nbtrack.start("makes") as makes:
        makes.log_artifact(tmp_path / "data.csv", name="data", type="dataset")
    with nbtrack.start("uses") as uses:
        uses.use_artifact("data:v0")
        uses.checkpoint({"w": [1]}, name="mlp", step=3)
    files = (await ask("runs", uses.id, "page"))["files"]
    assert [(one["artifact"], one["role"], one["type"]) for one in files] == [
        ("data:v0", "used", "dataset"),
        ("mlp:v0", "logged", "checkpoint"),
    ]
    [data] = files[0]["files"]
    assert (data["path"], data["size_bytes"]) == ("data.csv", 8)
    assert len(data["digest"]) == 64
    assert files[0]["gone"] is None
    assert "latest" in files[1]["aliases"]


def note(run, facts):
    """Keep facts with a run, as a rerun and a proof do."""
    told = [[name, value, None] for name, value in facts.items()]
    nbtrack.open().edit({"kind": "facts", "run": run, "facts": told})


async def test_a_rerun_says_its_verdict_and_leads_to_its_origin(ask, session):
    proof = {"slice.proof": "PROVEN", "slice.proof.reason": "2 of 3 cells do it"}
    note(session.base, proof)
    verdict = {"rerun.of": session.base, "rerun.verdict": "DRIFTED"}
    why = {
        "rerun.reason": "loss: 1.0 -> 2.0",
        "rerun.divergence": "first at step 3 of loss",
        "rerun.causes": ["numpy 1 -> 2", EVIL],
    }
    note(session.again, verdict | why)
    base = await ask("runs", session.base, "page")
    again = await ask("runs", session.again, "page")
    rows = {s["title"]: s["rows"] for s in again["sections"]}["Reproducibility"]
    assert rows[:-1] == [
        ["rerun of", "base"],
        ["verdict", "DRIFTED", "loss: 1.0 -> 2.0"],
        ["first difference", "first at step 3 of loss"],
        ["likely cause", "numpy 1 -> 2"],
    ]
    assert "<img src=x" in rows[-1][1]  # as text, without what turns lines around
    assert "\u202e" not in rows[-1][1]
    assert again["origin"] == {"run": session.base, "name": "base"}
    rows = {s["title"]: s["rows"] for s in base["sections"]}["Reproducibility"]
    assert rows == [["proof", "PROVEN", "2 of 3 cells do it"]]
    assert base["origin"] is None


@pytest.mark.parametrize("of", [SOME_ID, "no id", 3, ["x"], None])
async def test_an_origin_that_is_elsewhere_is_no_link(ask, session, of):
    note(session.again, {"rerun.of": of, "rerun.verdict": "BITWISE"})
    page = await ask("runs", session.again, "page")
    rows = {s["title"]: s["rows"] for s in page["sections"]}["Reproducibility"]
    assert page["origin"] is None
    assert rows[-1] == ["verdict", "BITWISE"]
    note(session.again, {"rerun.of": session.again, "rerun.causes": "not a list"})
    assert (await ask("runs", session.again, "page"))["run"] == session.again


async def test_text_of_a_run_comes_through_as_text(ask, jp_fetch, store_path):
    with nbtrack.start(EVIL, params={"note": EVIL}, notes=EVIL, tags=["t"]) as run:
        run.log({"loss <b>": 1.0})
    page = await ask("runs", run.id, "page")
    rows = [row for section in page["sections"] for row in section["rows"]]
    assert [row[0] for row in rows if row[0].startswith("loss")] == ["loss <b>"]
    assert any("<img src=x onerror=alert(1)>" in cell for row in rows for cell in row)
    response = await jp_fetch("nbtrack", "runs", run.id, "page")
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_page_that_would_never_end_is_cut_and_says_so(ask, store_path):
    params = {f"p{n:04}": n for n in range(1_200)}
    with nbtrack.start("wide", params=params):
        pass
    run = nbtrack.open().run("wide")
    page = await ask("runs", run.id, "page")
    [rows] = [s["rows"] for s in page["sections"] if s["title"] == "Params"]
    assert len(rows) == 1_001
    assert rows[-1] == [f"… {len(run.params) - 1_000} more"]


async def test_two_runs_differ_by_their_code_and_their_metrics(ask, session):
    diff = await ask("diff", params={"a": session.base, "b": session.again})
    assert [text.split(" ")[0] for text in diff["headings"]] == ["base", "again"]
    assert "metric" in diff["verdict"]
    assert diff["causes"][0].keys() == {"title", "why", "kind", "strength"}
    [code] = diff["code"]
    kinds = [line["kind"] for line in code["lines"]]
    assert "changed" in kinds
    [changed] = [x for x in code["lines"] if x["left"] == "for i in range(3):"]
    assert (changed["right"], changed["kind"]) == ("for i in range(4):", "changed")
    assert changed["a"] == changed["b"] == 1
    assert len(diff["metrics"]["heads"]) == len(diff["metrics"]["rows"][0])
    assert diff["metrics"]["rows"][0][0].startswith("loss")


async def test_a_run_differs_from_itself_in_nothing(ask, session):
    diff = await ask("diff", params={"a": session.base, "b": session.base})
    assert diff["verdict"] == "A and B are the same run."
    assert diff["causes"] == diff["code"] == diff["tables"] == []
    assert diff["metrics"]["rows"] == []


async def test_a_run_in_the_trash_is_not_compared_and_says_why(refused, session):
    edits.trash(nbtrack.open(), session.again)
    code, error = await refused("diff", params={"a": session.base, "b": session.again})
    assert code == 404
    assert "lies in the trash" in error["message"]


@pytest.mark.parametrize(
    "question", [{}, {"a": SOME_ID}, {"a": "x", "b": "y"}, {"a": f"{SOME_ID},x"}]
)
async def test_a_diff_needs_two_ids(refused, store, question):
    code, error = await refused("diff", params=question)
    assert code == 400
    assert set(error) == {"message", "reason"}


async def test_a_cell_is_told_from_what_it_was(ask, session):
    where = ("runs", session.base, "cell-diff")
    source = "%%track base --no-live\nfor i in range(3):\n    loss = x / (i + 1)"
    assert await ask(*where, **posted(source=f"{source}\r\n")) == {
        "same": True,
        "lines": [],
    }
    changed = await ask(*where, **posted(source=source.replace("(3)", "(30)")))
    assert not changed["same"]
    assert [line["kind"] for line in changed["lines"]] == ["same", "changed", "same"]
    added = await ask(*where, **posted(source=f"{source}\n<b>"))
    assert added["lines"][-1] == {
        "a": None, "b": 4, "left": "", "right": "<b>", "kind": "added",
    }  # fmt: skip


async def test_a_secret_that_was_taken_out_is_no_difference(ask, shell):
    shell.run_cell("%load_ext nbtrack", store_history=True)
    cell = "%%track it --no-live\npassword = 'hunter2-very-long'\nloss = 1.0"
    shell.run_cell(cell, store_history=True)
    run = nbtrack.open().run("it")
    assert "hunter2" not in run.source
    answer = await ask("runs", run.id, "cell-diff", **posted(source=cell))
    assert answer["same"]


async def test_a_text_too_long_to_be_laid_side_by_side_says_so(ask, session):
    where = ("runs", session.base, "cell-diff")
    answer = await ask(*where, **posted(source="x = 1\n" * 3_000))
    assert not answer["same"]
    assert [line["left"] for line in answer["lines"]] == ["too long to be shown"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"source": 3}', '{"source": null}'])
async def test_a_cell_that_is_no_text_is_refused(refused, session, body):
    where = ("runs", session.base, "cell-diff")
    code, _ = await refused(*where, method="POST", body=body)
    assert code == 400


async def test_the_cells_come_back_as_restore_gives_them(ask, session):
    answer = await ask("runs", session.base, "cells")
    assert answer["cells"] == [
        "# [2] of run base: sets x, which [4] reads\nx = 2",
        "# [4] of run base: the tracked cell\n%%track base --no-live\n"
        "for i in range(3):\n    loss = x / (i + 1)",
    ]
    assert answer["not_kept"] == []
    assert answer["note"] == ""


async def test_a_run_without_cells_says_so(refused, store_path):
    with nbtrack.start("in a script") as run:
        pass
    run.store.journal.flush()
    code, error = await refused("runs", run.id, "cells")
    assert code == 400
    assert "has no cells" in error["message"]
    code, error = await refused("runs", run.id, "cell-diff", **posted(source="x"))
    assert code == 400


HOSTILE = [
    "..", "%2e%2e", "%252e%252e", "..%2f..%2fetc%2fpasswd", "..\\..", "%5c..%5c",
    "//proc/self/root", "%2fproc%2fself%2froot", f"{SOME_ID}#", f"{SOME_ID}%23",
    f"{SOME_ID}-other", f"{SOME_ID}%00", f"{SOME_ID}/../{SOME_ID}", "x' or 1=1 --",
]  # fmt: skip


@pytest.mark.parametrize("run_id", HOSTILE)
@pytest.mark.parametrize("page", ["page", "cells", "static", f"files/{'0' * 64}"])
async def test_what_is_no_run_id_is_not_found(refused, store, run_id, page):
    path = quote(run_id, safe="%/#") if "#" not in run_id else quote(run_id, safe="")
    code, _ = await refused("runs", path, *page.split("/"))
    assert code in {400, 403, 404}
