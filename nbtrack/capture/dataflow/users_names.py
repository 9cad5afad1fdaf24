"""Which names of a namespace are the user's, and not what IPython keeps beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HIDDEN = re.compile(r"_+|_i?\d+|_i+|_ih|_oh|_dh|_exit_code|__.*__")
_IPYTHONS = frozenset({"get_ipython", "open", "display", "In", "Out", "exit", "quit"})


def users_names(namespace: Mapping[str, Any]) -> list[str]:
    """The variables of the user, without those that IPython keeps beside them.

    >>> users_names({"x": 1, "_": 2, "_i3": "", "In": [], "_cache": {}})
    ['x', '_cache']
    """
    # dict() of the namespace is one C call: another thread may add names meanwhile.
    names = list(dict(namespace))
    return [name for name in names if not is_ipythons(name)]


def is_ipythons(name: str) -> bool:
    """Whether IPython keeps something of its own under that name.

    >>> is_ipythons("_i3"), is_ipythons("_cache")
    (True, False)
    """
    if name[:1] != "_":
        return name in _IPYTHONS
    return _HIDDEN.fullmatch(name) is not None


def identities_of(namespace: Mapping[str, Any]) -> dict[str, int]:
    """Name -> the id of its value.

    >>> identities_of({"x": None}) == {"x": id(None)}
    True
    """
    # dict() of the namespace is one C call: another thread may add names meanwhile.
    copy = dict(namespace)
    return dict(zip(copy, map(id, copy.values()), strict=True))
