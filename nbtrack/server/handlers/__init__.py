"""The REST handlers: check who asks and what is asked, then let an answer be made."""

from __future__ import annotations

from nbtrack.server.handlers import runs
from nbtrack.server.handlers.request import NbtrackHandler

ROUTES: list[tuple[str, type[NbtrackHandler]]] = [*runs.ROUTES]
