"""Sound and film: files as they are, and sound from samples as a WAV file."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.tracking.media.content import (
    Content,
    Snapshot,
    kind_of,
    read_bounded,
    refusal,
)

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_CHANNELS_MAX = 8
_SOUNDS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("audio/wav", lambda b: b.startswith(b"RIFF") and b[8:12] == b"WAVE"),
    ("audio/mpeg", lambda b: b[:3] == b"ID3" or b[:2] in (b"\xff\xfb", b"\xff\xf3")),
    ("audio/flac", lambda b: b.startswith(b"fLaC")),
    ("audio/ogg", lambda b: b.startswith(b"OggS")),
    ("audio/mp4", lambda b: b[4:11] == b"ftypM4A"),
)
_FILMS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("video/mp4", lambda b: b[4:8] == b"ftyp"),
    ("video/webm", lambda b: b.startswith(b"\x1aE\xdf\xa3")),
    ("video/ogg", lambda b: b.startswith(b"OggS")),
    ("image/gif", lambda b: b.startswith((b"GIF87a", b"GIF89a"))),
)


def audio_snapshot(value: Any, rate: int | None) -> Snapshot:  # Any: file or samples
    """A sound: a file, its bytes, or samples between -1 and 1 with their rate.

    Raises
    ------
    ValueNotLoggedError
        For what is no sound.
    """
    if isinstance(value, str | os.PathLike | bytes | bytearray):
        way_out = "Log a WAV, MP3, FLAC, OGG or M4A file, or samples with a rate"
        return _of_file(value, "audio", _SOUNDS, way_out)
    if not isinstance(rate, int) or not 0 < rate < 2**31:
        raise refusal(
            f"samples need their rate, not {kind_of(rate)}",
            "Write run.log_audio(samples, name, rate=16_000)",
        )
    samples = _samples(value)
    return Snapshot(partial(_encoded, samples, rate), samples.nbytes)


def video_snapshot(value: Any) -> Snapshot:  # Any: a file or its bytes
    """A film: a file or its bytes.

    Raises
    ------
    ValueNotLoggedError
        For what is no film; pictures are not made into one here.
    """
    way_out = "Write an MP4, WebM, OGV or GIF file and log its path"
    if isinstance(value, str | os.PathLike | bytes | bytearray):
        return _of_file(value, "video", _FILMS, way_out)
    raise refusal(f"{kind_of(value)} is no film", way_out)


def _of_file(
    value: Any,
    kind: str,
    mimes: tuple[tuple[str, Callable[[bytes], bool]], ...],
    way_out: str,
) -> Snapshot:
    if isinstance(value, bytes | bytearray):
        body, shown = bytes(value), "the bytes"
    else:
        body, shown = read_bounded(Path(value), instead=way_out), Path(value).name
    mime = next((mime for mime, fits in mimes if fits(body)), None)
    if mime is None:
        raise refusal(f"{shown!r} is no {kind} that is known", way_out)
    content = Content(kind, body=body, mime=mime)
    return Snapshot(lambda: content, len(body))


def _samples(value: Any) -> Array:
    """A copy as samples x channels."""
    import numpy as np

    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu().float().numpy()
    samples = np.array(value)
    if samples.dtype.kind not in "biuf" or samples.ndim not in (1, 2):
        raise refusal(
            f"{kind_of(value)} of shape {samples.shape} is no sound",
            "Log one or two dimensions: samples, or samples x channels",
        )
    if samples.ndim == 1:
        return samples[:, None]
    if samples.shape[1] > _CHANNELS_MAX >= samples.shape[0]:
        samples = samples.T  # channels stood first
    return samples


def _encoded(samples: Array, rate: int) -> Content:
    data = {
        "rate": rate,
        "channels": samples.shape[1],
        "seconds": round(len(samples) / rate, 6),
    }
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(samples.shape[1])
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(_as_int16(samples, data).tobytes())
    return Content("audio", data, body=file.getvalue(), mime="audio/wav")


def _as_int16(samples: Array, data: dict[str, Any]) -> Array:
    import numpy as np

    if samples.dtype == np.int16:
        return samples.astype("<i2")
    if samples.dtype.kind in "iu" and samples.dtype.itemsize > 1:
        top = float(np.iinfo(samples.dtype).max)
        samples = samples.astype(np.float64) / top
    wide = np.nan_to_num(samples.astype(np.float64))
    loudest = float(np.abs(wide).max()) if wide.size else 0.0
    if loudest > 1:
        data["scaled"] = loudest  # what stands for 1 now
        wide = wide / loudest
    return np.rint(wide * 32767).astype("<i2")
