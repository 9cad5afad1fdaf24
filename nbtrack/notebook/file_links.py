"""Links below a cell to files that were written, as a notebook reads them."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from nbtrack.text import escape


def place_of(path: Path) -> str:
    """From the notebook's folder.

    >>> place_of(Path("reports/a.html").absolute())
    'reports/a.html'
    """
    return Path(os.path.relpath(path)).as_posix()


def link_to(path: Path, how: str) -> str:
    """The HTML of a link to a file.

    Parameters
    ----------
    how
        The other attributes of the link, as HTML.

    >>> link_to(Path("a: b.zip").absolute(), "download")
    "<a href='a%3A%20b.zip' download>a: b.zip</a>"
    """
    place = place_of(path)
    # A colon in a first folder would be read as the scheme of an address.
    address = "/".join(quote(part, safe="") for part in place.split("/"))
    return f"<a href='{escape(address)}' {how}>{escape(place)}</a>"
