"""Runs of DVCLive: the one in its folder, and each experiment that DVC saved.

An experiment's id is its commit. The run in the folder has none: its id is made of its
params and of the first row of each metric, which stay as it goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from nbtrack.errors import ImportSourceError
from nbtrack.interop.dvclive.reading import METRICS, PARAMS, TABLES, Live
from nbtrack.interop.dvclive.trees import Commit, Folder, Tree, experiments
from nbtrack.interop.foreign import FoundRun
from nbtrack.text import shorten, visible

FOLDER = "dvclive"  # where it writes unless it is told


def recognises(place: str) -> bool:
    """Whether that is a folder of DVCLive, or one that has it."""
    return _folder(Path(place)) is not None


def open_source(place: str) -> DvcliveRuns:
    """The runs at a folder.

    Raises
    ------
    ImportSourceError
        Where DVCLive wrote nothing.
    """
    folder = _folder(Path(place))
    if folder is None:
        shown = shorten(visible(repr(place)))
        raise ImportSourceError(
            f"{shown} is no folder of DVCLive, and has none. Give the one that it "
            f"wrote: `{FOLDER}`, unless it was told another."
        )
    return DvcliveRuns(folder)


def _folder(place: Path) -> Path | None:
    for folder in (place, place / FOLDER):
        if _is_live(folder):
            return folder.resolve()
    return None


def _is_live(folder: Path) -> bool:
    if any((folder / TABLES).rglob("*.tsv")):
        return True
    try:
        told = json.loads((folder / METRICS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(told, dict) and "step" in told


class DvcliveRuns:
    """The runs of one folder."""

    tool = "dvclive"

    def __init__(self, folder: Path) -> None:
        self._name = folder.name
        self._root = folder.parent

    def found(self) -> list[FoundRun]:
        """Saved experiments, and what lies in the folder if that is none of them."""
        saved = [self._live(commit) for commit in experiments(self._root)]
        saved = [live for live in saved if live.names]
        here = self._live(Folder(self._root))
        known = {live.state for live in saved}
        new = [here] if here.names and here.state not in known else []
        runs = [self._found(live) for live in [*saved, *new]]
        return sorted(runs, key=lambda run: run.started_at)

    def close(self) -> None:
        """Nothing is open."""

    def _live(self, tree: Tree) -> Live:
        return Live(tree, self._name)

    def _found(self, live: Live) -> FoundRun:
        tree = live.tree
        if isinstance(tree, Commit):
            id_, name = tree.id, tree.name
        else:
            id_, name = "workspace-" + _digest(live), self._root.name
        try:
            began = live.started_at
        except ValueError:
            began = 0.0  # who reads it is told what is wrong
        read = lambda: live.run(name, self._root.name)  # noqa: E731 - as in FoundRun
        return FoundRun(id_, began, read, name, state=live.state)


def _digest(live: Live) -> str:
    return hashlib.sha256(b"\0".join(_beginning(live))).hexdigest()[:16]


def _beginning(live: Live) -> Iterator[bytes]:
    yield live.tree.read(live.path(PARAMS)) or b""
    for name in live.tables:
        head = (live.tree.read(name) or b"").split(b"\n", 2)
        yield name.encode("utf-8", "surrogatepass") + b"\n".join(head[:2])
