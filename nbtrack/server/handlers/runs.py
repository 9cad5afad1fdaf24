"""Runs: the list, one of them, its changes, its live frames, its picture, and Stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.analysis.comparing.wire import STAR
from nbtrack.analysis.edits import Changes
from nbtrack.server.answers import run_detail, run_edits, run_list, run_views
from nbtrack.server.handlers.request import (
    DEFAULT_ROWS,
    MAX_ROWS,
    RUN_ID,
    STORE_ID,
    NbtrackHandler,
    not_one_of,
)

KERNEL_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
CURSOR = re.compile(r"[0-9a-f]{16}\.[0-9]{1,9}")
STATUSES = frozenset({"running", "finished", "failed", "stopped", "crashed", "pruned"})
WHICH = frozenset({"0", "1"})
MAX_OFFSET = 10_000_000
MAX_TAGS = 100  # in one request
VERSION = re.compile(r"[0-9a-f]{16}")
COMMANDS = frozenset({"stop", "checkpoint"})


class RunsHandler(NbtrackHandler):
    """`GET nbtrack/runs?store=&query=&status=&kernel=&trashed=&offset=&limit=&seen=`.

    The newest runs of all stores, or of one, that answer to a query.
    """

    @web.authenticated
    async def get(self) -> None:
        """Send `{"runs", "total", "version", "problems"}`.

        Or `{"unchanged": true, "version"}`, where `seen` is still the version.
        """
        question = run_list.Question(
            limit=self.whole("limit", DEFAULT_ROWS, least=1, most=MAX_ROWS),
            offset=self.whole("offset", 0, least=0, most=MAX_OFFSET),
            store=self.matching("store", re.compile(STORE_ID)),
            query=self.get_query_argument("query", ""),
            status=self.choice("status", STATUSES),
            kernel=self.matching("kernel", KERNEL_ID),
            is_trashed=self.choice("trashed", WHICH) == "1",
        )
        seen = self.matching("seen", VERSION)
        self.reply(await self.answer(run_list.runs, question, seen))


class RunHandler(NbtrackHandler):
    """`GET` and `PATCH nbtrack/runs/<id>`: one run, and changes of it."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send the run: its row of the list, with params, notes and source."""
        self.reply(await self.answer(run_detail.detail, run_id))

    @web.authenticated
    async def patch(self, run_id: str) -> None:
        """Make all of `{"name", "notes", "starred", "add_tags", ...}`; send the row."""
        changes = changes_of(self.body())
        self.reply(await self.answer(run_edits.edit, run_id, changes))


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


def changes_of(body: dict[str, Any]) -> Changes:
    """What a body asks for; 400 where it is not all of what we know."""
    unknown = body.keys() - _KINDS.keys()
    if unknown:
        raise not_one_of("each key", frozenset(_KINDS))
    for name, value in body.items():
        if not _KINDS[name](value):
            raise web.HTTPError(400, f"{name} is of the wrong kind")
    tags = {name: [*body.get(name, ())] for name in ("add_tags", "remove_tags")}
    if "starred" in body:
        tags["add_tags" if body["starred"] else "remove_tags"].append(STAR)
    return Changes(
        name=body.get("name"),
        notes=body.get("notes"),
        trashed=body.get("trashed"),
        add_tags=tuple(tags["add_tags"]),
        remove_tags=tuple(tags["remove_tags"]),
        alerts_seen=body.get("alerts_seen", False),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_true(value: object) -> bool:
    return value is True


def _are_tags(value: object) -> bool:
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        return False
    return all(map(_is_text, value))


_KINDS: dict[str, Callable[[object], bool]] = {
    "name": _is_text,
    "notes": _is_text,
    "starred": _is_bool,
    "trashed": _is_bool,
    "alerts_seen": _is_true,
    "add_tags": _are_tags,
    "remove_tags": _are_tags,
}

ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    (r"/nbtrack/runs", RunsHandler),
    (rf"/nbtrack/runs/({RUN_ID})", RunHandler),
    (rf"/nbtrack/runs/({RUN_ID})/frame", FrameHandler),
    (rf"/nbtrack/runs/({RUN_ID})/static", StaticHandler),
    (rf"/nbtrack/runs/({RUN_ID})/control", ControlHandler),
]
