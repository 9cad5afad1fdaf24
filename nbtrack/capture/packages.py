"""The exact distributions of this Python, as lines of a requirements file.

What was not installed from an index says where it came from: editable ones their folder
and its commit, others their address, without what logs somebody in. Only names and
versions of metadata are read, which is quick; a damaged distribution is named with what
is wrong with it. What is installed later in the session is seen the next time.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nbtrack.capture.git import git_commit
from nbtrack.capture.repository import without_login
from nbtrack.guard import tolerated

logger = logging.getLogger("nbtrack")

NOT_READ = "its metadata cannot be read"
_FIELD = re.compile(r"^(Name|Version):[ \t]*(\S+)[ \t\r]*$", re.MULTILINE)
_LINES = (
    re.compile(
        r"(?P<editable>-e) (?P<url>.*?)  # (?P<name>[^=\s]+)==(?P<version>[^\s,]+)"
        r"(?:, commit (?P<commit>\w+))?"
    ),
    re.compile(r"(?P<name>\S+) @ (?P<url>.*?)  # ==(?P<version>\S+)"),
    re.compile(r"(?P<name>[^=\s#]+)==(?P<version>\S+)"),
    re.compile(r"# (?P<name>\S+): (?P<problem>.+)"),
)
_LIBRARIES = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Installed:
    """One distribution.

    >>> Installed("numpy", "2.1.0").line
    'numpy==2.1.0'
    >>> Installed("mine", "0.1", url="~/mine", is_editable=True, commit="ab12").line
    '-e ~/mine  # mine==0.1, commit ab12'
    """

    name: str  # normalised: `scikit-learn`
    version: str  # "?" where it is not known
    url: str | None = None  # where it came from, if not from an index
    is_editable: bool = False
    commit: str | None = None
    problem: str | None = None

    @property
    def line(self) -> str:
        """As in a requirements file."""
        if self.problem:
            return f"# {self.name}: {self.problem}"
        if self.is_editable:
            commit = f", commit {self.commit}" if self.commit else ""
            return f"-e {self.url}  # {self.name}=={self.version}{commit}"
        if self.url:
            return f"{self.name} @ {self.url}  # =={self.version}"
        return f"{self.name}=={self.version}"

    @property
    def exact(self) -> str:
        """What two environments are compared by: the version, and where it is from."""
        said = self.version
        if self.url:
            said += f" ({'editable ' if self.is_editable else ''}{self.url}"
            said += f" at {self.commit[:10]})" if self.commit else ")"
        return self.problem or said


def parse_lines(text: str) -> dict[str, Installed]:
    """The distributions of a text of such lines, by name; other lines are passed over.

    >>> parse_lines("numpy==2.1.0")["numpy"].exact
    '2.1.0'
    >>> parse_lines("-e ~/m  # mine==0.1, commit ab12cd34ef56ab")["mine"].exact
    '0.1 (editable ~/m at ab12cd34ef)'
    """
    found = {}
    for line in text.splitlines():
        made = _parsed(line)
        if made is not None:
            found[made.name] = made
    return found


def _parsed(line: str) -> Installed | None:
    for pattern in _LINES:
        match = pattern.fullmatch(line.strip())
        if match is not None:
            said = match.groupdict()
            return Installed(
                said["name"],
                said.get("version", "?"),
                url=said.get("url"),
                is_editable="editable" in said,
                commit=said.get("commit"),
                problem=said.get("problem"),
            )
    return None


_Found = tuple[Installed, metadata.Distribution]


class Packages:
    """Lists the installed distributions; again only where something was installed.

    >>> packages = Packages()
    >>> packages.installed() is packages.installed()
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: object = None
        self._installed: list[Installed] = []
        self._places: dict[str, metadata.Distribution] = {}
        # Reading 200 lists of files takes 20 ms; what is not here is read again.
        self._tops: dict[metadata.Distribution, set[str]] = {}
        # The names asked for last, what was installed then, and the answer.
        self._loaded: tuple[set[str], list[Installed], list[Installed]] = (
            set(),
            [],
            [],
        )
        # By entry of the path, with when its folder changed.
        self._entries: dict[str, tuple[int, list[_Found]]] = {}

    def installed(self) -> list[Installed]:
        """Every distribution on `sys.path`, by name; of two the one imported."""
        with self._lock:
            state = _state_of_path()
            if state != self._seen:
                found: dict[str, _Found] = {}
                for entry, changed_at in state:
                    for about, place in self._at(entry, changed_at):
                        found.setdefault(about.name, (about, place))
                self._installed = [found[name][0] for name in sorted(found)]
                self._places = {name: place for name, (_, place) in found.items()}
                self._seen = state
            return self._installed

    def _at(self, entry: str, changed_at: int) -> list[_Found]:
        """Those of one entry: a notebook's own folder changes with every save."""
        seen_at, found = self._entries.get(entry, (None, []))
        if seen_at != changed_at:
            places = metadata.distributions(path=[entry])
            found = [(_read(place), place) for place in places]
            self._entries[entry] = changed_at, found
        return found

    def loaded(self, modules: Collection[str]) -> list[Installed]:
        """The distributions to which these modules belong, by name.

        >>> Packages().loaded({"json", "os.path"})
        []
        """
        wanted = {name.partition(".")[0] for name in modules}
        wanted -= sys.stdlib_module_names
        installed = self.installed()
        if self._loaded[:2] == (wanted, installed):
            return self._loaded[2]  # as in every trial of a sweep
        found = {}
        for about in installed:
            place = self._places[about.name]
            if about.name.replace("-", "_") in wanted:
                found[about.name] = about
                continue
            if place not in self._tops:
                self._tops[place] = _tops(about.name, place)
            if not wanted.isdisjoint(self._tops[place]):
                found[about.name] = about
        self._loaded = wanted, installed, list(found.values())
        return self._loaded[2]


def _state_of_path() -> tuple[tuple[str, int], ...]:
    """Changes when something is installed: that makes or renames a folder there."""
    return tuple((entry, _changed_at(entry or os.curdir)) for entry in sys.path)


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _read(place: metadata.Distribution) -> Installed:
    found = Installed(_folder_name(place), "?", problem=NOT_READ)
    with tolerated(partial(_pass_over, found.name)):
        text = place.read_text("METADATA") or place.read_text("PKG-INFO") or ""
        # The parser of mails behind `place.metadata` takes seven times as long.
        said = dict(reversed(_FIELD.findall(text)))  # the first of each
        if {"Name", "Version"} <= said.keys():
            found = Installed(_normalised(said["Name"]), said["Version"])
            found = _with_origin(found, place)
    return found


def _with_origin(about: Installed, place: metadata.Distribution) -> Installed:
    text = place.read_text("direct_url.json")
    if text is None:
        return _developed(about, place)
    told = json.loads(text)
    url = without_login(str(told["url"]))
    if told.get("dir_info", {}).get("editable"):
        return _edited(about, Path(unquote(urlsplit(url).path)))
    commit = told.get("vcs_info", {}).get("commit_id")
    if commit:
        return replace(about, url=f"{told['vcs_info']['vcs']}+{url}@{commit}")
    sums = told.get("archive_info", {}).get("hashes", {})
    checked = f"#sha256={sums['sha256']}" if "sha256" in sums else ""
    return replace(about, url=_at_home(url) + checked)


def _developed(about: Installed, place: metadata.Distribution) -> Installed:
    """`setup.py develop`, or a source folder on the path: its egg-info is in it."""
    folder = Path(str(place.locate_file("")))
    is_source = place.read_text("METADATA") is None
    is_source = is_source and place.read_text("SOURCES.txt") is not None
    if is_source and _LIBRARIES.isdisjoint(folder.parts):
        return _edited(about, folder.resolve())
    return about


def _edited(about: Installed, folder: Path) -> Installed:
    commit = None
    with tolerated(partial(_pass_over, about.name)):  # a broken repository
        commit = git_commit(folder)
    return replace(about, url=_at_home(str(folder)), is_editable=True, commit=commit)


def _at_home(url: str) -> str:
    """Without the name of the person, which most home folders have."""
    home = os.path.expanduser("~")
    if len(home) < 2:
        return url
    return re.sub(rf"^(file://)?{re.escape(home)}(?=/|$)", r"\1~", url)


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _folder_name(place: metadata.Distribution) -> str:
    """The name by the folder of the metadata, where that is all there is."""
    path = getattr(place, "_path", None)
    return _normalised(str(getattr(path, "name", "?")).split("-")[0])


def _tops(name: str, place: metadata.Distribution) -> set[str]:
    """The modules at the top of a distribution."""
    tops: set[str] = set()
    with tolerated(partial(_pass_over, name)):
        told = place.read_text("top_level.txt")
        if told is not None:
            return set(told.split())
        lines = (place.read_text("RECORD") or "").splitlines()
        tops = {line.split(",", 1)[0].split("/", 1)[0] for line in lines}
        tops |= {top.split(".", 1)[0] for top in tops if top.endswith((".py", ".so"))}
    return tops


def _pass_over(name: str, exc: Exception) -> None:
    logger.debug("%s cannot be read in full", name, exc_info=exc)


packages = Packages()
