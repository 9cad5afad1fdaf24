"""Runs of several stores as one table, each run with the store that it is in.

Stores are read one after the other and joined by run: a run that is in several is shown
once, from the first of them. `nbtrack.merge` makes one store of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError, RunNotFoundError
from nbtrack.store.locate import STORE_NAME
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store, Table
    from nbtrack.store.curves import Curve


def several(stores: Any) -> SeveralStores:  # Any: see `runs`
    """These stores as one, each by the word that it was given by.

    Raises
    ------
    StoreError
        Where there is none.
    OptionError
        For what is no store.
    """
    from nbtrack.store import Store

    found: dict[str, Store] = {}
    for one in _given(stores):
        is_store = isinstance(one, Store)
        found[str(one.path if is_store else one)] = (
            one if is_store else Store.open(one, create=False)
        )
    return SeveralStores(found)


def tables_of(stores: Any, *, trashed: bool) -> dict[str, Table]:
    """The runs of each of these stores, by where it is, in the order given.

    Raises
    ------
    StoreError
        Where there is none.
    OptionError
        For what is no store.
    """
    from nbtrack.store import Store

    found: dict[str, Table] = {}
    for one in _given(stores):
        if isinstance(one, Store):
            found[str(one.path)] = one.table(trashed=trashed)
        else:
            with Store.open(one, create=False) as opened:
                found[str(opened.path)] = opened.table(trashed=trashed)
    return found


def _given(stores: Any) -> list[Any]:
    from nbtrack.store import Store

    given = [stores] if isinstance(stores, str | Path | Store) else list(stores)
    if not given:
        raise OptionError("store=[] names no store: give a folder, or leave it out.")
    for one in given:
        if not isinstance(one, str | Path | Store):
            raise OptionError(f"store={shorten(repr(one))} is no store and no folder.")
    return given


def joined(tables: Mapping[str, Table]) -> Table:
    """All runs as one table, newest first, with the store of each as a field.

    Examples
    --------
    >>> from nbtrack.store import Table
    >>> one, two = (
    ...     Table({"id": [run], "started_at": [at]}, {}, {"lr": {run: 1}}, {})
    ...     for run, at in (("a", "2026-01"), ("b", "2026-02")))
    >>> table = joined({"one": one, "two": two})
    >>> list(table.ids), list(table.fields["store"])
    (['b', 'a'], ['two', 'one'])
    """
    from nbtrack.store import Table

    known: set[str] = set()
    fields: dict[str, list[Any]] = {}
    tags: dict[str, Any] = {}
    params: dict[str, dict[str, Any]] = {}
    metrics: dict[str, dict[str, Any]] = {}
    for path, table in tables.items():
        places = [at for at, run in enumerate(table.ids) if run not in known]
        known.update(table.ids)
        fields.setdefault("store", []).extend([path] * len(places))
        for name, column in table.fields.items():
            fields.setdefault(name, []).extend(column[at] for at in places)
        tags = {**table.tags, **tags}
        _add(params, table.params)
        _add(metrics, table.metrics)
    whole = Table(fields, tags, params, metrics)
    return whole.take(_newest_first(whole))


class SeveralStores:
    """Stores that a comparison reads as if they were one.

    A run that is in several is read from the first of them.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     nbtrack.log(loss=0.5)
    >>> both = SeveralStores({".": run.store})
    >>> both.curve(both.run("base").id, "loss").values.tolist()
    [0.5]
    """

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self.words = tuple(stores)  # as the user calls them
        # One that is named twice is shown once.
        self._stores = list({store.path: store for store in stores.values()}.values())
        labels = short_names([store.path for store in self._stores])
        self._by_label = dict(zip(labels, self._stores, strict=True))
        self._home: dict[str, Store] = {}

    def version(self) -> object:
        """Another one than before where somebody has written to one of them."""
        return tuple(store.version() for store in self._stores)

    def table(self) -> Table:
        """All runs, with a field `store`."""
        table = joined({name: one.table() for name, one in self._by_label.items()})
        labels = table.fields["store"]
        homes = [self._by_label[label] for label in labels]
        self._home = dict(zip(table.ids, homes, strict=True))
        return table

    def home(self, run: str) -> Store:
        """The store that a run is in.

        Raises
        ------
        RunNotFoundError
            Where none has it, or a name is taken in several of them.
        """
        known = self._home.get(run)
        return self._found(run)[0] if known is None else known

    def run(self, id_or_name: str) -> RunRecord:
        """As `Store.run`, with the errors of `home`."""
        return self._found(id_or_name)[1]

    def curve(self, run_id: str, metric: str) -> Curve:
        """As `Store.curve`."""
        return self.home(run_id).curve(run_id, metric)

    def count_points(self, run_id: str, metric: str) -> int:
        """As `Store.count_points`."""
        return self.home(run_id).count_points(run_id, metric)

    def _found(self, run: str) -> tuple[Store, RunRecord]:
        found: list[tuple[Store, RunRecord]] = []
        missing: RunNotFoundError | None = None
        for store in self._stores:
            try:
                found.append((store, store.run(run)))
            except RunNotFoundError as exc:
                missing = exc
        if not found:
            raise missing or RunNotFoundError(f"No run {shorten(repr(run))}.")
        if run == "last":
            return max(found, key=lambda pair: pair[1].started_at)
        ids = list(dict.fromkeys(record.id for _, record in found))
        if len(ids) > 1:
            raise RunNotFoundError(
                f"{shorten(repr(run))} is in several of the stores: {', '.join(ids)}. "
                "Use an id."
            )
        return found[0]


def short_names(paths: Sequence[Path]) -> list[str]:
    """The ends of paths, as long as they must be to be told apart.

    >>> short_names([Path("/a/x/.nbtrack"), Path("/b/x/.nbtrack"), Path("/b/y")])
    ['a/x', 'b/x', 'b/y']
    """
    folders = [path.parent if path.name == STORE_NAME else path for path in paths]
    longest = max((len(folder.parts) for folder in folders), default=1)
    found: list[str] = []
    for n in range(1, longest + 1):
        found = [Path(*folder.parts[-n:]).as_posix() for folder in folders]
        if len(set(found)) == len(found):
            break
    return found


def _add(
    known: dict[str, dict[str, Any]], more: Mapping[str, Mapping[str, Any]]
) -> None:
    for name, by_run in more.items():
        known[name] = {**by_run, **known.get(name, {})}


def _newest_first(table: Table) -> Sequence[str]:
    pairs = sorted(zip(table.fields["started_at"], table.ids, strict=True))
    return [run for _, run in reversed(pairs)]
