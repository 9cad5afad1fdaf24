"""Parquet through pyarrow, which is an extra."""

from __future__ import annotations

from typing import Any

from nbtrack.errors import MissingExtraError


def parquet_module() -> Any:  # Any: a module without types
    """The module of pyarrow that reads and writes parquet.

    Raises
    ------
    MissingExtraError
        Where pyarrow is not installed.
    """
    try:
        import pyarrow.parquet as module
    except ImportError as exc:
        raise MissingExtraError(
            "Parquet needs pyarrow: `pip install 'nbtrack[data]'`."
        ) from exc
    return module
