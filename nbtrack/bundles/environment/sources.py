"""Where a distribution came from, in the words of env/packages.json.

No path of this machine and no login is in what it says: of a file on disk its name and
sha256 are kept, of an editable folder its commit.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from nbtrack.capture.packages import Installed
from nbtrack.capture.repository import without_login

_VCS = re.compile(r"(?P<url>(?:git|hg|bzr|svn)\+.*)@(?P<commit>[^@/]+)", re.DOTALL)
_KIND = re.compile(r"(?:git|hg|bzr|svn)\+")
_SUM = re.compile(r"#sha256=(?P<sha256>[0-9a-f]{64})\Z")
_HERE = re.compile(r"(?:localhost|127(?:\.\d+){3}|::1)\Z")


def source_of(about: Installed) -> dict[str, Any]:
    """The type of a distribution's source, with its URL, sha256 and commit if known.

    >>> source_of(Installed("mine", "0.1", url="~/m", is_editable=True, commit="ab12"))
    {'type': 'editable', 'url': None, 'sha256': None, 'commit': 'ab12'}
    """
    if about.is_editable:
        return _source("editable", commit=about.commit)
    if about.url is None:
        return _source("index")
    vcs = _VCS.fullmatch(about.url)
    if vcs is not None:
        return _source("vcs", url=public_url(vcs["url"]), commit=vcs["commit"])
    url, checked = _parted(about.url)
    return _source("archive", url=public_url(url), sha256=checked)


def wheel_of(about: Installed) -> dict[str, Any] | None:
    """The wheel from which a distribution was installed, where that is known.

    >>> about = Installed("a", "1", url="~/a-1-py3-none-any.whl#sha256=" + 64 * "0")
    >>> wheel_of(about)["file"], wheel_of(about)["url"]
    ('a-1-py3-none-any.whl', None)
    """
    if about.url is None or about.is_editable:
        return None
    url, checked = _parted(about.url)
    file = file_name(url)
    if checked is None or not file.endswith(".whl"):
        return None
    return {"file": file, "sha256": checked, "url": public_url(url)}


def public_url(url: str) -> str | None:
    """An address that others can ask too, without what logs in; None for files here.

    >>> public_url("https://ada:pw@example.org/a.whl")
    'https://example.org/a.whl'
    >>> public_url("file:///home/ada/a.whl") is None
    True
    """
    found = _KIND.match(url)
    kind = found[0] if found else ""
    without = without_login(url[len(kind) :])
    try:
        parts = urlsplit(without)
        host = parts.hostname or ""
    except ValueError:
        return None
    is_file = not host or parts.scheme == "file"
    return None if is_file or _HERE.match(host) else kind + without


def file_name(url: str) -> str:
    """The last part of an address or a path, decoded.

    >>> file_name("file:///wheels/torch-2.13.0%2Bcpu-cp311-none-any.whl")
    'torch-2.13.0+cpu-cp311-none-any.whl'
    """
    return unquote(re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2])


def _parted(url: str) -> tuple[str, str | None]:
    found = _SUM.search(url)
    return (url[: found.start()], found["sha256"]) if found else (url, None)


def _source(type_: str, **known: str | None) -> dict[str, Any]:
    return {"type": type_, "url": None, "sha256": None, "commit": None} | known
