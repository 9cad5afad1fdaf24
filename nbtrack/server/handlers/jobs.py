"""Files that are made of runs: begun, watched, fetched, cancelled."""

from __future__ import annotations

import re

from jupyter_core.utils import ensure_async
from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.errors import NbtrackError
from nbtrack.server.answers.run_views import store_path
from nbtrack.server.handlers.attachment import AttachmentHandler
from nbtrack.server.handlers.request import (
    RUN_ID,
    NbtrackHandler,
    not_one_of,
    refusal,
)
from nbtrack.server.job_kinds import KINDS, RUNS_CELLS
from nbtrack.server.jobs import Job

JOB_ID = r"[0-9a-f]{16}"
_RUN_ID = re.compile(RUN_ID)
_KEYS = frozenset({"kind", "run"})


class JobsHandler(NbtrackHandler):
    """`POST nbtrack/jobs`: begin to make a file of a run."""

    @web.authenticated
    async def post(self) -> None:
        """Take `{"kind": "script", "run": id}`; send 202 and `{"job": id}`."""
        body = self.body()
        kind, run = body.get("kind"), body.get("run")
        if body.keys() != _KEYS:
            raise web.HTTPError(400, "a job has a kind and a run, and nothing else")
        if not isinstance(kind, str) or kind not in KINDS:
            raise not_one_of("kind", frozenset(KINDS))
        if not isinstance(run, str) or not _RUN_ID.fullmatch(run):
            raise web.HTTPError(400, "run is not a valid id")
        if kind in RUNS_CELLS:
            await self.refuse_who_may_not_execute()
        store = await self.answer(store_path, run)
        try:
            job = self.jobs.start(kind, KINDS[kind], store, run)
        except NbtrackError as exc:
            raise refusal(exc) from exc
        self.set_status(202)
        self.reply({"job": job.id})

    async def refuse_who_may_not_execute(self) -> None:
        """403 for a user of this server who may not run code in its kernels."""
        may = self.authorizer.is_authorized(
            self, self.current_user, "execute", "kernels"
        )
        if not await ensure_async(may):
            raise web.HTTPError(403, "proving a bundle runs cells: you may not")


class OneJobHandler(AttachmentHandler):
    """What the routes of one job share."""

    def found(self, job_id: str) -> Job:
        """The job, or 404."""
        try:
            return self.jobs.job(job_id)
        except NbtrackError as exc:
            raise refusal(exc) from exc


class JobHandler(OneJobHandler):
    """`GET` and `DELETE nbtrack/jobs/<id>`: how far it is; cancel it."""

    @web.authenticated
    async def get(self, job_id: str) -> None:
        """Send `{"job", "kind", "state", "progress", "message", "filename"}`."""
        self.reply(self.found(job_id).told())

    @web.authenticated
    async def delete(self, job_id: str) -> None:
        """Stop it, or let go of what it made; send how it ended."""
        job = self.found(job_id)
        job.cancel()
        self.reply(job.told())


class JobFileHandler(OneJobHandler):
    """`GET nbtrack/jobs/<id>/file`: what was made, once."""

    @web.authenticated
    async def get(self, job_id: str) -> None:
        """Send the file, to be saved; it is let go when all of it was sent."""
        job = self.found(job_id)
        try:
            name, size_bytes, pieces = job.file()
        except NbtrackError as exc:
            raise refusal(exc) from exc
        if await self.send(name, size_bytes, pieces):
            job.let_go()


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    (r"/nbtrack/jobs", JobsHandler),
    (rf"/nbtrack/jobs/({JOB_ID})", JobHandler),
    (rf"/nbtrack/jobs/({JOB_ID})/file", JobFileHandler),
]
