"""Run ids: short, sortable by start, unique without asking anybody.

Nine base-32 digits of the millisecond since 2020 and four random ones, in Crockford's
alphabet (no i, l, o, u: read aloud without doubt). 13 characters sort as text in the
order the runs were started and last until the year 3134.
"""

from __future__ import annotations

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH_MS = 1_577_836_800_000  # 2020-01-01 UTC
_TIME_DIGITS = 9
_RANDOM_DIGITS = 4


def new_run_id() -> str:
    """A new id.

    >>> len(new_run_id())
    13
    """
    return _run_id(time.time(), os.urandom(4))


def run_id_of(what: str, *, started_at: float) -> str:
    """The id of what was recorded elsewhere: the same each time it is taken in.

    >>> run_id_of("sweep 3", started_at=1.7e9) == run_id_of("sweep 3", started_at=1.7e9)
    True
    """
    import hashlib  # the ids of live runs do without

    digest = hashlib.sha256(what.encode("utf-8", "surrogatepass")).digest()
    return _run_id(started_at, digest[:4])


def foreign_run_id(what: str, *, started_at: float) -> str:
    """The id of a run of another tool: of its tool and id there, the same each time.

    Other tools tell times in seconds, or none at all, so that many runs may have begun
    at once: the last ten bits of the time are given to the digest too, which then has
    30. Ids sort by start to the second.

    >>> foreign_run_id("mlflow:3f2a", started_at=1.7e9)[:7]
    '03hrqx0'
    """
    import hashlib

    digest = hashlib.sha256(what.encode("utf-8", "surrogatepass")).digest()
    chance = int.from_bytes(digest[:4])
    moment = max(0, int(started_at * 1000) - _EPOCH_MS) >> 10
    return _digits(moment, _TIME_DIGITS - 2) + _digits(chance, _RANDOM_DIGITS + 2)


def _run_id(at: float, chance: bytes) -> str:
    moment = max(0, int(at * 1000) - _EPOCH_MS)
    number = int.from_bytes(chance) % 32**_RANDOM_DIGITS
    return _digits(moment, _TIME_DIGITS) + _digits(number, _RANDOM_DIGITS)


def _digits(number: int, width: int) -> str:
    return "".join(
        _ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(width))
    )
