"""What kind of data a value is, by its class alone: nothing is imported or asked.

Only classes of libraries that are imported already can be the class of a value.
"""

from __future__ import annotations

import array
import collections
import sys
from typing import Any

# Module, class and kind; the first that is among the bases of a value's class wins.
_CLASSES = (
    ("numpy", "ndarray", "array"),
    ("pandas", "DataFrame", "dataframe"),
    ("pandas", "Series", "series"),
    ("pandas", "Index", "index"),
    ("torch", "Tensor", "tensor"),
    ("datasets", "IterableDataset", "stream"),  # a Dataset of torch as well
    ("torch.utils.data", "DataLoader", "loader"),
    ("torch.utils.data", "Dataset", "dataset"),
    ("scipy.sparse", "sparray", "sparse"),
    ("scipy.sparse", "spmatrix", "sparse"),
    ("pyarrow", "Table", "table"),
    ("pyarrow", "RecordBatch", "table"),
    ("pyarrow", "ChunkedArray", "column"),
    ("pyarrow", "Array", "column"),
    ("polars", "DataFrame", "polars"),
    ("polars", "Series", "polars"),
    ("datasets", "Dataset", "hf"),
    ("datasets", "DatasetDict", "hf dict"),
    ("polars", "LazyFrame", "stream"),
)
_PLAIN: dict[type, str] = {
    list: "list",
    tuple: "list",
    set: "list",
    frozenset: "list",
    range: "list",
    array.array: "list",
    collections.deque: "list",
    dict: "dict",
    collections.OrderedDict: "dict",
    collections.defaultdict: "dict",
    collections.Counter: "dict",
    str: "text",
    bytes: "text",
    bytearray: "text",
}
# What a record calls them, where that is another word.
_SHOWN = {
    "loader": "dataset",
    "hf": "dataset",
    "hf dict": "dataset",
    "polars": "table",
    "stream": "dataset",
}


def kind_of(value: object) -> str | None:
    """The kind of data that `value` is; None for everything that is no data.

    >>> kind_of([1, 2]), kind_of(print)
    ('list', None)
    """
    kind = type(value)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind.__module__ == "builtins":
        return None
    bases = kind.__mro__
    return next((name for known, name in _loaded() if known in bases), None)


def shown_kind(kind: str) -> str:
    """The kind as a record names it.

    >>> shown_kind("hf"), shown_kind("array")
    ('dataset', 'array')
    """
    return _SHOWN.get(kind, kind)


def _loaded() -> list[tuple[Any, str]]:
    found = []
    for module, name, kind in _CLASSES:
        # A module that is being imported by another thread may lack the class still.
        known = getattr(sys.modules.get(module), name, None)
        if known is not None:
            found.append((known, kind))
    return found
