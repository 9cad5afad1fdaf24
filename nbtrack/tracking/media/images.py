"""Pictures: from arrays, tensors, Pillow, files or lists of these to one PNG.

Bytes are taken as they are. Floats are 0 for black and 1 for white; where one lies
outside of that, the range from the smallest to the largest is stretched over it, and
the record says so (`scaled`). Whole numbers beyond 0 to 255 likewise. Colours stand
last (height x width x 3); for a torch tensor they stand first, where that can be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.tracking.media.content import (
    Content,
    Snapshot,
    kind_of,
    read_bounded,
    refusal,
)
from nbtrack.tracking.media.png import SIGNATURE, encode_png

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]
    Array = np.ndarray[Any, Any]

SIDE_MAX = 4096  # pixels; of a larger picture every k-th row and column is kept
GRID_MAX = 64  # pictures in one; of more the first ones are kept
_GAP = 2  # pixels between the pictures of a grid
_CHANNELS = (1, 3, 4)
_MIMES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/png", lambda b: b.startswith(SIGNATURE)),
    ("image/jpeg", lambda b: b.startswith(b"\xff\xd8\xff")),
    ("image/gif", lambda b: b.startswith((b"GIF87a", b"GIF89a"))),
    ("image/webp", lambda b: b.startswith(b"RIFF") and b[8:12] == b"WEBP"),
    ("image/bmp", lambda b: b.startswith(b"BM")),
    ("image/svg+xml", lambda b: b"<svg" in b[:1000]),
)
_WAY_OUT = "Log an array (height x width x 3), a Pillow image, a file, or a list"


@dataclass
class _Told:
    """What was done to the pixels, for the record."""

    data: dict[str, Any] = field(default_factory=dict)


def snapshot_of(value: Any) -> Snapshot:  # Any: every kind of picture there is
    """A picture, or several as a grid, as they are now.

    Raises
    ------
    ValueNotLoggedError
        For what is no picture.
    """
    if isinstance(value, str | os.PathLike):
        body = read_bounded(Path(value), instead="Make the picture smaller")
        return _of_file(body, Path(value).name)
    if isinstance(value, bytes | bytearray):
        return _of_file(bytes(value), "the bytes")
    told = _Told()
    pictures = _pictures(value, told)
    if not pictures:
        raise refusal("there is no picture in it", _WAY_OUT)
    size = sum(picture.nbytes for picture in pictures)
    return Snapshot(partial(_encoded, pictures, told.data), size)


def _of_file(body: bytes, name: str) -> Snapshot:
    mime = next((mime for mime, fits in _MIMES if fits(body)), None)
    if mime is None:
        raise refusal(f"{name!r} is no picture that is known", _WAY_OUT)
    if mime == "image/svg+xml":
        body = _without_secrets(body)
    content = Content("image", body=body, mime=mime)
    return Snapshot(lambda: content, len(body))


def _without_secrets(svg: bytes) -> bytes:
    from nbtrack.redact import redact

    return redact(svg.decode("utf-8", "replace"))[0].encode()


def _encoded(pictures: list[Pixels], data: dict[str, Any]) -> Content:
    pixels = pictures[0] if len(pictures) == 1 else _grid(pictures)
    height, width = pixels.shape[:2]
    data = {"width": width, "height": height, **data}
    return Content("image", data, body=encode_png(pixels), mime="image/png")


def _pictures(value: Any, told: _Told) -> list[Pixels]:
    """Copies of the pixels of one or several pictures."""
    if isinstance(value, list | tuple) and not _is_numbers(value):
        return _first(value, told)
    array, channels_first = _array_of(value)
    if array.ndim == 4 or _is_grey_batch(array):
        planes = [_PlainArray(one, channels_first) for one in array[: GRID_MAX + 1]]
        return _first(planes, told, n=len(array))
    return [_pixels(array, channels_first, told)]


@dataclass(frozen=True, slots=True)
class _PlainArray:
    """One picture of a batch, which knows where its colours stand."""

    array: Array
    channels_first: bool


def _first(values: Iterable[Any], told: _Told, n: int | None = None) -> list[Pixels]:
    every = list(values)
    n = len(every) if n is None else n
    told.data |= {"n": n} if n > 1 else {}
    if n > GRID_MAX:
        told.data["n_shown"] = GRID_MAX
    return [_one(value, told) for value in every[:GRID_MAX]]


def _one(value: Any, told: _Told) -> Pixels:
    array, channels_first = _array_of(value)
    return _pixels(array, channels_first, told)


def _is_grey_batch(array: Array) -> bool:
    """Whether no axis can be one of colours: then the first one counts pictures."""
    return (
        array.ndim == 3
        and array.shape[0] not in _CHANNELS
        and array.shape[2] not in _CHANNELS
    )


def _is_numbers(value: list[Any] | tuple[Any, ...]) -> bool:
    """Nested lists of numbers are one picture, not a list of pictures."""
    inner: Any = value
    while isinstance(inner, list | tuple) and inner:
        inner = inner[0]
    return isinstance(inner, bool | int | float)


def _array_of(value: Any) -> tuple[Array, bool]:
    """The value as an array, and whether its colours stand first."""
    import numpy as np

    if isinstance(value, _PlainArray):
        return value.array, value.channels_first
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(value, pillow.Image):
        return np.asarray(_simple_mode(value)), False
    if isinstance(value, str | os.PathLike | bytes):
        return _array_of_file(value)
    is_torch = hasattr(value, "detach") and hasattr(value, "cpu")
    array = _torch_array(value) if is_torch else np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise refusal(f"{kind_of(value)} is no picture", _WAY_OUT)
    return array, is_torch


def _torch_array(tensor: Any) -> Array:
    tensor = tensor.detach()
    if tensor.is_floating_point():
        tensor = tensor.float()  # numpy has no bfloat16
    array: Array = tensor.cpu().numpy()
    return array


def _simple_mode(picture: Any) -> Any:
    """A Pillow image as grey, RGB or RGBA."""
    if picture.mode in ("L", "RGB", "RGBA") and "transparency" not in picture.info:
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode.startswith(("I", "F")):
        return picture  # 16 bits, floats: stretched like other numbers
    has_alpha = "A" in picture.mode or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def _array_of_file(value: Any) -> tuple[Array, bool]:
    from nbtrack.tracking.media.png import decode_png

    is_bytes = isinstance(value, bytes)
    body = value if is_bytes else read_bounded(Path(value), instead="Log it alone")
    if not body.startswith(SIGNATURE):
        raise refusal("only PNG files can stand in a grid", "Log the others one by one")
    return decode_png(body), False


def _pixels(array: Array, channels_first: bool, told: _Told) -> Pixels:
    """Height x width (x 3 or 4) bytes, of a size that can be shown."""
    import numpy as np

    array = _colours_last(array, channels_first)
    if array.size == 0:
        raise refusal(f"a picture of shape {array.shape} is empty", _WAY_OUT)
    every = max(1, -(-max(array.shape[:2]) // SIDE_MAX))
    if every > 1:
        told.data["reduced"] = every
        array = array[::every, ::every]
    return np.array(_as_bytes(array, told), order="C")  # a copy, always


def _colours_last(array: Array, channels_first: bool) -> Array:
    import numpy as np

    if array.ndim == 2:
        return array
    if array.ndim == 3:
        first, last = array.shape[0] in _CHANNELS, array.shape[2] in _CHANNELS
        if first and (channels_first or not last):
            array = np.moveaxis(array, 0, 2)
        if array.shape[2] in _CHANNELS:
            return array[:, :, 0] if array.shape[2] == 1 else array
    raise refusal(f"an array of shape {array.shape} is no picture", _WAY_OUT)


def _as_bytes(array: Array, told: _Told) -> Array:
    import numpy as np

    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    finite = np.isfinite(array)
    n_bad = int(array.size - finite.sum())
    if n_bad:
        told.data["n_nan"] = told.data.get("n_nan", 0) + n_bad
        array = np.where(finite, array, 0)
    white = 1.0 if array.dtype.kind == "f" else 255.0
    low, high = float(array.min()), float(array.max())
    if low >= 0 and high <= white:
        return np.rint(array * (255.0 / white)).astype(np.uint8)
    before = told.data.get("scaled", [low, high])
    told.data["scaled"] = [min(low, before[0]), max(high, before[1])]
    wide = array.astype(np.float64)
    return np.rint((wide - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)


def _grid(pictures: list[Pixels]) -> Pixels:
    """The pictures beside and under one another, as near a square as can be."""
    import numpy as np

    channels = max(3 if p.ndim == 2 else p.shape[2] for p in pictures)
    channels = 0 if all(p.ndim == 2 for p in pictures) else channels
    height = max(p.shape[0] for p in pictures) + _GAP
    width = max(p.shape[1] for p in pictures) + _GAP
    n_columns = int(np.ceil(np.sqrt(len(pictures) * height / width)))
    n_rows = -(-len(pictures) // n_columns)
    size = (n_rows * height - _GAP, n_columns * width - _GAP)
    sheet = np.full(size + ((channels,) if channels else ()), 255, np.uint8)
    for at, picture in enumerate(pictures):
        row, column = divmod(at, n_columns)
        picture = _with_channels(picture, channels)
        top, left = row * height, column * width
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet


def _with_channels(picture: Pixels, channels: int) -> Pixels:
    import numpy as np

    if not channels:
        return picture
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    if picture.shape[2] < channels:
        solid = np.full((*picture.shape[:2], 1), 255, np.uint8)
        picture = np.concatenate([picture, solid], axis=2)
    return picture
