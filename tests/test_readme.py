"""Every block of the README does what the README says."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from notebook_cells import execute, text_of

from nbtrack.notebook.artifacts_magic import LINEAGE_OPTIONS
from nbtrack.notebook.artifacts_magic import OPTIONS as ARTIFACT_OPTIONS
from nbtrack.notebook.bundle_magics import EXPORT as EXPORT_OPTIONS
from nbtrack.notebook.bundle_magics import RERUN as RERUN_OPTIONS
from nbtrack.notebook.models_magic import OPTIONS as MODEL_OPTIONS
from nbtrack.notebook.options import OPTIONS
from nbtrack.notebook.slice_magic import OPTIONS as SLICE_OPTIONS
from nbtrack.notebook.sweep_magic import OPTIONS as SWEEP_OPTIONS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES_MAX = 200
PICTURE_MAX_BYTES = 150_000
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language and what stands in it."""

    language: str
    body: str


def blocks_of(text: str) -> list[Block]:
    return [Block(*match.groups()) for match in FENCE.finditer(text)]


BLOCKS = blocks_of(README)
COMMANDS = [
    line
    for block in BLOCKS
    if block.language == "sh"
    for line in block.body.splitlines()
    if line
]


def without_numbers(text: str) -> str:
    """Durations and values differ from run to run, the words may not."""
    return re.sub(r"\d+(\.\d+)?(e-?\d+)?", "0", re.sub(r"\s+", " ", text))


def test_readme_is_short():
    assert len(README.splitlines()) < LINES_MAX


def test_every_block_is_of_a_kind_that_is_executed():
    assert {block.language for block in BLOCKS} == {"python", "sh", "text"}


@pytest.mark.reproduce
def test_python_blocks_run_as_cells_and_show_what_readme_shows(tmp_path, monkeypatch):
    notebook = nbformat.v4.new_notebook()
    expected: list[tuple[int, str]] = []
    for block in BLOCKS:
        if block.language == "python":
            notebook.cells.append(nbformat.v4.new_code_cell(block.body.rstrip()))
        elif block.language == "text":
            expected.append((len(notebook.cells) - 1, block.body.strip()))
    done = execute(notebook, tmp_path, monkeypatch, settings={})
    assert expected
    for n, text in expected:
        assert without_numbers(text) in without_numbers(text_of(done.cells[n]))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_readme_is_there(command):
    program, *targets = shlex.split(command)
    assert program == "make", f"README has a command that no test knows: {command}"
    dry = ["make", "--dry-run", *targets]
    said = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_extras_that_readme_names_exist():
    named = set(re.findall(r'"\.\[([\w,]+)\]"', README))
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = {extra for group in named for extra in group.split(",")}
    assert extras
    assert [e for e in extras if not re.search(rf"^{e} = \[", declared, re.M)] == []


def test_every_option_of_track_is_in_readme():
    flags = [option.flags[-1] for option in OPTIONS]
    assert [flag for flag in flags if f"`{flag}" not in README] == []


def test_every_option_of_slice_is_in_readme():
    flags = [option.flags[0] for option in SLICE_OPTIONS]
    assert [flag for flag in flags if f"`{flag}" not in README] == []
    assert "`%slice" in README
    assert "`%restore" in README


def test_every_option_of_artifacts_lineage_and_models_is_in_readme():
    options = (*ARTIFACT_OPTIONS, *LINEAGE_OPTIONS, *MODEL_OPTIONS)
    flags = [option.flags[-1] for option in options]
    assert [flag for flag in flags if f"`{flag}" not in README] == []
    assert "`%artifacts" in README
    assert "`%lineage" in README
    assert "`%models`" in README


def test_every_option_of_sweep_is_in_readme():
    flags = [option.flags[-1] for option in SWEEP_OPTIONS]
    assert [flag for flag in flags if f"`{flag}" not in README] == []
    assert "`%%sweep`" in README


def test_every_option_of_export_and_rerun_is_in_readme():
    flags = [option.flags[-1] for option in (*EXPORT_OPTIONS, *RERUN_OPTIONS)]
    assert [flag for flag in flags if f"`{flag}" not in README] == []
    for magic in ("%export", "%verify", "%rerun"):
        assert f"`{magic}" in README


def test_links_and_pictures_of_readme_are_files():
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)
    assert targets
    assert [t for t in targets if not (ROOT / t).exists()] == []
    pictures = [ROOT / t for t in targets if t.endswith((".png", ".svg"))]
    assert [p for p in pictures if p.stat().st_size > PICTURE_MAX_BYTES] == []


def test_a_linked_test_of_readme_exists():
    links = re.findall(r"\[`?(test_\w+)`?\]\((tests/[\w/.]+)\)", README)
    missing = [
        (name, path)
        for name, path in links
        if f"def {name}" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []


WORDS_PER_MIN = 238  # silent reading of English prose: Brysbaert 2019, 190 studies
CHARACTERS_PER_MIN = 52 * 5  # typing: Dhakal et al. 2018, 168,000 people
FIRST_RUN_MAX_S = 120


def test_the_first_run_is_read_and_typed_in_two_minutes():
    """From the first line of the README to the line under the first tracked cell."""
    last = next(match for match in FENCE.finditer(README) if match[1] == "text")
    told = README[: last.end()]
    typed = sum(len(b.body) for b in blocks_of(told) if b.language != "text")
    read = len(re.sub(r"<[^>]*>|\]\([^)]*\)", " ", FENCE.sub("", told)).split())
    needed_s = 60 * (read / WORDS_PER_MIN + typed / CHARACTERS_PER_MIN)
    assert needed_s < FIRST_RUN_MAX_S, f"{read} words, {typed} characters"
