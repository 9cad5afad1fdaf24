"""The files that a run's cells read: which of them go into its bundle, and where to.

A file near the notebook has a place in the tree that a rerun lays out, so that relative
paths lead to it. One from elsewhere is named with its digest and looked for again. A
file that is not what the run read is never passed off as it: `problems` says so.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from nbtrack.bundles.redactions import Needs, without_secrets
from nbtrack.capture.dataflow.pseudo import FOLDER
from nbtrack.capture.digests.files import file_digest
from nbtrack.capture.file_groups import shown_path
from nbtrack.capture.opened_files import is_users_file
from nbtrack.records import CellRecord, InputRecord
from nbtrack.redact import redact_source
from nbtrack.slices.claim import Claim
from nbtrack.slices.command import PACKAGE
from nbtrack.slices.scratch import Known, known_of, paths_of, project_of
from nbtrack.store.values import epoch_s

Policy = Literal["embed", "ref", "private"]
Wish = Literal["auto", "embed", "ref", "none"]
WISHES = ("auto", "embed", "ref", "none")
FILE_MAX_BYTES = 50_000_000  # with "auto": a larger file is referred to
ALL_MAX_BYTES = 200_000_000  # and so is what comes after so many bytes of files
SCANNED_MAX_BYTES = 5_000_000  # of a text that is looked through for secrets
LISTED_MAX = 500  # files of a folder that a cell listed
_WORDS = re.compile(r"'[^']+'|\"[^\"]+\"|\S+")
_OURS = os.path.join(PACKAGE, "nbtrack") + os.sep  # read for a panel, by a tracked cell
DATA, MODULES = "data/files", "run/local_modules"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of the ledger."""

    path: str  # as the cells may say it: from their folder, from home, or absolute
    source: Path  # on this disk
    sha256: str
    size_bytes: int
    place: str | None = None  # in the tree that is laid out; None: it lies elsewhere
    policy: Policy = "ref"
    role: Literal["input", "module"] = "input"
    body: bytes | None = None  # the text of a module as it was imported
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def member(self) -> str | None:
        """Its name in the bundle."""
        if self.policy != "embed" or self.place is None:
            return None
        return f"{MODULES if self.role == 'module' else DATA}/{self.place}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The files of a bundle, and the tree that they are laid out in."""

    cwd: str  # of the cells, in the tree
    base: Path = Path()  # on this disk: the top of the tree
    files: tuple[DataFile, ...] = ()
    folders: tuple[str, ...] = ()  # that the cells listed, in the tree
    problems: Mapping[str, str] = field(default_factory=dict)  # path -> what is wrong
    outside: tuple[str, ...] = ()  # local modules that lie far from the notebook

    def layout(self) -> dict[str, Any]:
        """What `run/layout.json` says.

        >>> Ledger(".").layout()
        {'cwd': '.', 'elsewhere': [], 'files': {}, 'folders': []}
        """
        return {
            "cwd": self.cwd,
            "elsewhere": [f.path for f in self.files if f.member is None],
            "files": {str(f.place): f.member for f in self.files if f.member},
            "folders": list(self.folders),
        }


def ledger_of(
    claim: Claim,
    cells: Sequence[CellRecord],
    *,
    wish: Wish = "auto",
    private: Collection[str] = (),
    needs: Needs | None = None,
    also: Collection[str] = (),
) -> Ledger:
    """The files that these cells of a claim read and no cell of the session wrote.

    Parameters
    ----------
    wish
        "embed": all near the notebook; "auto": up to 50 MB each, 200 MB together;
        "ref": none, but for local modules; "none": as "ref".
    private
        Patterns of paths (`*.csv`, `patients/*`) that are never embedded.
    needs
        Gets the names of secrets that were taken out of local modules.
    also
        Files that nobody saw being read, and without which the cells fail.
    """
    here = Path(os.path.realpath(claim.start.folder))
    known = known_of(claim)
    read = (_read_by(cells) | set(also)) - known.written
    loaded = known.modules.keys() - known.written  # a module is read but once
    modules = {path for path in loaded if Path(path).is_relative_to(project_of(here))}
    base = _base_of([here, *map(Path, (*read, *modules))], here)
    found = _Finding(claim, known, here, base, needs or Needs())
    inputs = [found.file(path) for path in sorted(read - modules)]
    files = [f for f in inputs if f is not None]
    files += [f for f in map(found.module, sorted(modules)) if f is not None]
    folders = [found.place(p) for p in sorted(_folders_of(cells) - known.written)]
    return Ledger(
        cwd=os.path.relpath(here, base),
        base=base,
        files=tuple(_with_policy(files, wish, tuple(private))),
        folders=tuple(f for f in folders if f is not None),
        problems=found.problems,
        outside=tuple(shown_path(Path(p), here) for p in sorted(loaded - modules)),
    )


def named_in(said: str, folder: Path) -> str | None:
    """The file of the user's that an error names; None where it names none.

    >>> named_in("FileNotFoundError: x.csv not found.", Path("/nowhere")) is None
    True
    """
    for word in _WORDS.findall(said):
        path: str = os.path.normpath(folder / word.strip("'\"`,;:()").rstrip("."))
        if os.path.isfile(path) and is_users_file(path):
            return path
    return None


def _read_by(cells: Sequence[CellRecord]) -> set[str]:
    """The files, and those in folders that were listed."""
    found: set[str] = set()
    for cell in cells:
        for path in paths_of(cell.flow.reads if cell.flow is not None else ()):
            if os.path.isdir(path):
                found |= set(_listed(path))
            elif is_users_file(path) and not path.startswith(_OURS):
                found.add(path)
    return found


def _folders_of(cells: Sequence[CellRecord]) -> set[str]:
    names = (n for c in cells if c.flow is not None for n in c.flow.reads)
    return {n.removeprefix(FOLDER) for n in names if n.startswith(FOLDER)}


def _listed(folder: str) -> Iterator[str]:
    """A folder with a notebook in it is a desk: what lies there is not all meant."""
    names = sorted(os.listdir(folder))
    if any(name.endswith(".ipynb") or name == ".nbtrack" for name in names):
        return
    for name in names[:LISTED_MAX]:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and is_users_file(path):
            yield path


def _base_of(paths: Sequence[Path], here: Path) -> Path:
    """The top of the tree: as little of the project as holds all that was read."""
    project = project_of(here)
    near = [path for path in paths if path == here or path.is_relative_to(project)]
    return Path(os.path.commonpath([here, *(path.parent for path in near[1:])]))


class _Finding:
    """Looks at the files of one claim."""

    def __init__(
        self, claim: Claim, known: Known, here: Path, base: Path, needs: Needs
    ) -> None:
        self._known = known
        self._needs = needs
        self._here = here
        self._base = base
        self.problems: dict[str, str] = {}
        self._inputs: dict[str, InputRecord] = {}
        self._ended = None
        if claim.run is not None:
            inputs = claim.store.inputs(claim.run.id)
            self._inputs = {i.name: i for i in inputs if i.type == "file"}
            self._ended = claim.run.ended_at

    def file(self, path: str) -> DataFile | None:
        """A file as it is now, if it is what the run read."""
        shown = shown_path(Path(path), self._here)
        digest = _sha256(path)
        if digest is None:
            self.problems[shown] = f"the input {shown} is gone"
            return None
        record = self._inputs.get(shown)
        if self._has_changed(path, digest, record):
            self.problems[shown] = f"the input {shown} changed since"
        size = os.path.getsize(path)
        detail = {} if record is None else dict(record.detail)
        return DataFile(
            shown, Path(path), digest, size, self.place(path), detail=detail
        )

    def module(self, path: str) -> DataFile | None:
        """A local module as it was imported."""
        text, shown = self._known.modules[path], shown_path(Path(path), self._here)
        body = None
        if text.body is not None and not text.n_redacted:
            body = text.body.encode("utf-8", "surrogatepass")
        digest = _sha256(path)
        if digest == text.digest:
            body = Path(path).read_bytes()
        if body is None:
            self.problems[shown] = f"the module {shown} changed since"
            return None
        body = _without_secrets(body, self._needs)
        digest = hashlib.sha256(body).hexdigest()
        return DataFile(
            shown, Path(path), digest, len(body), self.place(path),
            policy="embed", role="module", body=body,
        )  # fmt: skip

    def place(self, path: str) -> str | None:
        """Where it lies in the tree; None for what is not near."""
        near = os.path.relpath(path, self._base)
        return None if near.startswith("..") or near == "." else near

    def _has_changed(self, path: str, digest: str, record: InputRecord | None) -> bool:
        if record is not None and record.digest is not None:
            return record.digest != digest
        if self._ended is None:
            return False
        ended = epoch_s(self._ended)
        info = os.stat(path)
        return max(info.st_mtime, info.st_ctime) > ended


def _with_policy(
    files: Sequence[DataFile], wish: Wish, private: tuple[str, ...]
) -> Iterator[DataFile]:
    left = ALL_MAX_BYTES
    for each in files:
        policy = each.policy
        kept_back = any(fnmatch.fnmatch(each.path, p) for p in private)
        if each.role == "input" and kept_back:
            policy = "private"
        elif each.role == "input" and each.place is not None:
            fits = each.size_bytes <= min(FILE_MAX_BYTES, left)
            if wish == "embed" or (wish == "auto" and fits):
                policy, left = "embed", left - each.size_bytes
            if policy == "embed" and _holds_secret(each.source, each.size_bytes):
                policy = "private"
        yield replace(each, policy=policy)


def _without_secrets(module: bytes, needs: Needs) -> bytes:
    """A module has no name of ours for `os`."""
    from nbtrack.capture.source_text import decoded

    text = decoded(module)
    if text is None:
        return module  # its encoding is not known: nothing can be put into it
    clear = without_secrets(text, needs, os_name="__import__('os')")
    return module if clear == text else clear.encode("utf-8", "surrogatepass")


def _holds_secret(path: Path, size_bytes: int) -> bool:
    """Whether a text seems to have one in it; what is no text is not looked at."""
    if size_bytes > SCANNED_MAX_BYTES:
        return False
    try:
        return redact_source(path.read_bytes().decode("utf-8"))[1] > 0
    except (OSError, UnicodeDecodeError):
        return False


def _sha256(path: str) -> str | None:
    try:
        return file_digest(Path(path))
    except OSError:
        return None
