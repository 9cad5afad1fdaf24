"""The life of the extension: one reader for the server, jobs, routes, its end."""

from __future__ import annotations

from pathlib import Path

from jupyter_server.extension.application import ExtensionApp
from traitlets import List, Unicode

from nbtrack.server.handlers import ROUTES
from nbtrack.server.jobs import Jobs
from nbtrack.server.reader import Reader


class NbtrackServer(ExtensionApp):
    """Registered with Jupyter Server under the name `nbtrack`."""

    name = "nbtrack"

    stores = List(
        Unicode(),
        help="Stores to show besides those of notebooks and those that you have opened:"
        " `.nbtrack` folders, or folders that they stand in.",
    ).tag(config=True)

    def initialize_handlers(self) -> None:
        """Add our routes under `<base_url>/nbtrack/`."""
        self.reader = Reader(self._notebook_root(), self.stores)
        self.jobs = Jobs()
        shared = {"reader": self.reader, "jobs": self.jobs}
        self.handlers.extend((route, handler, shared) for route, handler in ROUTES)

    async def stop_extension(self) -> None:
        """Close the stores that were opened for reading, and let go of what is made."""
        self.jobs.close()
        self.reader.close()

    def _notebook_root(self) -> Path | None:
        # A contents manager that keeps notebooks elsewhere than in files has no root.
        root = getattr(self.serverapp.contents_manager, "root_dir", None)
        return Path(root).resolve() if root else None
