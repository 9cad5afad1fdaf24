"""Registered models in the registry of an MLflow server.

MLflow counts versions up from 1: `fraud@1.2.0` is a version there with the tag
`nbtrack.version`. A stage is an alias there, as MLflow has it since stages went.
"""

from __future__ import annotations

import re
from typing import Any

from nbtrack.interop.mlflow.names import path_there
from nbtrack.interop.mlflow.sending import RunSender
from nbtrack.interop.mlflow.server import RefusedError, Server
from nbtrack.records import ModelVersion
from nbtrack.store import Store
from nbtrack.text import shorten

VERSION_TAG = "nbtrack.version"
_ALIAS = re.compile(r"(?![vV]\d+\Z)(?!latest\Z)[A-Za-z0-9_-]{1,250}")


def push_models(
    server: Server, store: Store, sender: RunSender
) -> tuple[tuple[str, ...], list[str]]:
    """Register the models whose files lie with runs that this push knows there."""
    made: list[str] = []
    notices: list[str] = []
    for name in store.model_names():
        versions = [
            version for version in store.model_versions(name)
            if version.artifact in sender.folders
        ]  # fmt: skip
        if not versions:
            continue
        try:
            made += _Model(server, name, store.model_description(name)).push(
                versions, sender
            )
        except RefusedError as exc:
            notices.append(f"model {name}: {exc}")
    return tuple(made), notices


class _Model:
    """One registered model there."""

    def __init__(self, server: Server, name: str, description: str) -> None:
        self._ask = server.ask
        self._client = server.client
        self._name = path_there(name).replace("/", "_")
        self._description = description

    def push(self, versions: list[ModelVersion], sender: RunSender) -> list[str]:
        """Register those that are not there; move the aliases."""
        there = self._known()
        made = []
        for version in versions:
            number = there.get(version.version)
            if number is None:
                number = self._register(version, *sender.folders[version.artifact])
                made.append(version.ref)
            self._name_as(number, [*version.aliases, version.stage])
        return made

    def _known(self) -> dict[str, str]:
        """The numbers there of our versions; the model is made where it is not."""
        quoted = self._name.replace("'", "")
        found = self._ask(
            self._client.search_registered_models, filter_string=f"name = '{quoted}'"
        )
        if not found:
            self._ask(
                self._client.create_registered_model, self._name,
                description=shorten(self._description, 5000) or None,
            )  # fmt: skip
            return {}
        versions = self._ask(self._client.search_model_versions, f"name = '{quoted}'")
        return {
            v.tags[VERSION_TAG]: v.version for v in versions if VERSION_TAG in v.tags
        }

    def _register(self, version: ModelVersion, run: str, folder: str) -> str:
        made: Any = self._ask(
            self._client.create_model_version, self._name, f"runs:/{run}/{folder}",
            run_id=run, description=shorten(version.notes, 5000) or None,
            tags={VERSION_TAG: version.version, "nbtrack.stage": version.stage},
            await_creation_for=0,
        )  # fmt: skip
        return str(made.version)

    def _name_as(self, number: str, aliases: list[str]) -> None:
        for alias in aliases:
            if _ALIAS.fullmatch(alias) and alias != "archived":
                self._ask(
                    self._client.set_registered_model_alias, self._name, alias, number
                )
