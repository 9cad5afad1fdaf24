"""Reports on disk: known by their mark, written whole or not at all.

A file that is no report of nbtrack is never written over, nor is a picture beside it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Literal

from nbtrack.analysis.report.asked import Asked
from nbtrack.analysis.report.content import Report
from nbtrack.analysis.report.html import html_of
from nbtrack.analysis.report.markdown import COMMENT, markdown_of
from nbtrack.errors import OptionError
from nbtrack.text import shorten, visible

Format = Literal["html", "md"]
ENDINGS: Mapping[str, Format] = {
    ".html": "html", ".htm": "html", ".md": "md", ".markdown": "md",
}  # fmt: skip
HEAD_MAX = 1_000_000  # bytes in which the mark stands; a thousand ids take 30 000
_MARKS = (
    re.compile(r"<meta name='nbtrack-report' content='([^'<>]*)'>"),
    re.compile(re.escape(COMMENT) + r"([^<>]*) -->"),
)
_OURS = "<!-- nbtrack-report -->"  # in a picture
_PICTURES = re.compile(r"chart-\d{2,}\.svg")


def format_of(path: Path | None, asked: str | None) -> Format:
    """HTML or Markdown, by what was asked for, else by the ending of the file.

    Raises
    ------
    OptionError
        For another format, or one that is not that of the ending.

    Examples
    --------
    >>> format_of(Path("week.md"), None), format_of(None, None)
    ('md', 'html')
    """
    known = {"html": "html", "md": "md", "markdown": "md"}
    if asked is not None and asked not in known:
        raise OptionError(f"format={shorten(repr(asked), 40)}: use html or md.")
    by_name = None if path is None else ENDINGS.get(path.suffix.lower())
    wanted: Format = by_name or "html"
    if asked is not None:
        wanted = "md" if known[asked] == "md" else "html"
    if by_name not in (None, wanted):
        raise OptionError(
            f"{_shown(path)} has the ending of the other format than {wanted}: leave "
            "the format out, or name the file otherwise."
        )
    return wanted


def asked_of(path: Path) -> Asked | None:
    """What an existing report was asked for; None where there is no file.

    Raises
    ------
    OptionError
        For a file that is no report of nbtrack.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_MAX).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise OptionError(
            f"{_shown(path)} cannot be read: {exc.strerror}. Give another name."
        ) from exc
    for mark in _MARKS:
        # Near the top alone: a report that quotes another one is not that one.
        found = mark.search(head, 0)
        if found is not None and found.start() < 200:
            return Asked.from_json(unescape(found[1]))
    raise OptionError(
        f"{_shown(path)} exists and is no report of nbtrack: it stays as it is. Give "
        "the report another name."
    )


def write(report: Report, path: Path, form: Format) -> None:
    """Write a report and, of Markdown, its pictures.

    Raises
    ------
    OptionError
        Where the folder is not there, or cannot be written.
    """
    try:
        if form == "html":
            _write(path, html_of(report))
            return
        folder = path.with_name(f"{path.stem}_files")
        text, pictures = markdown_of(report, folder.name)
        _write_pictures(folder, pictures)
        _write(path, text)
    except OSError as exc:
        raise OptionError(
            f"{_shown(path)} cannot be written: {exc.strerror}. Give a place with -o."
        ) from exc


def _write_pictures(folder: Path, pictures: Mapping[str, str]) -> None:
    old = _old_pictures(folder)
    for name in pictures:
        if (folder / name).exists() and name not in old:
            raise OptionError(
                f"{_shown(folder / name)} exists and is no picture of a report: it "
                "stays as it is. Give the report another name."
            )
    if pictures:
        folder.mkdir(exist_ok=True)
    for name, svg in pictures.items():
        _write(folder / name, svg.replace(">", f">{_OURS}", 1) + "\n")
    for name in old - pictures.keys():
        (folder / name).unlink(missing_ok=True)


def _old_pictures(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    found = [path for path in folder.iterdir() if _PICTURES.fullmatch(path.name)]
    return {path.name for path in found if path.is_file() and _is_ours(path)}


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return _OURS.encode() in file.read(1000)


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o666 & ~_umask())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """What a plain file would have: a report is there to be passed on."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _shown(path: Path | None) -> str:
    return shorten(visible(str(path)), 120)
