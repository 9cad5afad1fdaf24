"""The notebook of a bundle: valid, the script's own code, and it gives the same."""

from __future__ import annotations

import json

import pytest
from bundles.tracked_runs import HOSTILE, READ, TRAIN, renamed, tracked

from nbtrack.bundles.contents.curves import curve_members
from nbtrack.bundles.contents.notebook import notebook_json
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.script import Script, script_of
from nbtrack.slices.slice import slice_of_record

nbformat = pytest.importorskip("nbformat")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    pytest.importorskip("torch")
    with tracked(tmp_path_factory.mktemp("trained")) as (store, record):
        script = slice_of_record(store, record).script
        yield script, store, record, curve_members(store, record)


@pytest.fixture(scope="module")
def cells(trained):
    return {cell["id"]: cell for cell in json.loads(notebook_json(*trained))["cells"]}


def text_of(cell):
    return "".join(cell["source"])


def executed(body, folder):
    """What a kernel prints for each cell."""
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.reads(body.decode(), as_version=4)
    place = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=120, resources=place).execute()
    return {
        cell["id"]: "".join(
            out["text"]
            for out in cell.get("outputs", ())
            if out.get("name") == "stdout"
        )
        for cell in notebook.cells
    }


def test_it_is_a_valid_notebook_of_nbformat_4_5(trained):
    notebook = nbformat.reads(notebook_json(*trained).decode(), as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_each_kept_cell_is_a_cell_under_its_number(cells):
    assert list(cells) == ["about", "front", "cell-0", "cell-1", "cell-3"]
    numbers = [cells[f"cell-{n}"]["execution_count"] for n in (0, 1, 3)]
    assert numbers == [1, 2, 4]
    assert READ in text_of(cells["cell-1"])
    assert TRAIN.partition("\n")[2] in text_of(cells["cell-3"])
    assert "never_read" not in json.dumps(cells)


def test_together_the_cells_are_the_script(trained, cells):
    code = [text_of(c) for c in cells.values() if c["cell_type"] == "code"]
    lines = [line for line in "\n".join(code).split("\n") if line.strip()]
    assert lines == [line for line in trained[0].source.split("\n") if line.strip()]


def test_the_tracked_cell_has_what_was_printed_and_the_curves(trained, cells):
    first, *pictures = cells["cell-3"]["outputs"]
    assert (first["output_type"], first["name"]) == ("stream", "stdout")
    assert "".join(first["text"]).startswith("epoch 0 ")
    assert len(pictures) == len(trained[3])
    for picture, (path, body) in zip(pictures, trained[3].items(), strict=True):
        assert "".join(picture["data"]["image/svg+xml"]).encode() == body
        assert path.endswith("".join(picture["data"]["text/plain"]))
    assert cells["cell-1"]["outputs"] == []


def test_the_bytes_are_the_same_each_time(trained):
    assert notebook_json(*trained) == notebook_json(*trained)


@pytest.mark.reproduce
def test_run_again_it_prints_the_same_numbers(trained, cells, tmp_path):
    was = "".join(cells["cell-3"]["outputs"][0]["text"])
    assert executed(notebook_json(*trained), tmp_path)["cell-3"] == was


def test_cells_that_await_run_in_a_kernel(trained, tmp_path):
    from nbtrack.records import CellRecord

    texts = (
        "import asyncio\nasync def later(n):\n    await asyncio.sleep(0)\n    return n",
        "a = await later(3)\nprint('got', a)",
        "b = await later(a) + 1\nprint('then', b)",
    )
    kept = [
        KeptCell(CellRecord(n, None, n + 1, text, "", "", ok=True), ())
        for n, text in enumerate(texts)
    ]
    _, store, record, _ = trained
    body = notebook_json(script_of(kept, title="a test"), store, record, {})
    said = executed(body, tmp_path)
    assert (said["cell-1"], said["cell-2"]) == ("got 3\n", "then 4\n")


def test_a_name_of_markup_stays_text_in_the_heading(trained):
    script, store, record, curves = trained
    wild = renamed(store, record, f"{HOSTILE} [a](javascript:b)")
    notebook = json.loads(notebook_json(script, store, wild, curves))
    heading = text_of(notebook["cells"][0])
    assert "<img" not in heading.replace("\\<", "")
    assert "[a](" not in heading


def test_a_script_of_no_cells_is_a_notebook(trained):
    _, store, record, _ = trained
    body = notebook_json(Script("x = 1\n"), store, record, {})
    nbformat.validate(nbformat.reads(body.decode(), as_version=4))
    assert text_of(json.loads(body)["cells"][1]) == "x = 1"


def test_lines_are_split_at_newlines_alone(trained):
    _, store, record, _ = trained
    body = notebook_json(Script("x = 'a\x0c b\u2028'\ny = 1"), store, record, {})
    assert json.loads(body)["cells"][1]["source"] == ["x = 'a\x0c b\u2028'\n", "y = 1"]
