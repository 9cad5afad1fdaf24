"""The model registry: what is registered, and moving a version to another stage."""

from __future__ import annotations

import re
from typing import cast

from tornado import web  # type: ignore[attr-defined]  # not seen as a submodule

from nbtrack.records import Stage
from nbtrack.server.answers.models import Promotion, models, promote
from nbtrack.server.handlers.request import STORE_ID, NbtrackHandler, not_one_of
from nbtrack.store.model_rows import STAGES

_STAGES = frozenset(STAGES)
_KEYS = frozenset({"store", "name", "version", "stage", "note"})


class ModelsHandler(NbtrackHandler):
    """`GET nbtrack/models`: the registered models of all stores."""

    @web.authenticated
    async def get(self) -> None:
        """Send `{"models": [{"store", "name", "versions": [...]}]}`."""
        self.reply(await self.answer(models))


class PromoteHandler(NbtrackHandler):
    """`POST nbtrack/models/promote`: move a version to another stage."""

    @web.authenticated
    async def post(self) -> None:
        """Take `{"store", "name", "version", "stage", "note"}`; send the version."""
        body = self.body()
        if body.keys() != _KEYS or not all(isinstance(v, str) for v in body.values()):
            raise web.HTTPError(400, f"a promotion has texts: {', '.join(_KEYS)}")
        if not re.fullmatch(STORE_ID, body["store"]):
            raise web.HTTPError(400, "store is not a valid id")
        if body["stage"] not in _STAGES:
            raise not_one_of("stage", _STAGES)
        stage = cast("Stage", body["stage"])
        asked = Promotion(
            body["store"], body["name"], body["version"], stage, body["note"]
        )
        self.reply(await self.answer(promote, asked))


ROUTES: list[tuple[str, type[NbtrackHandler]]] = [
    (r"/nbtrack/models", ModelsHandler),
    (r"/nbtrack/models/promote", PromoteHandler),
]
