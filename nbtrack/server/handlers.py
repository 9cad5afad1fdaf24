"""The REST handlers: check who asks and what is asked, then let the reader answer.

Every method needs the token; writes need XSRF as everywhere in Jupyter Server. Errors
have one shape, `{"message": ..., "reason": ...}`. Stores are read in one thread of
their own, so the event loop never waits for a disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from http.client import responses
from typing import Any, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.errors import NbtrackError, RunNotFoundError
from nbtrack.server.reader import Reader, Session
from nbtrack.text import shorten

Answer = TypeVar("Answer")

RUN_ID = r"[0-9a-hjkmnp-tv-z]{13}"
KERNEL_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
CURSOR = re.compile(r"[0-9a-f]{16}\.[0-9]{1,9}")
STATUSES = frozenset({"running", "finished", "failed", "stopped", "crashed", "pruned"})
COMMANDS = frozenset({"stop", "checkpoint"})
MAX_ROWS = 1000
MAX_BODY_BYTES = 1_000_000
DEFAULT_ROWS = 100


class NbtrackHandler(APIHandler):
    """What all handlers share: the token, the reader, the shape of errors."""

    _track_activity = False  # a page that polls must not keep the server from culling

    def initialize(self, reader: Reader) -> None:
        """Take the reader that all handlers of this server share."""
        self.reader = reader

    async def prepare(self) -> None:
        """Refuse every method without the token, those we do not have included."""
        await super().prepare()
        if not self.current_user:
            raise web.HTTPError(403)

    async def answer(self, work: Callable[..., Answer], *args: Any) -> Answer:
        """Let the reader do `work` in its thread; its refusals become HTTP errors."""
        try:
            return await self.reader.ask(work, await self.sessions(), *args)
        except RunNotFoundError as exc:
            raise web.HTTPError(404, shorten(str(exc), 300)) from exc
        except NbtrackError as exc:
            raise web.HTTPError(503, shorten(str(exc), 300)) from exc

    async def sessions(self) -> list[Session]:
        """The running sessions, as the server itself knows them."""
        models = await ensure_async(self.session_manager.list_sessions())
        return [Session(model["path"], model["kernel"]["id"]) for model in models]

    def write_error(self, status_code: int, **about: Any) -> None:
        """Send the one shape of errors; what was unforeseen is not told in detail."""
        exc = about.get("exc_info", (None, None))[1]
        said = exc.log_message if isinstance(exc, web.HTTPError) else None
        reason = responses.get(status_code, "Unknown error")
        # tornado doubles percent signs, for its own log line.
        message = said.replace("%%", "%") if said else reason
        self.finish(json.dumps({"message": message, "reason": reason}))

    def reply(self, body: Mapping[str, Any]) -> None:
        """Send `body` as JSON; a number that JSON does not have is an error."""
        self.finish(json.dumps(body, allow_nan=False))


class RunsHandler(NbtrackHandler):
    """`GET nbtrack/runs?status=&kernel=&limit=`: the newest runs of all stores."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"runs": [...], "problems": [...]}`."""
        status = self.choice("status", STATUSES)
        kernel = self.matching("kernel", KERNEL_ID)
        limit = self.row_limit()
        self.reply(await self.answer(self.reader.runs, status, kernel, limit))

    def choice(self, name: str, known: frozenset[str]) -> str | None:
        """An optional argument that must be one of `known`."""
        value: str | None = self.get_query_argument(name, None)
        if value is not None and value not in known:
            raise web.HTTPError(
                400, f"{name} must be one of {', '.join(sorted(known))}"
            )
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """An optional argument that must match `pattern` as a whole."""
        value: str | None = self.get_query_argument(name, None)
        if value is not None and not pattern.fullmatch(value):
            raise web.HTTPError(400, f"{name} is not a valid id")
        return value

    def row_limit(self) -> int:
        """How many rows are asked for, at most `MAX_ROWS`."""
        text = self.get_query_argument("limit", str(DEFAULT_ROWS))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_ROWS):
            raise web.HTTPError(400, f"limit must be 1 to {MAX_ROWS}")
        return int(text)


class RunHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>`: one run."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send the run as a row of the list."""
        self.reply(await self.answer(self.reader.run, run_id))


class FrameHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>/frame?cursor=`: what is new for a live panel."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send a frame; without a cursor all the data. The cursor is the last one's."""
        cursor = self.get_query_argument("cursor", "")
        if cursor and not CURSOR.fullmatch(cursor):
            raise web.HTTPError(400, "cursor is not one of ours")
        self.reply(await self.answer(self.reader.frame, run_id, cursor))


class StaticHandler(NbtrackHandler):
    """`GET nbtrack/runs/<id>/static`: what an ended run leaves in the notebook."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        """Send `{"data": {mime: text}, "metadata": {"nbtrack": {"run": id}}}`."""
        self.reply(await self.answer(self.reader.static, run_id))


class ControlHandler(NbtrackHandler):
    """`POST nbtrack/runs/<id>/control`: ask a running run to stop or to checkpoint."""

    @web.authenticated
    async def post(self, run_id: str) -> None:
        """Leave `{"command": "stop"}`; the run reads it after its next commit."""
        if len(self.request.body) > MAX_BODY_BYTES:
            raise web.HTTPError(413)
        body = self.get_json_body()
        command = body.get("command") if isinstance(body, dict) else None
        if not isinstance(command, str) or command not in COMMANDS:
            raise _not_one_of("command", COMMANDS)
        await self.answer(self.reader.control, run_id, command)
        self.set_status(202)
        self.reply({"run": run_id, "command": command})


def _not_one_of(name: str, known: frozenset[str]) -> web.HTTPError:
    return web.HTTPError(400, f"{name} must be one of {', '.join(sorted(known))}")


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    (r"/nbtrack/runs", RunsHandler),
    (rf"/nbtrack/runs/({RUN_ID})", RunHandler),
    (rf"/nbtrack/runs/({RUN_ID})/frame", FrameHandler),
    (rf"/nbtrack/runs/({RUN_ID})/static", StaticHandler),
    (rf"/nbtrack/runs/({RUN_ID})/control", ControlHandler),
]
