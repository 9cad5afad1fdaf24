"""The folder that an export goes to: each file whole or not at all, none twice.

What stands there already with the same content is left alone, so that an export that
was cut off goes on, and one that is repeated writes nothing.
"""

from __future__ import annotations

import filecmp
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.store.asides import aside
from nbtrack.text import shorten, text_digest, visible

MARK = "nbtrack.json"  # says what the folder is
FORMAT = "nbtrack-export"
VERSION = 1
_MODE = 0o644


class ExportFolder:
    """Writes files, and counts them.

    Names are made by who calls: of `safe_stem`, ids and digests, never of text alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_written = 0
        self.n_unchanged = 0
        if path.exists() and not path.is_dir():
            shown = shorten(visible(repr(str(path))))
            raise OptionError(f"{shown} is a file: an export goes into a folder.")
        path.mkdir(parents=True, exist_ok=True)

    def mark(self, kind: str) -> None:
        """Say what the folder is."""
        about = {"format": FORMAT, "version": VERSION, "kind": kind}
        self.put(MARK, json.dumps(about) + "\n")

    def put(self, name: str, text: str) -> None:
        """A file with this text."""
        content = text.encode("utf-8", "backslashreplace")
        path = self.path / name
        is_same_size = path.is_file() and path.stat().st_size == len(content)
        if is_same_size and path.read_bytes() == content:
            self.n_unchanged += 1
        else:
            self.stream(name, [content])

    def stream(self, name: str, pieces: Iterable[bytes]) -> None:
        """A file of these pieces, which need not be in memory together."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(path.parent) as partial:
            for piece in pieces:
                partial.write(piece)
            if path.is_file() and filecmp.cmp(partial.path, path, shallow=False):
                self.n_unchanged += 1  # its time stays: who watches it reads no more
                return
            partial.settle(path, mode=_MODE)
        self.n_written += 1

    def take(self, made: Path, name: str) -> None:
        """A file that somebody else wrote in this folder gets its name."""
        with made.open("rb+") as file:
            os.fsync(file.fileno())
        made.chmod(_MODE)
        made.replace(self.path / name)
        self.n_written += 1

    def copy(self, digest: str, pieces: Callable[[], Iterable[bytes]]) -> str:
        """A kept file, by its digest; where it is, from the folder."""
        name = f"files/{digest[:2]}/{digest}"
        if (self.path / name).is_file():
            self.n_unchanged += 1
        else:
            self.stream(name, pieces())
        return name


def state_of(document: Any) -> str:  # Any: what JSON can hold
    """A digest of a document: another one where anything of it is."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return text_digest(text)
