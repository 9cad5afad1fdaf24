"""How much a bundle may hold; looked at before anything is written."""

from __future__ import annotations

MIB = 1 << 20
MAX_MEMBERS = 10_000
MAX_BYTES = 2 << 30  # of all members, unpacked
MAX_RATIO = 200  # unpacked to packed, of each member and of all
MAX_MANIFEST_BYTES = 10_000_000
MAX_DEPTH = 20  # of JSON
MAX_NAME_BYTES = 1_000
MAX_PART_BYTES = 255
# 10,000 lines of a digest, a size and the longest name that is allowed.
MAX_LIST_BYTES = MAX_MEMBERS * (64 + 14 + MAX_NAME_BYTES)
PIECE_BYTES = MIB
