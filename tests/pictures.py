"""Small files of pictures that a browser took: stills, and a few seconds of animation.

A page of text and curves has few colours: the most common ones are kept exactly, and
what lies on the edge of a letter or a curve gets the nearest of them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = 128
FRAME_COLOURS = 64
APART = (
    14  # two colours nearer than this look the same; red and green are far from grey
)
FRAME_MS = 120
LAST_FRAME_MS = 1500
N_FRAMES = 32  # four seconds
N_FRAMES_MIN = 12


def folder(default: Path) -> Path:
    """Where pictures go: the folder of `NBTRACK_PICTURES`, else the one named here."""
    target = Path(os.environ.get("NBTRACK_PICTURES") or default)
    target.mkdir(parents=True, exist_ok=True)
    return target


def opened(png: bytes) -> Image.Image:
    """A screenshot as pixels."""
    return Image.open(io.BytesIO(png)).convert("RGB")


def ink(image: Image.Image) -> float:
    """The share of pixels that differ from the most common shade."""
    width, height = image.size
    return 1 - max(image.convert("L").histogram()) / (width * height)


def save_still(png: bytes, target: Path) -> None:
    """Write one picture with a palette of its own colours."""
    image = opened(png)
    in_palette(image, most_common(image, COLOURS)).save(target, optimize=True)


def save_animation(pngs: Sequence[bytes], target: Path) -> None:
    """Write pictures of one size as an endless animation of a few seconds.

    All frames share a palette: what does not move then costs nothing.
    """
    frames = [opened(png) for png in spread(pngs)]
    palette = most_common(frames[-1], FRAME_COLOURS)
    first, *others = [in_palette(one, palette).convert("RGB") for one in frames]
    first.save(
        target,
        save_all=True,
        append_images=others,
        duration=[*[FRAME_MS] * len(others), LAST_FRAME_MS],
        loop=0,
        lossless=True,
        quality=80,
        method=4,
        minimize_size=True,
    )


def spread(pngs: Sequence[bytes]) -> list[bytes]:
    """As many as an animation has, evenly, with the first and the last."""
    n = min(N_FRAMES, len(pngs))
    return [pngs[round(i * (len(pngs) - 1) / (n - 1))] for i in range(n)]


def most_common(image: Image.Image, n: int) -> np.ndarray:
    """The most common colours of which no two look the same, at most n."""
    counted = image.getcolors(image.width * image.height) or []
    chosen = np.empty((0, 3), np.int64)
    for _, colour in sorted(counted, reverse=True):
        one = np.array([colour], np.int64)
        if len(chosen) == 0 or distances(one, chosen).min() >= APART**2:
            chosen = np.concatenate([chosen, one])
        if len(chosen) == n:
            break
    return chosen


def in_palette(image: Image.Image, palette: np.ndarray) -> Image.Image:
    """The picture with each pixel in the nearest colour of the palette."""
    # One number for each colour: to sort triples takes seconds.
    pixels = np.asarray(image).reshape(-1, 3).astype(np.int64) @ [65536, 256, 1]
    numbers, places = np.unique(pixels, return_inverse=True)
    own = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1)
    nearest = distances(own, palette).argmin(axis=1).astype(np.uint8)
    made = Image.fromarray(nearest[places].reshape(image.height, image.width), "P")
    made.putpalette(palette.astype(np.uint8).ravel().tolist())
    return made


def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far each colour is from each of the others, squared."""
    return ((some[:, None] - others[None]) ** 2).sum(axis=2)
