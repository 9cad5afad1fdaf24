"""Which module reads which kind of data; the digest of any of them."""

from __future__ import annotations

import hashlib
from typing import Any

from nbtrack.capture.digests.kinds import kind_of
from nbtrack.capture.digests.pieces import (
    MAX_DEPTH,
    NotDigestible,
    Pieces,
    framed,
)

_FORM = 1  # of the digest: to be raised with any change of a rule


def digest_of(value: Any) -> str:
    """Sha256 of the content of `value`, whatever it is and however it lies in memory.

    Raises
    ------
    NotDigestible
        For what is no data, or holds something that is none.

    >>> digest_of([1, 2, 3]) == digest_of([1, 2, 3]) != digest_of([1, 2, 4])
    True
    """
    digest = new_digest()
    for piece in pieces_of(value):
        digest.update(piece)
    return str(digest.hexdigest())


def new_digest() -> Any:  # Any: hashlib does not name the class
    """A digest that has taken in nothing but the form of what follows."""
    return hashlib.sha256(framed("nbtrack", _FORM))


def pieces_of(value: Any, depth: int = 0) -> Pieces:
    """The content of `value`, piece by piece."""
    if depth > MAX_DEPTH:
        raise NotDigestible(f"data nested more than {MAX_DEPTH} deep, or in a circle")
    kind = kind_of(value)
    if kind in ("list", "dict", "text"):
        from nbtrack.capture.digests.elements import container_pieces

        return container_pieces(value, depth)
    if kind == "array":
        from nbtrack.capture.digests.arrays import array_pieces

        return array_pieces(value, depth)
    if kind in ("dataframe", "series", "index"):
        from nbtrack.capture.digests.frames import frame_pieces

        return frame_pieces(value, kind, depth)
    return _rarer(value, kind, depth)


def _rarer(value: Any, kind: str | None, depth: int) -> Pieces:
    if kind == "tensor":
        from nbtrack.capture.digests.tensors import tensor_pieces

        return tensor_pieces(value)
    if kind == "sparse":
        from nbtrack.capture.digests.arrays import sparse_pieces

        return sparse_pieces(value)
    if kind in ("dataset", "loader"):
        from nbtrack.capture.digests.torch_data import dataset_pieces

        return dataset_pieces(value, depth)
    if kind in ("table", "column", "polars", "hf", "hf dict"):
        from nbtrack.capture.digests.tables import table_pieces

        return table_pieces(value, kind)
    raise NotDigestible(_why_not(value, kind))


def _why_not(value: Any, kind: str | None) -> str:
    name = type(value).__name__
    if kind == "stream":
        return f"{name}: its rows are made when they are asked for, and are not"
    return f"{name}: not a kind of data that nbtrack reads"
