"""A bundle's script run in a fresh process, in a fresh folder that has its files.

The folder, the store and the environment are the process's own; it is killed with all
that it started at the end, at the timeout and on Ctrl-C. What it recorded lies in
`Workplace.store` until the `with` block ends; nothing of it is left then.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType

from nbtrack.errors import BundleError
from nbtrack.slices.answered import answered, ends_within
from nbtrack.slices.command import PACKAGE, command_of
from nbtrack.slices.fresh_folder import fresh_folder, remove_folder
from nbtrack.slices.job import Answer, Borders, Job
from nbtrack.slices.segments import Segment, recording, segments_of

PREFIX = "nbtrack-rerun-"
TOLD_EVERY_S = 1.0
COPY_MAX_BYTES = 50_000_000  # a larger file is a link to where it lies
# What a rerun need not look at; a picture or the use of the CPU proves nothing.
OFF = "system figures statistics output"


@dataclass(frozen=True, slots=True)
class Work:
    """What is run: a script, and what has to lie around it."""

    segments: tuple[Segment, ...]
    cwd: str = "."  # in the tree
    files: Mapping[str, Path | bytes] = field(default_factory=dict)  # by place in it
    folders: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    off: str = OFF


def segments_with(
    source: str,
    n_lines: Mapping[int, int],
    looks: Mapping[str, tuple[str, ...]],
    nth: int = 0,
) -> tuple[Segment, ...]:
    r"""The cells of a script, each with the variables that are looked at after it.

    Parameters
    ----------
    n_lines
        Of its cells, by the line in which each begins, from 1.
    looks
        By the label of the cell.
    nth
        Of the runs that the last cell begins, the one that is asked for.

    Raises
    ------
    OptionError
        When the tracked cell went on with a run that was there before.

    >>> segments_with("# %% [cell 1]\nx = 1", {1: 2}, {"cell 1": ("x",)})[0].looks
    ('x',)
    """
    segments = recording(segments_of(source, dict(n_lines) or None), nth)
    return tuple(replace(each, looks=looks.get(each.label, ())) for each in segments)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: an answer, or why there is none."""

    answer: Answer | None
    why: str = ""

    @property
    def problem(self) -> str:
        """Why there is no result; empty where there is one."""
        if self.answer is None or self.answer.error is None:
            return self.why
        where = f"{self.answer.label}: " if self.answer.label else ""
        refused = (f"it {what}" for what in self.answer.refused[:2])
        more = [what for what in refused if what not in self.answer.error]
        return "; ".join([f"{where}{self.answer.error}", *more])


class Workplace:
    """A fresh folder for one run of a script; gone at the end of the `with` block."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.root = Path()

    def __enter__(self) -> Workplace:
        self.root = fresh_folder(PREFIX)
        try:
            self._fill()
        except BaseException:
            remove_folder(self.root)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        remove_folder(self.root)

    @property
    def folder(self) -> Path:
        """Where the script runs."""
        return Path(os.path.normpath(self.root / "tree" / self._work.cwd))

    @property
    def store(self) -> Path:
        """What it records into."""
        return self.root / ".nbtrack"

    def run(
        self,
        *,
        timeout_s: float,
        borders: Borders | None = None,
        python: Path | None = None,
        network: bool = False,
        tell: Callable[[str], None] = lambda text: None,
    ) -> Ran:
        """Run the script; never raises for what it does.

        Parameters
        ----------
        borders
            What it may touch outside; the folder is filled in. Default: read all.
        python
            Of a fresh environment, into which nothing of this one leaks.
        tell
            Hears every second how long it takes; what it raises ends the run.
        """
        job = Job(
            self._work.segments,
            str(self.root / "answer.json"),
            borders or Borders(str(self.root), began_at=float("inf")),
            network=network,
        )
        asked = self.root / "job.json"
        job.write(asked)
        package = PACKAGE if python is None else self._ours()
        command = command_of(
            "nbtrack.slices.replay",
            str(asked),
            python=sys.executable if python is None else str(python),
            package=package,
        )
        answer = answered(
            command,
            job,
            root=self.root,
            folder=self.folder,
            environment=self._environment(),
            timeout_s=timeout_s,
            ends=partial(_ends, tell=tell),
        )
        return Ran(None, answer) if isinstance(answer, str) else Ran(answer)

    def _environment(self) -> dict[str, str]:
        return {
            **self._work.environment,
            "NBTRACK_STORE": str(self.store),
            "NBTRACK_OFF": self._work.off,
            "TMPDIR": str(self.root / "tmp"),
            "IPYTHONDIR": str(self.root / "ipython"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    # -- filling it ----------------------------------------------------------------

    def _fill(self) -> None:
        for part in ("tree", "tmp", "ipython"):
            (self.root / part).mkdir(mode=0o700)
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in self._work.folders:
            self._place(folder).mkdir(parents=True, exist_ok=True)
        for place, content in self._work.files.items():
            self._put(self._place(place), content)

    def _place(self, place: str) -> Path:
        found = Path(os.path.normpath(self.root / "tree" / place))
        if not found.is_relative_to(self.root / "tree"):
            raise BundleError(f"{place!r} leads out of the folder of the rerun.")
        return found

    def _put(self, target: Path, content: Path | bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        elif content.stat().st_size <= COPY_MAX_BYTES:
            shutil.copy2(content, target)
        else:
            target.symlink_to(content.resolve())

    def _ours(self) -> str:
        """A folder with nbtrack alone, not all that is installed beside it."""
        folder = self.root / "ours"
        folder.mkdir(exist_ok=True)
        (folder / "nbtrack").symlink_to(Path(PACKAGE) / "nbtrack")
        return str(folder)


def _ends(
    process: subprocess.Popen[bytes], timeout_s: float, tell: Callable[[str], None]
) -> bool:
    """Whether it ends by itself; says every second that it goes on."""
    began = time.monotonic()
    while (left := timeout_s - (time.monotonic() - began)) > 0:
        if ends_within(process, min(left, TOLD_EVERY_S)):
            return True
        tell(f"running, {time.monotonic() - began:.0f} s of at most {timeout_s:.0f}")
    return False
