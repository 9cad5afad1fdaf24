"""What a run changed: its params beside those of the run before it.

The label by which a person tells unnamed runs apart: `lr=0.01` says more than `base-7`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.wording import number
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.store.table import Table

N_SHOWN = 3
_MISSING = object()


def label(params: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """The params that differ from those before; nothing where none does.

    Examples
    --------
    >>> label({"lr": 0.01, "n": 5, "opt": "adam"}, {"lr": 0.1, "n": 5})
    'lr=0.01 opt=adam'
    >>> label({"n": 5}, {"n": 5, "n.done": 2, "seed": 3})
    'no seed'
    """
    changed = [f"{_short(k)}={_text(v)}" for k, v in params.items()
               if not _same(v, before.get(k, _MISSING))
               and not _is_outcome(k, params)]  # fmt: skip
    changed += [f"no {_short(k)}" for k in before
                if k not in params and not _is_outcome(k, before)]  # fmt: skip
    # Details of objects (`optimizer.eps`) say less than the names that people gave.
    changed.sort(key=lambda text: "." in text.partition("=")[0])
    more = f" +{len(changed) - N_SHOWN}" if len(changed) > N_SHOWN else ""
    return " ".join(changed[:N_SHOWN]) + more


def _is_outcome(name: str, params: Mapping[str, Any]) -> bool:
    """`epoch.done` beside `epoch`: how far a loop came, which nobody set."""
    return name.endswith(".done") and name.removesuffix(".done") in params


def label_of(store: Store, record: RunRecord) -> str:
    """What a run changed since the one before it in its experiment; "" for the first.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start("base", experiment="labels", params={"lr": lr}) as run:
    ...         pass
    >>> label_of(run.store, run.record())
    'lr=0.01'
    """
    before = store.previous(record.id)
    if before is None:
        return ""
    return label(_values(record), _values(before))


def labels_of(table: Table) -> list[str]:
    """The labels of a table's runs, each beside the earlier one of its experiment."""
    fields = table.fields
    newest: dict[str, str] = {}
    params = _params_by_run(table)
    order = sorted(range(len(table)), key=lambda at: fields["started_at"][at])
    labels = [""] * len(table)
    for at in order:
        run, experiment = table.ids[at], fields["experiment"][at]
        if experiment in newest:
            labels[at] = label(params[run], params[newest[experiment]])
        newest[experiment] = run
    return labels


def _params_by_run(table: Table) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {run: {} for run in table.ids}
    for name, values in table.params.items():
        for run in found.keys() & values.keys():
            found[run][name] = values[run]
    return found


def _values(record: RunRecord) -> dict[str, Any]:
    return {name: param.value for name, param in record.params.items()}


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and repr(one) == repr(other))


def _short(name: str) -> str:
    return shorten(visible(name), 30)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return number(value) if abs(value) >= 1e5 else f"{value:g}"
    return shorten(visible(str(value)), 24)
