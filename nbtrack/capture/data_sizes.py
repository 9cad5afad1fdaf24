"""How large data is, by what it says of itself, in microseconds; and how much is read.

What is left out is always said: in the record of the input, and under the cell.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

from nbtrack.capture.digests.kinds import kind_of
from nbtrack.errors import OptionError
from nbtrack.text import shorten, shown_bytes

GIB = 1 << 30
_UNITS = {"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DataLimits:
    """How much of a run's data is hashed without asking: about two seconds a GiB."""

    value_bytes: int = 2 * GIB
    run_bytes: int = 8 * GIB
    value_s: float = 60.0  # of work, for data of Python objects
    n_files: int = 50_000
    n_inputs: int = 200

    def refusal(self, size: int | None, used: int) -> str | None:
        """Why so much is not read in full; None where it is."""
        if size is None:
            return None
        if size > self.value_bytes:
            over = f"larger than {shown_bytes(self.value_bytes)}"
        elif used + size > self.run_bytes:
            over = f"over {shown_bytes(self.run_bytes)} of data in one run"
        else:
            return None
        return (
            f"{shown_bytes(size)}, {over}: only size, shape and a sample digest kept; "
            "nbtrack.configure(data_limit=...) raises that"
        )


def limits_for(value_bytes: int | None) -> DataLimits:
    """The limits where the setting `data_limit` says how large one input may be."""
    if value_bytes is None:
        return DataLimits()
    return DataLimits(value_bytes=value_bytes, run_bytes=4 * value_bytes)


def parsed_size(size: int | str) -> int:
    """Bytes, of a number or a text such as `"20 GB"` (units of 1024).

    Raises
    ------
    OptionError
        For anything else.

    >>> parsed_size("1.5 GB"), parsed_size("512K"), parsed_size(7)
    (1610612736, 524288, 7)
    """
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None:
        raise OptionError(
            f"data_limit {shorten(repr(size), 40)} is no size. Write bytes, or '20 GB'."
        )
    return int(float(found[1]) * (1 << _UNITS[found[2].upper()]))


def size_of(value: Any, kind: str) -> int | None:
    """About how many bytes a value holds; None where only reading would tell.

    >>> size_of([1.0] * 1000, "list")
    8056
    """
    if kind in ("array", "table", "column"):
        return int(value.nbytes)
    if kind == "dataframe":
        return int(len(value) * value.shape[1] * 8)
    if kind in ("series", "index"):
        return int(len(value) * 8)
    if kind == "tensor":
        return _tensor_bytes(value)
    if kind == "sparse":
        return int(getattr(value, "nnz", 0)) * 16
    if kind == "polars":
        return int(value.estimated_size())
    if kind in ("list", "dict", "text"):
        return sys.getsizeof(value)
    return _dataset_bytes(value, kind)


def rows_of(value: Any, kind: str) -> int | None:
    """How many rows, elements or items; None where a number would mean nothing.

    >>> rows_of([1, 2], "list"), rows_of("text", "text")
    (2, None)
    """
    if kind in ("dict", "text", "stream", "hf dict"):
        return None
    if kind in ("array", "tensor", "sparse"):
        return int(value.shape[0]) if len(value.shape) else None
    if kind == "loader":
        return rows_of(value.dataset, "dataset")
    if kind == "dataset" and not hasattr(type(value), "__len__"):
        return None
    return len(value)


def _tensor_bytes(tensor: Any) -> int:
    if str(tensor.layout) != "torch.strided":
        values = tensor._values() if tensor.is_sparse else tensor.values()
        return int(values.numel() * values.element_size() * 3)
    return int(tensor.numel() * tensor.element_size())


def _dataset_bytes(value: Any, kind: str) -> int | None:
    if kind == "hf":
        return int(value.data.nbytes)
    if kind == "hf dict":
        return sum(int(split.data.nbytes) for split in value.values())
    if kind == "loader":
        return _dataset_bytes(value.dataset, kind_of(value.dataset) or "")
    if kind == "dataset":
        from nbtrack.capture.digests.torch_data import held_by

        parts = [(part, kind_of(part)) for _, part in held_by(value) or ()]
        sizes = [size_of(part, found) for part, found in parts if found]
        return sum(size or 0 for size in sizes) if sizes else None
    return None
