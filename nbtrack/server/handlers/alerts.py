"""Alerts of all stores, for toasts and badges."""

from __future__ import annotations

import re

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.server.answers import alerts
from nbtrack.server.handlers.request import STORE_ID, NbtrackHandler

DEFAULT_ALERTS = 50
MAX_ALERTS = 200


class AlertsHandler(NbtrackHandler):
    """`GET nbtrack/alerts?store=&limit=`: the newest alerts, stalled runs included."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"alerts", "problems"}`, the newest first."""
        limit = self.whole("limit", DEFAULT_ALERTS, least=1, most=MAX_ALERTS)
        store = self.matching("store", re.compile(STORE_ID))
        self.reply(await self.answer(alerts.alerts, limit, store))


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [(r"/nbtrack/alerts", AlertsHandler)]
