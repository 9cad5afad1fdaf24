"""`wandb.Image`, `Histogram`, `Html`, `Audio`, `Video`, `Plotly`: rich values.

Each copies what it is given when it is made, as wandb does: the array may change before
it is logged.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nbtrack.compat.wandb.configured import plain
from nbtrack.compat.wandb.errors import UsageError
from nbtrack.compat.wandb.saying import say_ignored, say_once
from nbtrack.compat.wandb.values import Media
from nbtrack.tracking.media.content import read_bounded
from nbtrack.tracking.media.images import GRID_MAX
from nbtrack.tracking.media.png import SIGNATURE

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run


class Image(Media):
    """A picture with a caption: an array, a Pillow image, a file, a figure.

    `boxes` and `masks` are kept beside it, as text and as pictures; they are not drawn
    over it.
    """

    def __init__(
        self,
        data_or_path: Any,
        mode: str | None = None,
        caption: str | None = None,
        grouping: int | None = None,
        classes: Any = None,
        boxes: Mapping[str, Any] | None = None,
        masks: Mapping[str, Any] | None = None,
        file_type: str | None = None,
        normalize: bool = True,
    ) -> None:
        others = {"grouping": grouping, "classes": classes, "file_type": file_type}
        say_ignored("Image", [name for name, value in others.items() if value])
        self.caption = None if caption is None else str(caption)
        given = data_or_path
        # Any: an array, a tensor, a Pillow image or the bytes of a file
        self.pixels: Any = _copied(given.pixels if isinstance(given, Image) else given)
        if mode is not None and hasattr(self.pixels, "convert"):
            self.pixels = self.pixels.convert(mode)
        self._boxes = plain(boxes) if boxes else None
        self._masks = dict(masks or {})

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        run.log_image(self.pixels, name, step=step, caption=self.caption)
        self.keep_beside(run, name, step)

    def keep_beside(self, run: Run, name: str, step: int | None) -> None:
        """The boxes and masks, where there are any."""
        if self._boxes or self._masks:
            say_once(
                "boxes and masks",
                "boxes and masks of an Image are kept beside it (.boxes, .masks), not "
                "drawn over it",
            )
        if self._boxes:
            text = json.dumps(self._boxes, default=str)
            run.log_text(text, f"{name}.boxes", step=step)
        for key, mask in self._masks.items():
            data = mask.get("mask_data") if isinstance(mask, Mapping) else None
            if data is not None:
                run.log_image(data, f"{name}.masks.{key}", step=step)


def keep_images(run: Run, name: str, images: Sequence[Image], step: int | None) -> None:
    """Several pictures as one sheet, with their captions in order."""
    if len(images) == 1:
        images[0].keep(run, name, step)
        return
    for first in range(0, len(images), GRID_MAX):
        part = images[first : first + GRID_MAX]
        shown = name if first == 0 else f"{name}/{first}"
        captions = [image.caption or "" for image in part]
        caption = " | ".join(captions) if any(captions) else None
        pixels = [_for_a_sheet(image.pixels) for image in part]
        run.log_image(pixels, shown, step=step, caption=caption)
    for at, image in enumerate(images):
        image.keep_beside(run, f"{name}/{at}", step)


def _copied(data: Any) -> Any:
    """The picture as it is now: bytes of a file or a figure, a copy of the numbers."""
    if isinstance(data, str | os.PathLike):
        path = Path(data)
        return read_bounded(path, instead="Make the picture smaller")
    if hasattr(data, "detach"):
        return data.detach().clone()
    if hasattr(data, "savefig") or hasattr(getattr(data, "figure", None), "savefig"):
        return _drawn(data)
    if isinstance(data, bytes):
        return data
    if hasattr(data, "read"):
        return data.read()
    made = data.copy() if hasattr(data, "copy") else copy.copy(data)
    return made if hasattr(made, "shape") or hasattr(made, "mode") else _array(made)


def _array(data: Any) -> Any:
    import numpy as np

    return np.array(data)


def _drawn(figure: Any) -> bytes:
    target = figure if hasattr(figure, "savefig") else figure.figure
    picture = BytesIO()
    target.savefig(picture, format="png")
    return picture.getvalue()


def _for_a_sheet(pixels: Any) -> Any:
    """A sheet is made of numbers: other files than PNG are opened by Pillow."""
    if not isinstance(pixels, bytes) or pixels.startswith(SIGNATURE):
        return pixels
    try:
        from PIL import Image as Pillow
    except ImportError:
        return pixels
    with Pillow.open(BytesIO(pixels)) as opened:
        return opened.convert("RGB")


class Histogram(Media):
    """How values are spread: of a sequence, or counted already by NumPy.

    >>> counted = Histogram([1, 2, 2], num_bins=2)
    >>> counted.histogram, counted.bins
    ([1, 2], [1.0, 1.5, 2.0])
    """

    MAX_LENGTH = 512

    def __init__(
        self,
        sequence: Any = None,
        np_histogram: tuple[Any, Any] | None = None,
        num_bins: int = 64,
    ) -> None:
        import numpy as np

        if np_histogram is not None:
            if len(np_histogram) != 2:
                raise ValueError(
                    "Expected np_histogram to be a tuple of (values, bin_edges) or "
                    "sequence to be specified"
                )
            counts, edges = (np.asarray(part) for part in np_histogram)
        elif sequence is None:
            raise ValueError("Histogram needs a sequence or np_histogram")
        else:
            if hasattr(sequence, "detach"):
                sequence = sequence.detach().float().cpu().numpy()
            counts, edges = np.histogram(np.asarray(sequence), bins=num_bins)
        self.histogram = counts.tolist()
        self.bins = edges.tolist()
        if len(self.histogram) > self.MAX_LENGTH:
            raise ValueError(f"The maximum length of a histogram is {self.MAX_LENGTH}")
        if len(self.histogram) + 1 != len(self.bins):
            raise ValueError("len(bins) must be len(histogram) + 1")

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        run.log_histogram((self.histogram, self.bins), name, step=step)


class Html(Media):
    """HTML: a text, or the path of a file with it; shown in a sandbox only."""

    def __init__(
        self,
        data: str | os.PathLike[str] | IO[str],
        inject: bool = True,
        data_is_not_path: bool = False,
    ) -> None:
        if hasattr(data, "read"):
            self.html = str(data.read())
        elif not data_is_not_path and _is_file(data):
            self.html = Path(data).read_text("utf-8", "replace")
        else:
            self.html = str(data)

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        run.log_html(self.html, name, step=step)


def _is_file(data: Any) -> bool:
    try:
        return Path(data).is_file()
    except (OSError, ValueError):  # a long text is no path
        return False


class Audio(Media):
    """A sound: a file, or samples with their rate."""

    def __init__(
        self,
        data_or_path: Any,
        sample_rate: int | None = None,
        caption: str | None = None,
    ) -> None:
        is_path = isinstance(data_or_path, str | os.PathLike)
        if not is_path and sample_rate is None:
            raise ValueError(
                'Argument "sample_rate" is required when instantiating wandb.Audio '
                "with raw data."
            )
        self.caption, self._rate = caption, sample_rate
        self._sound = (
            read_bounded(Path(data_or_path), instead="Log a shorter sound")
            if is_path
            else copy.copy(data_or_path)
        )

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        sound, rate = self._sound, self._rate
        run.log_audio(sound, name, rate=rate, step=step, caption=self.caption)


class Video(Media):
    """A film: a file, its bytes, or frames (time x channel x height x width).

    Frames become a GIF by Pillow; without it they are kept as a sheet of pictures.
    """

    def __init__(
        self,
        data_or_path: Any,
        caption: str | None = None,
        fps: int | None = None,
        format: str | None = None,
    ) -> None:
        if format not in (None, "gif", "mp4", "webm", "ogg"):
            raise ValueError(
                f"wandb.Video accepts gif, mp4, webm, ogg formats, not {format!r}"
            )
        self.caption, self._fps = caption, fps or 4
        self._film: bytes | None = None
        self._frames: Any = None
        if isinstance(data_or_path, str | os.PathLike):
            self._film = read_bounded(Path(data_or_path), instead="Log a shorter film")
        elif hasattr(data_or_path, "read"):
            self._film = data_or_path.read()
        else:
            self._frames = _frames(data_or_path)
            if format not in (None, "gif"):
                say_once(
                    "film format", f"frames are kept as a GIF here, not as {format}"
                )

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        film = self._film if self._frames is None else self._as_gif()
        if film is not None:
            run.log_video(film, name, step=step, caption=self.caption)
            return
        say_once(
            "film without Pillow",
            "frames need Pillow to become a film (`pip install pillow`): they are kept "
            "as a sheet of pictures",
        )
        run.log_image(list(self._frames), name, step=step, caption=self.caption)

    def _as_gif(self) -> bytes | None:
        try:
            from PIL import Image as Pillow
        except ImportError:
            return None
        first, *rest = [Pillow.fromarray(frame) for frame in self._frames]
        film = BytesIO()
        first.save(
            film, "GIF", save_all=True, append_images=rest, loop=0,
            duration=round(1000 / self._fps),
        )  # fmt: skip
        return film.getvalue()


def _frames(data: Any) -> Any:
    """Frames as bytes, time x height x width (x 3)."""
    import numpy as np

    if hasattr(data, "detach"):
        data = data.detach().cpu().numpy()
    frames = np.array(data)
    if frames.ndim == 5:  # a batch of films: one behind the other
        frames = frames.reshape(-1, *frames.shape[2:])
    if frames.ndim != 4 or frames.shape[1] not in (1, 3):
        raise UsageError(
            "Video must be at least 4 dimensions: time, channels (1 or 3), height, "
            f"width; this has the shape {frames.shape}"
        )
    frames = np.moveaxis(frames, 1, -1)
    if frames.dtype != np.uint8:
        is_unit = frames.dtype.kind == "f" and float(frames.max(initial=0)) <= 1
        frames = np.clip(frames * 255 if is_unit else frames, 0, 255).astype(np.uint8)
    return frames[..., 0] if frames.shape[-1] == 1 else frames


class Plotly(Media):
    """A figure of plotly or matplotlib."""

    def __init__(self, val: Any) -> None:
        self._figure = val

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        run.log_figure(self._figure, name, step=step)
