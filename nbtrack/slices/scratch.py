"""The folder in which a proof runs: the notebook's, as it was without the session.

It has the files that lay around the notebook and that no cell wrote, at the same place
relative to it, and nothing else: what a cell wrote has to be written again by the
script. The user's files are copied (or cloned by the file system), never moved and
never written; a very large one is a link, through which nothing can be written (see
`nbtrack.slices.border`). The folder is removed when the proof is over.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.capture.dataflow.pseudo import OF_FILES
from nbtrack.capture.digests.files import file_digest
from nbtrack.capture.file_groups import shown_path
from nbtrack.records import CellRecord, TextRecord
from nbtrack.slices.claim import Claim
from nbtrack.slices.fresh_folder import fresh_folder, remove_folder
from nbtrack.slices.job import View
from nbtrack.store.values import epoch_s

if TYPE_CHECKING:
    from types import TracebackType

PREFIX = "nbtrack-proof-"
COPY_MAX_BYTES = 50_000_000  # one file; a larger one is cloned, or a link
N_MAX = 3_000  # files that lie around the notebook and were not seen to be read
BYTES_MAX = 300_000_000  # of those together
_FICLONE = 0x40049409  # the file system shares the blocks until one of them is written
_LEFT_OUT = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
_PYTHONS = (sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[1]))
_ON_DISK = " (on disk)"  # the later text of a module that was edited after its import


@dataclass(slots=True)
class Known:
    """What the records say of files."""

    written: frozenset[str]  # by the session, at any time
    read: frozenset[str]
    all_seen: bool  # whether every cell was looked at
    digests: Mapping[str, str] = field(default_factory=dict)  # by shown path, of inputs
    modules: Mapping[str, TextRecord] = field(default_factory=dict)  # by path


class Scratch:
    """A fresh folder for one attempt; gone at the end of the `with` block."""

    def __init__(self, claim: Claim, known: Known) -> None:
        self._claim = claim
        self._known = known
        self._problems: dict[str, str] = {}  # path -> why it is not what it was
        self._here = Path(os.path.realpath(claim.start.folder))
        self.root = Path()
        self.tree = Path()
        self._links: list[str] = []  # too large for a copy
        self.hidden: list[str] = []  # around the notebook, and maybe the session's
        self.readable: list[
            str
        ] = []  # real paths that a script may read where they are

    def __enter__(self) -> Scratch:
        self.root = fresh_folder(PREFIX)
        try:
            self._fill()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Take the folder away, whatever a script did to its permissions."""
        remove_folder(self.root)

    @property
    def folder(self) -> Path:
        """Where the script runs."""
        return self.place(self._here)

    @property
    def view(self) -> View | None:
        """How the script can run where the notebook did, in the copy of its folder.

        None where it reaches beside its folder: only in here those files are copies.
        """
        here = str(self._here)
        known = self._known.read | self._known.written
        beside = any(self.is_near(p) and not _is_under(p, here) for p in known)
        if beside or not self._here.is_dir():
            return None
        # Of a home folder with its caches, or a whole environment, there is no copy.
        pythons = {os.path.realpath(path) for path in _PYTHONS}
        around = (os.path.realpath(path) for path in (Path.home(), self.root))
        if here in pythons or any(_is_under(path, here) for path in around):
            return None
        inside = sorted(path for path in pythons if _is_under(path, here))
        return View(str(self.folder), here, (*inside, *self._links))

    def place(self, path: Path) -> Path:
        """Where a file of the user's lies in here."""
        return self.tree / path.relative_to(path.anchor)

    def problem(self, paths: Iterable[str]) -> str | None:
        """Why one of these files is not what the session read; None if all are."""
        for path in paths:
            if path in self._problems:
                return self._problems[path]
        return None

    def is_near(self, path: str) -> bool:
        """Whether a relative path from the notebook leads to the file naturally."""
        return any(_is_under(path, base) for base in self._bases)

    # -- filling it --------------------------------------------------------------

    def _fill(self) -> None:
        self.tree = self.root / "tree"
        for part in ("tree", "tmp", "ipython"):
            (self.root / part).mkdir(mode=0o700)
        self._bases = [str(path) for path in _bases(self._here)]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._mirror_around()
        for path in sorted(self._known.read - self._known.written):
            self._mirror_input(path)
        for path, text in self._known.modules.items():
            self._mirror_module(path, text)

    def _mirror_around(self) -> None:
        """The notebook's folder: what is there might be read by what is not seen."""
        n_left, bytes_left = N_MAX, BYTES_MAX
        for here, folders, names in os.walk(self._here):
            if not self._changed_since_began(here):
                self.place(Path(here)).mkdir(parents=True, exist_ok=True)
            self._mirror_links(here, folders)
            folders[:] = [n for n in sorted(folders) if self._is_walked(here, n)]
            for name in sorted(names):
                path = os.path.join(here, name)
                size = _size(path)
                if name[0] == "." or size is None or size > COPY_MAX_BYTES:
                    continue
                if n_left <= 0 or size > bytes_left:
                    return
                if not self._is_users(path):
                    self.hidden.append(os.path.realpath(path))
                else:
                    n_left, bytes_left = n_left - 1, bytes_left - size
                    self._copy(path)

    def _mirror_links(self, here: str, folders: list[str]) -> None:
        """A link to a folder leads to the same one, or to its place in here."""
        for name in folders:
            path = os.path.join(here, name)
            if not os.path.islink(path) or path in self._known.written:
                continue
            real = os.path.realpath(path)
            there = self.place(Path(real)) if self.is_near(real) else Path(real)
            place = self.place(Path(path))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(there)

    def _is_walked(self, here: str, name: str) -> bool:
        path = os.path.join(here, name)
        if name[0] == "." or name in _LEFT_OUT or os.path.islink(path):
            return False
        return path not in self._known.written and not os.path.exists(
            os.path.join(path, "pyvenv.cfg")
        )

    def _is_users(self, path: str) -> bool:
        """Whether it is sure that no cell wrote the file."""
        if path in self._known.written or os.path.realpath(path) in self._known.written:
            return False
        if not self._changed_since_began(path):
            return True
        return self._known.all_seen and path in self._known.read

    def _changed_since_began(self, path: str) -> bool:
        try:
            return os.stat(path).st_ctime >= self._claim.start.began_at
        except OSError:
            return False

    def _mirror_input(self, path: str) -> None:
        """A file or folder that some cell read."""
        if not self.is_near(path):
            self._note_changes(path)
            return
        if os.path.isdir(path):
            for name in sorted(os.listdir(path))[:N_MAX]:
                inner = os.path.join(path, name)
                if os.path.isfile(inner) and self._is_users(inner):
                    self._copy(inner)
        elif self._note_changes(path) and self._is_users(path):
            self._copy(path)

    def _note_changes(self, path: str) -> bool:
        """Whether the file is there; and whether it is what the session read."""
        shown = shown_path(Path(path), self._here)
        if not os.path.exists(path):
            self._problems[path] = f"the input {shown} is gone"
            return False
        if not os.path.isfile(path):
            return True
        if self._was_changed(path, self._known.digests.get(shown)):
            self._problems[path] = f"the input {shown} changed since"
        elif self._known.all_seen and self._changed_since_began(path):
            self.readable.append(os.path.realpath(path))
        return True

    def _was_changed(self, path: str, digest: str | None) -> bool:
        run = self._claim.run
        info = os.stat(path)
        changed_at = max(info.st_mtime, info.st_ctime)
        if run is None or changed_at < epoch_s(run.started_at):
            return False
        if digest is not None:
            return file_digest(Path(path)) != digest
        return run.ended_at is not None and changed_at > epoch_s(run.ended_at)

    def _mirror_module(self, path: str, text: TextRecord) -> None:
        """A local module as it was imported, by the text that was kept if need be."""
        if path in self._known.written or not self.is_near(path):
            return
        if os.path.isfile(path) and file_digest(Path(path)) == text.digest:
            self._copy(path)
            self.readable.append(os.path.realpath(path))
        elif text.body is not None and not text.n_redacted:
            place = self.place(Path(path))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.body.encode("utf-8", "surrogatepass"))
            self._problems.pop(path, None)
        else:
            shown = shown_path(Path(path), self._here)
            self._problems[path] = f"the module {shown} changed since"

    def _copy(self, path: str) -> None:
        place = self.place(Path(path))
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        if (_size(path) or 0) <= COPY_MAX_BYTES:
            shutil.copy2(path, place)
        elif not _cloned(path, place):
            place.symlink_to(os.path.realpath(path))
            if _is_under(path, str(self._here)):
                self._links.append(path)


def known_of(claim: Claim) -> Known:
    """What the records say of the files around a claim."""
    written: set[str] = set()
    read: set[str] = set()
    for cell in claim.cells:
        flow = cell.flow
        if flow is not None:
            written |= paths_of((*flow.writes, *flow.may_write, *flow.between))
            read |= paths_of(flow.reads)
    digests: dict[str, str] = {}
    modules: dict[str, TextRecord] = {}
    if claim.run is not None:
        inputs = claim.store.inputs(claim.run.id)
        digests = {i.name: i.digest for i in inputs if i.digest and i.type == "file"}
        texts = claim.store.texts(claim.run.id, "module")
        modules = dict(_by_path(texts, claim.start.folder))
    return Known(
        written=frozenset(written),
        read=frozenset(read),
        all_seen=all(cell.flow is not None for cell in claim.cells),
        digests=digests,
        modules=modules,
    )


def paths_of(names: Iterable[str]) -> set[str]:
    """The files and folders among the names of a flow.

    >>> paths_of(["x", "@file:/a/b.csv", "@cwd"])
    {'/a/b.csv'}
    """
    return {name.partition(":")[2] for name in names if name.startswith(OF_FILES)}


def writes_elsewhere(cell: CellRecord, scratch: Scratch) -> str | None:
    """A path far from the notebook that the cell wrote; None where it wrote none.

    Files under the folder for temporary ones have fresh names each time.
    """
    if cell.flow is None:
        return None
    temporary = os.path.realpath(tempfile.gettempdir())
    for path in sorted(paths_of(cell.flow.writes)):
        if not scratch.is_near(path) and not _is_under(path, temporary):
            return path
    return None


def _bases(folder: Path) -> Iterator[Path]:
    """The folders whose files a notebook reaches by relative paths: its project."""
    yield folder
    home, temporary = (
        Path(os.path.realpath(path)) for path in (Path.home(), tempfile.gettempdir())
    )
    above: list[Path] = []
    for parent in folder.parents:
        if parent in (home, temporary, Path(parent.anchor)) or os.path.ismount(parent):
            break
        above.append(parent)
        if (parent / ".git").exists():
            yield from above
            return
    yield from above[:1]  # no repository: `../data.csv` at most


def project_of(folder: Path) -> Path:
    """The top of what a notebook in that folder reaches by relative paths.

    >>> folder = Path(tempfile.mkdtemp()).resolve() / "project" / "notebooks"
    >>> project_of(folder).name
    'project'
    """
    return list(_bases(folder))[-1]


def _by_path(
    texts: Iterable[TextRecord], folder: Path
) -> Iterator[tuple[str, TextRecord]]:
    """Texts are named by their path from the project: the repository, or the folder."""
    project = next(
        (p for p in (folder, *folder.parents) if (p / ".git").exists()), folder
    )
    for text in texts:
        if text.digest is not None and not text.name.endswith(_ON_DISK):
            yield os.path.normpath(project / text.name), text


def _cloned(path: str, place: Path) -> bool:
    """Whether the file system could make a copy that takes no room."""
    with open(path, "rb") as source, place.open("wb") as target:
        try:
            fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
            return True
        except OSError:
            pass
    place.unlink()
    return False


def _is_under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _size(path: str) -> int | None:
    try:
        return os.path.getsize(path) if os.path.isfile(path) else None
    except OSError:
        return None
