"""Which code a run is of: git, the diff, local modules, the script or the notebook.

Everything is looked at in the background, while the training goes on: at the run's
start, and the modules once more at its end, for those that it imported itself.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.capture import own_file
from nbtrack.records import Fact, TextRecord
from nbtrack.tracking.background import background

if TYPE_CHECKING:
    from nbtrack.capture.modules import ModuleWatch
    from nbtrack.capture.own_file import OwnFile
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
        own = own_file.told(run.notebook)
        there = Path(run.folder) if run.folder else None
        look = partial(self._look, run, own.folder or there, own)
        background.submit(look, feature=FEATURE)

    def end(self, run: Run) -> None:
        """Look at the modules once more: the training may have imported some."""
        background.submit(partial(self._look_at_modules, run), feature=FEATURE)

    def _look(self, run: Run, folder: Path | None, own: OwnFile) -> None:
        from nbtrack.capture.repository import FACTS, look_at

        if folder is None:
            gone = "the working folder is gone"
            run.log_facts([Fact(name, missing=gone) for name in FACTS])
            return
        run.log_facts([Fact(name, missing=PENDING) for name in FACTS])
        seen = look_at(folder)
        self._project = seen.root or folder
        run.log_facts(seen.facts)
        run.log_texts(seen.texts)
        if own.is_interactive:
            facts, texts = own_file.look_at_notebook(own.path, self._project)
        else:
            facts, texts = _look_at_script(own.path, self._project)
        run.log_facts(facts)
        run.log_texts(texts)
        self._look_at_modules(run)

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


def _look_at_script(
    path: Path | None, project: Path
) -> tuple[list[Fact], list[TextRecord]]:
    if path is None:
        return [Fact("script.path", missing=own_file.NO_FILE)], []
    text = watch().file(str(path), project, role="script")
    why = None if text.digest else text.missing
    digest = Fact("script.digest", text.digest, why)
    return [Fact("script.path", text.name), digest], [text]
