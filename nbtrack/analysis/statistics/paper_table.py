"""The table of a paper: a row per group or setting, means with intervals, best in bold.

Every number is made from the runs alone and can be made again. Text of runs is escaped;
what a mean leaves out, and of how many runs it is, stands below the table.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.confidence import MeanCI, mean_ci
from nbtrack.analysis.query import FIELDS, MISSING, column
from nbtrack.analysis.runs_table import names_of, select, store_here
from nbtrack.analysis.statistics.paper_text import Column, PaperTable, Row, rendered
from nbtrack.analysis.statistics.sides import Side
from nbtrack.analysis.statistics.significance import compare_sides, holm_corrected
from nbtrack.errors import MetricNotFoundError, OptionError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store, Table

_STYLES = ("markdown", "latex")
_DIGITS_MAX = 12


@dataclass(frozen=True, slots=True)
class _Setting:
    """The runs of one row."""

    labels: tuple[str, ...]
    runs: tuple[str, ...]  # ids
    order: tuple[tuple[int, Any], ...]


def paper_table(
    query: str | None = None,
    *,
    rows: str | Sequence[str] = "group",
    metrics: str | Sequence[str] | None = None,
    style: Literal["markdown", "latex"] = "markdown",
    ci: bool = True,
    digits: int | None = None,
    bold: bool = True,
    star: float | None = None,
    store: Store | None = None,
) -> PaperTable:
    """A table for a paper, in Markdown or LaTeX: mean ± 95 % interval over the runs.

    A run counts with its best value by goal, with the last one where there is no goal.
    NaN is left out of a mean and told; a cell without any number is –. The LaTeX needs
    the package booktabs, and for names that are not ASCII a TeX that reads them.

    Parameters
    ----------
    query : str, optional
        Which runs, as in `nbtrack.runs`.
    rows : str or list of str
        What a row is: "group", "parent", a param, a field as "experiment", or several
        of them; runs that lack it are left out and told.
    metrics : str or list of str, optional
        The columns; by default all that have a goal.
    style : {"markdown", "latex"}
    ci : bool
        Whether means are followed by their interval (Student's t).
    digits : int, optional
        After the point; by default as many as two digits of the column's interval.
    bold : bool
        Whether the best of a column is bold, with all that read the same.
    star : float, optional
        As 0.05: an asterisk on rows that are told from the column's best with a p below
        it (`nbtrack.beats`, pairs by seed, corrected after Holm for each column).

    Returns
    -------
    PaperTable
        A `str`, which a notebook shows as a table where it is Markdown.

    Raises
    ------
    QueryError, OptionError
        For a query or an option that cannot be understood, or no runs.
    MetricNotFoundError
        Where none of the runs has a metric.

    Examples
    --------
    >>> import nbtrack
    >>> for group, accs in {"A": [.90, .91, .89], "B": [.95, .96, .94]}.items():
    ...     for seed, acc in enumerate(accs):
    ...         with nbtrack.start(group=group, params={"seed": seed}):
    ...             nbtrack.log(acc=acc)
    >>> print(nbtrack.paper_table(metrics="acc"))
    | group | acc ↑ |
    |:--|--:|
    | A | 0.900 ± 0.025 |
    | B | **0.950** ± 0.025 |
    <BLANKLINE>
    Mean ± 95 % CI (Student's t) of n=3 runs; best in bold.
    """
    here = store or store_here()
    _check(style, digits, star)
    table = select(here, query)
    if not len(table):
        raise OptionError(f"No run answers to {shorten(repr(query))}: nothing to show.")
    return paper_table_of(
        here, table, rows=rows, metrics=metrics, style=style, ci=ci, digits=digits,
        bold=bold, star=star,
    )  # fmt: skip


def paper_table_of(
    here: Store,
    table: Table,
    *,
    rows: str | Sequence[str] = "group",
    metrics: str | Sequence[str] | None = None,
    style: Literal["markdown", "latex"] = "markdown",
    ci: bool = True,
    digits: int | None = None,
    bold: bool = True,
    star: float | None = None,
) -> PaperTable:
    """As `paper_table`, of runs that are read already."""
    _check(style, digits, star)
    names = [rows] if isinstance(rows, str) else list(rows)
    settings, n_alone = _settings(here, table, names)
    wanted = _metrics(table, metrics)
    cells = {name: _cells(table, settings, name) for name in wanted}
    stars = {
        name: set() if star is None else _stars(here, table, settings, name, star)
        for name in wanted
    }
    columns = [
        Column(name, _goal(table, name), cells[name], frozenset(stars[name]))
        for name in wanted
    ]
    return rendered(
        [Row(one.labels) for one in settings], columns, style=style, heads=names,
        ci=ci, digits=digits, bold=bold, star=star, n_alone=n_alone,
    )  # fmt: skip


def _check(style: str, digits: int | None, star: float | None) -> None:
    if style not in _STYLES:
        hint = did_you_mean(str(style), _STYLES) or " Use markdown or latex."
        raise OptionError(f"style={shorten(repr(style))} is none.{hint}")
    if digits is not None and not (
        isinstance(digits, int) and 0 <= digits <= _DIGITS_MAX
    ):
        raise OptionError(
            f"digits={shorten(repr(digits))}: give a number from 0 to {_DIGITS_MAX}."
        )
    if star is not None and not 0 < star < 1:
        raise OptionError(
            f"star={shorten(repr(star))}: give a p between 0 and 1, as 0.05."
        )


def _settings(
    store: Store, table: Table, names: Sequence[str]
) -> tuple[list[_Setting], int]:
    """The rows, in order, and how many runs belong to none."""
    if not names:
        raise OptionError('rows=[] makes no table: name a param, or "group".')
    columns = [_row_values(store, table, name) for name in names]
    members: dict[str, list[str]] = {}
    values: dict[str, tuple[Any, ...]] = {}
    n_alone = 0
    for run, found in zip(table.ids, zip(*columns, strict=True), strict=True):
        if MISSING in found:
            n_alone += 1
            continue
        key = json.dumps(found, sort_keys=True, default=str)
        members.setdefault(key, []).append(run)
        values[key] = found
    if not members:
        shown = ", ".join(shorten(visible(name), 60) for name in names)
        raise OptionError(f"No run has all of {shown}: name fewer in rows=.")
    settings = [
        _Setting(tuple(map(_shown, values[key])), tuple(runs), _order(values[key]))
        for key, runs in members.items()
    ]
    return sorted(settings, key=lambda setting: setting.order), n_alone


def _row_values(store: Store, table: Table, name: str) -> list[Any]:
    space = name.partition(".")[0]
    plain = name in FIELDS or space in ("params", "tags")
    found = column(table, name if plain else f"params.{name}")
    if all(value is MISSING for value in found):
        known = {*names_of(table, table.params), *FIELDS}
        shown, hint = shorten(visible(name), 60), did_you_mean(name, known)
        raise OptionError(f"rows={shown!r}: none of the runs has it.{hint}")
    if name == "parent":
        ids = [value for value in found if value is not MISSING]
        parents = store.table(trashed=None, ids=list(dict.fromkeys(ids)))
        names = dict(zip(parents.ids, parents.fields["name"], strict=True))
        return [value if value is MISSING else names.get(value, value)
                for value in found]  # fmt: skip
    # 1 and 1.0 are one setting.
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in found]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else json.dumps(value, default=str)


def _order(values: Iterable[Any]) -> tuple[tuple[int, Any], ...]:
    """Numbers before texts before the rest."""
    return tuple(
        (0, value) if isinstance(value, int | float) and value == value
        else (1, value) if isinstance(value, str)
        else (2, json.dumps(value, default=str))
        for value in values
    )  # fmt: skip


def _metrics(table: Table, asked: str | Sequence[str] | None) -> list[str]:
    known = names_of(table, table.metrics)
    if asked is None:
        found = [name for name in known if _goal(table, name)]
        if not found:
            raise OptionError("No metric of these runs has a goal: give metrics=[...].")
        return found
    names = [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))
    if not names:
        raise OptionError("metrics=[] makes no table: name at least one.")
    for name in names:
        if name not in known:
            shown, hint = (
                shorten(visible(str(name)), 60),
                did_you_mean(str(name), known),
            )
            raise MetricNotFoundError(
                f"None of the {len(table)} runs has a metric {shown!r}.{hint}"
            )
    return names


def _goal(table: Table, metric: str) -> str | None:
    """The direction of a metric, where the runs agree."""
    cells = table.metrics.get(metric, {})
    goals = Counter(cells[run].goal for run in table.ids if run in cells)
    return next(iter(goals)) if len(goals) == 1 else None


def _cells(table: Table, settings: Sequence[_Setting], metric: str) -> list[MeanCI]:
    values: Mapping[str, Any] = dict(
        zip(table.ids, table.metric(metric, "best", MISSING), strict=True)
    )
    return [
        mean_ci(values[run] for run in setting.runs if values[run] is not MISSING)
        for setting in settings
    ]


def _stars(
    store: Store, table: Table, settings: Sequence[_Setting], metric: str, star: float
) -> set[int]:
    """The places of rows that a test tells from the column's best."""
    goal = _goal(table, metric)
    if goal is None:
        return set()
    cells = _cells(table, settings, metric)
    testable = [
        at for at, cell in enumerate(cells) if cell.n > 1 and math.isfinite(cell.mean)
    ]
    sides = {at: Side(str(at), settings[at].runs) for at in testable}
    if not testable:
        return set()
    pick = min if goal == "min" else max
    best = pick(testable, key=lambda at: cells[at].mean)
    others = [at for at in testable if at != best]
    found = holm_corrected(
        [compare_sides(store, sides[best], sides[at], metric) for at in others]
    )
    return {at for at, one in zip(others, found, strict=True) if one.p < star}
