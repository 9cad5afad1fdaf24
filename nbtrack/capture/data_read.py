"""Which of the values that a cell reads are data: what is learned from, not how.

Tables, arrays, tensors, data sets and loaders; lists, dicts and long texts that are no
settings; and what objects of the notebook's own classes hold of these. Weights that are
being trained, metrics of earlier runs and scalars are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from nbtrack.capture.accumulators import is_data, is_history
from nbtrack.capture.digests import kind_of
from nbtrack.capture.inherited import MAX_ITEMS, is_inheritable

_OF_IPYTHON = frozenset({"In", "Out", "exit", "quit", "get_ipython"})
_N_LOOKED_AT = 20  # elements of a list: they are rarely of two minds
_ALWAYS = frozenset({"dataframe", "series", "sparse", "table", "polars"})
_ALWAYS_SETS = frozenset({"dataset", "loader", "hf", "hf dict", "stream"})
_PLAIN = (bool, int, float, complex, str, bytes, type(None))

Found = tuple[str, Any, str]  # name, value, kind


def data_among(names: Iterable[str], namespace: Mapping[str, Any]) -> list[Found]:
    """The data behind these names; what two names share comes under the first.

    >>> data_among(["lr", "xs"], {"lr": 0.1, "xs": [0.5] * 100})[0][::2]
    ('xs', 'list')
    """
    found: list[Found] = []
    seen: set[int] = set()
    for name in names:
        if name.startswith("_") or name in _OF_IPYTHON or name not in namespace:
            continue
        for each in _data_of(name, namespace[name], namespace):
            if id(each[1]) not in seen:
                seen.add(id(each[1]))
                found.append(each)
    return found


def _data_of(name: str, value: Any, namespace: Mapping[str, Any]) -> Iterator[Found]:
    kind = kind_of(value)
    if kind is not None:
        if is_input(name, value, kind):
            yield name, value, kind
        return
    home = namespace.get("__name__", "__main__")
    if type(value).__module__ != home or isinstance(value, type):
        return
    # A trainer that was made with the data holds it; asks no attribute of a class.
    for part, held in list(getattr(value, "__dict__", {}).items()):
        inner = kind_of(held)
        if inner in _ALWAYS | _ALWAYS_SETS | {"array", "tensor"} and is_input(
            part, held, inner
        ):
            yield f"{name}.{part}", held, inner


def is_input(name: str, value: Any, kind: str | None) -> bool:
    """Whether data of this kind is an input, and no setting, weight or result.

    >>> is_input("dims", [64, 64], "list"), is_input("x", [0.5] * 100, "list")
    (False, True)
    """
    if kind in _ALWAYS or kind in _ALWAYS_SETS:
        return True
    if kind == "array":
        return bool(value.ndim and value.size)
    if kind == "tensor":
        return bool(value.ndim and value.numel()) and not value.requires_grad
    if kind in ("index", "column"):
        return True
    if not len(value) or is_history(name, value):
        return False
    if kind == "text":
        return (
            is_data(name, value) if isinstance(value, str) else len(value) > MAX_ITEMS
        )
    if is_inheritable(value) and not is_data(name, value):
        return False
    return _holds_data(name, value)


def _holds_data(name: str, value: Any) -> bool:
    """Whether a list or dict has many plain values in it, or data of another kind."""
    items = list(
        islice(value.values() if isinstance(value, dict) else value, _N_LOOKED_AT)
    )
    kinds = [kind_of(item) for item in items]
    fits = all(
        isinstance(item, _PLAIN) or (kind is not None and _may_be_held(item, kind))
        for item, kind in zip(items, kinds, strict=True)
    )
    if not fits:
        return False
    many = len(value) > MAX_ITEMS or is_data(name, value)
    return many or any(kind not in (None, "text") for kind in kinds)


def _may_be_held(item: Any, kind: str) -> bool:
    return kind != "tensor" or not item.requires_grad
