"""Runs the cells of a script in a fresh shell: `python -m nbtrack.slices.replay JOB`.

One namespace, one cell after the other, the tracked one under nbtrack's own tracking
with its store in the proof's folder; it stops at the first cell that raises. It reads
no configuration and no history of the user, asks nobody anything on stdin, and writes
nothing but its answer and what the cells write into that folder.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from nbtrack.guard import tolerated
from nbtrack.slices.isolate import confine_files, die_with, lay_over, leave_network
from nbtrack.slices.job import Answer, Job, write_json
from nbtrack.slices.seen import generators_now, seen_after
from nbtrack.slices.segments import Segment
from nbtrack.text import shorten

PARENT = "NBTRACK_PROOF_OF"  # in the environment: the process that waits for us


def main(arguments: list[str]) -> None:
    """Run the job in a file, answer, and end the process at once.

    Threads and processes that a cell left are not waited for: they end with us.
    """
    die_with(int(os.environ.pop(PARENT, os.getppid())))
    job = Job.read(Path(arguments[0]))
    del sys.argv[1:]  # a script that parses them was given none
    view, borders = job.view, job.borders
    own_network = not job.network and leave_network(and_mounts=view is not None)
    inside = [borders.scratch]
    if own_network and view and lay_over(view.copy, view.folder, view.originals):
        inside.append(view.folder)
    hidden = [path for path in borders.written if not _is_in(path, inside)]
    borders = replace(borders, written=tuple(hidden))
    confine_files(inside, hidden, may_write=borders.allow_writes)
    from nbtrack.slices.border import Border

    border = Border(borders, inside, own_network=own_network or job.network)
    border.raise_up()
    answer = replace(_replayed(job), refused=tuple(border.refused))
    write_json(Path(job.answer), asdict(answer))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _is_in(path: str, folders: list[str]) -> bool:
    return any(path.startswith(folder + os.sep) for folder in folders)


def _replayed(job: Job) -> Answer:
    shell = new_shell()
    answer = Answer()
    for segment in job.segments:
        before = generators_now() if segment.looks else {}
        error, run = run_segment(shell, segment)
        answer = replace(answer, run=run or answer.run)
        if segment.looks and error is None:
            seen = seen_after(segment, shell.user_ns, before)
            answer = replace(answer, seen=(*answer.seen, seen))
        if error is not None:
            answer = replace(answer, error=error, label=segment.label)
            break
    from nbtrack.capture.numerics import settings

    told = {f.name: f.value for f in settings() if f.missing is None}
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    answer = replace(answer, numerics=told, modules=tuple(modules))
    if answer.error is None and job.variable is not None:
        answer = _with_digest(answer, shell.user_ns, job.variable)
    from nbtrack.tracking.session import process_session

    process_session().close()
    return answer


def new_shell() -> Any:  # Any: IPython has no types
    """A shell that knows nothing of the user's profile."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "nbtrack")
    return shell


def run_segment(shell: Any, segment: Segment) -> tuple[str | None, str | None]:
    """Run one cell: what it raised, in one line, and the run that is asked for."""
    if segment.execution is not None:
        shell.execution_count = segment.execution  # for In, Out and _3
    before = _run_ids(segment)
    is_cell = segment.tracked or segment.execution is not None
    result = shell.run_cell(segment.source, store_history=is_cell)
    error = result.error_before_exec or result.error_in_exec
    new = [run_id for run_id in _run_ids(segment) if run_id not in before]
    nth = segment.records or 0
    return _in_one_line(error), new[nth] if len(new) > nth else None


def _run_ids(segment: Segment) -> list[str]:
    """The runs there are, oldest first; asked around the cell that records it alone."""
    if segment.records is None:
        return []
    from nbtrack.tracking.session import process_session

    return [run.id for run in reversed(process_session().store_for().runs())]


def _in_one_line(error: BaseException | None) -> str | None:
    if error is None:
        return None
    said: list[str] = [type(error).__name__]
    with tolerated(lambda exc: None):  # an exception of theirs may not print itself
        said.append(str(error).strip().partition("\n")[0])
    return shorten(": ".join(part for part in said if part), 300)


def _with_digest(answer: Answer, namespace: dict[str, Any], name: str) -> Answer:
    from nbtrack.slices.value_digest import NotComparable, value_digest

    if name not in namespace:
        return replace(answer, error=f"there is no variable {name!r} at its end")
    try:
        return replace(answer, digest=value_digest(namespace[name]))
    except NotComparable as exc:
        return replace(answer, why_no_digest=str(exc))


if __name__ == "__main__":
    main(sys.argv[1:])
