"""Pictures are what was given: arrays, tensors, Pillow, files, sheets of several."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from nbtrack.errors import ValueNotLoggedError
from nbtrack.tracking.media import images
from nbtrack.tracking.media.png import decode_png, encode_png

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def content(value):
    return images.snapshot_of(value).encode()


def pixels(value):
    return decode_png(content(value).body)


def by_pillow(body):
    with Image.open(io.BytesIO(body)) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4), (1, 1), (300, 1, 3)])
@pytest.mark.parametrize("smooth", [False, True])
def test_a_png_is_read_back_by_pillow_and_by_us(shape, smooth):
    picture = RNG.integers(0, 256, shape, dtype=np.uint8)
    if smooth:
        picture[:] = np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    body = encode_png(picture)
    assert (by_pillow(body) == picture).all()
    assert (decode_png(body) == picture).all()


def test_a_png_that_another_program_wrote_is_read_too():
    file = io.BytesIO()
    Image.fromarray(RGB).convert("P").save(file, "png")
    with Image.open(io.BytesIO(file.getvalue())) as picture:
        assert (decode_png(file.getvalue()) == np.asarray(picture)).all()


SAME_PIXELS = {
    "array": RGB,
    "list": RGB.tolist(),
    "floats": RGB / 255.0,
    "32 bits": (RGB / 255.0).astype(np.float32),
    "whole numbers": RGB.astype(np.int64),
    "colours first": np.moveaxis(RGB, 2, 0),
    "tensor": torch.from_numpy(RGB).permute(2, 0, 1),
    "a parameter": torch.nn.Parameter(torch.from_numpy(RGB / 255.0).permute(2, 0, 1)),
    "pillow": Image.fromarray(RGB),
    "not contiguous": np.asfortranarray(RGB),
    "a batch of one": torch.from_numpy(RGB).permute(2, 0, 1)[None],
}  # fmt: skip


@pytest.mark.parametrize("kind", SAME_PIXELS)
def test_the_same_picture_comes_in_many_forms(kind):
    assert (pixels(SAME_PIXELS[kind]) == RGB).all()


def test_bfloat16_is_a_picture_too():
    assert pixels(torch.ones(3, 4, 4, dtype=torch.bfloat16)).min() == 255


def test_a_tensor_has_its_colours_first_and_an_array_last():
    assert pixels(torch.zeros(3, 5, 4)).shape == (5, 4, 3)
    assert pixels(np.zeros((3, 5, 4))).shape == (3, 5, 4)


def test_floats_beyond_0_and_1_are_stretched_and_it_is_said():
    found = content(np.array([[-1.0, 0.0, 1.0]]))
    assert decode_png(found.body).tolist() == [[0, 128, 255]]
    assert found.data["scaled"] == [-1.0, 1.0]
    assert "scaled" not in content(np.array([[0.0, 0.5, 1.0]])).data


def test_whole_numbers_beyond_a_byte_are_stretched():
    found = content(np.array([[0, 65535]], np.uint16))
    assert (decode_png(found.body).tolist(), found.data["scaled"]) == (
        [[0, 255]],
        [0.0, 65535.0],
    )


def test_what_is_no_number_is_black_and_counted():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = content(np.array([[float("nan"), 1.0, float("inf")]]))
    assert decode_png(found.body).tolist() == [[0, 255, 0]]
    assert found.data["n_nan"] == 2


def test_a_mask_is_black_and_white():
    assert pixels(np.eye(2, dtype=bool)).tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_of_pillow_is_a_picture(mode):
    size = (4, 3)
    picture = (
        Image.new(mode, size)
        if mode in ("I;16", "F")
        else Image.fromarray(RGB[:3, :4]).convert(mode)
    )
    assert pixels(picture).shape[:2] == (3, 4)


def test_several_pictures_become_one_sheet():
    sheet = content([np.zeros((4, 4)), np.ones((4, 4)), RGB[:4, :4]])
    assert sheet.data["n"] == 3
    assert decode_png(sheet.body).shape == (10, 10, 3)
    assert content(torch.zeros(9, 1, 4, 4)).data["n"] == 9


def test_of_very_many_pictures_the_first_are_shown_and_it_is_said():
    found = content(np.zeros((100, 2, 2)))
    assert (found.data["n"], found.data["n_shown"]) == (100, 64)


def test_a_very_large_picture_is_thinned_and_it_is_said():
    found = content(np.zeros((3, 10_000), np.uint8))
    assert (found.data["width"], found.data["reduced"]) == (3334, 3)


def test_files_and_bytes_are_kept_as_they_are(tmp_path):
    for suffix, mime in (("jpg", "jpeg"), ("gif", "gif"), ("webp", "webp")):
        file = tmp_path / f"a.{suffix}"
        Image.fromarray(RGB).save(file)
        for value in (file, str(file), file.read_bytes()):
            found = content(value)
            assert (found.mime, found.body) == (f"image/{mime}", file.read_bytes())


def test_a_file_is_judged_by_its_content(tmp_path):
    (tmp_path / "a.png").write_text("<html>")
    with pytest.raises(ValueNotLoggedError, match="is no picture that is known"):
        content(tmp_path / "a.png")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(ValueNotLoggedError, match=r"10240 MiB\. Make the picture"):
        content(tmp_path / "a.png")
