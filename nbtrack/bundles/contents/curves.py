"""The pictures of a run as members of a bundle: its curves, and what it logged.

A curve is drawn here, one picture for each family of metrics; logged pictures are taken
as they are where they are PNG, or SVG that is still. No script, nothing fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbtrack.bundles.contents.json_text import as_utf8
from nbtrack.bundles.contents.member_names import MemberNames
from nbtrack.bundles.contents.still_svg import is_still
from nbtrack.errors import StoreError

if TYPE_CHECKING:
    from nbtrack.records import MediaRecord, RunRecord
    from nbtrack.store import Store

FOLDER = "results/outputs"
CURVES_MAX = 200
PICTURES_MAX = 20
PICTURE_BYTES_MAX = 5_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_SUFFIXES = {"image/png": ".png", "image/svg+xml": ".svg"}


def curve_svgs(store: Store, record: RunRecord) -> dict[str, str]:
    """The curves of a run, by family of metrics, as drawings that are safe to show.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log(train_loss=0.5, val_loss=0.6)
    >>> list(curve_svgs(run.store, run.record()))
    ['loss']
    """
    from nbtrack.analysis.family_charts import family_svgs

    return family_svgs(store, record.id)


def curve_members(store: Store, record: RunRecord) -> dict[str, bytes]:
    """`results/outputs/*`: a picture for each family of metrics, then logged pictures.

    Of a name that was logged at several steps the last one is taken; at most 20 logged
    pictures, none larger than 5 MB.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log(loss=0.5)
    >>> list(curve_members(run.store, run.record()))
    ['results/outputs/loss.svg']
    """
    names = MemberNames(FOLDER)
    members = {
        names.take(family, ".svg"): as_utf8(svg)
        for family, svg in list(curve_svgs(store, record).items())[:CURVES_MAX]
    }
    for name, suffix, body in _pictures(store, record):
        members[names.take(name, suffix)] = body
    return members


def _pictures(store: Store, record: RunRecord) -> Iterator[tuple[str, str, bytes]]:
    n = 0
    for value in _latest(store.media(record.id)):
        if n == PICTURES_MAX:
            return
        body = _body(store, value)
        if body is not None and _is_picture(value.mime, body):
            n += 1
            yield value.name, _SUFFIXES[value.mime or ""], body


def _latest(found: list[MediaRecord]) -> list[MediaRecord]:
    """By name, of each the one of the last step."""
    return list({value.name: value for value in found}.values())


def _body(store: Store, value: MediaRecord) -> bytes | None:
    is_small = (value.size_bytes or 0) <= PICTURE_BYTES_MAX
    if value.digest is None or value.mime not in _SUFFIXES or not is_small:
        return None
    try:
        return store.file_path(value.digest).read_bytes()
    except (StoreError, OSError):  # it was freed since
        return None


def _is_picture(mime: str | None, body: bytes) -> bool:
    return body.startswith(_PNG) if mime == "image/png" else is_still(body)
