"""A frame as typed columns of JSON, and back; for where there is no pyarrow.

Whole and floating numbers, booleans, times, texts, categories and pandas' own nullable
types come back as they were, values in columns of objects too as long as JSON has a
word for them. What it has none for comes back as its text, and `is_exact` says so.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from nbtrack.text import shorten

if TYPE_CHECKING:
    import pandas as pd

_TEXT_MAX = 500  # characters of a value that is kept as its text
_NULLABLE = frozenset(
    f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)
) | {"boolean", "Float32", "Float64"}


def to_columns(frame: pd.DataFrame) -> dict[str, Any]:
    """The frame as JSON; see the module.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"a": [1, 2], 3: [0.5, float("nan")]})
    >>> from_columns(to_columns(frame)).equals(frame)
    True
    """
    return {
        "columns": [_column(frame.iloc[:, at]) for at in range(frame.shape[1])],
        "labels": _labels(frame.columns),
        "index": _labels(frame.index),
    }


def from_columns(document: Mapping[str, Any]) -> pd.DataFrame:
    """The frame that `to_columns` was given."""
    import pandas as pd

    index = _index(document["index"])
    series = [_series(column, index) for column in document["columns"]]
    frame = pd.DataFrame(dict(enumerate(series)), index=index)
    frame.columns = _index(document["labels"])
    return frame


def is_exact(document: Mapping[str, Any]) -> bool:
    """Whether every value comes back as it was."""
    return not _holds_text(document)


def _holds_text(part: Any) -> bool:
    """Whether a value stands in there as its text only."""
    if isinstance(part, dict):
        return part.keys() == {"text"} or any(map(_holds_text, part.values()))
    return isinstance(part, list) and any(map(_holds_text, part))


# ---- columns


def _column(series: pd.Series[Any]) -> dict[str, Any]:
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return {
            "dtype": "category",
            "codes": series.cat.codes.tolist(),
            "categories": _labels(dtype.categories),
            "ordered": bool(dtype.ordered),
        }
    write = _writer_of(dtype)
    if write is None:
        return {"dtype": "object", "values": [_word(value) for value in series]}
    return {"dtype": str(dtype), "values": write(series)}


def _writer_of(dtype: Any) -> Callable[[Any], list[Any]] | None:
    """How values of this type are written; None for those that differ in type."""
    import numpy as np
    import pandas as pd

    if isinstance(dtype, pd.DatetimeTZDtype):
        return _as_whole
    if isinstance(dtype, np.dtype):
        by_kind: dict[str, Callable[[Any], list[Any]]] = {
            **dict.fromkeys("iub", lambda series: list(series.tolist())),
            **dict.fromkeys("Mm", _as_whole),
            "f": lambda series: [_float(value) for value in series.tolist()],
        }
        return by_kind.get(dtype.kind) if dtype.itemsize <= 8 else None
    is_nullable = isinstance(dtype, pd.StringDtype) or str(dtype) in _NULLABLE
    return _or_none if is_nullable else None


def _as_whole(series: pd.Series[Any]) -> list[int]:
    """Times as whole numbers of their own unit, in UTC."""
    values = series.array
    return list(values.asi8.tolist())


def _or_none(series: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    gaps = pd.isna(series)
    return [
        None if gap else _float(value) if isinstance(value, float) else value
        for value, gap in zip(series.tolist(), gaps, strict=True)
    ]


def _series(column: Mapping[str, Any], index: pd.Index[Any]) -> pd.Series[Any]:
    import pandas as pd

    dtype = column["dtype"]
    if dtype == "category":
        made = pd.Categorical.from_codes(
            column["codes"], _index(column["categories"]), ordered=column["ordered"]
        )
        return pd.Series(made, index=index)
    values = column["values"]
    if dtype == "object":
        plain = pd.Series([_value(word) for word in values], dtype="object")
        return plain.set_axis(index)
    return pd.Series(_array(values, dtype), index=index)


def _array(values: list[Any], dtype: str) -> Any:  # Any: an array of pandas or NumPy
    import numpy as np
    import pandas as pd

    if dtype.startswith(("datetime64", "timedelta64")):
        unit = dtype.partition("[")[2].partition("]")[0].partition(",")[0]
        kind = "M8" if dtype.startswith("datetime") else "m8"
        plain = np.asarray(values, dtype="int64").view(f"{kind}[{unit}]")
        times = pd.Series(plain)
        if "," in dtype:
            zone = dtype.partition(", ")[2].rstrip("]")
            times = times.dt.tz_localize("UTC").dt.tz_convert(zone)
        return times.array
    if dtype.startswith("float"):
        return np.asarray([float(value) for value in values], dtype=dtype)
    if dtype.startswith("Float"):
        values = [None if value is None else float(value) for value in values]
    made: Any = pd.array  # its stubs know only literal names of types
    return made(values, dtype=dtype)


# ---- labels of rows and columns


def _labels(index: pd.Index[Any]) -> dict[str, Any]:
    import pandas as pd

    names = [_word(name) for name in index.names]
    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "names": names}
    if isinstance(index, pd.MultiIndex):
        levels = [
            _column(index.get_level_values(at).to_series().reset_index(drop=True))
            for at in range(index.nlevels)
        ]
        return {"levels": levels, "names": names}
    column = _column(index.to_series().reset_index(drop=True))
    return {**column, "names": names}


def _index(labels: Mapping[str, Any]) -> pd.Index[Any]:
    import pandas as pd

    names = [_value(name) for name in labels["names"]]
    if "range" in labels:
        start, stop, step = labels["range"]
        return pd.RangeIndex(start, stop, step, name=names[0])
    if "levels" in labels:
        levels = [_series(level, _rows(level)) for level in labels["levels"]]
        return pd.MultiIndex.from_arrays(levels, names=names)
    values = _series(labels, _rows(labels))
    index: pd.Index[Any] = pd.Index(values, dtype=values.dtype, name=names[0])
    return index


def _rows(column: Mapping[str, Any]) -> pd.RangeIndex:
    import pandas as pd

    return pd.RangeIndex(len(column.get("values", column.get("codes", ()))))


# ---- values in columns of objects


def _float(value: float) -> float | str:
    """JSON has no word for NaN and infinities; `float()` reads these."""
    return value if math.isfinite(value) else str(value)


def _word(value: Any) -> Any:
    """One value of any type as JSON: plain where JSON has its type, else tagged."""
    import pandas as pd

    if value is None or isinstance(value, bool) or type(value) in (int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if value is pd.NA or value is pd.NaT:
        return {"gap": str(value)}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_word(item) for item in value]}
    if type(value) is dict:
        return {"dict": [[_word(key), _word(item)] for key, item in value.items()]}
    for kind, write in _WRITTEN.items():
        if type(value).__name__ == kind:
            return {kind: write(value)}
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return _word(item())  # a NumPy number among objects
    return {"text": shorten(str(value), _TEXT_MAX)}


def _value(word: Any) -> Any:
    """What `_word` was given."""
    if not isinstance(word, dict):
        return word
    ((kind, told),) = word.items()
    if kind in ("list", "tuple"):
        items = [_value(item) for item in told]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {_value(key): _value(item) for key, item in told}
    return _READ[kind](told)


def _timestamp(text: str) -> Any:
    import pandas as pd

    return pd.Timestamp(text)


def _gap(text: str) -> Any:
    import pandas as pd

    return pd.NA if text == "<NA>" else pd.NaT


_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda value: base64.b64encode(value).decode(),
    "datetime": lambda value: value.isoformat(),
    "date": lambda value: value.isoformat(),
    "Timestamp": lambda value: value.isoformat(),
    "complex": lambda value: [_float(value.real), _float(value.imag)],
}
_READ: dict[str, Callable[[Any], Any]] = {
    "bytes": base64.b64decode,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "Timestamp": _timestamp,
    "complex": lambda parts: complex(float(parts[0]), float(parts[1])),
    "float": float,
    "gap": _gap,
    "text": str,
}
