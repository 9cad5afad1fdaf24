"""Runs of several stores as one table, each run with the store that it is in.

Stores are read one after the other and joined by run; a run that is in several is shown
once, from the first of them. `nbtrack.merge` makes one store of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.store import Table


def tables_of(stores: Any, *, trashed: bool) -> dict[str, Table]:  # Any: see `runs`
    """The runs of each of these stores, by where it is, in the order given.

    Raises
    ------
    StoreError
        Where there is none.
    OptionError
        For what is no store.
    """
    from nbtrack.store import Store

    given = [stores] if isinstance(stores, str | Path | Store) else list(stores)
    if not given:
        raise OptionError("store=[] names no store: give a folder, or leave it out.")
    found: dict[str, Table] = {}
    for one in given:
        if isinstance(one, Store):
            found[str(one.path)] = one.table(trashed=trashed)
        elif isinstance(one, str | Path):
            with Store.open(one, create=False) as opened:
                found[str(opened.path)] = opened.table(trashed=trashed)
        else:
            raise OptionError(f"store={shorten(repr(one))} is no store and no folder.")
    return found


def joined(tables: Mapping[str, Table]) -> tuple[Table, dict[str, str]]:
    """All runs as one table, newest first, and the store of each.

    Examples
    --------
    >>> from nbtrack.store import Table
    >>> one, two = (
    ...     Table({"id": [run], "started_at": [at]}, {}, {"lr": {run: 1}}, {})
    ...     for run, at in (("a", "2026-01"), ("b", "2026-02")))
    >>> table, where = joined({"one": one, "two": two})
    >>> list(table.ids), where
    (['b', 'a'], {'a': 'one', 'b': 'two'})
    """
    from nbtrack.store import Table

    where: dict[str, str] = {}
    fields: dict[str, list[Any]] = {}
    tags: dict[str, Any] = {}
    params: dict[str, dict[str, Any]] = {}
    metrics: dict[str, dict[str, Any]] = {}
    for path, table in tables.items():
        places = [at for at, run in enumerate(table.ids) if run not in where]
        where |= {table.ids[at]: path for at in places}
        for name, column in table.fields.items():
            fields.setdefault(name, []).extend(column[at] for at in places)
        tags = {**table.tags, **tags}
        _add(params, table.params)
        _add(metrics, table.metrics)
    whole = Table(fields, tags, params, metrics)
    return whole.take(_newest_first(whole)), where


def _add(
    known: dict[str, dict[str, Any]], more: Mapping[str, Mapping[str, Any]]
) -> None:
    for name, by_run in more.items():
        known[name] = {**by_run, **known.get(name, {})}


def _newest_first(table: Table) -> Sequence[str]:
    pairs = sorted(zip(table.fields["started_at"], table.ids, strict=True))
    return [run for _, run in reversed(pairs)]
