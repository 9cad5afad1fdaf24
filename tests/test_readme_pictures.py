"""The committed pictures: small, in both themes, and shown somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
PICTURES = sorted((ROOT / "notebooks" / "pictures").iterdir())
STILL_MAX_BYTES = 120_000
ANIMATION_MAX_BYTES = 300_000
ALL_MAX_BYTES = 1_200_000
ANIMATION_S = (2, 6)
WIDTH_MIN = 1200  # shown about 850 wide: sharp on a fine screen
NAMES = {"live", "compare", "sweep_form", "sweep", "sidebar", "run_page"}


def name_of(picture: Path) -> str:
    return re.sub(r"_(light|dark)$", "", picture.stem)


def pages() -> str:
    docs = [ROOT / "README.md", *(ROOT / "notebooks").rglob("*.md")]
    return "\n".join(page.read_text(encoding="utf-8") for page in docs)


def test_each_picture_is_there_in_both_themes():
    assert {name_of(one) for one in PICTURES} == NAMES
    there = {one.name for one in PICTURES}
    other = {"light": "dark", "dark": "light"}
    wanted = {re.sub("light|dark", lambda m: other[m[0]], name) for name in there}
    assert wanted == there


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.name)
def test_a_picture_is_small_and_fine_enough(picture):
    is_moving = picture.suffix == ".webp"
    most = ANIMATION_MAX_BYTES if is_moving else STILL_MAX_BYTES
    assert picture.stat().st_size <= most
    with Image.open(picture) as image:
        assert image.width >= WIDTH_MIN
        assert (getattr(image, "n_frames", 1) > 1) == is_moving


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_animation_lasts_a_few_seconds_and_begins_again(theme):
    with Image.open(ROOT / f"notebooks/pictures/live_{theme}.webp") as image:
        assert image.info["loop"] == 0
        frames = []
        for n in range(image.n_frames):
            image.seek(n)
            image.load()
            frames.append(image.info["duration"])
    assert ANIMATION_S[0] <= sum(frames) / 1000 <= ANIMATION_S[1]


def test_all_pictures_together_are_small():
    assert sum(one.stat().st_size for one in PICTURES) <= ALL_MAX_BYTES


def test_a_picture_that_nothing_shows_is_named_here():
    shown = {
        name for name in NAMES if re.search(rf"pictures/{name}_(light|dark)\.", pages())
    }
    assert shown == NAMES


def test_what_a_page_shows_is_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    sources = re.findall(r'\b(?:src|srcset)="([^"]+)"', readme)
    assert any(source.endswith("_dark.webp") for source in sources)
    assert [one for one in sources if not (ROOT / one).is_file()] == []
