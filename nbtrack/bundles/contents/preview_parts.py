"""The parts of a bundle's page that the house's reports have not: all text escaped.

Pictures stand in the page as `img`: whatever is in one, it draws and does no more.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from nbtrack.analysis.report.content import Pre
from nbtrack.analysis.report.html import block_html
from nbtrack.bundles.contents.reasons import without_places
from nbtrack.slices.closure import label_of
from nbtrack.text import escape, shorten

if TYPE_CHECKING:
    from nbtrack.bundles.contents.check_item import Item
    from nbtrack.slices.closure import KeptCell

PICTURE_BYTES_MAX = 4_000_000  # of all pictures of a page
REASONS_MAX = 600  # characters
CELLS_MAX = 300
_TONES = {"ok": "good", "missing": "bad", "unknown": "open"}
_TYPES = {".svg": "svg+xml", ".png": "png"}


def checks_html(items: Iterable[Item]) -> str:
    """The checklist as a table, a part for each group, states in words.

    Examples
    --------
    >>> from nbtrack.bundles.contents.check_item import Item
    >>> "<b>" in checks_html([Item("Code", "commit", "ok", "<b>")])
    False
    """
    groups = groupby(items, key=lambda item: item.group)
    bodies = "".join(_group(name, list(found)) for name, found in groups)
    columns = "".join(f"<col class='{c}'>" for c in ("item", "state", "value", "fix"))
    heads = "".join(
        f"<th scope='col'>{head}</th>"
        for head in ("item", "state", "what is known", "what to do")
    )
    return (
        f"<div class='wide'><table class='checks'><colgroup>{columns}</colgroup>"
        f"<thead><tr>{heads}</tr></thead>{bodies}</table></div>"
    )


def _group(name: str, items: list[Item]) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{escape(item.item)}</th>"
        f"<td><span class='pill {_TONES[item.state]}'>{escape(item.state)}</span></td>"
        f"<td>{escape(item.value)}</td><td class='fix'>{escape(item.fix)}</td></tr>"
        for item in items
    )
    head = (
        f"<tr><th class='group' colspan='4' scope='rowgroup'>{escape(name)}</th></tr>"
    )
    return f"<tbody>{head}{rows}</tbody>"


def cells_html(kept: Iterable[KeptCell], *, target: int | None) -> str:
    """The cells as they ran, each with what it is kept for.

    Parameters
    ----------
    target
        The `seq` of the tracked cell.

    Examples
    --------
    >>> cells_html([], target=None)
    "<p class='muted'>Its cells were not recorded.</p>"
    """
    every = list(kept)
    if not every:
        return "<p class='muted'>Its cells were not recorded.</p>"
    parts = [_cell(one, is_target=one.cell.seq == target) for one in every[:CELLS_MAX]]
    left = len(every) - CELLS_MAX
    if left > 0:
        parts.append(f"<p class='muted'>… and {left} more in run/run.py</p>")
    return "".join(parts)


def _cell(kept: KeptCell, *, is_target: bool) -> str:
    mark = "<span class='mark'>the tracked cell</span>" if is_target else ""
    why = "" if is_target else "; ".join(without_places(kept.reasons))
    reasons = f"<p class='muted'>{escape(shorten(why, REASONS_MAX))}</p>"
    source = kept.cell.source
    code = "Its text was not kept." if source is None else source
    return (
        f"<div class='cell'><h3>{escape(label_of(kept.cell))}{mark}</h3>"
        f"{reasons if why else ''}"
        f"{block_html(Pre('', code))}</div>"
    )


def pictures_html(members: Mapping[str, bytes]) -> str:
    """Pictures beside one another, until the page has enough of them.

    Examples
    --------
    >>> pictures_html({})
    ''
    """
    shown, left = [], PICTURE_BYTES_MAX
    rest = []
    for path, body in members.items():
        kind = next((t for end, t in _TYPES.items() if path.endswith(end)), None)
        if kind is None or len(body) > left:
            rest.append(path)
            continue
        left -= len(body)
        shown.append(_figure(path, kind, body))
    figures = f"<div class='charts'>{''.join(shown)}</div>" if shown else ""
    return figures + "".join(_not_shown(rest))


def _figure(path: str, kind: str, body: bytes) -> str:
    data = base64.b64encode(body).decode("ascii")
    name = escape(path.rpartition("/")[2])
    return (
        f"<figure><img alt='{name}' src='data:image/{kind};base64,{data}'>"
        f"<figcaption>{name}</figcaption></figure>"
    )


def _not_shown(paths: list[str]) -> Iterator[str]:
    if paths:
        names = escape(shorten(", ".join(paths), 2_000))
        yield f"<p class='muted'>In the bundle, and not shown here: {names}</p>"
