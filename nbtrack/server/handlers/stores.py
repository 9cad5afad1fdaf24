"""Stores: where each is, how it was found, and what is wrong with it."""

from __future__ import annotations

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.server.answers import store_list
from nbtrack.server.handlers.request import NbtrackHandler


class StoresHandler(NbtrackHandler):
    """`GET nbtrack/stores`: all stores that are known here."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"stores": [...], "version": ...}`."""
        self.reply(await self.answer(store_list.stores))


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [(r"/nbtrack/stores", StoresHandler)]
