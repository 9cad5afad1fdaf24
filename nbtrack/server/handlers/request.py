"""What all handlers share: who may ask, how it is answered, the shape of errors.

Every method needs the token; writes need XSRF as everywhere in Jupyter Server. Errors
have one shape, `{"message": ..., "reason": ...}`. Stores are read in one thread of
their own, so the event loop never waits for a disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from http.client import responses
from typing import Any, Concatenate, ParamSpec, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.errors import (
    ArtifactNotFoundError,
    BusyError,
    FileGoneError,
    JobNotFoundError,
    ModelError,
    ModelNotFoundError,
    NbtrackError,
    OptionError,
    QueryError,
    RunNotFoundError,
    StoreNotFoundError,
    StoreReadOnlyError,
    StoreTooNewError,
)
from nbtrack.server.desk import Desk
from nbtrack.server.jobs import Jobs
from nbtrack.server.reader import Reader
from nbtrack.server.stores import Session
from nbtrack.text import shorten

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

RUN_ID = r"[0-9a-hjkmnp-tv-z]{13}"
STORE_ID = r"[0-9a-f]{16}"
MAX_ROWS = 1000
MAX_BODY_BYTES = 1_000_000
DEFAULT_ROWS = 100
# The first that fits; what else goes wrong may be otherwise in a moment.
STATUS_OF: tuple[tuple[type[NbtrackError], int], ...] = (
    (RunNotFoundError, 404),
    (StoreNotFoundError, 404),
    (ArtifactNotFoundError, 404),
    (ModelNotFoundError, 404),
    (JobNotFoundError, 404),
    (ModelError, 409),
    (FileGoneError, 410),
    (BusyError, 429),
    (QueryError, 400),
    (OptionError, 400),
    (StoreReadOnlyError, 409),
    (StoreTooNewError, 409),
    (NbtrackError, 503),
)


class NbtrackHandler(APIHandler):
    """The token, the reader, the shape of errors."""

    _track_activity = False  # a page that polls must not keep the server from culling

    def initialize(self, reader: Reader, jobs: Jobs) -> None:
        """Take the reader and the jobs that all handlers of this server share."""
        self.reader = reader
        self.jobs = jobs

    async def prepare(self) -> None:
        """Refuse every method without the token, those we do not have included."""
        await super().prepare()
        if not self.current_user:
            raise web.HTTPError(403)

    async def answer(
        self,
        work: Callable[Concatenate[Desk, Asked], Answer],
        *args: Asked.args,
        **how: Asked.kwargs,
    ) -> Answer:
        """Do `work(desk, ...)` in the reader's thread; refusals become HTTP errors."""
        sessions = await self.sessions()
        try:
            return await self.reader.ask(sessions, lambda at: work(at, *args, **how))
        except NbtrackError as exc:
            raise refusal(exc) from exc

    async def sessions(self) -> list[Session]:
        """The running sessions, as the server itself knows them."""
        models = await ensure_async(self.session_manager.list_sessions())
        return [Session(model["path"], model["kernel"]["id"]) for model in models]

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; 413 where it is too big, 400 if it is none."""
        if len(self.request.body) > MAX_BODY_BYTES:
            raise web.HTTPError(413)
        body = _json_of(self.request.body)
        if not isinstance(body, dict):
            raise web.HTTPError(400, "the body must be a JSON object")
        return body

    def choice(self, name: str, known: frozenset[str]) -> str | None:
        """An optional argument that must be one of `known`."""
        value: str | None = self.get_query_argument(name, None)
        if value is not None and value not in known:
            raise not_one_of(name, known)
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """An optional argument that must match `pattern` as a whole."""
        value: str | None = self.get_query_argument(name, None)
        if value is not None and not pattern.fullmatch(value):
            raise web.HTTPError(400, f"{name} is not a valid id")
        return value

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        """An optional whole number between two bounds."""
        text = self.get_query_argument(name, str(default))
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        if not (is_number and least <= int(text) <= most):
            raise web.HTTPError(400, f"{name} must be {least} to {most}")
        return int(text)

    def several(self, name: str, pattern: re.Pattern[str], *, most: int) -> list[str]:
        """One to `most` ids behind commas, each of which matches `pattern`."""
        ids: list[str] = self.get_query_argument(name, "").split(",")
        if len(ids) > most:
            raise web.HTTPError(400, f"{name} are at most {most}")
        if not all(map(pattern.fullmatch, ids)):
            raise web.HTTPError(400, f"{name} must be ids with commas between them")
        return ids

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


def _json_of(sent: bytes) -> object:
    """What was sent; None where it is no JSON, or holds what no text or number is."""
    try:
        value = json.loads(sent, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate is no text
    except (ValueError, RecursionError):
        return None
    return value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def refusal(exc: NbtrackError) -> web.HTTPError:
    """An error of ours in HTTP's terms, with its own words."""
    status = next(status for kind, status in STATUS_OF if isinstance(exc, kind))
    return web.HTTPError(status, shorten(str(exc), 300))


def not_one_of(name: str, known: frozenset[str]) -> web.HTTPError:
    """The refusal of a word that is none of those we know."""
    return web.HTTPError(400, f"{name} must be one of {', '.join(sorted(known))}")
