"""The reproducibility checklist of a run: 20 items in 5 groups, told by its store.

Code, data, configuration, metrics, artifacts. Nothing is guessed: an item is ok where
the value is there, else it says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nbtrack.bundles.contents.check_code import code_items, configuration_items
from nbtrack.bundles.contents.check_data import data_items
from nbtrack.bundles.contents.check_item import Evidence, Item
from nbtrack.bundles.contents.check_results import artifact_items, metric_items
from nbtrack.bundles.contents.json_text import json_bytes

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.slices.slice import Slice
    from nbtrack.store import Store

__all__ = ["Item", "checklist", "checklist_json"]


def checklist(
    store: Store,
    record: RunRecord,
    slice: Slice | None,
    packages: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> list[Item]:
    """The items, always the same ones in the same order.

    Parameters
    ----------
    store, record
        The run; its store is only read.
    slice
        Its cells; None where it has none.
    packages, inputs
        As `env/packages.json` and `data/inputs.json` have them.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}) as run:
    ...     pass
    >>> items = checklist(run.store, run.record(), None, {}, {})
    >>> len(items), [item.value for item in items if item.item == "hyper-parameters"]
    (20, ['lr = 0.1'])
    """
    facts = store.facts(record.id)
    evidence = Evidence(store, record, facts, slice, packages, inputs)
    return [
        *code_items(evidence),
        *data_items(evidence),
        *configuration_items(evidence),
        *metric_items(evidence),
        *artifact_items(evidence),
    ]


def checklist_json(items: Iterable[Item]) -> bytes:
    r"""`checklist.json`.

    Examples
    --------
    >>> checklist_json([])
    b'[]\n'
    """
    return json_bytes([asdict(item) for item in items])
