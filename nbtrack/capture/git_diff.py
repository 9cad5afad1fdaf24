"""The uncommitted diff of a work tree: what `git apply` needs at that commit, or less.

It is whole or not there: a diff over the limit is not kept by half, its digest and the
names of its files are. Left out, and said: notebooks (the cells that ran are kept, and
their outputs are nobody's source), files whose name says that they hold secrets, and
binary files that are large or have something like a secret in them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbtrack.capture.git_call import KEEP_BYTES, Said, ask_git
from nbtrack.records import TextRecord
from nbtrack.redact import redact_source
from nbtrack.text import shorten, visible

MAX_BINARY = 250_000  # bytes of one file
BINARIES_MAX = 20  # files: each one is looked into
N_NAMED = 20  # files left out that are named one by one
MANY = 2000  # excluded paths that still fit into a command

_SECRET_FILE = re.compile(
    r"(?:\.env(?:\..*)?|\.?netrc|\.pypirc|\.npmrc|\.pgpass|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|.*\.(?:pem|key|pfx|p12|jks|keystore|kdbx|ovpn|tfstate|ppk)"
    r"|(?:.*[._-])?(?:secrets?|credentials?)(?:\.(?!pyi?\Z)\w+)?)\Z",
    re.IGNORECASE,
)
_OPTIONS = (
    *("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    *("--submodule=short", "--ignore-submodules=dirty"),
)
_PATCH = (
    *("--binary", "--full-index", "--unified=3", "--inter-hunk-context=0"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """What of a work tree is not committed."""

    changed: list[str]  # paths from the root, without untracked ones
    text: TextRecord
    failure: str | None = None  # why nothing is known


def uncommitted(root: Path, *, keep_bytes: int = KEEP_BYTES) -> Uncommitted:
    """The changes to the tracked files of the work tree at `root`."""
    nothing = TextRecord("diff", "diff", None)
    listed = ask_git(root, "diff", "HEAD", *_OPTIONS, "--numstat", "-z", "--")
    if listed.failure or listed.is_cut:
        return Uncommitted([], nothing, listed.failure or "too many files have changed")
    files = dict(_files(listed.out))
    if not files:
        return Uncommitted([], nothing)
    left_out = dict(_left_out(root, files))
    text = _diff(root, left_out, keep_bytes)
    return Uncommitted(sorted(files), text)


def _files(numstat: bytes) -> Iterator[tuple[str, bool]]:
    """Path, and whether the file is binary."""
    for entry in numstat.split(b"\0"):
        if entry:
            added, _, path = entry.split(b"\t", 2)
            yield os.fsdecode(path), added == b"-"


def _left_out(root: Path, files: dict[str, bool]) -> Iterator[tuple[str, str]]:
    n_binary = 0
    for name, is_binary in files.items():
        n_binary += is_binary
        if name.endswith(".ipynb"):
            yield name, "a notebook: the cells that ran are kept"
        elif _SECRET_FILE.match(name.rpartition("/")[2]):
            yield name, "its name says that it holds secrets"
        elif is_binary and n_binary > BINARIES_MAX:
            yield name, "one of many binary files"
        elif is_binary and (why := _why_not_binary(root, name)):
            yield name, why


def _why_not_binary(root: Path, name: str) -> str | None:
    """A binary patch is compressed: nobody finds a secret in it afterwards."""
    before = ask_git(root, "cat-file", "blob", f"HEAD:{name}", keep_bytes=MAX_BINARY)
    try:
        path = root / name
        now = path.read_bytes() if path.is_file() else b""
    except OSError as exc:
        return f"binary, unreadable: {exc.strerror}"
    if len(now) > MAX_BINARY or before.is_cut:
        return f"binary, {max(len(now), before.n_bytes)} bytes"
    # UTF-16 is binary for git, too: there the gaps are within the words.
    texts = [
        body.replace(b"\0", gap).decode("latin-1")
        for body in (now, before.out)
        for gap in (b" ", b"")
    ]
    found = sum(redact_source(text)[1] for text in texts)
    return "binary, with something like a secret in it" if found else None


def _diff(root: Path, left_out: dict[str, str], keep_bytes: int) -> TextRecord:
    if len(left_out) > MANY:
        why = f"{len(left_out)} changed files would be left out: {_named(left_out)}"
        return TextRecord("diff", "diff", None, missing=why)
    without = [f":(top,literal,exclude){name}" for name in left_out]
    said = ask_git(
        root, "diff", "HEAD", *_OPTIONS, *_PATCH, "--", ":/", *without,
        keep_bytes=keep_bytes,
    )  # fmt: skip
    if said.failure:
        return TextRecord("diff", "diff", None, missing=said.failure)
    if said.is_cut:
        why = f"{said.n_bytes} bytes, more than {keep_bytes}: only its digest is kept"
        return TextRecord("diff", "diff", said.digest, missing=why)
    return _text(said, left_out)


def _text(said: Said, left_out: dict[str, str]) -> TextRecord:
    notes = [f"without {_named(left_out)}"] if left_out else []
    if not said.out:
        return TextRecord("diff", "diff", None, missing="; ".join(notes))
    try:
        body = said.out.decode("utf-8")
    except UnicodeDecodeError:
        body = said.out.decode("utf-8", "backslashreplace")
        notes.append("bytes that are no UTF-8 stand as \\x..: it does not apply so")
    return TextRecord(
        "diff", "diff", said.digest, body, missing="; ".join(notes) or None
    )


def _named(left_out: dict[str, str]) -> str:
    shown = [
        f"{shorten(visible(name), 100)} ({why})"
        for name, why in list(left_out.items())[:N_NAMED]
    ]
    more = len(left_out) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
