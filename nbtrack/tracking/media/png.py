"""PNG without an imaging library: pixels in, a file out, and back.

Written is 8 bits a channel, grey, RGB or RGBA, rows as they are or as their difference
to the row above, whichever is smoother. Read is what was written here; anything else
goes to Pillow, where that is installed.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

from nbtrack.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEVEL = 4  # of zlib: 6 takes twice as long for 3 % less of a photograph
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # channels: as PNG numbers them
_AS_IT_IS, _UP = 0, 2  # the two filters of a row that are used


def encode_png(pixels: Pixels) -> bytes:
    """The file of an array of height x width (x 1, 3 or 4) bytes.

    >>> import numpy as np
    >>> picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> bool((decode_png(encode_png(picture)) == picture).all())
    True
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = _filtered(pixels.reshape(height, width * channels))
    return b"".join(
        [
            SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), _LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )


def decode_png(body: bytes) -> Pixels:
    """The pixels of a PNG file, height x width (x channels).

    Raises
    ------
    MissingExtraError
        When another program wrote it, and Pillow is not there.
    """
    ours = _read(body)
    return _read_by_pillow(body) if ours is None else ours


def _filtered(rows: Pixels) -> Pixels:
    """The rows behind their filter's number."""
    import numpy as np

    up = rows.copy()
    up[1:] -= rows[:-1]  # modulo 256, as PNG wants it
    smooth = _roughness(up) < _roughness(rows)
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP if smooth else _AS_IT_IS
    filtered[:, 1:] = up if smooth else rows
    return filtered


def _roughness(rows: Pixels) -> int:
    import numpy as np

    return int(np.abs(rows.view(np.int8).astype(np.int16)).sum(dtype=np.int64))


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _read(body: bytes) -> Pixels | None:
    """The pixels of a file of ours; None for one with anything else in it."""
    import numpy as np

    start = len(SIGNATURE)
    size, kind = struct.unpack(">I4s", body[start : start + 8])
    if kind != b"IHDR" or size != 13:
        return None
    width, height, *rest = struct.unpack(">IIBBBBB", body[start + 8 : start + 21])
    channels = {colour: n for n, colour in _COLOUR_TYPES.items()}.get(rest[1])
    next_at = start + 25
    size, kind = struct.unpack(">I4s", body[next_at : next_at + 8])
    end = next_at + 12 + size
    is_ours = kind == b"IDAT" and body[end + 4 : end + 8] == b"IEND"
    if rest[0] != 8 or rest[4] or channels is None or not is_ours:
        return None
    plain = zlib.decompress(body[next_at + 8 : next_at + 8 + size])
    rows = np.frombuffer(plain, np.uint8).reshape(height, width * channels + 1)
    pixels = _unfiltered(rows)
    if pixels is None or channels == 1:
        return pixels
    return pixels.reshape(height, width, channels)


def _unfiltered(rows: Pixels) -> Pixels | None:
    import numpy as np

    filters = set(np.unique(rows[:, 0]).tolist())
    if filters <= {_AS_IT_IS}:
        return rows[:, 1:].copy()
    if filters == {_UP}:
        summed: Pixels = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)
        return summed
    return None


def _read_by_pillow(body: bytes) -> Pixels:
    import numpy as np

    try:
        from PIL import Image
    except ImportError as exc:
        raise MissingExtraError(
            "This picture was written by another program: `pip install pillow` to have "
            "it as an array, or take its bytes (`.body()`)."
        ) from exc
    with Image.open(BytesIO(body)) as picture:
        return np.asarray(picture)
