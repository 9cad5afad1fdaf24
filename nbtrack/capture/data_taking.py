"""Holds data as it is at a cell's start, so that it can be read while the cell runs.

Small data is copied. A table of pandas is shared with what pandas itself copies on the
first write. What cannot change is taken as it is. The rest is read in place, with a
sample of it taken before and after: where the two differ there is no digest, and the
record says so. A sample is no proof, so the record also says how it was known
(`held`), and such data is read in full again in every run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from nbtrack.capture.data_sizes import size_of
from nbtrack.capture.digests import digest_of, kind_of

COPY_BYTES = 4 << 20  # in one cell: about a millisecond
SHARED_BYTES = 64 << 20  # what pandas may have to copy for us at the user's next write
AT_ONCE_S = 0.005  # in one cell, for small lists and dicts
AT_ONCE_BYTES = 256 << 10
N_SAMPLED = 1024  # places of an array: far below a millisecond

COPIED = "copied at the start"
SHARED = "shared at the start, copied on write"
FIXED = "cannot change"
AT_ONCE = "read at the start"
SAMPLED = "read while the cell ran; a sample of it did not change"


@dataclass(slots=True)
class Taken:
    """One value as it was at the start, or as near to that as can be had."""

    name: str
    kind: str
    value: Any  # the user's own, or a copy
    held: str
    sample: str | None = None
    digest: str | None = None  # where it was read at once
    size: int | None = None  # about how many bytes
    cell: str | None = None  # "[3]": the execution that set the name

    def is_unchanged(self) -> bool:
        """Whether the value still looks as it did when it was taken."""
        return self.sample is None or sampled(self.value, self.kind) == self.sample


class Taker:
    """Takes the values of one cell; what may be copied is for all of them together."""

    def __init__(self) -> None:
        self._left_bytes = COPY_BYTES
        self._until: float | None = None

    def take(self, name: str, value: Any, kind: str) -> Taken:
        """Hold `value`; what reading it raises goes through."""
        size = size_of(value, kind)
        taken = self._taken(name, value, kind, size)
        taken.size = size
        return taken

    def _taken(self, name: str, value: Any, kind: str, size: int | None) -> Taken:
        if is_fixed(value, kind):
            return Taken(name, kind, value, FIXED)
        shared = _shared(value, kind, size)
        if shared is not None:
            return Taken(name, kind, shared, SHARED)
        copied = self._copy(value, kind, size)
        if copied is not None:
            return Taken(name, kind, copied, COPIED)
        if kind in ("list", "dict", "dataset", "loader", "sparse", "text"):
            taken = self._read_at_once(name, value, kind, size)
            if taken is not None:
                return taken
        return Taken(name, kind, value, SAMPLED, sampled(value, kind))

    def _copy(self, value: Any, kind: str, size: int | None) -> Any:
        if size is None or size > self._left_bytes:
            return None
        if kind == "array" and not value.dtype.hasobject:
            copied = value.copy()
        elif kind == "tensor" and value.device.type == "cpu" and not value.is_sparse:
            copied = value.detach().clone()
        elif kind in ("dataframe", "series"):
            copied = value.copy()
        else:
            return None
        self._left_bytes -= size
        return copied

    def _read_at_once(
        self, name: str, value: Any, kind: str, size: int | None
    ) -> Taken | None:
        if size is None or size > min(AT_ONCE_BYTES, self._left_bytes):
            return None
        now = time.perf_counter()
        self._until = self._until or now + AT_ONCE_S
        if now > self._until or not _is_small(value, kind):
            return None
        self._left_bytes -= size
        digest = digest_of(value)
        return Taken(name, kind, value, AT_ONCE, digest=digest)


def is_fixed(value: Any, kind: str) -> bool:
    """Whether nothing can change the value in place.

    >>> is_fixed("text", "text"), is_fixed([1], "list")
    (True, False)
    """
    if kind in ("table", "column", "hf", "hf dict", "stream", "index"):
        return True
    if kind == "text":
        return not isinstance(value, bytearray)
    return kind == "array" and _is_read_only(value)


def sampled(value: Any, kind: str) -> str:
    """A digest of some places of a value, spread over all of it; cheap.

    >>> sampled([1, 2, 3], "list") == sampled([1, 2, 4], "list")
    False
    """
    return digest_of(list(_sample(value, kind)))


def _shared(value: Any, kind: str, size: int | None) -> Any:
    """A twin that the library keeps apart from whatever the user writes."""
    if kind == "polars":
        return value.clone()  # shares the columns; a write makes a new one
    if kind not in ("dataframe", "series") or size is None or size > SHARED_BYTES:
        return None
    import pandas

    if int(pandas.__version__.partition(".")[0]) < 3:
        return None
    return value.copy(deep=False)


def _is_read_only(array: Any) -> bool:
    """Whether the array, and every array that it is a view of, refuses writing."""
    while kind_of(array) == "array":
        if array.flags.writeable:
            return False
        array = array.base
    return array is None or isinstance(array, bytes)


def _is_small(value: Any, kind: str) -> bool:
    """Whether what a container holds is small as well; stops where it is not."""
    if kind not in ("list", "dict"):
        return True
    left = AT_ONCE_BYTES
    waiting: list[Any] = [value]
    while waiting:
        held = waiting.pop()
        for item in held.values() if isinstance(held, dict) else held:
            inner = kind_of(item)
            size = 0 if inner is None else size_of(item, inner)
            left -= AT_ONCE_BYTES if size is None else 32 + size
            if left < 0:
                return False
            if inner in ("list", "dict"):
                waiting.append(item)
    return True


def _sample(value: Any, kind: str) -> Iterator[Any]:
    if kind == "array":
        yield list(value.shape)
        yield _places_of_array(value)
    elif kind == "tensor":
        yield from _sample_of_tensor(value)
    elif kind in ("dataframe", "series"):
        yield len(value)
        yield value.iloc[_places(len(value), 64)]
    elif kind == "sparse":
        for name in ("data", "indices", "indptr", "row", "col"):
            part = getattr(value, name, None)
            if kind_of(part) == "array":
                yield _places_of_array(part)
    elif kind == "dict":
        yield len(value)
        yield from _samples_within(list(islice(value.values(), N_SAMPLED)))
    elif kind == "list":
        yield len(value)
        if isinstance(value, set | frozenset):
            yield from _samples_within(list(islice(value, 256)))
        else:
            yield from _samples_within([value[at] for at in _places(len(value), 256)])
    elif kind in ("dataset", "loader"):
        yield from _sample_of_dataset(value, kind)


def _samples_within(items: list[Any]) -> Iterator[Any]:
    """Of data within data a sample; of the rest the value, where it is a plain one."""
    for item in items:
        kind = kind_of(item)
        if kind in ("list", "dict"):
            yield len(item)
        elif kind is not None:
            yield sampled(item, kind)
        elif isinstance(item, int | float | complex | None):
            yield item


def _places(n: int, most: int) -> list[int]:
    """So many places of n, spread evenly, the first and the last among them."""
    if n <= most:
        return list(range(n))
    return [(n - 1) * at // (most - 1) for at in range(most)]


def _places_of_array(array: Any) -> Any:
    import numpy

    # `flat` takes places of a strided array without putting it in order first.
    return numpy.asarray(array).flat[_places(array.size, N_SAMPLED)]


def _sample_of_tensor(tensor: Any) -> Iterator[Any]:
    import torch

    if tensor.is_sparse:
        tensor = tensor._values()
    elif tensor.layout is not torch.strided:
        tensor = tensor.values()
    tensor = tensor.detach()
    # The version counts writes through torch: a hint where the sample misses them.
    yield [list(tensor.shape), 0 if tensor.is_inference() else tensor._version]
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    at = torch.tensor(_places(tensor.numel(), N_SAMPLED), device=tensor.device)
    yield tensor.take(at).cpu()


def _sample_of_dataset(value: Any, kind: str) -> Iterator[Any]:
    from nbtrack.capture.digests.torch_data import held_by

    inner = value.dataset if kind == "loader" else value
    if kind_of(inner) == "dataset":
        yield from _samples_within([part for _, part in held_by(inner) or ()])
    elif kind_of(inner) is not None:
        yield sampled(inner, kind_of(inner) or "")
