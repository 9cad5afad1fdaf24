"""A run as `wandb.Api()` shows it: read from the store, never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbtrack.capture.values import unflatten
from nbtrack.compat.wandb.saying import not_here
from nbtrack.compat.wandb.summed import kept
from nbtrack.store.values import epoch_s
from nbtrack.sweeps.studies import SWEEP, TRIAL

if TYPE_CHECKING:
    from nbtrack.compat.wandb.artifact import Artifact
    from nbtrack.records import RunRecord
    from nbtrack.store import Store

_STATES: Mapping[str, str] = {"stopped": "killed", "pruned": "killed"}
_JOB = "job_type"
_NOT_OF_THE_SCRIPT = {_JOB, SWEEP, TRIAL}


class ApiRun:
    """One recorded run."""

    def __init__(self, store: Store, record: RunRecord) -> None:
        self.record = record
        self._store = store

    @property
    def id(self) -> str:
        """Its id in the store."""
        return self.record.id

    @property
    def name(self) -> str:
        """For people."""
        return self.record.name

    @property
    def display_name(self) -> str:
        """As `name`."""
        return self.record.name

    @property
    def state(self) -> str:
        """running, finished, failed, crashed; killed for one that was stopped."""
        return _STATES.get(self.record.status, self.record.status)

    @property
    def project(self) -> str:
        """The experiment."""
        return self.record.experiment

    @property
    def entity(self) -> str:
        """Empty: there is none here."""
        return ""

    @property
    def path(self) -> list[str]:
        """Project and id."""
        return [self.record.experiment, self.record.id]

    @property
    def group(self) -> str | None:
        """What it shares with other runs."""
        return self.record.group

    @property
    def job_type(self) -> str | None:
        """Of the tag `job_type`."""
        return self.record.tags.get(_JOB)

    @property
    def sweep_id(self) -> str | None:
        """The sweep's name, of a trial."""
        return self.record.tags.get(SWEEP)

    @property
    def tags(self) -> list[str]:
        """As they were written."""
        return [
            key if value is None else f"{key}: {value}"
            for key, value in self.record.tags.items()
            if key not in _NOT_OF_THE_SCRIPT
        ]

    @property
    def notes(self) -> str:
        """Markdown."""
        return self.record.notes

    @property
    def created_at(self) -> str:
        """When it began, UTC."""
        return self.record.started_at

    @property
    def url(self) -> None:
        """None: there is no server. `nbtrack.show(run.id)` shows the run."""
        return

    @cached_property
    def config(self) -> dict[str, Any]:
        """The params, nested."""
        params = {name: param.value for name, param in self.record.params.items()}
        return {str(key): value for key, value in unflatten(params).items()}

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The last value of each metric, and what was set by hand."""
        metrics = self.record.metrics
        last = {name: metric.last for name, metric in metrics.items()}
        steps = [metric.last_step for metric in metrics.values()]
        about: dict[str, Any] = {"_step": max(steps)} if steps else {}
        if self.record.duration_s is not None:
            about["_runtime"] = self.record.duration_s
        return {**about, **last, **kept(self._store.facts(self.id))}

    @property
    def summary_metrics(self) -> dict[str, Any]:
        """As `summary`."""
        return self.summary

    @property
    def lastHistoryStep(self) -> int:
        """The last step; -1 before the first."""
        steps = [metric.last_step for metric in self.record.metrics.values()]
        return max(steps, default=-1)

    def history(
        self,
        samples: int = 500,
        keys: list[str] | None = None,
        x_axis: str = "_step",
        pandas: bool = True,
        stream: str = "default",
    ) -> Any:
        """The points by step: a frame, or rows where `pandas` is False.

        Parameters
        ----------
        samples : int
            Of more steps an even share is taken, the last one included.
        keys : list of str, optional
            Only steps that have all of these.
        stream : str
            "system" for the machine's series.
        """
        rows = list(self._rows(keys, is_system=stream == "system"))
        every = max(1, -(-len(rows) // max(1, samples)))
        chosen = rows if every == 1 else [*rows[:-1:every], rows[-1]]
        if not pandas:
            return chosen
        import pandas as pd

        return pd.DataFrame.from_records(chosen)

    def scan_history(
        self,
        keys: list[str] | None = None,
        page_size: int = 1000,
        min_step: int = 0,
        max_step: int | None = None,
        use_cache: bool = True,
    ) -> Iterator[dict[str, Any]]:
        """Every step, one mapping after the other."""
        for row in self._rows(keys):
            if min_step <= row["_step"] and (
                max_step is None or row["_step"] < max_step
            ):
                yield row

    def logged_artifacts(self) -> list[Artifact]:
        """What it logged."""
        return self._artifacts("output")

    def used_artifacts(self) -> list[Artifact]:
        """What it used."""
        return self._artifacts("input")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise not_here("Api().run", name)

    def __repr__(self) -> str:
        return f"<Run {'/'.join(self.path)} ({self.state})>"

    def _rows(
        self, keys: list[str] | None, *, is_system: bool = False
    ) -> Iterator[dict[str, Any]]:
        known = self.record.system if is_system else self.record.metrics
        wanted = [key for key in keys or known if not key.startswith("_")]
        if any(key not in known for key in wanted):
            return
        rows: dict[int, dict[str, Any]] = {}
        began = epoch_s(self.record.started_at)
        for name in wanted:
            curve = self._store.curve(self.id, name)
            points = zip(curve.steps, curve.values, curve.at, strict=True)
            for step, value, at in points:
                row = rows.setdefault(step, {"_step": step})
                row[name] = value
                row["_timestamp"] = max(at, row.get("_timestamp", at))
                row["_runtime"] = row["_timestamp"] - began
        for step in sorted(rows):
            if keys is None or rows[step].keys() >= set(wanted):
                yield rows[step]

    def _artifacts(self, role: str) -> list[Artifact]:
        from nbtrack.compat.wandb.artifact import Artifact
        from nbtrack.compat.wandb.versions import Version

        uses = self._store.artifact_uses(run=self.id, role=role)
        ids = [use.version_id for use in uses]
        found = []
        for record in self._store.artifact_versions(ids=ids) if ids else []:
            made = Artifact(record.name, record.type)
            made.became(Version(self._store, record))
            found.append(made)
        return found
