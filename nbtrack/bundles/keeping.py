"""A rerun becomes a run of the user's store, linked to the run that it repeats.

The tags `rerun: <id of the origin>` and `verdict: IDENTICAL` say so, so that a table is
filtered by them, and the facts `rerun.*` have the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbtrack.bundles.verdict import Verdict
from nbtrack.errors import NbtrackError, RunNotFoundError
from nbtrack.records import RunRecord
from nbtrack.store import Store
from nbtrack.text import clean_name

ORIGIN, VERDICT = "rerun", "verdict"


def keep_rerun(
    store: Store,
    there: Store,
    again: RunRecord,
    verdict: Verdict,
    origin: Mapping[str, Any],
) -> str | None:
    """Take the run that a rerun recorded into a store; its id there, None if not kept.

    Parameters
    ----------
    there
        The store of the rerun's own folder.
    origin
        What the bundle says of the run.
    """
    if store.why_read_only is not None:
        return None
    fields = {
        "name": clean_name(f"rerun of {origin['name']}"),
        "experiment": clean_name(str(origin["experiment"])),
        **_place_of(store, str(origin["id"])),
    }
    tags = {ORIGIN: str(origin["id"]), VERDICT: verdict.verdict}
    there.edit(
        {"kind": "run_changed", "run": again.id, "fields": fields},
        {"kind": "tags", "run": again.id, "set": tags, "remove": []},
        {"kind": "facts", "run": again.id, "facts": list(_facts(verdict, origin))},
    )
    for other in there.runs(trashed=None):  # that the same cell began beside it
        if other.id != again.id and other.parent != again.id:
            there.purge(other.id)
    report = store.merge(there.path)
    if again.id in report.skipped:
        raise NbtrackError(f"The rerun was not kept: {report.skipped[again.id]}.")
    return again.id


def _place_of(store: Store, origin: str) -> dict[str, str | None]:
    """The notebook and cell of the origin, where it is here: tables group by them."""
    try:
        run = store.run(origin)
    except RunNotFoundError:
        return {}
    return {"notebook": run.notebook, "cell_id": run.cell_id}


def _facts(verdict: Verdict, origin: Mapping[str, Any]) -> Iterator[list[Any]]:
    told = {
        "rerun.of": origin["id"],
        "rerun.bundle": verdict.bundle_id,
        "rerun.verdict": verdict.verdict,
        "rerun.environment": verdict.environment,
        "rerun.reason": verdict.reason or None,
        "rerun.divergence": verdict.divergence.sentence if verdict.divergence else None,
        "rerun.causes": [cause.sentence for cause in verdict.causes],
    }
    for name, value in told.items():
        if value is not None:
            yield [name, value, None]
