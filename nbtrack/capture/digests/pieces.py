"""Content as a row of pieces of bytes, one at a time, for sha256 to take in.

Whatever has no fixed length is announced by a frame with its length, so that no two
different values give the same bytes. A piece is at most some megabytes: reading a
large value takes no more memory than that, and hashing one lets other threads run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from nbtrack.errors import NbtrackError

Piece = bytes | bytearray | memoryview
Pieces = Iterator[Piece]

VIEW_BYTES = 1 << 24  # of memory that is hashed as it lies
COPY_BYTES = 1 << 22  # of memory that must be put in order first
ROWS = 1 << 16  # of a column at a time, where it must be put in order
MAX_DEPTH = 32  # of data within data; deeper, or in a circle, is nobody's table
GATHER_BYTES = 1 << 16  # small pieces are joined up to this: a call each costs more


class NotDigestible(NbtrackError, TypeError):
    """The content cannot be read without running code of somebody else's."""


def framed(kind: str, *about: object) -> bytes:
    r"""What comes next, in a form that cannot be taken for data.

    >>> framed("array", "<f8", [3])
    b'19:["array","<f8",[3]]\n'
    """
    text = json.dumps([kind, *about], separators=(",", ":")).encode()
    return b"%d:%s\n" % (len(text), text)


def gathered(pieces: Pieces) -> Pieces:
    """The same bytes in fewer pieces; large ones go through as they are.

    >>> list(gathered(iter([b"a", b"b"])))
    [bytearray(b'ab')]
    """
    held = bytearray()
    for piece in pieces:
        if len(piece) >= GATHER_BYTES:
            if held:
                yield held
                held = bytearray()
            yield piece
            continue
        held += piece
        if len(held) >= GATHER_BYTES:
            yield held
            held = bytearray()
    if held:
        yield held
