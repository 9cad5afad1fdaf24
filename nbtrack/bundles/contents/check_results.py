"""The checklist's items about metrics and artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbtrack.analysis.confidence import mean_ci
from nbtrack.bundles.contents.check_item import Evidence, Group, Item, listed
from nbtrack.metric_names import judges
from nbtrack.records import MetricSummary, RunRecord
from nbtrack.tracking.models.loaded import MODEL, PREPROCESSOR, SELECTOR

METRICS, ARTIFACTS = Group("Metrics"), Group("Artifacts")
_JUDGES_MAX = 4
_MODEL_TYPES = frozenset({"model", "checkpoint"})
_REPEAT = (
    "Run the cell again with other seeds in one group: %%track NAME --group NAME "
    "--seed 2. An interval needs two finished runs of the group."
)


def metric_items(evidence: Evidence) -> Iterator[Item]:
    """Evaluation metrics, curves, confusion matrix, feature importance."""
    yield _evaluation(evidence)
    yield _curves(evidence.record)
    yield _logged(
        evidence,
        "confusion matrix",
        ("confusion_matrix",),
        "For a classifier, in the tracked cell: "
        "nbtrack.current().log_confusion_matrix(y_true, y_pred)",
    )
    yield _logged(
        evidence,
        "feature importance",
        ("importance", "shap"),
        "In the tracked cell: nbtrack.current().log_importance(model), or "
        "log_shap(values)",
    )


def artifact_items(evidence: Evidence) -> Iterator[Item]:
    """Model file, preprocessor, feature selector."""
    yield _model(evidence)
    for item, role, name in (
        ("preprocessor", PREPROCESSOR, "scaler"),
        ("feature selector", SELECTOR, "mask"),
    ):
        found = _parts(evidence, role)
        fix = (
            "Where the data is prepared by one, register it with the model: "
            f"nbtrack.models.register(model, 'NAME', parts={{'{role}': {name}}})"
        )
        if found:
            yield ARTIFACTS.ok(item, listed(found))
        else:
            yield ARTIFACTS.missing(item, "none was kept with the run", fix)


def _evaluation(evidence: Evidence) -> Item:
    item, record = "evaluation metrics", evidence.record
    names = [n for n in judges(record.metrics) if _is_known(record.metrics[n])]
    if not names:
        fix = "Log one that is to be judged by: nbtrack.log(val_loss=loss)"
        return METRICS.missing(item, "no metric with a goal has a value", fix)
    group = _group_of(evidence)
    told, alone = [], []
    for name in names[:_JUDGES_MAX]:
        values = [r.metrics[name].best for r in group if name in r.metrics]
        interval = mean_ci(values)
        if interval.half_width is None:
            alone.append(name)
            told.append(f"{name} {record.metrics[name].best:.6g}")
        else:
            told.append(f"{name} {interval}")
    if alone:
        line = f"{listed(told)}: one value, so no confidence interval"
        return METRICS.missing(item, line, _REPEAT)
    return METRICS.ok(item, listed(told))


def _is_known(summary: MetricSummary) -> bool:
    return summary.n > summary.n_nan


def _group_of(evidence: Evidence) -> Sequence[RunRecord]:
    """The finished runs of the same group and experiment, or the run alone."""
    record = evidence.record
    if record.group is None:
        return [record]
    others = evidence.store.runs(experiment=record.experiment)
    return [r for r in others if r.group == record.group and r.status == "finished"]


def _curves(record: RunRecord) -> Item:
    drawn = [name for name, summary in record.metrics.items() if summary.n > 1]
    if drawn:
        return METRICS.ok("curves", listed(drawn))
    fix = "Log a metric at each step: nbtrack.log(loss=loss, step=step)"
    points = "no metric has more than one point" if record.metrics else "no metric"
    return METRICS.missing("curves", points, fix)


def _logged(evidence: Evidence, item: str, types: tuple[str, ...], fix: str) -> Item:
    found = [v for v in evidence.store.media(evidence.record.id) if v.type in types]
    if found:
        return METRICS.ok(item, listed(f"{v.name} at step {v.step}" for v in found))
    return METRICS.missing(item, "none was logged", fix)


def _model(evidence: Evidence) -> Item:
    record = evidence.record
    kept = [
        f"{c.name}:v{c.version}"
        for c in record.checkpoints
        if c.gone_at is None and c.type in _MODEL_TYPES
    ]
    kept += [name for name in _parts(evidence, MODEL) if name not in kept]
    if kept:
        return ARTIFACTS.ok("model file", listed(kept))
    fix = (
        "Save it in the tracked cell: torch.save(model.state_dict(), 'model.pt'), or "
        "run.log_artifact(model, 'NAME', type='model')"
    )
    gone = [f"{c.name}:v{c.version}" for c in record.checkpoints if c.gone_at]
    told = f"not kept any more: {listed(gone)}" if gone else "no model was saved"
    return ARTIFACTS.missing("model file", told, fix)


def _parts(evidence: Evidence, role: str) -> list[str]:
    """What the run made of this role: as parts of a registered model, and by type."""
    run = evidence.record.id
    parts = [
        f"{version.ref} ({part['path']})"
        for version in evidence.store.model_versions()
        if version.run == run
        for part in version.parts
        if part.get("role") == role
    ]
    uses = evidence.store.artifact_uses(run=run, role="output")
    gone = {a.id for a in evidence.store.artifact_versions() if a.gone_at is not None}
    return parts + [
        f"{use.name}:v{use.version}"
        for use in uses
        if use.type == role and use.version_id not in gone
    ]
