"""The registry as tables: models, versions, what happened, one metric over versions."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from nbtrack.errors import ModelError
from nbtrack.metric_names import goal_of
from nbtrack.records import Goal, ModelVersion
from nbtrack.text import did_you_mean, shorten

if TYPE_CHECKING:
    import pandas

    from nbtrack.store import Store

MODELS = ("name", "n_versions", "latest", "staging", "production", "description")


def table_of_models(store: Store) -> pandas.DataFrame:
    """The models, by name; see `nbtrack.models.list`."""
    import pandas as pd

    rows = []
    for name in store.model_names():
        known = store.model_versions(name)
        at = {version.stage: version.version for version in known}
        latest = store.model(name).version if known else None
        rows.append((
            name, len(known), latest, at.get("staging"), at.get("production"),
            store.model_description(name),
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=list(MODELS))


def table_of_versions(store: Store, name: str) -> pandas.DataFrame:
    """The versions of a model, lowest first; see `nbtrack.models.versions`."""
    import pandas as pd

    store.model(name)  # an unknown name has its own error
    known = store.model_versions(name)
    made_of = {
        v.id: v for v in store.artifact_versions(ids=[k.artifact for k in known])
    }
    rows = [
        {"version": v.version, "stage": v.stage, "aliases": ", ".join(v.aliases),
         "artifact": made_of[v.artifact].ref, "run": v.run,
         "approved_by": v.approved_by, "created_at": v.created_at,
         "created_by": v.created_by, "notes": v.notes}
        for v in known
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    times = pd.to_datetime(frame["created_at"], format="ISO8601", utc=True)
    return frame.assign(created_at=times)


def table_of_events(store: Store, name: str) -> pandas.DataFrame:
    """All that happened to a model, in order; see `nbtrack.models.events`."""
    import pandas as pd

    happened = store.model_events(name)
    if not happened:
        store.model(name)  # an unknown name has its own error
    frame = pd.DataFrame([asdict(event) for event in happened])
    times = pd.to_datetime(frame["at"], format="ISO8601", utc=True)
    return frame.assign(at=times).drop(columns=["id", "name"])


def compared(
    store: Store, name: str, metric: str, goal: Goal | None
) -> pandas.DataFrame:
    """One metric over the versions; see `nbtrack.models.compare`."""
    import pandas as pd

    store.model(name)
    known = store.model_versions(name)
    every = {v.version: _metrics(store, v) for v in known}
    values = {version: told.get(metric) for version, told in every.items()}
    order = _ranked(name, metric, every, goal)
    rows = [
        {"version": v.version, "stage": v.stage, metric: values[v.version],
         "is_best": v.version in order[:1],
         "is_worst": len(order) > 1 and v.version == order[-1]}
        for v in known
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _ranked(
    name: str, metric: str, every: dict[str, dict[str, float]], goal: Goal | None
) -> list[str]:
    """The versions with a value, best first; of equal ones the earlier."""
    given = {v: told[metric] for v, told in every.items() if metric in told}
    if not given:
        names = {n for told in every.values() for n in told}
        raise ModelError(
            f"No version of {name!r} has a metric {shorten(repr(metric))}."
            f"{did_you_mean(metric, names)}"
        )
    way = goal or goal_of(metric)
    if way not in ("min", "max"):
        raise ModelError(
            f"Nothing says which way {metric!r} gets better: pass goal='min' or 'max'."
        )
    sign = 1 if way == "min" else -1
    numbers = [version for version, value in given.items() if not math.isnan(value)]
    return sorted(numbers, key=lambda version: sign * given[version])


def _metrics(store: Store, version: ModelVersion) -> dict[str, float]:
    """Those beside its artifact, else the best values of its run."""
    [made_of] = store.artifact_versions(ids=[version.artifact])
    of_run: dict[str, float] = {}
    if version.run is not None:
        summaries = store.run(version.run).metrics
        of_run = {name: summary.best for name, summary in summaries.items()}
    return {**of_run, **made_of.metrics}
