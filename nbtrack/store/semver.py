"""Semantic versions of models: read, ordered and raised, as semver.org 2.0.0 says.

Major: who uses the model must change something. Minor: it does more or better. Patch:
it does the same. A pre-release (`1.1.0-rc.1`) comes before its release.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import total_ordering
from typing import Literal, get_args

from nbtrack.errors import ModelError
from nbtrack.text import shorten

Bump = Literal["major", "minor", "patch"]
# The expression of semver.org, without build metadata: nothing would order by it.
_NUMBER = r"0|[1-9]\d{0,8}"
_WORD = rf"{_NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-((?:{_WORD})(?:\.(?:{_WORD}))*))?"
)


@total_ordering
@dataclass(frozen=True, slots=True)
class SemVer:
    """One version number.

    >>> SemVer.parse("1.1.0-rc.1") < SemVer.parse("1.1.0") < SemVer.parse("1.10.0")
    True
    """

    major: int
    minor: int
    patch: int
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> SemVer:
        """Read `1.2.3` or `1.2.3-rc.1`.

        Raises
        ------
        ModelError
            For a text that is no such version.
        """
        found = _VERSION.fullmatch(text) if isinstance(text, str) else None
        if found is None or len(text) > 100:
            raise ModelError(
                f"{shorten(repr(text))} is no version. Use major.minor.patch such as "
                "1.2.0, or 1.2.0-rc.1 for a candidate."
            )
        major, minor, patch, pre = found.groups()
        return cls(int(major), int(minor), int(patch), pre or "")

    def bumped(self, bump: Bump, *, pre: str | None = None) -> SemVer:
        """The next version; with `pre`, its first candidate.

        >>> str(SemVer.parse("1.2.3").bumped("minor", pre="rc"))
        '1.3.0-rc.1'

        Raises
        ------
        ModelError
            For another word than major, minor, patch, or a `pre` that is no word.
        """
        if bump not in get_args(Bump):
            raise ModelError(f"bump={bump!r} is none of major, minor, patch.")
        parts = {
            "major": (self.major + 1, 0, 0),
            "minor": (self.major, self.minor + 1, 0),
            "patch": (self.major, self.minor, self.patch + 1),
        }[bump]
        found = SemVer(*parts)
        return found if pre is None else SemVer.parse(f"{found}-{pre}.1")

    def next_candidate(self) -> SemVer:
        """The candidate after this one: the last number in `pre`, plus one.

        >>> str(SemVer.parse("1.3.0-rc.1").next_candidate())
        '1.3.0-rc.2'
        """
        head, dot, last = self.pre.rpartition(".")
        if last.isdigit():
            return replace(self, pre=f"{head}{dot}{int(last) + 1}")
        return replace(self, pre=f"{self.pre}.1")

    @property
    def release(self) -> SemVer:
        """The version that a candidate is one of."""
        return replace(self, pre="")

    def __str__(self) -> str:
        number = f"{self.major}.{self.minor}.{self.patch}"
        return f"{number}-{self.pre}" if self.pre else number

    def __lt__(self, other: SemVer) -> bool:
        return self._rank() < other._rank()

    def _rank(self) -> tuple[int, int, int, bool, list[tuple[bool, int, str]]]:
        # Numbers come before words; a version without a pre-release after all with.
        words = [
            (False, int(word), "") if word.isdigit() else (True, 0, word)
            for word in self.pre.split(".")
        ]
        return self.major, self.minor, self.patch, not self.pre, words
