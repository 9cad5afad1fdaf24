"""Tables: kept so that they are read back equal, as parquet or as typed columns.

Taken are frames, rows (dicts or sequences), columns (a dict) and two-dimensional
arrays. Texts pass the search for secrets; the record counts what was taken out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from nbtrack.tracking.media.clearing import cleared, holds_secrets, texts_in
from nbtrack.tracking.media.columns import is_exact, to_columns
from nbtrack.tracking.media.content import (
    FILE_BYTES_MAX,
    Content,
    Snapshot,
    kind_of,
    refusal,
)

if TYPE_CHECKING:
    import pandas as pd

PARQUET = "application/vnd.apache.parquet"
COLUMNS_TOLD = 100  # names and types of columns that stand in the row
CHECKED_BYTES_MAX = 16 * 2**20  # up to here what was written is read back and compared
_WAY_OUT = "Log a DataFrame, a list of dicts, or a dict of columns"


def snapshot_of(
    table: Any,  # a frame of any library, rows, columns, an array
    columns: Sequence[Any] | None = None,
    *,
    type: str = "table",
    data: Mapping[str, Any] | None = None,
) -> Snapshot:
    """A table as it is now.

    Raises
    ------
    ValueNotLoggedError
        For what is no table, or too large a one.
    """
    frame = _frame(table, columns)
    return Snapshot(partial(_encoded, frame, type, data or {}), _size(frame))


def _frame(table: Any, columns: Sequence[Any] | None) -> pd.DataFrame:
    """A copy of the table as a frame."""
    import pandas as pd

    if isinstance(table, pd.Series):
        table = table.to_frame()
    if isinstance(table, pd.DataFrame):
        _refuse_too_large(table)
        return table.copy()
    convert = getattr(table, "to_pandas", None)
    if callable(convert):  # polars, Arrow, Hugging Face
        return _checked(convert())
    if hasattr(table, "detach") and hasattr(table, "cpu"):
        table = table.detach().cpu().numpy()
    is_rows = isinstance(table, Sequence | Mapping) or hasattr(table, "__array__")
    if isinstance(table, str | bytes) or not is_rows:
        raise refusal(f"{kind_of(table)} is no table", _WAY_OUT)
    try:
        made = pd.DataFrame(table, columns=columns)  # type: ignore[arg-type]
    except (ValueError, TypeError) as exc:
        raise refusal(f"{kind_of(table)} is no table ({exc})", _WAY_OUT) from exc
    return _checked(made).copy()


def _checked(frame: Any) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise refusal(f"{kind_of(frame)} is no table", _WAY_OUT)
    _refuse_too_large(frame)
    return frame


def _size(frame: pd.DataFrame) -> int:
    return int(frame.memory_usage(index=True, deep=False).sum())


def _refuse_too_large(frame: pd.DataFrame) -> None:
    size = _size(frame)
    if size > FILE_BYTES_MAX:
        raise refusal(
            f"a table of {len(frame)} rows has {size / 2**20:.0f} MiB",
            "Log a sample of it (df.sample(10_000)), or keep all: run.log_dataset",
        )


def _encoded(frame: pd.DataFrame, type: str, data: Mapping[str, Any]) -> Content:
    frame, n_redacted = _without_secrets(frame)
    told = {
        "n_rows": len(frame),
        "n_columns": frame.shape[1],
        "columns": [
            [str(name), str(dtype)]
            for name, dtype in list(frame.dtypes.items())[:COLUMNS_TOLD]
        ],
        **({"n_redacted": n_redacted} if n_redacted else {}),
        **data,
    }
    body = _as_parquet(frame)
    if body is not None:
        return Content(type, told, body=body, mime=PARQUET)
    document = to_columns(frame)
    if not is_exact(document):
        told["inexact"] = True  # some values are kept as their text
    return Content(type, told, main={"table": document})


def _as_parquet(frame: pd.DataFrame) -> bytes | None:
    """The file; None where there is no pyarrow, or it would not give the same back."""
    if len({type(label) for label in frame.columns}) > 1:
        return None  # pyarrow warns, and makes texts of all of them
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return None
    try:
        file = BytesIO()
        pq.write_table(pa.Table.from_pandas(frame), file)
        body = file.getvalue()
        is_small = _size(frame) <= CHECKED_BYTES_MAX
        return body if not is_small or _is_same(frame, read_parquet(body)) else None
    except (pa.ArrowException, TypeError, ValueError, OverflowError, KeyError):
        return None  # columns of mixed types, two of a name: typed columns take those


def read_parquet(body: bytes) -> pd.DataFrame:
    """The frame in a parquet file."""
    import pyarrow.parquet as pq

    frame: pd.DataFrame = pq.read_table(BytesIO(body)).to_pandas()
    return frame


def _is_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    if not one.equals(other) or list(one.dtypes) != list(other.dtypes):
        return False
    axes = ((one.index, other.index), (one.columns, other.columns))
    return all(
        type(a) is type(b) and a.equals(b) and a.dtype == b.dtype and a.names == b.names
        for a, b in axes
    )


# ---- secrets


def _without_secrets(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The frame with its texts cleared, and how many values were changed."""
    n_redacted = 0
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        if _may_hold_text(column) and holds_secrets(_texts(column)):
            clear = column.astype("object").map(_clear_value)
            n_redacted += int((clear != column.astype("object")).sum())
            frame.isetitem(at, _as_before(clear, column))
    if holds_secrets(_texts(frame.index)):
        frame.index = frame.index.map(_clear_value)
        n_redacted += 1
    if holds_secrets(_texts(frame.columns)):
        frame.columns = frame.columns.map(_clear_value)
        n_redacted += 1
    return frame, n_redacted


def _may_hold_text(values: Any) -> bool:
    return getattr(values.dtype, "kind", "O") not in "iufbcmM"


def _texts(values: Any) -> Any:
    """The texts in a column, each once where that is quick."""
    if not _may_hold_text(values):
        return iter(())
    categories = getattr(values.dtype, "categories", None)
    plain = values.tolist() if categories is None else categories.tolist()
    return (text for value in plain for text in texts_in(_plain(value)))


def _plain(value: Any) -> Any:
    numpy = sys.modules["numpy"]
    return value.tolist() if isinstance(value, numpy.ndarray) else value


def _clear_value(value: Any) -> Any:
    if isinstance(value, str):
        return cleared(value)
    if isinstance(value, tuple):
        return tuple(cleared(list(value)))
    return cleared(value) if isinstance(value, list | dict) else value


def _as_before(clear: pd.Series[Any], column: pd.Series[Any]) -> Any:
    """The cleared column in its old type, where that still holds its values."""
    dtype: Any = column.dtype
    again: Callable[[Any], Any] = clear.astype
    return again("category" if hasattr(dtype, "categories") else dtype)
