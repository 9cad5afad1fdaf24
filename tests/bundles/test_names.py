"""Which names of members are allowed."""

from __future__ import annotations

import os
import unicodedata

import pytest
from bundles.hostile import NAMES
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.bundles.archive.names import checked_names, why_bad
from nbtrack.errors import BundleError

GOOD = [
    "manifest.json", "MANIFEST.sha256", "data/files/a b.csv", "data/files/größe.csv",
    "data/files/数据.csv", ".hidden", "a/.hidden", "a..b", "a/..b", "-rf", "~/a",
    "a" * 255, "data/files/10:30.csv", "data/files/😀.png", "run/values/x.pickle",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_ordinary_names_are_allowed(name):
    checked_names([name])


def test_names_beside_one_another_are_allowed():
    checked_names(GOOD)


TEXTS = {k: names for k, names in NAMES.items() if isinstance(names[0], str)}


@pytest.mark.parametrize("names", TEXTS.values(), ids=TEXTS)
def test_names_that_are_two_places_are_not(names):
    with pytest.raises(BundleError):
        checked_names(["manifest.json", "MANIFEST.sha256", *names])


def test_a_bad_name_is_shown_without_its_controls():
    with pytest.raises(BundleError, match=r"'a\\x1b\[31m'.*control character"):
        checked_names(["a\x1b[31m"])


characters = st.text(alphabet="ab./\\ :\0\u202e\u0301é\u2028", max_size=8)


@settings(max_examples=examples(1_000), deadline=None)
@given(name=characters | st.text(max_size=12))
def test_s07_an_allowed_name_stays_in_its_folder(name, tmp_path_factory):
    if why_bad(name) is not None:
        return
    folder = os.path.realpath(tmp_path_factory.getbasetemp())
    place = os.path.realpath(os.path.join(folder, name))
    assert place.startswith(folder + os.sep)
    assert os.path.normpath(name) == name
    assert not {unicodedata.category(c) for c in name} & {"Cc", "Cs"}
