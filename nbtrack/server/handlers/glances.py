"""Small answers about many runs at once: their curves, and the cells they ran in."""

from __future__ import annotations

import re

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.server.answers import cells, sparks
from nbtrack.server.handlers.request import RUN_ID, NbtrackHandler

MAX_SPARKS = 200
MAX_CELLS = 500
CELL_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_RUN_ID = re.compile(RUN_ID)


class SparksHandler(NbtrackHandler):
    """`GET nbtrack/sparks?runs=a,b`: the telling curve of each, as a few numbers."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"sparks": {run: {"metric": name, "y": [...]}}}`."""
        runs = self.several("runs", _RUN_ID, most=MAX_SPARKS)
        self.reply(await self.answer(sparks.sparks, runs))


class CellsHandler(NbtrackHandler):
    """`GET nbtrack/cells?ids=a,b`: the latest run of each cell, and the best."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"cells": {id: {"run", "n_runs", "best", "spark"}}}`."""
        ids = self.several("ids", CELL_ID, most=MAX_CELLS)
        self.reply(await self.answer(cells.cells, ids))


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    (r"/nbtrack/sparks", SparksHandler),
    (r"/nbtrack/cells", CellsHandler),
]
