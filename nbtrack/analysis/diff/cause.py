"""One possible cause of a difference, and the order in which causes are told.

The order, the likeliest first; it is one of plausibility, not a measurement:

     0  end          one of the runs did not finish, or still goes on
     1  data         another digest, other rows; data that only one of them read
     2  params       a changed param that a cell of the slice reads, or may read
     3  code         a changed cell of the slice, a changed local module
     4  seed         another seed, another state of a generator, an unseeded one
     5  packages     another version of what the run had loaded, another Python
     6  environment  precision, determinism, BLAS, environment variables
     7  packages     another version of what was not loaded
     8  hardware     machine, operating system, number of threads
     9  params, code the same number of another type, a param that nothing reads,
                     a cell that no result depends on
    10  unknown      nothing else explains it: noise, or what was not recorded
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nbtrack.text import shorten, visible

Kind = Literal[
    "end", "data", "params", "code", "seed", "packages", "environment", "hardware",
    "unknown",
]  # fmt: skip
END, DATA, PARAMS, CODE, SEED, LOADED, SETTINGS, PACKAGES, HARDWARE, WEAK, UNKNOWN = (
    range(11)
)
_LIKELY, _POSSIBLE = SEED, PACKAGES  # up to and with these
_RUNS = {"a": "A", "b": "B", "a and b": "A and B"}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that may have made the difference."""

    kind: Kind
    sentence: str
    evidence: tuple[str, ...] = ()
    rank: int = UNKNOWN  # as above: the smaller, the likelier

    @property
    def strength(self) -> str:
        """How likely by the rank alone: "likely", "possible" or "unlikely"."""
        if self.rank <= _LIKELY:
            return "likely"
        return "possible" if self.rank <= _POSSIBLE else "unlikely"


def in_runs(text: str) -> str:
    """The two runs as people read of them.

    >>> in_runs("only in a"), in_runs("a and b"), in_runs("+1 row")
    ('only in A', 'A and B', '+1 row')
    """
    if text in ("only in a", "only in b"):
        return f"only in {_RUNS[text[-1]]}"
    return _RUNS.get(text, text)


def name_text(text: str) -> str:
    r"""A name of a run's as one reads it, without what moves a terminal.

    >>> name_text("lr\x1b")
    'lr\\x1b'
    """
    return shorten(visible(text), 80)


def line_text(text: str) -> str:
    """Any other text of a run's, at most a line long.

    >>> line_text("x" * 200)[-1]
    '…'
    """
    return shorten(visible(text), 120)
