"""One logged value: a number is a metric, the rest goes to what keeps its kind.

What has no kind of its own is kept as JSON text, so that nothing that was logged is
lost; `None` is nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.compat.wandb.configured import plain

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

LIST_MAX = 32  # numbers; a longer array is kept as its histogram, as wandb does


class Media:
    """A value that knows how it is kept: pictures, tables, charts are one."""

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        raise NotImplementedError


def is_number(value: Any) -> bool:
    """Whether it is a metric's value.

    >>> is_number(True), is_number(0.5), is_number("0.5"), is_number([1])
    (True, True, False, False)
    """
    if type(value) is float or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str | bytes):  # NumPy's texts are scalars too
        return False
    if hasattr(value, "item") and hasattr(value, "dtype"):
        return _size(value) == 1
    return type(value).__module__.partition(".")[0] in ("decimal", "fractions")


def keep_value(run: Run, name: str, value: Any, step: int | None) -> None:
    """Keep what is no number."""
    if value is None:
        return
    if isinstance(value, Media):
        value.keep(run, name, step)
    elif isinstance(value, str):
        run.log_text(value, name, step=step)
    elif is_list_of_media(value):
        _keep_all(run, name, list(value), step)
    elif _is_figure(value):
        run.log_figure(value, name, step=step)
    elif _comes_from(value, "PIL"):
        run.log_image(value, name, step=step)
    elif _comes_from(value, "pandas", "polars", "pyarrow"):
        run.log_table(value, name, step=step)
    elif hasattr(value, "dtype") and hasattr(value, "shape") and _size(value) > 0:
        _keep_array(run, name, value, step)
    else:
        run.log_text(_as_json(value), name, step=step)


def in_summary(value: Any) -> Any:
    """The value as the summary has it; None for pictures, tables and charts."""
    if isinstance(value, bool | int | float):
        return value
    if is_number(value):
        return _as_number(value)
    if isinstance(value, Mapping):
        parts = {str(key): in_summary(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part is not None}
    if isinstance(value, str):
        return value
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return value.tolist() if 0 < _size(value) <= LIST_MAX else None
    is_short = isinstance(value, list | tuple) and len(value) <= LIST_MAX
    return plain(value) if is_short and all(map(is_number, value)) else None


def is_list_of_media(value: Any) -> bool:
    """Whether it is a list of pictures, sounds, tables..."""
    is_list = isinstance(value, list | tuple) and len(value) > 0
    return is_list and all(isinstance(item, Media) for item in value)


def _keep_all(run: Run, name: str, values: list[Any], step: int | None) -> None:
    from nbtrack.compat.wandb.media import Image, keep_images

    if all(isinstance(value, Image) for value in values):
        keep_images(run, name, values, step)
        return
    for at, value in enumerate(values):
        value.keep(run, f"{name}/{at}" if len(values) > 1 else name, step)


def _keep_array(run: Run, name: str, value: Any, step: int | None) -> None:
    if _size(value) > LIST_MAX:
        run.log_histogram(value, name, step=step)
    else:
        as_list = value.tolist() if hasattr(value, "tolist") else value
        run.log_text(_as_json(as_list), name, step=step)


def _as_json(value: Any) -> str:
    return json.dumps(plain(value), default=str, ensure_ascii=False)


def _as_number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else float(value)


def _size(value: Any) -> int:
    n = 1
    for length in getattr(value, "shape", ()):
        n *= int(length)
    return n


def _comes_from(value: Any, *packages: str) -> bool:
    """Whether its class is of one of these packages; none is imported for it."""
    return type(value).__module__.partition(".")[0] in packages


def _is_figure(value: Any) -> bool:
    if _comes_from(value, "plotly", "matplotlib", "seaborn"):
        return True
    pyplot = sys.modules.get("matplotlib.pyplot")
    return pyplot is not None and value is pyplot
