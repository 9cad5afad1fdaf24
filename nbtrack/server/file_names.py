"""Names of files as a browser is told them: safe in a header and on any disk."""

from __future__ import annotations

import re
from urllib.parse import quote

from nbtrack.text import visible

NAME_BYTES = 200  # of UTF-8; most file systems take 255
# What paths, shells and Windows read as something else than a part of a name.
_NOT_IN_NAMES = re.compile(r'(?:[/\\:*?"<>|]|[^\S ])+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(path: str, otherwise: str = "file") -> str:
    r"""The last part of a path as a name that every file system takes.

    >>> safe_name("models/mlp.pt"), safe_name("..\\..\\a\nb.html"), safe_name("..")
    ('mlp.pt', 'a_nb.html', 'file')
    """
    last = visible(re.split(r"[/\\]", path)[-1])  # a line break is \n as text from here
    name = _NOT_IN_NAMES.sub("_", last).strip("._ ") or otherwise
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    stem, dot, end = name.rpartition(".")
    if not dot or len(end.encode()) > 20:
        stem, end = name, ""
    room = NAME_BYTES - len(f"{dot}{end}".encode() if end else b"")
    stem = stem.encode()[:room].decode(errors="ignore")
    return f"{stem}.{end}" if end else stem


def disposition(name: str) -> str:
    """What tells a browser to save under that name: RFC 6266, with RFC 5987's form.

    >>> print(disposition("übung 1.pt"))
    attachment; filename="_bung 1.pt"; filename*=UTF-8''%C3%BCbung%201.pt
    """
    safe = safe_name(name)
    plain = re.sub(r"[^\w .,=@+-]", "_", safe, flags=re.ASCII)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
