"""A real JupyterLab in a real Chromium, one of each per session.

Each test has a page, a workspace and a folder of its own:

    def test_a_cell_shows_its_value(lab):
        notebook = lab.open(["6 * 7"])
        notebook.run(0)
        assert notebook.text(0) == "42"
        notebook.screenshot("answer")

Nothing of the user's Jupyter or IPython settings is read or written, no address but
this machine's own is opened, and what the page logged as an error is in `lab.problems`.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab_server import LabServer, running_chromium, running_lab
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

SCREENSHOTS = Path(__file__).parent / "screenshots"
BUILT = Path(__file__).parents[2] / "nbtrack" / "labextension"
KERNEL_START_S = 90.0
CELL_S = 60.0
# The status bar may say "idle" while the kernel is not connected, and Ctrl+Enter is
# then lost in silence: only the session's own words count.
KERNEL_READY = """() => {
  const shown = window.jupyterapp?.shell.currentWidget;
  const kernel = shown?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
CELL_DONE = """n => {
  const model = window.jupyterapp.shell.currentWidget.content.widgets[n].model;
  return model.executionCount != null && model.executionState !== 'running';
}"""
CELL_STARTED = """n => {
  const model = window.jupyterapp.shell.currentWidget.content.widgets[n].model;
  return model.executionState === 'running' || model.executionCount != null;
}"""
FORGET_COUNT = """n => {
  window.jupyterapp.shell.currentWidget.content.widgets[n].model.executionCount = null;
}"""


@dataclass
class Notebook:
    """One open notebook: cells are counted from 0, markdown cells included."""

    page: Page
    path: Path
    address: str

    def cell(self, n: int) -> Locator:
        """The n-th cell as the page shows it."""
        return self.page.locator(".jp-NotebookPanel .jp-Notebook .jp-Cell").nth(n)

    def output(self, n: int) -> Locator:
        """The output area of the n-th cell."""
        return self.cell(n).locator(".jp-Cell-outputArea")

    def text(self, n: int) -> str:
        """All text that stands under the n-th cell now."""
        return "\n".join(
            self.output(n).locator(".jp-OutputArea-output").all_inner_texts()
        )

    def start(self, n: int) -> None:
        """Run the n-th cell and return as soon as the kernel has begun with it."""
        self.page.evaluate(FORGET_COUNT, n)
        self.cell(n).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(CELL_STARTED, arg=n, timeout=CELL_S * 1000)

    def wait_done(self, n: int, *, timeout_s: float = CELL_S) -> None:
        """Wait until the n-th cell is no longer running."""
        self.page.wait_for_function(CELL_DONE, arg=n, timeout=timeout_s * 1000)

    def is_busy(self, n: int) -> bool:
        """Whether the n-th cell has not ended yet."""
        return not self.page.evaluate(CELL_DONE, n)

    def run(self, n: int, *, timeout_s: float = CELL_S) -> str:
        """Run the n-th cell to its end; its text output."""
        self.start(n)
        self.wait_done(n, timeout_s=timeout_s)
        return self.text(n)

    def run_all(self, *, timeout_s: float = CELL_S) -> None:
        """Run every code cell in order, each to its end."""
        for n, cell in enumerate(nbformat.read(self.path, as_version=4).cells):
            if cell.cell_type == "code":
                self.run(n, timeout_s=timeout_s)

    def set_source(self, n: int, source: str) -> None:
        """Replace the n-th cell's source, as an edit in the page would."""
        self.page.evaluate(
            """([n, source]) => window.jupyterapp.shell.currentWidget
                 .content.widgets[n].model.sharedModel.setSource(source)""",
            [n, source],
        )

    def save(self) -> nbformat.NotebookNode:
        """Save in the page; the notebook as it now is on disk."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
        return nbformat.read(self.path, as_version=4)

    def reload(self) -> None:
        """Load the page anew, as F5 does; a running kernel goes on."""
        self.page.goto(self.address)
        self.wait_open()

    def wait_open(self) -> None:
        """Wait until the notebook stands on the page."""
        self.page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        self.page.locator(".jp-NotebookPanel .jp-Notebook").wait_for(timeout=60_000)

    def wait_kernel(self, *, timeout_s: float = KERNEL_START_S) -> None:
        """Wait until the kernel is connected and idle."""
        self.page.wait_for_function(KERNEL_READY, timeout=timeout_s * 1000)

    def screenshot(self, name: str, *, n: int | None = None) -> Path:
        """Save the page (or only the n-th cell) as `screenshots/<name>.png`."""
        SCREENSHOTS.mkdir(exist_ok=True)
        target = SCREENSHOTS / f"{name}.png"
        shown = self.page if n is None else self.cell(n)
        shown.screenshot(path=target)
        return target


@dataclass
class Lab:
    """JupyterLab as one test sees it: a page of its own and a folder of its own."""

    server: LabServer
    page: Page
    folder: Path
    problems: list[str] = field(default_factory=list)
    notebooks: list[Notebook] = field(default_factory=list)

    def open(self, cells: Sequence[str], *, name: str = "notebook.ipynb") -> Notebook:
        """A new notebook of code cells, open in the page with its kernel idle."""
        book = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(book, self.folder / name)
        return self.open_file(self.folder / name)

    def open_file(self, path: Path) -> Notebook:
        """Open a notebook that lies in this test's folder, and wait for its kernel."""
        where = path.relative_to(self.server.root).as_posix()
        space = f"{self.folder.name}-{len(self.notebooks)}"
        base = f"{self.server.url}/lab/workspaces/{space}/tree/{where}"
        self.page.goto(f"{base}?token={self.server.token}&reset")
        notebook = Notebook(self.page, path, f"{base}?token={self.server.token}")
        self.notebooks.append(notebook)
        notebook.wait_open()
        notebook.wait_kernel()
        return notebook

    def open_in_notebook_7(self, path: Path) -> Notebook:
        """Open a notebook of this test's folder in Notebook 7, on the same server."""
        where = path.relative_to(self.server.root).as_posix()
        address = f"{self.server.url}/notebooks/{where}?token={self.server.token}"
        self.page.goto(address)
        notebook = Notebook(self.page, path, address)
        self.notebooks.append(notebook)
        notebook.wait_open()
        notebook.wait_kernel()
        return notebook

    def theme(self, name: str) -> None:
        """Switch to JupyterLab's "Light" or "Dark" theme, and let it be painted."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {name}",
        )
        is_light = "true" if name == "Light" else "false"
        shown = self.page.locator(f"body[data-jp-theme-light={is_light}]")
        shown.wait_for(state="attached")
        time.sleep(0.5)

    def heard(self, message: ConsoleMessage) -> None:
        """Keep what the page's own console calls an error."""
        if message.type == "error":
            self.problems.append(message.text)


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """One JupyterLab for all browser tests, with private settings folders."""
    root = tmp_path_factory.mktemp("notebooks")
    home = tmp_path_factory.mktemp("jupyter")
    with running_lab(home, root, environment=this_front_end(home)) as server:
        yield server


def this_front_end(home: Path) -> dict[str, str]:
    """Show the extension of this checkout, wherever the installed one comes from."""
    extensions = home / "checkout" / "labextensions"
    extensions.mkdir(parents=True)
    (extensions / "nbtrack").symlink_to(BUILT, target_is_directory=True)
    return {"JUPYTER_PATH": str(extensions.parent)}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One headless Chromium for all browser tests."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def page_shape() -> dict[str, Any]:
    """The size of a test's page; a module that needs another has its own fixture."""
    return {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def lab(
    lab_server: LabServer,
    chromium: Browser,
    page_shape: dict[str, Any],
    request: pytest.FixtureRequest,
) -> Iterator[Lab]:
    """JupyterLab for one test; when the test fails its last picture is kept."""
    name = re.sub(r"\W+", "-", request.node.name)
    folder = lab_server.root / f"{name}-{secrets.token_hex(3)}"
    folder.mkdir()
    context = chromium.new_context(**page_shape)
    page = context.new_page()
    lab = Lab(lab_server, page, folder)
    page.on("console", lab.heard)
    page.on("pageerror", lambda error: lab.problems.append(str(error)))
    failed_before = request.session.testsfailed
    yield lab
    if request.session.testsfailed > failed_before:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"FAILED-{name}.png")
    shut_down_kernels(page)
    context.close()


def shut_down_kernels(page: Page) -> None:
    """End this test's kernels, so that a later test's timing is its own."""
    page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")
