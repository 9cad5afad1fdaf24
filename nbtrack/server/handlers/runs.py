"""Runs: the list, one of them, its live frames, its picture, and Stop."""

from __future__ import annotations

import re

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.server.answers import run_list, run_views
from nbtrack.server.handlers.request import (
    DEFAULT_ROWS,
    MAX_ROWS,
    RUN_ID,
    NbtrackHandler,
    not_one_of,
)

KERNEL_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
CURSOR = re.compile(r"[0-9a-f]{16}\.[0-9]{1,9}")
STATUSES = frozenset({"running", "finished", "failed", "stopped", "crashed", "pruned"})
COMMANDS = frozenset({"stop", "checkpoint"})


class RunsHandler(NbtrackHandler):
    """`GET nbtrack/runs?status=&kernel=&limit=`: the newest runs of all stores."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"runs": [...], "problems": [...]}`."""
        status = self.choice("status", STATUSES)
        kernel = self.matching("kernel", KERNEL_ID)
        limit = self.whole("limit", DEFAULT_ROWS, least=1, most=MAX_ROWS)
        self.reply(await self.answer(run_list.runs, status, kernel, limit))


class RunHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>`: one run."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send the run as a row of the list."""
        self.reply(await self.answer(run_views.run, run_id))


class FrameHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>/frame?cursor=`: what is new for a live panel."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send a frame; without a cursor all the data. The cursor is the last one's."""
        cursor = self.get_query_argument("cursor", "")
        if cursor and not CURSOR.fullmatch(cursor):
            raise web.HTTPError(400, "cursor is not one of ours")
        self.reply(await self.answer(run_views.frame, run_id, cursor))


class StaticHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>/static`: what an ended run leaves in the notebook."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send `{"data": {mime: text}, "metadata": {"nbtrack": {"run": id}}}`."""
        self.reply(await self.answer(run_views.static, run_id))


class ControlHandler(NbtrackHandler):
    """`POST nbtrack/runs/<id>/control`: ask a running run to stop or to checkpoint."""

    @web.authenticated
    async def post(self, run_id: str) -> None:
        """Leave `{"command": "stop"}`; the run reads it after its next commit."""
        command = self.body().get("command")
        if not isinstance(command, str) or command not in COMMANDS:
            raise not_one_of("command", COMMANDS)
        await self.answer(run_views.control, run_id, command)
        self.set_status(202)
        self.reply({"run": run_id, "command": command})


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    (r"/nbtrack/runs", RunsHandler),
    (rf"/nbtrack/runs/({RUN_ID})", RunHandler),
    (rf"/nbtrack/runs/({RUN_ID})/frame", FrameHandler),
    (rf"/nbtrack/runs/({RUN_ID})/static", StaticHandler),
    (rf"/nbtrack/runs/({RUN_ID})/control", ControlHandler),
]
