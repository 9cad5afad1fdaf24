"""What a run's page shows: its sections, files, differences, and cells to put back."""

from __future__ import annotations

import re

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.server.answers import restored, run_diff, run_files, run_page
from nbtrack.server.handlers.attachment import AttachmentHandler
from nbtrack.server.handlers.request import RUN_ID, NbtrackHandler

DIGEST = r"[0-9a-f]{64}"
_RUN_ID = re.compile(RUN_ID)


class PageHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>/page`: all that is known of a run."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send `{"run", "headline", "sections", "files"}`."""
        self.reply(await self.answer(run_page.page, run_id))


class FileHandler(AttachmentHandler):
    """`GET nbtrack/runs/<id>/files/<sha256>`: a file of one of the run's artifacts."""

    @web.authenticated
    async def get(self, run_id: str, digest: str) -> None:
        """Send the file, to be saved."""
        found = await self.answer(run_files.file, run_id, digest)
        await self.send(found.path, found.size_bytes, found.pieces)


class DiffHandler(NbtrackHandler):
    """`GET nbtrack/diff?a=&b=`: why two runs differ."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"headings", "verdict", "causes", "tables", "code", ...}`."""
        [a] = self.several("a", _RUN_ID, most=1)
        [b] = self.several("b", _RUN_ID, most=1)
        self.reply(await self.answer(run_diff.diff, a, b))


class CellDiffHandler(NbtrackHandler):
    """`POST nbtrack/runs/<id>/cell-diff`: the run's own cell against a text."""

    @web.authenticated
    async def post(self, run_id: str) -> None:
        """Take `{"source"}`; send `{"same", "lines"}`."""
        source = self.body().get("source")
        if not isinstance(source, str):
            raise web.HTTPError(400, "source must be the text of a cell")
        self.reply(await self.answer(run_diff.cell_diff, run_id, source))


class CellsHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>/cells`: the cells that its result depends on."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send `{"cells", "not_kept", "note"}`."""
        self.reply(await self.answer(restored.cells, run_id))


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    (rf"/nbtrack/runs/({RUN_ID})/page", PageHandler),
    (rf"/nbtrack/runs/({RUN_ID})/files/({DIGEST})", FileHandler),
    (rf"/nbtrack/runs/({RUN_ID})/cell-diff", CellDiffHandler),
    (rf"/nbtrack/runs/({RUN_ID})/cells", CellsHandler),
    (r"/nbtrack/diff", DiffHandler),
]
