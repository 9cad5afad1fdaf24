"""The Jupyter Server extension: what the JupyterLab plugin reads and asks for by REST.

It shows the runs of the stores that this user works with, changes what they are called,
and passes Stop on. It asks no kernel anything, opens no port, and takes ids only: never
a path, a URL or SQL from the client.
"""

from __future__ import annotations

from typing import Any

from nbtrack import __version__  # `jupyter server extension list` shows it

__all__ = ["__version__", "_jupyter_server_extension_points"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What `jupyter server extension list` and the server look for."""
    from nbtrack.server.extension import NbtrackServer

    return [{"module": "nbtrack.server", "app": NbtrackServer}]
