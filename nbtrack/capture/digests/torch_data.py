"""Data sets of torch: those that hold their data, never by asking for items.

`TensorDataset`, `Subset`, `ConcatDataset` and `StackDataset` are known; a data set with
`data` and `targets`, as torchvision has them, counts by these two. What another class
makes in its `__getitem__` is its own affair: such a set has no digest, and a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbtrack.capture.digests.kinds import kind_of
from nbtrack.capture.digests.pieces import NotDigestible, Pieces, framed

_HOLDS = frozenset({"array", "tensor", "list", "dataframe", "series", "sparse"})


def dataset_pieces(value: Any, depth: int = 0) -> Pieces:
    """A data set or a loader: a loader is the data set that it loads."""
    from nbtrack.capture.digests.contents import pieces_of

    if kind_of(value) == "loader":
        yield from pieces_of(value.dataset, depth + 1)
        return
    parts = held_by(value)
    if parts is None:
        raise NotDigestible(
            f"{type(value).__name__}: its items are made by its own code, which is not "
            "called"
        )
    names = [name for name, _ in parts]
    yield framed("dataset", _known_as(value), names)
    for _, part in parts:
        yield from pieces_of(part, depth + 1)


def held_by(value: Any) -> list[tuple[str, Any]] | None:
    """What the content of a data set stands in; None where code makes the items."""
    own = vars(value)
    known = _known_as(value)
    if known == "TensorDataset":
        return [(str(at), part) for at, part in enumerate(own["tensors"])]
    if known == "Subset":
        return [("dataset", own["dataset"]), ("indices", _plain(own["indices"]))]
    if known in ("ConcatDataset", "StackDataset"):
        parts = own["datasets"]
        named = parts.items() if isinstance(parts, dict) else enumerate(parts)
        return [(str(name), part) for name, part in named]
    if kind_of(own.get("data")) in _HOLDS and kind_of(own.get("targets")) in _HOLDS:
        return [("data", own["data"]), ("targets", own["targets"])]
    return None


def data_within(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of a data set of unknown make that are data themselves."""
    for name, part in vars(value).items():
        if kind_of(part) in _HOLDS and not name.startswith("__"):
            yield name, part


def _known_as(value: Any) -> str:
    """The class of torch whose items these are; "" where the items are its own."""
    import torch.utils.data as data

    for name in ("TensorDataset", "Subset", "ConcatDataset", "StackDataset"):
        known = getattr(data, name, None)
        if known is not None and isinstance(value, known):
            same = type(value).__getitem__ is known.__getitem__
            return name if same else ""
    return ""


def _plain(indices: Any) -> Any:
    """Indices as a list or array; a range of them is left as it is."""
    return indices if kind_of(indices) is not None else list(indices)
