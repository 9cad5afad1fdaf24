"""What IPython's `%autoreload` has reloaded: it patches modules without importing them.

So neither the module's spec nor its bytecode shows that an edited file is what runs.
The extension remembers the time of the file that it loaded last; nothing else of it is
used, and where it has none of that nothing is known.
"""

from __future__ import annotations

import sys


def reload_times() -> dict[str, float]:
    """Module name -> time of its file when it was loaded last, where that is watched.

    >>> reload_times()
    {}
    """
    if "IPython.extensions.autoreload" not in sys.modules:
        return {}
    shell = sys.modules["IPython"].get_ipython()
    registry = getattr(getattr(shell, "magics_manager", None), "registry", {})
    reloader = getattr(registry.get("AutoreloadMagics"), "_reloader", None)
    if not getattr(reloader, "enabled", False):
        return {}
    times = dict(getattr(reloader, "modules_mtimes", {}))
    failed = set(dict(getattr(reloader, "failed", {})).values())
    return {name: at for name, at in times.items() if at not in failed}
