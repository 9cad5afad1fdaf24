"""A run as MLflow keeps it, in a database or in files, and what becomes of it here."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbtrack.interop.foreign import ForeignArtifact, ForeignRun, ForeignSeries
from nbtrack.records import InputRecord, Status

RUN_ID_TAG = "nbtrack.run_id"  # on every run that was pushed by us
PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
NAME_TAG = "mlflow.runName"
LARGEST = 1.7976931348623157e308  # how MLflow's databases write Inf
STATUSES: Mapping[str, Status] = {
    "RUNNING": "running", "SCHEDULED": "running", "FINISHED": "finished",
    "FAILED": "failed", "KILLED": "stopped",
}  # fmt: skip
FACTS = {
    "mlflow.source.git.commit": "git.commit",
    "mlflow.source.git.branch": "git.branch",
    "mlflow.source.git.repoURL": "git.remote",
    "mlflow.source.git.dirty": "git.dirty",
}
_LONGEST_LIST = 1000  # characters of a param that may be one


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model that MLflow 3 keeps beside the run that logged it."""

    id: str
    name: str
    location: str  # URI of its files
    type: str | None = None
    step: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptRun:
    """What is known of a run without its points and files."""

    id: str
    name: str
    experiment: str
    status: str  # as MLflow says it
    ended_ms: int | None
    artifact_uri: str
    is_trashed: bool = False
    user: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[Mapping[str, Any]] = ()  # as columns of table `datasets`
    models: Sequence[KeptModel] = ()
    registered: Sequence[str] = ()  # versions of registered models: "fraud 3"

    @property
    def parent(self) -> str | None:
        """The run that it is nested in."""
        return self.tags.get(PARENT_TAG) or None


def as_foreign(
    kept: KeptRun,
    series: Iterable[ForeignSeries],
    artifacts: Sequence[ForeignArtifact],
    notices: Sequence[str],
) -> ForeignRun:
    """A run that MLflow recorded."""
    return ForeignRun(
        name=kept.name or kept.tags.get(NAME_TAG, ""),
        experiment=kept.experiment,
        status=STATUSES.get(kept.status, "running"),
        ended_at=None if kept.ended_ms is None else kept.ended_ms / 1000,
        params={name: typed(text) for name, text in kept.params.items()},
        tags={
            name: value or None
            for name, value in kept.tags.items()
            if not name.startswith("mlflow.")
        },
        notes=kept.tags.get(NOTE_TAG, ""),
        parent=kept.parent,
        facts=_facts(kept),
        inputs=[_input(dataset) for dataset in kept.datasets],
        artifacts=artifacts,
        series=series,
        is_trashed=kept.is_trashed,
        notices=[*notices, *_left_out(kept)],
    )


def typed(text: str) -> Any:  # Any: a scalar or a list of scalars
    """The value behind a param, which MLflow keeps as text, where that is sure.

    >>> typed("0.1"), typed("007"), typed("None"), typed("[1, 'a']")
    (0.1, '007', None, [1, 'a'])
    """
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if str(value) == text else text
    if text[:1] == "[" and text[-1:] == "]" and len(text) <= _LONGEST_LIST:
        return _list(text)
    return text


def float_of(value: float | None, is_nan: object) -> float:
    """A value as it was logged: databases have neither NaN nor Inf.

    >>> float_of(0.0, 1), float_of(-LARGEST, 0)
    (nan, -inf)
    """
    if is_nan or value is None:
        return float("nan")
    return value * 2 if abs(value) == LARGEST else value


def _list(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    scalars = (bool, int, float, str, type(None))
    is_flat = isinstance(value, list) and all(isinstance(v, scalars) for v in value)
    return value if is_flat and str(value) == text else text


def _left_out(kept: KeptRun) -> Iterator[str]:
    if kept.registered:
        names = ", ".join(kept.registered)
        yield (
            f"registered as model {names}: registries are not taken; register its "
            "files with nbtrack.models.register"
        )


def _facts(kept: KeptRun) -> dict[str, Any]:
    told: dict[str, Any] = {
        "mlflow.user": kept.user, "mlflow.artifact_uri": kept.artifact_uri
    }  # fmt: skip
    known = {NOTE_TAG, NAME_TAG, PARENT_TAG}
    for name, value in kept.tags.items():
        if name.startswith("mlflow.") and name not in known:
            told[FACTS.get(name, name)] = value
    for model in kept.models:
        own = {k: v for k, v in model.tags.items() if not k.startswith("mlflow.")}
        told[f"mlflow.model.{model.id}"] = {
            "name": model.name, "type": model.type, "step": model.step,
            "tags": own, "params": dict(model.params),
        }  # fmt: skip
    return {name: value for name, value in told.items() if value}


def _input(dataset: Mapping[str, Any]) -> InputRecord:
    detail = {
        name: _parsed(dataset.get(f"dataset_{name}") or dataset.get(name))
        for name in ("source_type", "source", "schema", "profile", "tags")
    }
    return InputRecord(
        str(dataset["name"]), "dataset",
        detail={name: value for name, value in detail.items() if value}
        | {"mlflow.digest": dataset.get("digest")},
        missing="MLflow's digest is not one of the whole content",
    )  # fmt: skip


def _parsed(value: Any) -> Any:
    """What is JSON, as MLflow writes into these columns, as what it says."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
