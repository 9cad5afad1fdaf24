"""Fast fingerprints of bytes: they see every bit, copy nothing, hold for this process.

They are not digests to be kept: another process, or one with xxhash, has others.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from functools import cache
from typing import Any

PIECE = 1 << 18  # bytes copied at once: they stay in the processor's cache
# Of marshal: the last one that does not look at reference counts. It tells types,
# -0.0 and the payload of a NaN apart, runs no code of the values, and writes the
# members of a frozenset in an order of their own.
FORM = 2

Fingerprint = Callable[[Any], int]


def fingerprint(buffer: Any) -> int:
    """A number for the bytes of a contiguous buffer.

    >>> fingerprint(b"abc") == fingerprint(bytearray(b"abc")) != fingerprint(b"abd")
    True
    """
    return _fastest()(buffer)


def fingerprint_atoms(atoms: Any) -> int:
    """A number for a list or tuple of numbers and texts, by type, value and order.

    >>> fingerprint_atoms([1, 0.0]) == fingerprint_atoms([True, -0.0])
    False
    """
    return _fastest()(marshal.dumps(atoms, FORM))


@cache
def _fastest() -> Fingerprint:
    """Of xxhash where it is installed (12 GB/s), or else Python's own (3 GB/s).

    zlib.crc32 (1.2), blake2b (0.5), sha256 (1.5) are slower. A sum of products with
    odd weights (8 GB/s by numpy) misses one in 2000 swaps of round floats.
    """
    try:
        from xxhash import xxh3_64_intdigest
    except ImportError:
        return in_pieces
    fast: Fingerprint = xxh3_64_intdigest
    return fast


def in_pieces(buffer: Any) -> int:
    """The fingerprint where only the standard library can be had.

    >>> in_pieces(b"abc") == in_pieces(bytearray(b"abc")) != in_pieces(b"abd")
    True
    """
    view = memoryview(buffer).cast("B")
    if view.nbytes <= PIECE:
        return hash(view.tobytes())
    starts = range(0, view.nbytes, PIECE)
    parts = [hash(view[start : start + PIECE].tobytes()) for start in starts]
    return hash(marshal.dumps([view.nbytes, *parts], FORM))
