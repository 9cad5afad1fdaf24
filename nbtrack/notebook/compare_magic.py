"""`%compare` and `nbtrack.compare`: runs side by side, in a table and as curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.comparing.conversation import BEST_SELECTED, begun
from nbtrack.analysis.comparing.data import compared
from nbtrack.analysis.comparing.state import SELECTED_MAX, CompareState
from nbtrack.analysis.comparing.words import runs_or_query
from nbtrack.analysis.several_stores import several
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Arguments, Option, unquoted
from nbtrack.notebook.panels.compare import ComparePanel
from nbtrack.notebook.runs_magic import split_query
from nbtrack.tracking.settled import settled

if TYPE_CHECKING:
    from nbtrack.analysis.comparing.source import Source
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

OPTIONS = (
    Option("where", "one", ("-w", "--where")),
    Option("last", "one", ("-n", "--last")),
    Option("sort", "one", ("-s", "--sort")),
    Option("top", "one", ("--top",)),
    Option("by", "one", ("--by",)),
    Option("columns", "words", ("-c", "--cols")),
    Option("hidden", "words", ("--hide",)),
    Option("all_params", "flag", ("--all-params",)),
    Option("group", "one", ("-g", "--group")),
    Option("pinned", "words", ("--pin",)),
    Option("baseline", "one", ("-b", "--baseline")),
    Option("selected", "words", ("--select",)),
    Option("metric", "one", ("-m", "--metric")),
    Option("x", "one", ("-x", "--x")),
    Option("smooth", "one", ("--smooth",)),
    Option("log_x", "flag", ("--log-x",)),
    Option("log_y", "flag", ("--log-y",)),
    Option("clip", "flag", ("--clip",)),
    Option("bands", "flag", ("--bands",)),
    Option("stores", "words", ("--store",)),
)
_FIRST = "runs and the query come first"
_MANY = ("columns", "hidden", "pinned", "selected")
_ONE = ("sort", "group", "baseline", "metric", "x")
_FLAGS = ("all_params", "log_x", "log_y", "clip", "bands")


def compare(
    *runs: Run | RunRecord | str,
    query: str = "",
    store: Store | str | Path | Sequence[Store | str | Path] | None = None,
    **state: Any,  # fields of CompareState
) -> ComparePanel:
    """Runs side by side: a table and curves; in a notebook a panel.

    Parameters
    ----------
    *runs
        Ids, names or runs; none: all that answer to `query`.
    query
        As in `nbtrack.runs`.
    store
        A folder, or several of them: their runs side by side, with a column `store`.
        Default: the store of this folder.
    **state
        `sort` (a column or bare name, with a minus the other way), `last`, `columns`,
        `hidden`, `all_params` (False: only params that differ), `group` (a column),
        `pinned`, `baseline` (runs), `selected` (up to 7 runs whose curves are drawn;
        default the best five), `metric`, `x` ("step", "time", "relative", an axis, a
        metric), `smooth` (0 to below 1), `log_x`, `log_y`, `clip` (the y axis leaves
        outliers out), `bands`.

    Returns
    -------
    ComparePanel
        `.df`, `.selection`, `.line`, and every part of the state to read and to set.

    Raises
    ------
    QueryError, OptionError, RunNotFoundError
        For what cannot be understood or found.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start("base", params={"lr": lr}):
    ...         nbtrack.log(loss=lr)
    >>> nbtrack.compare(query="loss < 1", sort="loss").df["params.lr"].tolist()
    [0.01, 0.1]
    """
    source = source_of(store)
    state = {k: tuple(v) if isinstance(v, list) else v for k, v in state.items()}
    unknown = state.keys() - set(CompareState.__dataclass_fields__)
    if unknown:
        raise OptionError(f"compare() has no option {min(unknown)!r}.")
    ids = tuple(run if isinstance(run, str) else run.id for run in runs)
    return opened(source, CompareState(query, ids, **state))


def compare_magic(line: str) -> ComparePanel:
    """Show runs side by side: %compare [RUN... | QUERY] [options]; see `compare`."""
    stores = split_query(line, OPTIONS, first=_FIRST)[1].many("stores")
    store = source_of(stores or None)
    state, found = state_of_line(store, line)
    if found.has("top") or found.has("by"):
        return opened(store, _top(store, state, found))
    return opened(store, state)


def source_of(
    stores: Store | str | Path | Sequence[Store | str | Path] | None,
) -> Source:
    """Where to read: the store of this folder, one that is given, or several."""
    from nbtrack.store import Store

    here = settled(stores if isinstance(stores, Store) else None)
    return here if stores is None or stores is here else several(stores)


def state_of_line(
    store: Source, line: str, options: tuple[Option, ...] = OPTIONS
) -> tuple[CompareState, Arguments]:
    """What a line asks for: runs or a query, then options; and these, as typed."""
    words, found = split_query(line, options, first=_FIRST)
    runs, query = runs_or_query(store, words, [unquoted(word) for word in words])
    if found.has("where"):
        query = found.one("where") or ""
    return CompareState(query, tuple(runs), **_state(found)), found


def opened(store: Source, state: CompareState) -> ComparePanel:
    """The panel of a state; where nobody says which curves, the best are drawn."""
    return ComparePanel(store, begun(store, state))


def _top(store: Source, state: CompareState, found: Arguments) -> CompareState:
    """`--top 5 --by val_acc`: the best five, by a metric or by the one that judges."""
    n = _whole("top", found.one("top") or str(BEST_SELECTED))
    by = found.one("by") or compared(store, state).metric()
    sorted_by = compared(store, replace(state, sort=by))
    ids = tuple(sorted_by.ids[:n])
    return replace(state, runs=ids, query="", sort=by, selected=ids[:SELECTED_MAX])


def _state(found: Arguments) -> dict[str, Any]:
    state: dict[str, Any] = {name: found.has(name) for name in _FLAGS}
    state |= {name: found.many(name) for name in _MANY}
    state |= {name: found.one(name) for name in _ONE if found.has(name)}
    if found.has("last"):
        state["last"] = _whole("last", found.one("last") or "")
    if found.has("smooth"):
        state["smooth"] = _number("smooth", found.one("smooth") or "")
    return state


def _whole(name: str, text: str) -> int:
    if not text.isdecimal():
        raise OptionError(f"--{name} needs a whole number, not {text[:40]!r}.")
    return int(text)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"--{name} needs a number, not {text[:40]!r}.") from None
