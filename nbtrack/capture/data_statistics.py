"""Schema and statistics of data: columns, dtypes, nulls, and what `describe()` says.

Computed in the background, in steps of some milliseconds: each function here is a
generator that stops between them and returns a mapping that JSON takes. Counts, means
and extremes are of every value; quartiles and the most frequent text of a long column
are of a part of it, and `of` says of how much. Infinite numbers are counted apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator
from typing import Any

from nbtrack.capture.digests.arrays import flat_blocks
from nbtrack.text import shorten, visible

MAX_COLUMNS = 100  # described; the others are counted
PART_ROWS = 100_000  # of a longer column: a sort of that many takes 5 ms
BLOCK_BYTES = 1 << 20  # a step: under a millisecond of numpy
TEXT_MAX = 60  # characters of the most frequent text
NAMES_MAX = 1000  # columns that are named

Steps = Generator[None, None, dict[str, Any]]


def statistics_of(value: Any, kind: str) -> Steps:
    """What is told of a value of this kind besides its digest."""
    if kind == "dataframe":
        return _frame(value)
    if kind in ("series", "index"):
        return _series(value)
    if kind in ("array", "tensor", "sparse"):
        return _array(value, kind)
    if kind in ("table", "polars", "hf", "hf dict"):
        return _table(value, kind)
    if kind in ("list", "dict"):
        return _container(value, kind)
    return _nothing()


def numbers_of(block: Any) -> dict[str, Any]:
    """All at once, for an array that is short; see `NumberStatistics`.

    >>> import numpy
    >>> numbers_of(numpy.array([1.0, 3.0, float("nan")]))["mean"]
    2.0
    """
    found = NumberStatistics()
    found.add(block)
    return found.told()


class NumberStatistics:
    """Count, mean, deviation and extremes of numbers that come block by block."""

    def __init__(self) -> None:
        self.n = self.n_null = self.n_infinite = 0
        self._mean = self._squares = 0.0
        self._min: Any = None  # numbers of the array's own type: ints stay exact
        self._max: Any = None

    def add(self, block: Any) -> None:
        """Take in one block of numbers; NaN counts as null."""
        import numpy

        if block.dtype.kind == "f":
            finite = numpy.isfinite(block)
            if not finite.all():
                n_nan = int(numpy.isnan(block).sum())
                self.n_null += n_nan
                self.n_infinite += len(block) - int(finite.sum()) - n_nan
                block = block[finite]
        if not len(block):
            return
        low, high = block.min().item(), block.max().item()
        self._min = low if self._min is None else min(self._min, low)
        self._max = high if self._max is None else max(self._max, high)
        self._merge(block.astype("float64"))

    def _merge(self, block: Any) -> None:
        """The mean and the squares around it of both parts together (Chan)."""
        n, mean = len(block), float(block.mean())
        squares = float(((block - mean) ** 2).sum())
        total = self.n + n
        apart = mean - self._mean
        self._mean += apart * n / total
        self._squares += squares + apart * apart * self.n * n / total
        self.n = total

    def told(self) -> dict[str, Any]:
        """The statistics, as JSON takes them."""
        found: dict[str, Any] = {"count": self.n, "nulls": self.n_null}
        if self.n_infinite:
            found["infinite"] = self.n_infinite
        if self.n:
            deviation = math.sqrt(self._squares / max(1, self.n - 1))
            found |= {"mean": self._mean, "std": deviation}
            found |= {"min": self._min, "max": self._max}
        return {name: json_safe(value) for name, value in found.items()}


def json_safe(value: Any) -> Any:
    """A number that JSON takes; None for NaN and infinity.

    >>> json_safe(float("nan")), json_safe(2)
    (None, 2)
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _nothing() -> Steps:
    yield
    return {}


def _frame(frame: Any) -> Steps:
    names = [shown(name) for name in frame.columns[:NAMES_MAX]]
    found: dict[str, Any] = {"n_columns": len(frame.columns), "columns": []}
    for at in range(min(len(names), MAX_COLUMNS)):
        told = yield from _column(frame.iloc[:, at])
        found["columns"].append({"name": names[at], **told})
    dtypes = frame.dtypes.iloc[MAX_COLUMNS:NAMES_MAX]
    found["columns"] += [
        {"name": name, "dtype": str(dtype)}
        for name, dtype in zip(names[MAX_COLUMNS:], dtypes, strict=True)
    ]
    return found | _left_out(len(frame.columns))


def _left_out(n_columns: int) -> dict[str, Any]:
    """What is said of the columns that were not looked at."""
    if n_columns <= MAX_COLUMNS:
        return {}
    rest = f"statistics of the first {MAX_COLUMNS} of {n_columns:,} columns"
    if n_columns > NAMES_MAX:
        rest += f", names of {NAMES_MAX:,}"
    return {"left_out": rest}


def _series(series: Any) -> Steps:
    if getattr(series, "nlevels", 1) > 1:
        yield
        return {"dtype": "MultiIndex", "levels": [shown(n) for n in series.names]}
    column = series if hasattr(series, "iloc") else series.to_series()
    told = yield from _column(column)
    return told


def _column(column: Any) -> Steps:
    """One column of a frame, by what its dtype is."""
    import pandas

    found: dict[str, Any] = {"dtype": str(column.dtype)}
    types = pandas.api.types
    yield
    if types.is_bool_dtype(column.dtype) and column.dtype != object:
        n_null = int(column.isna().sum())
        found |= {"count": len(column) - n_null, "nulls": n_null}
        found["true"] = int(column.sum())
    elif types.is_numeric_dtype(column.dtype):
        if types.is_complex_dtype(column.dtype):
            return found | {"nulls": int(column.isna().sum())}
        told = yield from _numeric_column(column)
        found |= told
    elif types.is_datetime64_any_dtype(column.dtype) or column.dtype.kind == "m":
        n_null = int(column.isna().sum())
        found |= {"count": len(column) - n_null, "nulls": n_null}
        if n_null < len(column):
            found |= {"min": str(column.min()), "max": str(column.max())}
    else:
        told = yield from _text_column(column)
        found |= told
    return found


def _numeric_column(column: Any) -> Steps:
    numbers = NumberStatistics()
    rows = BLOCK_BYTES // 8
    for start in range(0, len(column), rows):
        numbers.add(_as_numbers(column.iloc[start : start + rows]))
        yield
    step = -(-len(column) // PART_ROWS) or 1
    part = _as_numbers(column.iloc[::step])
    yield
    return numbers.told() | quartiles(part, step)


def _as_numbers(column: Any) -> Any:
    import numpy

    if isinstance(column.dtype, numpy.dtype):
        return column.to_numpy()
    return column.to_numpy("float64", na_value=numpy.nan)


def quartiles(part: Any, step: int) -> dict[str, Any]:
    """The 25th, 50th and 75th percentile of what is there.

    >>> import numpy
    >>> quartiles(numpy.arange(5.0), 1)
    {'25%': 1.0, '50%': 2.0, '75%': 3.0}
    """
    import numpy

    numbers = part.astype("float64")
    numbers = numbers[numpy.isfinite(numbers)]
    if not len(numbers):
        return {}
    found = numpy.percentile(numbers, [25, 50, 75]).tolist()
    told: dict[str, Any] = dict(zip(("25%", "50%", "75%"), found, strict=True))
    if step > 1:
        told["of"] = f"quartiles of {len(part):,} values, every {step}th"
    return told


def _text_column(column: Any) -> Steps:
    """Nulls of all rows; unique values and the most frequent one of so many."""
    n_null = int(column.isna().sum())
    yield
    counted: Counter[Any] = Counter()
    for start in range(0, min(len(column), PART_ROWS), 5_000):
        block = column.iloc[start : min(start + 5_000, PART_ROWS)].dropna().tolist()
        counted.update(v if isinstance(v, str) else shown(v) for v in block)
        yield
    found: dict[str, Any] = {"count": len(column) - n_null, "nulls": n_null}
    found["unique"] = len(counted)
    if counted:
        top, n = counted.most_common(1)[0]
        found |= {"top": shown(top), "top_count": n}
    if len(column) > PART_ROWS:
        found["of"] = f"unique and top of the first {PART_ROWS:,} rows"
    return found


def _array(array: Any, kind: str) -> Steps:
    found: dict[str, Any] = {
        "shape": [int(n) for n in array.shape],
        "dtype": str(array.dtype),
    }
    if kind == "tensor":
        found["device"] = str(array.device)
    if kind == "sparse":
        found |= {"format": str(array.format), "nonzero": int(array.nnz)}
    if kind != "array" or array.dtype.kind in "biuf":
        numbers = NumberStatistics()
        for block in _number_blocks(array, kind):
            numbers.add(block)
            yield
        found |= numbers.told()
    yield
    return found


def _number_blocks(array: Any, kind: str) -> Generator[Any]:
    if kind == "tensor":
        yield from _tensor_blocks(array)
        return
    if kind == "sparse":
        array = getattr(array, "data", None)
        if getattr(array, "dtype", None) is None or array.dtype.kind not in "biuf":
            return
    for block in flat_blocks(array, BLOCK_BYTES):
        yield block.view("u1") if block.dtype.kind == "b" else block


def _tensor_blocks(tensor: Any) -> Generator[Any]:
    import torch

    from nbtrack.capture.digests.tensors import plain_blocks

    tensor = tensor.detach()
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex():
        return
    for block in plain_blocks(tensor):
        if tensor.dtype in (torch.bfloat16, torch.float16) or block.dtype.kind == "f":
            if block.dtype.kind != "f":  # the bits of a bfloat16
                block = torch.from_numpy(block).view(tensor.dtype).float().numpy()
            yield from flat_blocks(block, BLOCK_BYTES)
        elif block.dtype.kind in "biu" and not tensor.is_floating_point():
            yield from flat_blocks(
                block.view("u1") if block.dtype.kind == "b" else block, BLOCK_BYTES
            )


def _table(table: Any, kind: str) -> Steps:
    yield
    if kind == "hf dict":
        splits = {shown(name): len(rows) for name, rows in table.items()}
        return {"splits": splits, **_hf(next(iter(table.values()), None))}
    if kind == "hf":
        return _hf(table)
    if kind == "polars":
        schema = getattr(table, "schema", None) or {table.name: table.dtype}
        return _schema(list(schema.items()), [])
    fields = [(field.name, field.type) for field in table.schema]
    nulls = [table.column(at).null_count for at in range(table.num_columns)]
    return _schema(fields, nulls)


def _hf(dataset: Any) -> dict[str, Any]:
    if dataset is None:
        return {}
    found = _schema([(name, kind) for name, kind in dataset.features.items()], [])
    return found | {"fingerprint": str(dataset._fingerprint)}


def _schema(fields: list[tuple[Any, Any]], nulls: list[int]) -> dict[str, Any]:
    columns: list[dict[str, Any]] = []
    for at, (name, kind) in enumerate(fields[:NAMES_MAX]):
        told = {"name": shown(name), "dtype": shorten(str(kind), TEXT_MAX)}
        columns.append(told | ({"nulls": nulls[at]} if nulls else {}))
    found: dict[str, Any] = {"n_columns": len(fields), "columns": columns}
    if len(fields) > NAMES_MAX:
        found["left_out"] = f"{len(fields) - NAMES_MAX:,} columns are not named"
    return found


def _container(value: Any, kind: str) -> Steps:
    """How many elements, of which types; keys of a dict that reads like a table."""
    from itertools import islice

    yield
    items = list(islice(value.values() if kind == "dict" else value, PART_ROWS))
    yield
    types = Counter(type(item).__name__ for item in items)
    found: dict[str, Any] = {"length": len(value), "types": dict(types.most_common(5))}
    if kind == "dict":
        found["keys"] = [shown(key) for key in islice(value, 50)]
    elif set(map(type, items)) <= {int, float} and items:
        import numpy

        found |= numbers_of(numpy.array(items, "float64"))
    if len(value) > PART_ROWS:
        found["of"] = f"the first {PART_ROWS:,} elements"
    return found


def shown(value: Any) -> str:
    """A name or value as a record has it; of an unknown object its type alone.

    >>> shown("age"), shown(3), shown(object())
    ('age', '3', '<object>')
    """
    home = type(value).__module__.partition(".")[0]
    if isinstance(value, _PLAIN) or home in _PLAIN_HOMES:
        return shorten(visible(str(value)), TEXT_MAX)
    return f"<{type(value).__name__}>"


_PLAIN = (str, int, float, bool, bytes, tuple)
_PLAIN_HOMES = frozenset({"pandas", "numpy", "datetime", "decimal"})
