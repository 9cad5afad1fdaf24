"""The parts of tracked code that see its data: variables from earlier cells, files.

Before the first line the variables are taken as they are, in a few milliseconds; they
are read while the cell runs. Files are noted when they are opened, and read after it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.guard import tolerated
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.capture.data_read import Found
    from nbtrack.capture.data_taking import Taken
    from nbtrack.capture.opened_files import ReadLog
    from nbtrack.tracked.parts import Tracking
    from nbtrack.tracking.data_reading import DataReading

WAIT_S = 0.01  # for what is small: its changes stand under the cell then
WAIT_BYTES = 1 << 20  # read in about that time
N_SHOWN = 4
_PACKAGE = Path(__file__).parents[1]  # where a checkout stands beside the notebook


class Data:
    """The data that a cell reads from earlier cells."""

    feature = "data"
    setting = "data"

    def __init__(self) -> None:
        self._reading: DataReading | None = None
        self._names: list[str] = []
        self._n_bytes = 0

    def begin(self, on: Tracking) -> None:
        """Take it as it is now, and read it in the background."""
        from nbtrack.capture.data_read import data_among

        found = data_among(on.names_read, on.namespace)
        if not found:
            return
        from nbtrack.tracking.data_reading import DataReading

        self._reading = DataReading(on.run)
        most = self._reading.limits.n_inputs
        if len(found) > most:
            on.notices.append(f"{len(found) - most} more variables with data")
        self._reading.read(self._take(on, found[:most]))

    def end(self, on: Tracking) -> None:
        """Say what was read, and what became of it since the run before."""
        if self._reading is None:
            return
        if self._n_bytes <= WAIT_BYTES:
            self._reading.wait(WAIT_S)
        on.run.remarks += remark(self._names, self._reading.told)
        on.notices += self._reading.left_out

    def _take(self, on: Tracking, found: list[Found]) -> list[Taken]:
        from nbtrack.capture.data_taking import Taker

        taker = Taker()
        taken: list[Taken] = []
        for name, value, kind in found:
            problems: list[Exception] = []
            with tolerated(problems.append):
                each = taker.take(name, value, kind)
                self._n_bytes += each.size or 0
                each.cell = on.log.origin_of(name.partition(".")[0])
                taken.append(each)
                self._names.append(name)
            on.notices += [f"{name} ({type(exc).__name__}: {exc})" for exc in problems]
        return taken


class FilesRead:
    """The files that the code reads."""

    feature = "the log of files read"
    setting = "files"

    def __init__(self) -> None:
        self._log: ReadLog | None = None

    def begin(self, on: Tracking) -> None:
        """Listen to what is opened."""
        from nbtrack.capture.file_readers import reader_patches
        from nbtrack.capture.opened_files import ReadLog

        self._log = ReadLog()
        reader_patches.add(self._log, on.namespace)
        self._log.start()

    def end(self, on: Tracking) -> None:
        """Read what was opened, in the background."""
        from nbtrack.capture.file_readers import reader_patches

        log = self._log
        if log is None:
            return
        log.stop()
        reader_patches.remove(log)
        found = list(log.found(outside=[on.run.store.path, _PACKAGE]))
        if not found:
            return
        from nbtrack.tracking.data_reading import DataReading
        from nbtrack.tracking.file_reading import read_files

        reading = DataReading(on.run)
        names = read_files(reading, found, _folder_of(on))
        reading.wait(WAIT_S)
        on.run.remarks += remark(names, reading.told, word="read")
        on.notices += reading.left_out


def remark(names: list[str], told: dict[str, str], *, word: str = "data") -> list[str]:
    """What stands under the cell: those that changed first.

    >>> remark(["y", "train_df"], {"train_df": "+312 rows since base-2", "y": ""})
    ['data train_df (+312 rows since base-2), y']
    """
    if not names:
        return []
    changed = [name for name in names if told.get(name)]
    order = changed + [name for name in names if name not in changed]
    texts = [
        f"{shorten(n, 40)} ({told[n]})" if told.get(n) else shorten(n, 40)
        for n in order[:N_SHOWN]
    ]
    more = f" +{len(names) - N_SHOWN}" if len(names) > N_SHOWN else ""
    return [f"{word} {', '.join(texts)}{more}"]


def _folder_of(on: Tracking) -> Path:
    notebook = Path(on.run.notebook) if on.run.notebook else None
    if notebook is not None and notebook.parent.is_dir():
        return notebook.parent
    return Path.cwd()
