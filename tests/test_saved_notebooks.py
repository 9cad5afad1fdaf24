"""The tutorials as committed: executed, seen on any code host, of no machine."""

from __future__ import annotations

import base64
import getpass
import re
import socket
from copy import deepcopy
from functools import cache
from pathlib import Path

import nbformat
import pytest
from tutorials.execution import READER
from tutorials.saved import (
    PNG_BODY,
    SHOWN,
    is_code,
    of_no_machine,
    sources_digest,
    texts_of,
)

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
ALL = sorted(NOTEBOOKS.glob("*.ipynb"))
EACH_MAX_BYTES = 300_000
ALL_MAX_BYTES = 1_500_000
AGAIN = "run `make notebooks` and commit what it saves"
PLACES = r"(?<![\w.])/(work|tmp|root|home|usr|var|opt)\b"
LINK = re.compile(r"\]\((\w+\.ipynb)\)")

every_tutorial = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)


@cache  # reading one validates it against its schema, which takes longer than the rest
def opened(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_of(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in opened(path).cells if is_code(cell)]


def outputs_of(path: Path) -> list[tuple[str, nbformat.NotebookNode]]:
    return [(cell.id, output) for cell in code_of(path) for output in cell.outputs]


def bundles_of(path: Path) -> list[tuple[str, nbformat.NotebookNode]]:
    return [(n, output) for n, output in outputs_of(path) if "data" in output]


def pictures_of(path: Path) -> list[bytes]:
    """Every PNG, as an output of its own or within HTML."""
    bodies = []
    for _, output in bundles_of(path):
        bodies.append(output.data.get("image/png", ""))
        bodies += PNG_BODY.findall(output.data.get("text/html", ""))
    return [base64.b64decode(body) for body in bodies if body]


def around(pattern: str, text: str) -> list[str]:
    """Where it stands, with what stands around it."""
    return [
        text[max(0, found.start() - 40) : found.end() + 40]
        for found in re.finditer(pattern, text)
    ]


def test_there_are_eight_tutorials():
    assert [path.name[:2] for path in ALL] == [f"{n:02}" for n in range(1, 9)]


@every_tutorial
def test_a_tutorial_begins_with_its_title_and_ends_with_the_way_on(path):
    first, *_, last = opened(path).cells
    assert (first.cell_type, last.cell_type) == ("markdown", "markdown")
    assert re.match(r"# \w.*\n\n\w", first.source)
    nexts = set(LINK.findall(last.source))
    assert nexts or path == ALL[-1]
    assert [name for name in nexts if not (NOTEBOOKS / name).is_file()] == []


@every_tutorial
def test_what_was_executed_is_what_is_committed(path):
    notebook = opened(path)
    saved = notebook.metadata.get("nbtrack", {}).get("executed_sources")
    assert saved == sources_digest(notebook), AGAIN


@every_tutorial
def test_cells_were_executed_once_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_of(path)]
    assert counts == list(range(1, len(counts) + 1)), AGAIN


@every_tutorial
def test_nothing_failed_and_nothing_complained(path):
    meant = {
        c.id for c in code_of(path) if "raises-exception" in c.metadata.get("tags", ())
    }
    failed = {n for n, output in outputs_of(path) if output.output_type == "error"}
    complained = {n for n, output in outputs_of(path) if output.get("name") == "stderr"}
    assert failed == meant
    assert complained == set()


@every_tutorial
def test_what_is_shown_needs_no_script_no_widget_and_no_run(path):
    kinds = {kind for _, output in bundles_of(path) for kind in output.data}
    assert kinds <= set(SHOWN)
    assert [
        n for n, output in bundles_of(path) if "text/plain" not in output.data
    ] == []
    html = "".join(o.data.get("text/html", "") for _, o in bundles_of(path))
    assert re.findall(r"<script|<svg|<iframe|<link|data:image/svg", html) == []
    # An id of a run has JupyterLab ask for it.
    told = {key for _, output in bundles_of(path) for key in output.metadata}
    assert told <= {"image/png"}
    assert set(opened(path).metadata) == {"kernelspec", "language_info", "nbtrack"}


@every_tutorial
def test_a_tutorial_has_pictures(path):
    pictures = pictures_of(path)
    assert pictures
    assert {picture[:8] for picture in pictures} == {b"\x89PNG\r\n\x1a\n"}


@every_tutorial
def test_nothing_of_the_machine_that_ran_it_is_told(path):
    said = texts_of(opened(path))
    assert around(PLACES, said) == []
    own = {cell.source for cell in opened(path).cells} | {READER}
    for name in {socket.gethostname(), getpass.getuser(), "root", "localhost"}:
        if any(name in text for text in own):
            continue  # a word of the story
        assert around(rf"\b{re.escape(name)}\b", said) == []
    assert around(r"(?i)\b(?:token|api[_-]?key)\b\s*[=:]", said) == []


def test_the_tutorials_stay_small():
    sizes = {path.name: path.stat().st_size for path in ALL}
    assert {name: n for name, n in sizes.items() if n > EACH_MAX_BYTES} == {}
    assert sum(sizes.values()) <= ALL_MAX_BYTES


def test_folders_are_told_as_a_reader_would_see_them():
    text = f"new store /x/n/.nbtrack\n-e /a/b  # nbtrack==1\n{NOTEBOOKS}/data"
    told = of_no_machine(text, Path("/x")).splitlines()
    assert told == [
        "new store ~/n/.nbtrack",
        "-e ~/nbtrack  # nbtrack==1",
        "~/nbtrack/notebooks/data",
    ]


def test_another_source_is_another_digest():
    notebook = deepcopy(opened(ALL[0]))
    before = sources_digest(notebook)
    notebook.cells[0].source += "\nmore text"
    assert sources_digest(notebook) == before  # nothing that is executed
    next(filter(is_code, notebook.cells)).source += "  "
    assert sources_digest(notebook) != before
