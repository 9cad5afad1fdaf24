"""What is no address of ours: told like any other error, and as little of it."""

from __future__ import annotations

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.server.handlers.request import NbtrackHandler


class UnknownHandler(NbtrackHandler):
    """Any other path below `nbtrack/`; ids of another form come here too."""

    async def prepare(self) -> None:
        """Refuse it: 403 without the token, as everywhere, and 404 with it."""
        await super().prepare()
        raise web.HTTPError(404, "there is nothing at this address")


# After all others: the first route that fits is taken.
ROUTES: list[tuple[str, type[NbtrackHandler]]] = [(r"/nbtrack/.*", UnknownHandler)]
