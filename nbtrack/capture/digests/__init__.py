"""Digests of data by its full content: sha256, the same in every process.

What counts is the value as the library sees it: dtypes, shapes, names, order and every
element. What does not count is how it lies in memory: strides, byte order, chunks, the
device, `requires_grad`. So a copy, a view and a file read again have one digest.

- Numbers are compared by their bits: `0.0` and `-0.0` differ, int32 and int64 differ.
- Dicts and sets have no order. A dict's own keys and values count, nothing else.
- Text columns of pandas are the same whether pyarrow or Python holds them.
- Categories count in their order, as they do for pandas.
- A sparse COO tensor counts coalesced. Other sparse forms differ from one another.
- A file's digest is what `sha256sum` says.

No `hash()`, no `id()`, no pickle; nothing of the user's is called but what reads data.
"""

from __future__ import annotations

from nbtrack.capture.digests.contents import digest_of, pieces_of
from nbtrack.capture.digests.kinds import kind_of
from nbtrack.capture.digests.pieces import NotDigestible

__all__ = ["NotDigestible", "digest_of", "kind_of", "pieces_of"]
