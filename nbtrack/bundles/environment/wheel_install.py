"""Installs exact packages into an environment, each checked by its hash where known.

Packages with a hash are installed by it alone: a package without one among them takes
the check from nobody else. What never was on an index is taken from the user's folders
alone, so that nobody's package of the same name comes in its place. `NBTRACK_OFFLINE`
keeps every index out.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbtrack.bundles.environment.pip_call import (
    OFFLINE,
    PipAnswer,
    call_pip,
    is_offline,
)
from nbtrack.errors import EnvironmentBlockedError
from nbtrack.text import shorten

TRIES_MAX = 5  # to find out which packages cannot be had: pip names one at a time
_INSTALL = ("install", "--no-deps", "--quiet", "--no-compile")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One package to install.

    >>> Wanted("a==1", "ab").pinned
    'a==1 --hash=sha256:ab'
    """

    line: str  # "name==version"
    sha256: str | None = None
    is_foreign: bool = False  # no index has it
    links: tuple[Path, ...] = ()  # folders with wheels

    @property
    def name(self) -> str:
        """Without the version."""
        return self.line.partition("==")[0]

    @property
    def pinned(self) -> str:
        """As in a file of requirements."""
        checked = f" --hash=sha256:{self.sha256}" if self.sha256 else ""
        return self.line + checked


def install(wanted: Sequence[Wanted], *, python: Path, until: float) -> None:
    """Install these, and nothing that they require.

    Parameters
    ----------
    wanted
        The packages.
    python
        Of the environment.
    until
        By the monotonic clock.

    Raises
    ------
    EnvironmentBlockedError
        With the packages that cannot be had, and what pip said.

    >>> import sys
    >>> install([], python=Path(sys.executable), until=time.monotonic() + 9)
    """
    for group in _groups(wanted):
        answer = _called(group, python, until)
        if answer.failure is not None:
            raise _blocked(answer, _refused(group, answer, python=python, until=until))


def _groups(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """What goes into one call of pip: its options are for all in it."""
    foreign = [each for each in wanted if each.is_foreign]
    others = [each for each in wanted if not each.is_foreign]
    checked = [each for each in others if each.sha256]
    yield from filter(None, (checked, [e for e in others if not e.sha256], foreign))


def _called(
    group: Sequence[Wanted], python: Path, until: float, *options: str
) -> PipAnswer:
    lines = "".join(f"{each.pinned}\n" for each in group)
    asked = [*_INSTALL, *options]
    asked += ["--require-hashes"] if group[0].sha256 else []
    asked += ["--no-index"] if group[0].is_foreign or is_offline() else []
    for folder in group[0].links:
        asked += ["--find-links", str(folder)]
    with tempfile.TemporaryDirectory(prefix="nbtrack-") as folder_:
        file = Path(folder_) / "requirements.txt"
        file.write_text(lines, encoding="utf-8")
        asked += ["--requirement", str(file)]
        return call_pip(asked, python=python, timeout_s=until - time.monotonic())


def _refused(
    group: Sequence[Wanted], answer: PipAnswer, *, python: Path, until: float
) -> list[str]:
    """All that cannot be had, as far as some more questions tell."""
    left, found = list(group), []
    for _ in range(TRIES_MAX):
        gone = [each for each in left if each.name in answer.refused]
        found += [each.line for each in gone]
        left = [each for each in left if each not in gone]
        if not gone or not left or time.monotonic() > until:
            break
        answer = _called(left, python, until, "--dry-run")
        if answer.failure is None:
            break
    return found


def _blocked(answer: PipAnswer, refused: Sequence[str]) -> EnvironmentBlockedError:
    offline = f" No index was asked, as {OFFLINE} is set." if is_offline() else ""
    said = (answer.failure or "nothing").rstrip(".")
    which = f" of {shorten(', '.join(refused), 300)}" if refused else ""
    return EnvironmentBlockedError(
        f"The environment cannot be made for want{which or ' of its packages'}. pip "
        f"said: {said}.{offline} Name a folder with the wheels by "
        "`--find-links DIR`, or use `--env current`."
    )
