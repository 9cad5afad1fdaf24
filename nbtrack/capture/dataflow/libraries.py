"""Which library a value belongs to, told without asking the value."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from nbtrack.capture.classes import is_a, root_of
from nbtrack.capture.opened_files import is_users_file


def is_local(module: str) -> bool:
    """Whether it is a module of the user's, which may do anything when imported."""
    path = getattr(sys.modules.get(module), "__file__", None)
    return isinstance(path, str) and is_users_file(path)


def library_part(path: str, namespace: Mapping[str, Any]) -> Any:
    """What stands at `a.b.c`, as far as modules and classes keep it themselves."""
    first, *rest = path.split(".")
    value = namespace.get(first)
    for name in rest:
        if library_of(value) is None or not name.isidentifier():
            return None  # an object that a library gave: it is looked at itself
        # A part that a library makes up when it is asked for counts as the library.
        value = vars(value).get(name, value)
    return value


def library_of(value: Any) -> str | None:  # Any: whatever stands in the namespace
    """The top module that a module or a class of a library belongs to."""
    if type(value) is ModuleType:
        root = str(value.__name__).partition(".")[0]
    elif is_a(value, type):
        root = root_of(value)
    else:
        return None
    return None if root == "__main__" else root
