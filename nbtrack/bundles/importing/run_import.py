"""`nbtrack.import_bundle`: a bundle of somebody else becomes a run of a store.

Only a bundle that is INTACT; only JSON and bytes of it. It is hostile until it is
read: the run is first written into a store of its own that is thrown away, each field
checked, and from there it is merged, whole or not at all. Nothing of it is run,
unpickled or fetched.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from nbtrack.bundles.archive.reading import Bundle, open_bundle
from nbtrack.bundles.archive.trouble import only_bundle_errors, refuse, shown
from nbtrack.bundles.importing import described_events, run_events
from nbtrack.bundles.importing.checkpoints import keep_checkpoints, read_checkpoints
from nbtrack.bundles.importing.series import Series, log_series, read_series
from nbtrack.errors import BundleError, StoreError, StoreReadOnlyError
from nbtrack.records import RunRecord
from nbtrack.store import Store
from nbtrack.tracking.settled import store_given

_FLUSH_S = 120.0


def import_bundle(
    path: Path | str, *, store: Store | Path | str | None = None
) -> RunRecord:
    """Make the run of a bundle a run of a store, with all that the bundle has of it.

    Its id, name, times, params with their origins, tags, notes, metrics with all
    points, facts, the cells of its slice, inputs and safetensors checkpoints, and the
    tag `bundle` with the start of the bundle's id. A run of that id that is there
    already is left as it is: to import twice changes nothing.

    Parameters
    ----------
    path : path
        A file `NAME.nbt.zip`, or the folder it was unpacked to.
    store : Store or path, optional
        By default the store of this folder.

    Returns
    -------
    RunRecord
        The run as it stands in the store.

    Raises
    ------
    BundleError
        Where the bundle is malformed, was changed, or lacks something; the store is
        as it was then.
    StoreError
        Where the store cannot be opened or written.

    Examples
    --------
    >>> import nbtrack
    >>> nbtrack.import_bundle("none.nbt.zip")
    Traceback (most recent call last):
    ...
    nbtrack.errors.BundleError: Opening 'none.nbt.zip' failed: No such file or
    directory.
    """
    with open_bundle(path) as bundle:
        _check_intact(bundle)
        with store_given(store, create=True) as target:
            return _imported(bundle, target)


def _check_intact(bundle: Bundle) -> None:
    problems = bundle.problems()
    for what in ("tampered", "missing", "extra"):
        names = getattr(problems, what)
        if names:
            refuse(f"{len(names)} members are {what}, such as {shown(names[0])}")


def _imported(bundle: Bundle, store: Store) -> RunRecord:
    id_ = run_events.run_of(bundle.manifest).text("id")
    if not store.runs(ids=[id_], trashed=None):
        if store.why_read_only is not None:
            raise StoreReadOnlyError(store.why_read_only)
        with TemporaryDirectory(prefix="nbtrack-import-") as folder:
            with only_bundle_errors("Importing the bundle"):
                try:
                    _write_apart(bundle, Path(folder))
                except StoreError as exc:  # of the new store, not of this one
                    raise BundleError(f"The run was not imported: {exc}") from exc
            report = store.merge(Path(folder) / ".nbtrack")
        if id_ in report.skipped:
            raise BundleError(
                f"The run was not imported: {report.skipped[id_]}. Try again."
            )
    return store.run(id_)


def _write_apart(bundle: Bundle, folder: Path) -> None:
    """The run in a new store inside a folder."""
    run = run_events.run_of(bundle.manifest)
    id_ = run.text("id")
    started = run_events.started(run, bundle_id=bundle.id)
    finished = run_events.finished(run)
    cells = described_events.cells(bundle, id_, started_at=started["started_at"])
    edits = [
        run_events.params(run),
        described_events.facts(bundle, id_),
        described_events.inputs(bundle, id_),
    ]
    checkpoints = read_checkpoints(bundle)
    files = folder / "files"
    bundle.extract(files, [checkpoint.member for checkpoint in checkpoints])
    with Store.open(folder / ".nbtrack") as store:
        journal = store.journal
        for event in (started, *cells):
            journal.emit(event)
        names = _log_metrics(bundle, store, id_)
        at = finished["ended_at"]
        edits += keep_checkpoints(store, checkpoints, files, run=id_, at=at)
        _flush(store)
        store.edit(*edits)
        journal.emit(finished)
        _flush(store)
        _check_written(store, id_, names=names, n_cells=len(cells))


def _log_metrics(bundle: Bundle, store: Store, run_id: str) -> set[str]:
    """Write the series; the names of those that have points."""
    names = set()
    for series in read_series(bundle):
        if series.steps:
            log_series(store.journal, run_id, series)
            _flush(store)
            _say_thinned(store, run_id, series)
            names.add(series.name)
    return names


def _say_thinned(store: Store, run_id: str, series: Series) -> None:
    if series.thinned > 1:
        fields = {"thinned": series.thinned}
        event = {"kind": "metric_changed", "run": run_id, "name": series.name}
        store.edit({**event, "fields": fields})


def _flush(store: Store) -> None:
    if not store.journal.flush(_FLUSH_S) or store.journal.dropped:
        raise BundleError("The run could not be written: is the disk full? Try again.")


def _check_written(store: Store, run_id: str, *, names: set[str], n_cells: int) -> None:
    """A journal puts aside what makes no sense to it: then nothing is taken."""
    record = store.run(run_id)
    kept = record.metrics.keys() | record.system.keys()
    if kept != names or len(store.cells(run_id)) != n_cells:
        refuse("A part of the run makes no sense to this nbtrack")
