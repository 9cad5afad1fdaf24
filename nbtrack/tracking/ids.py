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
    moment = int(time.time() * 1000) - _EPOCH_MS
    chance = int.from_bytes(os.urandom(4)) % 32**_RANDOM_DIGITS
    return _digits(moment, _TIME_DIGITS) + _digits(chance, _RANDOM_DIGITS)


def _digits(number: int, width: int) -> str:
    return "".join(
        _ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(width))
    )
