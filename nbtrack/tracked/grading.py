"""The grade of a run, judged as soon as its code has ended.

In a thread, because a notebook's file may be large: who shows the run waits a moment
for it, and no longer. It is kept with the run whenever it is ready. A failure is said
once, and costs the grade alone.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.guard import guard

if TYPE_CHECKING:
    from nbtrack.capture.session import SessionLog
    from nbtrack.slices.grade import Grade
    from nbtrack.tracking.run import Run

FEATURE = "the grade"
WAIT_S = 0.3  # it takes some milliseconds
FLUSH_S = 0.5  # so that the picture of the run has it


class Grading:
    """The judgement of one run; `grade` is None until it is there."""

    def __init__(
        self, run: Run, log: SessionLog, seq: int, *, of_notebook: bool = True
    ) -> None:
        self.grade: Grade | None = None
        self._run, self._log, self._seq = run, log, seq
        self._of_notebook = of_notebook

    def judge(self) -> Grade | None:
        """The grade, where it is ready within a moment."""
        run = self._run
        if guard.is_off(FEATURE) or not (run.captures("slices") and run.is_recorded):
            return None
        thread = threading.Thread(target=self._judge, name="nbtrack-grade", daemon=True)
        thread.start()
        thread.join(WAIT_S)
        if self.grade is not None:
            run.store.journal.flush(FLUSH_S)
        return self.grade

    def _judge(self) -> None:
        with guard(FEATURE):
            from nbtrack.capture.dataflow.pseudo import MARK
            from nbtrack.slices.closure import close_over
            from nbtrack.slices.grade import grade_of
            from nbtrack.slices.saved_notebook import read_saved

            cells = [c.outline(seq) for seq, c in enumerate(list(self._log.cells))]
            closure = close_over(cells, target=self._seq)
            if not self._of_notebook:  # nothing was there before: it set what it read
                unseen = {n: w for n, w in closure.missing.items() if n[:1] == MARK}
                closure = replace(closure, missing=unseen)
            path = self._run.notebook
            saved = read_saved(Path(path)) if path else None
            grade = grade_of(cells, closure, saved, target=self._seq)
            if not self._of_notebook:  # nor is there a save to judge it by
                grade = replace(grade, remark="")
            self._run.log_grade(grade.letter, grade.lines)
            self.grade = grade
