"""Pictures, histograms, sounds and texts of event files, as our own rich values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from nbtrack.errors import ValueNotLoggedError
from nbtrack.interop.foreign import ForeignImage
from nbtrack.interop.rich import rich_value
from nbtrack.interop.tensorboard.messages import AUDIO, EVENT, HISTOGRAM, IMAGE
from nbtrack.interop.tensorboard.records import record_at
from nbtrack.interop.tensorboard.run_events import Kind, Place
from nbtrack.interop.tensorboard.tensors import numbers_of, shape_of
from nbtrack.text import shorten
from nbtrack.tracking.media import histograms, images, sound, texts
from nbtrack.tracking.media.content import Snapshot, refusal

Told = Mapping[str, Any]
_TEXT_SUFFIX = "/text_summary"  # SummaryWriter's own


def rich_values(
    places: Iterable[Place], tell: Callable[[str], None]
) -> Iterator[ForeignImage]:
    """What is kept of them; what cannot be is told."""
    for place in places:
        try:
            yield from _values(place)
        except (ValueNotLoggedError, OSError, ValueError, LookupError) as exc:
            why = shorten(str(exc), 200)
            tell(
                f"{place.kind} {place.name!r} at step {place.step} did not come: {why}"
            )


def _values(place: Place) -> Iterator[ForeignImage]:
    event = EVENT.read(record_at(place.file, place.offset))
    value = event["summary"]["value"][place.index]
    snapshots = _SNAPSHOTS[place.kind or "text"](value)
    name = place.name.removesuffix(_TEXT_SUFFIX)
    for n, snapshot in enumerate(snapshots):
        one = name if len(snapshots) == 1 else f"{name}/{n}"
        yield rich_value(one, snapshot.encode(), step=place.step, at=place.at)


def _images(value: Told) -> list[Snapshot]:
    """One, or as TensorFlow 2 writes them: width, height, then each file."""
    if "image" in value:
        bodies = [IMAGE.read(value["image"]).get("body", b"")]
    else:
        bodies = value["tensor"].get("strings", ())[2:]
    return [images.snapshot_of(body) for body in bodies]


def _sounds(value: Told) -> list[Snapshot]:
    """One, or as TensorFlow 2 writes them: each file and its label by turns."""
    if "audio" in value:
        bodies = [AUDIO.read(value["audio"]).get("body", b"")]
    else:
        is_labelled = len(shape_of(value["tensor"])) > 1
        bodies = value["tensor"].get("strings", ())[:: 2 if is_labelled else 1]
    return [sound.audio_snapshot(body, None) for body in bodies]


def _texts(value: Told) -> list[Snapshot]:
    parts = value.get("tensor", {}).get("strings", ())
    text = "\n".join(part.decode("utf-8", "replace") for part in parts)
    return [texts.text_snapshot(text)]


def _histogram(value: Told) -> list[Snapshot]:
    if "histogram" in value:
        counts, edges = _bins(HISTOGRAM.read(value["histogram"]))
    else:  # rows of left edge, right edge, count
        numbers = [*numbers_of(value["tensor"])]
        counts, edges = numbers[2::3], [*numbers[0::3], *numbers[-2:-1]]
    if not counts:
        raise refusal("it is empty", "Nothing was logged")
    whole = [int(count) if float(count).is_integer() else count for count in counts]
    return [histograms.counted_snapshot(whole, edges)]


def _bins(told: Told) -> tuple[list[float], list[float]]:
    """Counts and edges. The outermost edges are where values were, not at infinity."""
    limits, counts = told.get("limits", []), told.get("counts", [])
    full = [n for n, count in enumerate(counts) if count]
    if not full or len(limits) != len(counts):
        return [], []
    first, last = full[0], full[-1]
    low, high = told.get("min", 0.0), told.get("max", 0.0)
    inner = limits[first:last]
    edges = [low, *inner, max(high, *inner[-1:])]
    return counts[first : last + 1], edges


_SNAPSHOTS: dict[Kind, Callable[[Told], list[Snapshot]]] = {
    "image": _images,
    "histogram": _histogram,
    "audio": _sounds,
    "text": _texts,
}
