"""What became of an input since another run: rows, columns, dtypes, values.

Says only what the two records show: where neither has a digest, equal rows say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbtrack.records import InputRecord
from nbtrack.text import shorten

N_SHOWN = 3  # columns named; the rest is counted


def drift(now: InputRecord, before: InputRecord) -> str:
    """The change in a few words; "" where there is none that is known of.

    Examples
    --------
    >>> old = InputRecord("train_df", "dataframe", "a", n_rows=1000)
    >>> drift(InputRecord("train_df", "dataframe", "b", n_rows=1312), old)
    '+312 rows'
    >>> drift(InputRecord("train_df", "dataframe", "b", n_rows=1000), old)
    'same rows, values differ'
    """
    if now.digest is not None and now.digest == before.digest:
        return ""
    changes = [*_rows(now, before), *_columns(now, before), *_shape(now, before)]
    if changes:
        return ", ".join(changes)
    if now.digest is None or before.digest is None:
        return _hints(now, before)
    return "values differ" if now.n_rows is None else "same rows, values differ"


def _rows(now: InputRecord, before: InputRecord) -> list[str]:
    if now.n_rows is None or before.n_rows is None or now.n_rows == before.n_rows:
        return []
    more = now.n_rows - before.n_rows
    return [f"{'+' if more > 0 else '−'}{abs(more):,} row{'s' * (abs(more) > 1)}"]


def _columns(now: InputRecord, before: InputRecord) -> list[str]:
    new, old = _dtypes(now.detail), _dtypes(before.detail)
    if not new or not old:
        return []
    changes = [f"+column {_short(name)}" for name in new if name not in old]
    changes += [f"−column {_short(name)}" for name in old if name not in new]
    changes += [
        f"{_short(name)} {old[name]} → {dtype}"
        for name, dtype in new.items()
        if name in old and old[name] != dtype
    ]
    if not changes and list(new) != list(old):
        changes = ["columns in another order"]
    more = [f"+{len(changes) - N_SHOWN} changes"] if len(changes) > N_SHOWN else []
    return changes[:N_SHOWN] + more


def _dtypes(detail: Mapping[str, Any]) -> dict[str, str]:
    columns = detail.get("columns") or []
    return {str(c["name"]): str(c.get("dtype")) for c in columns}


def _shape(now: InputRecord, before: InputRecord) -> list[str]:
    """Arrays: every axis but the first, which counts as rows, and the dtype."""
    new, old = now.detail, before.detail
    changes = []
    if (new.get("shape") or [0])[1:] != (old.get("shape") or [0])[1:]:
        changes.append(f"shape {_text(old.get('shape'))} → {_text(new.get('shape'))}")
    if "shape" in new and "shape" in old and new.get("dtype") != old.get("dtype"):
        changes.append(f"{old.get('dtype')} → {new.get('dtype')}")
    return changes


def _hints(now: InputRecord, before: InputRecord) -> str:
    """Without full digests: a size, or a sample, that differs all the same."""
    sizes = (now.size_bytes, before.size_bytes)
    if now.type == "file" and None not in sizes and sizes[0] != sizes[1]:
        return f"{before.size_bytes:,} → {now.size_bytes:,} bytes"
    for name in ("sample_digest", "parts"):
        new, old = now.detail.get(name), before.detail.get(name)
        if new and old and new != old:
            return "values differ"
    return ""


def _text(shape: Any) -> str:
    return "?" if shape is None else "×".join(map(str, shape))


def _short(name: str) -> str:
    return shorten(name, 30)
