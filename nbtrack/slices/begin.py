"""What a session began with: where, with which environment, and when.

Cells change both folder and environment; a proof must not inherit that. What was noted
when the extension was loaded is taken first, then what the system remembers of the
process, and for a session that is over what can be told from its run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbtrack.records import CellRecord, RunRecord
from nbtrack.slices.claim import Start
from nbtrack.store.values import epoch_s

_KERNEL_SETS = ("MPLBACKEND", "TERM", "CLICOLOR", "FORCE_COLOR", "PAGER", "GIT_PAGER")
_BEFORE_S = 12 * 3600  # a session that is over may have begun so long before its log


def start_of(
    cells: Sequence[CellRecord], run: RunRecord | None, *, live: bool
) -> Start:
    """What the session of these cells began with.

    The environment is that of the process as it was started, and not as it was when
    nbtrack was loaded: a cell above `%load_ext` may have changed it.

    >>> import time
    >>> start_of([], None, live=True).began_at <= time.time()
    True
    """
    return Start(
        folder=(_folder_of_session(cells) if live else None) or _folder_of(run),
        environment={**_environment_of_process(), **_of_the_kernel()},
        began_at=_began_at(cells, live=live),
    )


def _folder_of_session(cells: Sequence[CellRecord]) -> Path | None:
    """Where the session began, before any cell could go elsewhere."""
    if _unseen_before(cells):
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        history = getattr(getattr(shell, "history_manager", None), "dir_hist", None)
        return Path(history[0]) if history else None
    from nbtrack.tracking.session import process_session

    log = process_session().executed
    return None if log is None or log.start is None else Path(log.start.cwd)


def _unseen_before(cells: Sequence[CellRecord]) -> bool:
    """Whether cells ran before nbtrack was loaded."""
    return not cells or cells[0].started_at == ""


def _of_the_kernel() -> dict[str, str]:
    """Variables that Jupyter's kernel sets for itself as it begins."""
    return {key: os.environ[key] for key in _KERNEL_SETS if key in os.environ}


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
    if live and _unseen_before(cells):
        import psutil

        return float(psutil.Process().create_time())
    if not first:
        return 0.0  # nothing is known to be older: nothing is taken for an input
    began = epoch_s(first)
    return began - _BEFORE_S if _unseen_before(cells) else began
