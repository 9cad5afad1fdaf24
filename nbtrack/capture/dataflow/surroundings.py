"""What stands around the variables: folder, environment, settings of libraries.

Looked at before and after each cell, for a few microseconds each: what changed is a
write of the cell to a pseudo-variable (`@cwd`, `@env:KEY`, `@context:decimal`). Nothing
is imported for it, and what only changes how things are shown is left alone.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbtrack.capture.dataflow.pseudo import CONTEXT, CWD, ENVIRONMENT, FIGURES
from nbtrack.guard import tolerated

_SHOWN_ONLY = frozenset({"display", "styler", "plotting"})


def look_around() -> dict[str, Any]:
    """Pseudo-variable -> a value that can be compared.

    >>> before = look_around()
    >>> os.environ["A_KEY_OF_MINE"] = "1"
    >>> changed_around(before, look_around())
    {'@env:A_KEY_OF_MINE': 'set'}
    >>> del os.environ["A_KEY_OF_MINE"]
    """
    found: dict[str, Any] = {"environ": dict(os.environ._data)}  # type: ignore[attr-defined]
    for name, look in _LOOKS:
        with tolerated(lambda exc: None):
            found[name] = look()
    return found


def changed_around(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, str]:
    """The pseudo-variables that differ -> "set", "changed" or "deleted".

    >>> changed_around({"@cwd": "/a"}, {"@cwd": "/b"})
    {'@cwd': 'changed'}
    """
    found = dict(_changed_variables(before.get("environ"), after.get("environ")))
    for name, value in after.items():
        # None: the library was not loaded yet, and its settings are those it has then.
        if name != "environ" and before.get(name) is not None and before[name] != value:
            found[name] = "changed"
    return found


def _changed_variables(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    if before is None or after is None or before == after:
        return
    for key in sorted({*before, *after}, key=str):
        if before.get(key) != after.get(key):
            how = "deleted" if key not in after else "set"
            yield ENVIRONMENT + os.fsdecode(key), how


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def _decimal() -> Any:
    decimal = sys.modules.get("decimal")
    if decimal is None:
        return None
    now = decimal.getcontext()
    traps = frozenset(kind for kind, on in now.traps.items() if on)
    return now.prec, now.rounding, now.Emin, now.Emax, now.capitals, now.clamp, traps


def _numpy() -> Any:
    numpy = sys.modules.get("numpy")
    geterr = getattr(numpy, "geterr", None)
    return None if geterr is None else tuple(geterr().items())


def _torch() -> Any:
    torch = sys.modules.get("torch")
    if getattr(torch, "default_generator", None) is None:
        return None  # also one that is being imported
    assert torch is not None
    return (
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
    )


def _options_of_pandas() -> dict[str, Any] | None:
    config = sys.modules.get("pandas._config.config")
    options = getattr(config, "_global_config", None)
    return options if type(options) is dict else None


def _pandas() -> Any:
    options = _options_of_pandas()
    if options is None:
        return None
    kept = {name: part for name, part in options.items() if name not in _SHOWN_ONLY}
    return _flat(kept)


def _shown() -> Any:
    """How numbers become text: read only where a cell makes texts of them."""
    options = _options_of_pandas()
    numpy = sys.modules.get("numpy")
    get = getattr(numpy, "get_printoptions", None)
    shown = () if options is None else _flat(options.get("display", {}))
    return shown, () if get is None else _flat(get())


def _flat(options: Mapping[str, Any]) -> tuple[Any, ...]:
    """Names and values that are compared by what they are, not by asking them."""
    found: list[Any] = []
    for name, value in options.items():
        if type(value) is dict:
            found.append((name, _flat(value)))
        else:
            is_plain = type(value) in (int, float, str, bool, type(None))
            found.append((name, value if is_plain else id(value)))
    return tuple(found)


def _timezone() -> Any:
    return time.tzname, time.timezone


def _sklearn() -> Any:
    config = sys.modules.get("sklearn._config")
    get = getattr(config, "get_config", None)
    return None if get is None else tuple(get().items())


def _locale() -> Any:
    locale = sys.modules.get("locale")
    setlocale = getattr(locale, "setlocale", None)
    return None if setlocale is None else setlocale(0)


def _raising_warnings() -> tuple[str, ...]:
    return tuple(str(f[2]) + str(f[1]) for f in warnings.filters if f[0] == "error")


def _figures() -> Any:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    figures = getattr(getattr(helpers, "Gcf", None), "figs", None)
    return None if figures is None else tuple(map(id, list(figures.values())))


_LOOKS: tuple[tuple[str, Callable[[], Any]], ...] = (
    (CWD, _folder),
    (CONTEXT + "decimal", _decimal),
    (CONTEXT + "numpy", _numpy),
    (CONTEXT + "torch", _torch),
    (CONTEXT + "pandas", _pandas),
    (CONTEXT + "shown", _shown),
    (CONTEXT + "timezone", _timezone),
    (CONTEXT + "sklearn", _sklearn),
    (CONTEXT + "locale", _locale),
    (CONTEXT + "sys.path", lambda: tuple(sys.path)),
    (CONTEXT + "warnings", _raising_warnings),
    (CONTEXT + "recursion", sys.getrecursionlimit),
    (FIGURES, _figures),
)
