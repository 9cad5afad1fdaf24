"""Versions of models are read, ordered and raised as SemVer 2.0.0 says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtrack.errors import ModelError
from nbtrack.store.semver import SemVer

# The order of semver.org, item 11.
IN_ORDER = [
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-rc.1",
    "2.0.0",
]  # fmt: skip


def test_the_order_is_that_of_the_specification():
    for low, high in itertools.combinations(IN_ORDER, 2):
        assert SemVer.parse(low) < SemVer.parse(high), (low, high)
    assert sorted(IN_ORDER[5:] + IN_ORDER[:5], key=SemVer.parse) == IN_ORDER


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b",
     "1.0.0+build", "1.0.0 ", "-1.0.0", "1.0.0-\x1b[1m", "9" * 200, None, 1.0],
)  # fmt: skip
def test_what_is_no_version_is_refused_and_named(text):
    with pytest.raises(ModelError, match="is no version"):
        SemVer.parse(text)


@pytest.mark.parametrize(
    ("bump", "pre", "becomes"),
    [("major", None, "2.0.0"), ("minor", None, "1.3.0"), ("patch", None, "1.2.4"),
     ("minor", "rc", "1.3.0-rc.1"), ("major", "beta", "2.0.0-beta.1")],
)  # fmt: skip
def test_a_bump_resets_what_is_below_it_and_any_candidate(bump, pre, becomes):
    for start in ("1.2.3", "1.2.3-rc.4"):
        assert str(SemVer.parse(start).bumped(bump, pre=pre)) == becomes


def test_a_bad_bump_and_a_bad_candidate_are_named():
    with pytest.raises(ModelError, match="'huge' is none of"):
        SemVer(1, 0, 0).bumped("huge")
    with pytest.raises(ModelError, match="is no version"):
        SemVer(1, 0, 0).bumped("minor", pre="a b")


parts = st.integers(0, 999)


@given(st.tuples(parts, parts, parts), st.sampled_from(["", "rc.1", "alpha", "0.3.7"]))
def test_a_version_survives_its_text(numbers, pre):
    version = SemVer(*numbers, pre)
    assert SemVer.parse(str(version)) == version
    assert version <= version.release
    if pre:
        assert version < version.next_candidate() < version.release
