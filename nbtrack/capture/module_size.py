"""How large the torch modules of a cell are: their parameters and buffers in bytes.

Torch is looked for among what is imported and never imported here. Reading sizes asks
no device and copies nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain
from typing import Any


def modules_bytes(values: Iterable[object]) -> int | None:
    """Bytes of all parameters and buffers of these modules; None without a module.

    What several of them share (a tied layer, a part beside the whole) counts once.
    Parameters that are not made yet (lazy layers) have no size and are left out.

    >>> modules_bytes([3, "no module"]) is None
    True
    """
    kind = getattr(getattr(sys.modules.get("torch"), "nn", None), "Module", None)
    if kind is None:
        return None
    sizes: dict[int, int] = {}
    for value in values:
        if isinstance(value, kind):
            sizes |= _sizes(value)
    return sum(sizes.values()) or None


def _sizes(module: Any) -> dict[int, int]:  # Any: torch is not imported here
    return {
        id(tensor): tensor.numel() * tensor.element_size()
        for tensor in chain(module.parameters(), module.buffers())
        if not _is_lazy(tensor)
    }


def _is_lazy(tensor: Any) -> bool:
    return type(tensor).__name__.startswith("Uninitialized")
