"""Stands in for nbtrack where a bundle's script runs without it.

What the cells log is printed at the end, beside what the run had; everything else that
nbtrack offers does nothing here. Nothing is kept.
"""

import atexit
import json
import os
import sys
from typing import Any  # the values are those of the user's cells

_last: dict[str, float] = {}


class _Inert:
    """Anything of nbtrack's: it can be called, entered and asked, and does nothing."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return args[0] if args and callable(args[0]) else self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return log if name == "log" else self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        return None


_inert = _Inert()


def log(values: Any = None, /, *, step: Any = None, **more: Any) -> None:
    """Remember the latest value of each metric."""
    for name, value in {**(values or {}), **more}.items():
        try:
            _last[str(name)] = float(value)
        except (TypeError, ValueError):
            continue


def epochs(n: int) -> range:
    """0 to n - 1."""
    return range(n)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _inert


def _say() -> None:
    """Each metric that was logged, and whether the run had the same."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "results", "expected.json")
    with open(path, encoding="utf-8") as file:
        expected = json.load(file)["metrics"]
    for name, value in sorted(_last.items()):
        was = expected.get(name, {}).get("last")
        same = "the same" if was == value else f"the run had {was!r}"
        sys.stdout.write(f"{name}: {value!r} ({same})\n")


def stand_in() -> None:
    """From now on `import nbtrack` gives this module."""
    atexit.register(_say)
    sys.modules["nbtrack"] = sys.modules[__name__]
