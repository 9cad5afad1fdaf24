"""Which code a run is of: git, the diff, local modules, the script or the notebook.

Everything is looked at in the background, while the training goes on: at the run's
start, and the modules once more at its end, for those that it imported itself.
"""

from __future__ import annotations

import os
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.records import Fact, TextRecord
from nbtrack.tracking.background import background

if TYPE_CHECKING:
    from nbtrack.capture.modules import ModuleWatch
    from nbtrack.tracking.run import Run

FEATURE = "code"
PENDING = "still being read when the process ended"


class CodePart:
    """What of the code is seen of one run; see `nbtrack.tracking.parts`."""

    feature = FEATURE

    def __init__(self) -> None:
        self._project: Path | None = None
        self._told: set[TextRecord] = set()

    def begin(self, run: Run) -> None:
        """Look at repository, modules, script and notebook, in the background."""
        folder = _working_folder()  # now: the training may change it
        background.submit(partial(self._look, run, folder), feature=FEATURE)

    def end(self, run: Run) -> None:
        """Look at the modules once more: the training may have imported some."""
        background.submit(partial(self._look_at_modules, run), feature=FEATURE)

    def _look(self, run: Run, folder: Path | None) -> None:
        from nbtrack.capture.own_file import notebook_told
        from nbtrack.capture.repository import FACTS, look_at

        notebook = Path(run.notebook) if run.notebook else notebook_told()
        if notebook is not None and notebook.parent.is_dir():
            folder = notebook.parent
        if folder is None:
            gone = "the working folder is gone"
            run.log_facts([Fact(name, missing=gone) for name in FACTS])
            return
        run.log_facts([Fact(name, missing=PENDING) for name in FACTS])
        seen = look_at(folder)
        self._project = seen.root or folder
        run.log_facts(seen.facts)
        run.log_texts(seen.texts)
        self._look_at_own_file(run, notebook, self._project)
        self._look_at_modules(run)

    def _look_at_own_file(self, run: Run, notebook: Path | None, project: Path) -> None:
        from nbtrack.capture import own_file

        if own_file.is_interactive():
            facts, texts = own_file.look_at_notebook(notebook, project)
        else:
            facts, texts = _script(project)
        run.log_facts(facts)
        run.log_texts(texts)

    def _look_at_modules(self, run: Run) -> None:
        if self._project is None:
            return
        texts = watch().look(self._project)
        new = [text for text in texts if text not in self._told]
        self._told.update(new)
        run.log_texts(new)


@cache
def watch() -> ModuleWatch:
    """The process's one memory of modules as they were imported."""
    from nbtrack.capture.modules import ModuleWatch

    return ModuleWatch()


def _script(project: Path) -> tuple[list[Fact], list[TextRecord]]:
    from nbtrack.capture.own_file import NO_FILE, script_path

    path = script_path()
    if path is None:
        return [Fact("script.path", missing=NO_FILE)], []
    text = watch().file(path, project, role="script")
    why = None if text.digest else text.missing
    digest = Fact("script.digest", text.digest, why)
    return [Fact("script.path", text.name), digest], [text]


def _working_folder() -> Path | None:
    try:
        return Path(os.getcwd())
    except OSError:
        return None
