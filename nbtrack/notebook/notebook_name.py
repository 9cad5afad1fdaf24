"""Which notebook this kernel belongs to, where a front end says so.

A nicety: it names the experiment and the folder of the store. Nobody is asked over a
network, no code runs in the browser, and a missing or unreadable name loses nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def notebook_path(namespace: Mapping[str, Any]) -> Path | None:
    """The notebook's file as VS Code or Jupyter tell it, else None.

    Parameters
    ----------
    namespace : mapping
        The user's namespace, where VS Code leaves the path.

    Examples
    --------
    >>> notebook_path({"__vsc_ipynb_file__": "/home/ada/digits.ipynb"})
    PosixPath('/home/ada/digits.ipynb')
    >>> notebook_path({"__vsc_ipynb_file__": 3}) is None
    True
    """
    # Jupyter's variable is set once, at the kernel's start: after a rename it is stale,
    # and a console has no notebook in it.
    told = (namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME"))
    for name in told:
        if isinstance(name, str) and name.endswith(".ipynb") and "\0" not in name:
            return Path(name)
    return None
