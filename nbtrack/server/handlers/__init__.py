"""The REST handlers: check who asks and what is asked, then let an answer be made."""

from __future__ import annotations

from nbtrack.server.handlers import (
    alerts,
    compare,
    glances,
    jobs,
    models,
    pages,
    runs,
    stores,
    unknown,
)
from nbtrack.server.handlers.request import NbtrackHandler

ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    *stores.ROUTES,
    *runs.ROUTES,
    *glances.ROUTES,
    *alerts.ROUTES,
    *pages.ROUTES,
    *compare.ROUTES,
    *jobs.ROUTES,
    *models.ROUTES,
    *unknown.ROUTES,
]
