"""Pages of the documentation: their blocks, and what stands under each when it runs.

    ```python      a cell of the page's own kernel
    ```sh          run by bash in the page's folder; only programs of `PROGRAMS`
    ```text        what the block before it shows; `...` alone on a line: anything

An HTML comment on the line above a block changes that: `<!-- file: train.py -->` writes
it into the page's folder, `<!-- not run: why -->` leaves it alone.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from notebook_cells import quick_to_start, text_of

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
# The site's toolchain may write there; neither is a document of ours.
_BUILT = {"_build", ".ipynb_checkpoints", "node_modules"}
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(p for p in NOTEBOOKS.rglob("*.md") if not _BUILT & set(p.parts)),
    *sorted(NOTEBOOKS.glob("*.ipynb")),
]
PAGES = [p for p in DOCUMENTS if p.is_relative_to(NOTEBOOKS) and p.suffix == ".md"]
RUN = ("python", "sh")
CELL_MAX_S = 300
SH_MAX_S = 300.0  # two ranks import PyTorch on a machine that does other things too
# What a block of sh may call: nothing that installs, or asks a network.
_PROGRAMS = """
    cat cd cp du echo export false git grep ipython jupyter ls mkdir mv nbtrack
    printf python rm stat test torchrun true
"""
PROGRAMS = frozenset(_PROGRAMS.split())
_FENCE = re.compile(
    r"^(?P<mark>`{3,})(?P<language>[^\n`]*)\n(?P<body>.*?)^(?P=mark)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_NOTE = re.compile(r"<!-- (file|not run): (.+?) -->\s*\Z")
_ID = re.compile(r"\b0[0-9a-z]{12}\b|\b[0-9a-f]{12,64}\b")  # of runs; digests
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")


def named(path: Path) -> str:
    """A file as people name it, from the root of the checkout."""
    return path.relative_to(ROOT).as_posix()


@cache
def markdown_of(document: Path) -> str:
    """The text of a page; of a notebook the cells with markdown."""
    if document.suffix != ".ipynb":
        return document.read_text(encoding="utf-8")
    cells = nbformat.read(document, as_version=4).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page, with what the comment above it says."""

    language: str
    body: str
    line: int
    note: str = ""  # "file", "not run" or nothing
    said: str = ""  # the name of the file, the reason

    @property
    def is_run(self) -> bool:
        return self.language in RUN and not self.note


def blocks_of(text: str) -> list[Block]:
    """All blocks of a page, in order."""
    found = []
    for match in _FENCE.finditer(text):
        note = _NOTE.search(text[: match.start()])
        line = text.count("\n", 0, match.start()) + 1
        language, body = match["language"].strip(), match["body"]
        found.append(Block(language, body, line, *(note.groups() if note else ())))
    return found


def prose_of(text: str) -> str:
    """A page without its blocks; lines keep their numbers."""
    return _FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)


def programs_of(body: str) -> Iterator[str]:
    """The program of each command in a block of sh."""
    joined = body.replace("\\\n", " ")
    for line in joined.splitlines():
        for part in re.split(r"\|\|?|&&|;", re.sub(r"'[^']*'|\"[^\"]*\"", "''", line)):
            words = part.split("#")[0].split()
            while words and re.match(r"[A-Z_]+=", words[0]):  # NBTRACK_OFF=system
                words = words[1:]
            if words:
                yield "pip" if "pip" in words else words[0]


def unsettled_text(blocks: list[Block]) -> list[int]:
    """Lines of `text` blocks that are nobody's output, and say no reason."""
    found, after_code = [], False
    for block in blocks:
        if block.language != "text":
            after_code = block.language in RUN and block.note != "file"
        elif not block.note and not after_code:
            found.append(block.line)
    return found


def plain(text: str) -> str:
    """Ids, numbers and white space differ from run to run, the words may not."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return _NUMBER.sub("0", _ID.sub("ID", re.sub(r"\s+", " ", text))).strip()


def shows(shown: str, expected: str) -> bool:
    """Whether the parts of what is expected stand in what was shown, in order.

    >>> shows("run a12 took 3.1 s", "run a12 took 2 s"), shows("a b c", "a\\n...\\nc")
    (True, True)
    """
    rest = plain(shown)
    parts = re.split(r"^[ \t]*\.\.\.[ \t]*$", expected, flags=re.MULTILINE)
    for part in filter(None, map(plain, parts)):
        _, found, rest = rest.partition(part)
        if not found:
            return False
    return True


class Kernel:
    """The kernel of a page; it starts with the first cell, after files and settings."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._environment = environment
        self._notebook = nbformat.v4.new_notebook()
        self._client = NotebookClient(
            self._notebook,
            timeout=CELL_MAX_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        )
        self._running = ExitStack()

    def run(self, body: str) -> str:
        """Run one cell; all that stands under it. An exception in it is raised."""
        cells = self._notebook.cells
        if not cells:
            starts = self._client.setup_kernel(env=self._environment)
            self._running.enter_context(starts)
        cells.append(nbformat.v4.new_code_cell(body.rstrip()))
        return text_of(self._client.execute_cell(cells[-1], len(cells) - 1))

    def end(self) -> None:
        """Shut it down, where it was started."""
        self._running.close()


def run_page(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Block, str]]:
    """Run a page in a folder of its own; each block with what the last one showed."""
    _live_in(folder, monkeypatch)
    environment = _environment()
    kernel, shown = Kernel(folder, environment), ""
    try:
        for block in blocks_of(text):
            if block.note == "file":
                (folder / block.said).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.said).write_text(block.body, encoding="utf-8")
            elif block.is_run and block.language == "python":
                shown = kernel.run(block.body)
            elif block.is_run:
                shown = _run_sh(block, folder, environment)
            yield block, shown
    finally:
        kernel.end()


def _run_sh(block: Block, folder: Path, environment: dict[str, str]) -> str:
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", block.body],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # what it has started ends with it
    ) as shell:
        try:
            shown, _ = shell.communicate(timeout=SH_MAX_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, f"line {block.line} ended with:\n{shown}"
    return shown


def _live_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of the page's own: profiles and settings that it makes stay there."""
    home = folder.parent / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name, place in (
        ("IPYTHONDIR", ".ipython"),
        ("JUPYTER_CONFIG_DIR", ".jupyter"),
        ("JUPYTER_RUNTIME_DIR", ".runtime"),
    ):
        monkeypatch.setenv(name, str(home / place))
    for name in ("NBTRACK_STORE", "NBTRACK_OFF", "NBTRACK_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)


def _environment() -> dict[str, str]:
    """That of the page's processes: this environment's commands, this nbtrack."""
    there = {**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    there["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), there["PATH"]])
    known = os.environ.get("PYTHONPATH")
    there["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), known]))
    return quick_to_start(there)
