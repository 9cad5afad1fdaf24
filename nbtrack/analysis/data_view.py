"""The data that a run read, as a table; and what became of it between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtrack.analysis.code_view import settled_store
from nbtrack.analysis.data_drift import drift
from nbtrack.records import InputRecord

if TYPE_CHECKING:
    import pandas

    from nbtrack.store import Store
    from nbtrack.tracking.run import Run


def inputs(run: Run | str = "last", *, store: Store | None = None) -> pandas.DataFrame:
    """The data and files that a run read, one row each.

    Parameters
    ----------
    run : Run or str
        The run, or its id, name, beginning of an id, or "last".
    store : Store, optional
        Default: the live run's own, or the one that belongs to this folder.

    Returns
    -------
    DataFrame
        name, type, n_rows, n_columns, size_bytes, digest, drift (since the newest run
        before that read it), missing (why there is no digest), detail (a mapping:
        schema, statistics, how it was held).

    Raises
    ------
    RunNotFoundError
        When no run, or more than one, answers to that name.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log_input([[5.1, 3.5], [4.9, 3.0]], "iris")
    >>> inputs(run)[["name", "type", "n_rows"]].values.tolist()
    [['iris', 'list', 2]]
    """
    import pandas

    found = _inputs_of(run, store)
    rows = [_row(record) for record in found]
    columns = ["name", "type", "n_rows", "n_columns", "size_bytes", "digest"]
    table = pandas.DataFrame(rows, columns=[*columns, "drift", "missing", "detail"])
    whole = dict.fromkeys(("n_rows", "n_columns", "size_bytes"), "Int64")
    return table.astype(whole)


def diff_inputs(
    a: Run | str, b: Run | str, *, store: Store | None = None
) -> pandas.DataFrame:
    """What became of the inputs of run `a` in run `b`, one row for each that differs.

    Returns
    -------
    DataFrame
        name, type, change: "+312 rows", "same rows, values differ", "only in a", "only
        in b", or "not known" where one of them has no digest and nothing else tells.

    Examples
    --------
    >>> import nbtrack
    >>> for rows in ([[1], [2]], [[1], [2], [3]]):
    ...     with nbtrack.start("base") as run:
    ...         run.log_input(rows, "x")
    >>> diff_inputs("base", "base-2")["change"].tolist()
    ['+1 row']
    """
    import pandas

    old = {(r.type, r.name): r for r in _inputs_of(a, store)}
    new = {(r.type, r.name): r for r in _inputs_of(b, store)}
    rows: list[tuple[str, str, str]] = []
    for key in dict.fromkeys([*old, *new]):
        change = change_of_input(old.get(key), new.get(key))
        if change:
            rows.append((key[1], key[0], change))
    return pandas.DataFrame(rows, columns=["name", "type", "change"])


def change_of_input(old: InputRecord | None, new: InputRecord | None) -> str:
    """What became of an input, None where it is not there; "" where nothing did.

    >>> change_of_input(InputRecord("x", "list"), None)
    'only in a'
    """
    if old is None or new is None:
        return "only in b" if old is None else "only in a"
    change = drift(new, old)
    unknown = new.digest is None or old.digest is None
    return change or ("not known" if unknown else "")


def _inputs_of(run: Run | str, store: Store | None) -> list[InputRecord]:
    if not isinstance(run, str):
        record = run.record()
        return (store or run.store).inputs(record.id)
    store = store or settled_store()
    return store.inputs(store.run(run).id)


def _row(record: InputRecord) -> dict[str, Any]:
    detail = record.detail
    return {
        "name": record.name,
        "type": record.type,
        "n_rows": record.n_rows,
        "n_columns": detail.get("n_columns"),
        "size_bytes": record.size_bytes,
        "digest": record.digest,
        "drift": detail.get("drift", ""),
        "missing": record.missing,
        "detail": dict(detail),
    }
