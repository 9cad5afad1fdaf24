"""An MLflow server as a push sees it, by MLflow's own client.

What the client raises becomes one RemoteError in one line; it is a `RefusedError` where
the server understood and said no to this one thing, so that the next may go on.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from nbtrack.errors import MissingExtraError, RemoteError
from nbtrack.guard import tolerated
from nbtrack.interop.mlflow.kept import RUN_ID_TAG
from nbtrack.redact import redact
from nbtrack.text import shorten, visible
from nbtrack.tracking.remotes.place import shown_url

Point = tuple[int, float, int]  # step, value, time in ms
POINTS_AT_ONCE = 1000  # what MLflow takes in one request
PAIRS_AT_ONCE = 100
PROBE_S = 10.0
_EXPERIMENTS_AT_ONCE = 200
_REFUSED = {
    "INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS", "INVALID_STATE", "RESOURCE_CONFLICT",
}  # fmt: skip
_LOGIN = (
    "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
    "MLFLOW_TRACKING_TOKEN, to an account that may write there."
)
T = TypeVar("T")


class RefusedError(RemoteError):
    """The server will not take this one thing."""


class Server:
    """One server; each call is one request, or some. Make one with `Server.at`."""

    def __init__(self, url: str, client: Any) -> None:
        self.shown = shown_url(url)
        self._url = url
        self._client = client  # Any: MLflow's, which has no types
        self._repositories: dict[str, Any] = {}

    @classmethod
    def at(cls, url: str) -> Server:
        """The server, or the store, at an address; somebody answers there.

        Raises MissingExtraError without MLflow's client, RemoteError where none does.
        """
        try:
            from mlflow import MlflowClient
        except ImportError as exc:
            raise MissingExtraError(
                "Pushing runs needs mlflow-skinny, which is not installed here. "
                'Install it with: pip install "nbtrack[mlflow]"'
            ) from exc
        if url.startswith(("http://", "https://")):
            _knock(url)
        failed: list[Exception] = []
        with tolerated(failed.append):
            made = cls(url, MlflowClient(tracking_uri=url, registry_uri=url))
        if failed:
            raise RemoteError(_said(shown_url(url), failed[0])) from failed[0]
        made.ask(made._client.search_experiments, max_results=1)
        return made

    @property
    def client(self) -> Any:
        """MLflow's client, for what needs no word of its own; go through `ask`."""
        return self._client

    def ask(self, call: Callable[..., T], *rest: Any, **how: Any) -> T:
        """What a call gives; RemoteError for whatever it raises."""
        failed: list[Exception] = []
        with tolerated(failed.append):
            return call(*rest, **how)
        kind = RefusedError if _is_refusal(failed[0]) else RemoteError
        raise kind(_said(self.shown, failed[0])) from failed[0]

    def experiment(self, name: str) -> str:
        """The id of the experiment, which is made where there is none.

        Raises RefusedError for one that lies in the trash there.
        """
        found = self.ask(self._client.get_experiment_by_name, name)
        if found is None:
            return str(self.ask(self._client.create_experiment, name))
        if found.lifecycle_stage == "deleted":
            raise RefusedError(
                f"Experiment {shorten(repr(name))} lies in the trash of {self.shown}. "
                "Restore it there, or delete it for good: mlflow gc."
            )
        return str(found.experiment_id)

    def experiments(self) -> list[str]:
        """The ids of all experiments, deleted ones too."""
        from mlflow.entities import ViewType

        ids: list[str] = []
        token = None
        while token is not None or not ids:
            page = self.ask(
                self._client.search_experiments, view_type=ViewType.ALL,
                page_token=token,
            )  # fmt: skip
            ids += [experiment.experiment_id for experiment in page]
            token = page.token or None
            if token is None:
                break
        return ids

    def find(self, run_id: str, experiments: Sequence[str]) -> Any:
        """The run there that is ours of this id; None where there is none."""
        from mlflow.entities import ViewType

        for n in range(0, len(experiments), _EXPERIMENTS_AT_ONCE):
            found = self.ask(
                self._client.search_runs,
                list(experiments[n : n + _EXPERIMENTS_AT_ONCE]),
                filter_string=f"tags.`{RUN_ID_TAG}` = '{run_id}'",
                run_view_type=ViewType.ALL,
                max_results=1,
                order_by=["attributes.start_time ASC"],
            )
            if found:
                return found[0]
        return None

    def history(self, run: str, name: str) -> list[Point]:
        """The points that the server has of a metric."""
        metrics = self.ask(self._client.get_metric_history, run, name)
        return [(metric.step, metric.value, metric.timestamp) for metric in metrics]

    def log_points(self, run: str, points: Sequence[tuple[str, Point]]) -> None:
        """Log at most `POINTS_AT_ONCE` points, of any metrics."""
        from mlflow.entities import Metric

        metrics = [Metric(name, value, ms, step) for name, (step, value, ms) in points]
        self.ask(self._client.log_batch, run, metrics=metrics)

    def log_pairs(self, run: str, kind: str, pairs: Mapping[str, str]) -> None:
        """Log `params` or set `tags`, as many as there are."""
        from mlflow.entities import Param, RunTag

        make = Param if kind == "params" else RunTag
        made = [make(name, value) for name, value in pairs.items()]
        for n in range(0, len(made), PAIRS_AT_ONCE):
            some = made[n : n + PAIRS_AT_ONCE]
            self.ask(self._client.log_batch, run, **{kind: some})

    def upload(self, run: Any, path: Path, *, folder: str) -> None:
        """Put a file into a folder of the run's artifacts, under its own name."""
        self.ask(self._repository(run).log_artifact, str(path), folder or None)

    def files(self, run: Any, folder: str = "") -> dict[str, int]:
        """The paths and sizes of all files that the run has there."""
        found: dict[str, int] = {}
        for item in self.ask(self._repository(run).list_artifacts, folder or None):
            if item.is_dir:
                found |= self.files(run, item.path)
            else:
                found[item.path] = int(item.file_size or 0)
        return found

    def _repository(self, run: Any) -> Any:
        """Where the files of a run are: asked of the server once."""
        if run.info.run_id not in self._repositories:
            from mlflow.store.artifact.artifact_repository_registry import (
                get_artifact_repository,
            )
            from mlflow.store.artifact.mlflow_artifacts_repo import (
                MlflowArtifactsRepository,
            )

            uri = run.info.artifact_uri
            if uri.startswith("mlflow-artifacts:"):
                # Clients before 3.0 would ask the process's own address instead.
                uri = MlflowArtifactsRepository.resolve_uri(uri, self._url)
            self._repositories.clear()  # one run at a time is sent
            self._repositories[run.info.run_id] = self.ask(get_artifact_repository, uri)
        return self._repositories[run.info.run_id]


def _knock(url: str) -> None:
    """RemoteError where nobody answers: MLflow's client would try for minutes."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.netloc.rpartition("@")[2]  # nobody asks for a login there
        address = f"{parts.scheme}://{host}{parts.path.rstrip('/')}/health"
        urllib.request.urlopen(address, timeout=PROBE_S).close()  # noqa: S310
    except urllib.error.HTTPError:
        return  # somebody is there; what it is, the first call will tell
    except (OSError, ValueError, http.client.HTTPException) as exc:
        why = getattr(exc, "reason", None) or exc
        raise RemoteError(
            f"{shown_url(url)} cannot be reached: {_one_line(str(why))} Is the server "
            "running, and is that its address?"
        ) from exc


def _is_refusal(exc: Exception) -> bool:
    return getattr(exc, "error_code", None) in _REFUSED and _status(exc) not in (
        401, 403, 404
    )  # fmt: skip


def _status(exc: Exception) -> int | None:
    """The HTTP status, where the answer was no JSON of MLflow's."""
    text = str(exc)
    for status in (401, 403, 404):
        if f"error code {status} " in text or f"status code {status}" in text:
            return status
    return None


def _said(shown: str, exc: Exception) -> str:
    code, status = getattr(exc, "error_code", None), _status(exc)
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED") or status in (401, 403):
        return f"{shown} does not let you in. {_LOGIN}"
    if status == 404:
        return (
            f"{shown} answers, but not as an MLflow server does. Is the address right?"
        )
    if isinstance(exc, ImportError):
        return (
            f"{shown}: {_one_line(str(exc))} Install here what MLflow needs for it: "
            "boto3 where the server leaves its files to S3, sqlalchemy for a database."
        )
    return f"{shown}: {_one_line(str(exc) or type(exc).__name__)}"


def _one_line(text: str) -> str:
    plain = visible(shorten(" ".join(redact(text)[0].split()), 300))
    return plain if plain.endswith(".") else f"{plain}."
