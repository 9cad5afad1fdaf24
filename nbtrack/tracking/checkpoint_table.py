"""The checkpoints of a run as a table: what was saved when, and what is still kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtrack.records import CheckpointRecord, RunRecord
from nbtrack.tracking.run import Run

if TYPE_CHECKING:
    import pandas

    from nbtrack.store import Store

_COLUMNS = (
    "name",
    "version",
    "type",
    "step",
    "size_bytes",
    "kept",
    "gone_at",
    "gone_why",
)


def checkpoints(
    run: Run | RunRecord | str = "last", *, store: Store | None = None
) -> pandas.DataFrame:
    r"""The files and models that a run saved, one row each, oldest first.

    Parameters
    ----------
    run : Run, RunRecord or str
        The run, or its id, name or "last".
    store : Store, optional
        Default: the live run's own, or the one that belongs to this folder.

    Returns
    -------
    DataFrame
        name, version, type, step, size_bytes, kept, gone_at and gone_why ("pruned",
        "expired", "deleted"), created_at, and `metrics.<name>` for each metric that was
        known at one of them.

    Raises
    ------
    RunNotFoundError
        When no run, or more than one, answers to that name.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log(loss=0.5)
    ...     run.checkpoint({"weights": [1, 2]}, name="mlp")
    >>> table = nbtrack.checkpoints(run)
    >>> table[["name", "version", "step", "metrics.loss", "kept"]].to_csv()
    ',name,version,step,metrics.loss,kept\n0,mlp,0,0,0.5,True\n'
    """
    import pandas

    record = _record(run, store)
    metrics = sorted({name for c in record.checkpoints for name in c.metrics})
    rows = [_row(c, metrics) for c in record.checkpoints]
    columns = [*_COLUMNS, "created_at", *(f"metrics.{name}" for name in metrics)]
    table = pandas.DataFrame(rows, columns=columns)
    whole = dict.fromkeys(("version", "step", "size_bytes"), "Int64")
    numbers = {f"metrics.{name}": "float64" for name in metrics}
    return table.astype({**whole, **numbers, "kept": "bool"})


def _record(run: Run | RunRecord | str, store: Store | None) -> RunRecord:
    if isinstance(run, Run):
        from nbtrack.tracking.checkpoints import settle

        settle(run)
        return run.record()
    if isinstance(run, RunRecord):
        return run
    from nbtrack.tracking.session import process_session

    return (store or process_session().store_for()).run(run)


def _row(c: CheckpointRecord, metrics: list[str]) -> list[Any]:
    kept = c.gone_at is None
    return [
        c.name, c.version, c.type, c.step, c.size_bytes, kept, c.gone_at, c.gone_why,
        c.created_at, *(c.metrics.get(name) for name in metrics),
    ]  # fmt: skip
