"""What a session began with: where, with which environment, and when.

Cells change both folder and environment; a proof must not inherit that. What was noted
when the extension was loaded is taken first, then what the system remembers of the
process, and for a session that is over what can be told from its run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from nbtrack.capture.dataflow.session_start import SessionStart
from nbtrack.records import CellRecord, RunRecord
from nbtrack.slices.claim import Start

_BEFORE_S = 12 * 3600  # a session that is over may have begun so long before its log


def start_of(
    cells: Sequence[CellRecord], run: RunRecord | None, *, live: bool
) -> Start:
    """What the session of these cells began with.

    >>> start_of([], None, live=True).began_at <= time.time()
    True
    """
    noted = _noted() if live else None
    if noted is not None:
        return Start(
            folder=Path(noted.cwd),
            environment=dict(noted.environ),
            began_at=_began_at(cells, live=live),
            sys_path=tuple(noted.sys_path),
        )
    return Start(
        folder=_folder_of(run),
        environment=_environment_of_process(),
        began_at=_began_at(cells, live=live),
    )


def _noted() -> SessionStart | None:
    from nbtrack.tracking.session import process_session

    log = process_session().executed
    return None if log is None else log.start


def _folder_of(run: RunRecord | None) -> Path:
    if run is not None and run.notebook is not None:
        folder = Path(run.notebook).parent
        if folder.is_dir():
            return folder.resolve()
    return Path.cwd()


def _environment_of_process(file: str = "/proc/self/environ") -> Mapping[str, str]:
    """The variables as the process was started with: no cell had changed them."""
    try:
        entries = Path(file).read_bytes().split(b"\0")
    except OSError:
        return dict(os.environ)
    pairs = (entry.partition(b"=") for entry in entries if b"=" in entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def _began_at(cells: Sequence[CellRecord], *, live: bool) -> float:
    """The latest time of which it is sure that no cell had run before."""
    first = next((cell.started_at for cell in cells if cell.started_at), "")
    seen_from_the_start = bool(cells) and cells[0].started_at != ""
    if live and not seen_from_the_start:
        import psutil

        return float(psutil.Process().create_time())
    if not first:
        return 0.0  # nothing is known to be older: nothing is taken for an input
    began = datetime.fromisoformat(first.replace("Z", "+00:00")).timestamp()
    return began if seen_from_the_start else began - _BEFORE_S
