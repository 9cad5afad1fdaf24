"""The differences of two runs as titled tables of short texts, for every view.

Only what differs has a row; what is the same is counted and told in one line. Texts
are those of runs, not escaped yet.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nbtrack.analysis.diff.cause import in_runs
from nbtrack.analysis.diff.code import CodeChange
from nbtrack.analysis.diff.metrics import MetricChange
from nbtrack.analysis.diff.params import pair_text, value_text
from nbtrack.analysis.diff.run_diff import RunDiff
from nbtrack.analysis.diff.side import Side
from nbtrack.analysis.run_page import headline
from nbtrack.analysis.wording import number
from nbtrack.metric_names import judges
from nbtrack.text import shorten

Row = tuple[str, ...]
FIRST = "Params"  # shown before the code, all else after it
DIGEST_SHOWN = 12
_DIGITS = 10  # of two numbers that four digits do not tell apart
_TEXT_MAX = 100
_METRICS_MAX = 3  # in the line at the top
_BETTER = {"a": "A better", "b": "B better"}
_ARROWS = {"min": " ↓", "max": " ↑"}
_SHOWN_CODE = ("changed", "layout", "values", "secret", "only in a", "only in b")
_CODE_WORDS = {
    "layout": "only comments or spacing",
    "values": "only values told as params or data, or read by nothing",
    "secret": "only in what was taken out as a secret",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One part: what differs, row by row."""

    title: str
    heads: Row
    rows: Sequence[Row]


def tables_of(diff: RunDiff) -> list[Table]:
    """The parts in which something differs, params first and metrics last.

    Examples
    --------
    >>> from nbtrack.analysis.diff.run_diff import diff_sides
    >>> from nbtrack.records import Param, RunRecord
    >>> def side(lr):
    ...     params = {"lr": Param("lr", lr, "option")}
    ...     run = RunRecord("1", "x", "e", "finished", "", None, 1, params=params)
    ...     return Side(run)
    >>> tables_of(diff_sides(side(0.1), side(0.2)))[0].rows
    [('lr', '0.1', '0.2', 'option', 'option')]
    """
    every = [
        Table(FIRST, ("", "A", "B", "from, in A", "from, in B"), _params(diff)),
        Table("Data", ("", "", "B against A", "A", "B"), _inputs(diff)),
        Table("Packages", ("", "A", "B", ""), _packages(diff)),
        Table("Environment", ("", "A", "B"), _facts(diff.environment)),
        Table("Random numbers", ("", "A", "B", ""), _chance(diff)),
        Table("Commit", ("", "A", "B"), _facts(diff.code.git)),
    ]
    return [table for table in every if table.rows]


def metrics_line(diff: RunDiff) -> str:
    """The metrics that say most of what differs, in one line; empty where none does.

    >>> from nbtrack.records import MetricSummary
    >>> loss = [MetricSummary("loss", "min", 1, v, 0, v, 0, v, 0) for v in (0.5, 0.25)]
    >>> _metric_words(MetricChange("loss", "min", *loss))
    'loss 0.5000 → 0.2500 (B better)'
    """
    changed = {m.name: m for m in diff.metrics if m.change != "same"}
    names = dict.fromkeys([*judges(changed), *changed])
    shown = [_metric_words(changed[name]) for name in list(names)[:_METRICS_MAX]]
    return " · ".join(shown)


def _metric_words(metric: MetricChange) -> str:
    a, b = numbers(
        metric.a.best if metric.a else None, metric.b.best if metric.b else None
    )
    better = f" ({_BETTER[metric.better]})" if metric.better else ""
    return f"{shorten(metric.name, 40)} {a} → {b}{better}"


def metrics_table(diff: RunDiff) -> Table:
    """The metrics that differ."""
    rows = [_metric_row(m) for m in diff.metrics if m.change != "same"]
    heads = ("", "best, A", "best, B", "B − A", "last, A", "last, B", "B − A", "")
    return Table("Metrics", heads, rows)


def shown_code(diff: RunDiff) -> list[CodeChange]:
    """The code that differs and that a result depends on: cells, then modules.

    A cell that both have, in which nothing but layout changed, counts too.
    """
    return [c for c in diff.code if c.is_needed and c.change in _SHOWN_CODE]


def code_title(change: CodeChange) -> str:
    """A piece of code, and how it differs.

    >>> code_title(CodeChange("[3]", "cell", "layout", "x", "x ", True))
    'cell [3]: only comments or spacing'
    """
    name = f"{'tracked ' * change.is_tracked}{change.part} {change.name}"
    how = _CODE_WORDS.get(change.change) or in_runs(change.change)
    return f"{name}: {how}"


def same_line(diff: RunDiff) -> str:
    """What is the same, in one line; empty where nothing is.

    Examples
    --------
    >>> from nbtrack.analysis.diff.run_diff import diff_sides
    >>> from nbtrack.records import Param, RunRecord
    >>> params = {"lr": Param("lr", 1, "option")}
    >>> one = Side(RunRecord("1", "x", "e", "finished", "", None, 1, params=params))
    >>> same_line(diff_sides(one, one))
    '1 param (lr)'
    """
    parts = [*_counted(diff)]
    a, b = diff.a, diff.b
    if a.environment.packages and b.environment.packages and not diff.packages:
        parts.append(f"{len(b.environment.packages)} packages")
    if "python" in a.environment and "python" in b.environment and not diff.environment:
        parts.append("the environment")
    if "rng.unseeded" in a.facts and "rng.unseeded" in b.facts and not diff.chance:
        parts.append("the random numbers it began with")
    commits = [side.fact("git.commit") for side in (a, b)]
    if commits[0] is not None and commits[0] == commits[1]:
        parts.append(f"the commit {str(commits[0])[:DIGEST_SHOWN]}")
    return ", ".join(parts)


def heading(side: Side, which: str) -> str:
    """Which run it is."""
    return f"{which}  {headline(side.record)} · {side.record.id}"


def _counted(diff: RunDiff) -> Iterator[str]:
    needed = [cell for cell in diff.code.cells if cell.is_needed]
    for word, rows in (
        ("metric", diff.metrics), ("param", diff.params), ("cell", needed),
        ("local module", diff.code.modules), ("input", diff.inputs),
    ):  # fmt: skip
        same = [row.name for row in rows if row.change == "same"]
        if same:
            names = shorten(", ".join(same), _TEXT_MAX)
            yield f"{len(same)} {word}{'s' * (len(same) > 1)} ({names})"


def _metric_row(metric: MetricChange) -> Row:
    a, b = metric.a, metric.b
    name = metric.name + _ARROWS.get(metric.goal or "", "")
    bests: Row = ("", "", "")
    if metric.goal is not None:  # without one, the best is the last
        best_a, best_b = numbers(a.best if a else None, b.best if b else None)
        bests = (
            f"{best_a} @ {a.best_step}" if a else best_a,
            f"{best_b} @ {b.best_step}" if b else best_b,
            signed(metric.delta),
        )
    lasts = numbers(a.last if a else None, b.last if b else None)
    better = _BETTER.get(metric.better or "", "")
    return (name, *bests, *lasts, signed(metric.delta_last), better or _points(metric))


def _points(metric: MetricChange) -> str:
    """Why a row stands there whose values are the same."""
    if metric.a is None or metric.b is None:
        return in_runs(metric.change)
    if metric.a.n != metric.b.n:
        return f"{metric.a.n} and {metric.b.n} points"
    return ""


def numbers(a: float | None, b: float | None) -> tuple[str, str]:
    """Two numbers, with as many digits as tell them apart.

    >>> numbers(0.5, None), numbers(0.123412, 0.123413)
    (('0.5000', '–'), ('0.123412', '0.123413'))
    """
    one, other = number(a), number(b)
    if one != other or a is None or b is None or a == b:
        return one, other
    one, other = f"{a:.{_DIGITS}g}", f"{b:.{_DIGITS}g}"
    return (one, other) if one != other else (repr(a), repr(b))


def signed(value: float | None) -> str:
    """A difference with its sign.

    >>> signed(0.5), signed(-2.0), signed(0.0), signed(None)
    ('+0.5000', '−2', '0', '–')
    """
    is_positive = value is not None and value > 0 and not math.isnan(value)
    return ("+" if is_positive else "") + number(value)


def _params(diff: RunDiff) -> list[Row]:
    rows: list[Row] = []
    for param in diff.params:
        if param.change == "same":
            continue
        a, b = pair_text(param.a, param.b)
        if param.change == "type":
            a += f" ({type(param.a).__name__})"
            b += f" ({type(param.b).__name__})"
        rows.append((
            param.name,
            "–" if param.change == "only in b" else a,
            "–" if param.change == "only in a" else b,
            param.origin_a or "", param.origin_b or "",
        ))  # fmt: skip
    return rows


def _inputs(diff: RunDiff) -> list[Row]:
    return [
        (
            found.name, found.type, in_runs(found.change),
            _data_text(found.digest_a, found.n_rows_a),
            _data_text(found.digest_b, found.n_rows_b),
        )
        for found in diff.inputs
        if found.change != "same"
    ]  # fmt: skip


def _data_text(digest: str | None, n_rows: int | None) -> str:
    parts = [f"{n_rows:,} rows"] if n_rows is not None else []
    parts += [f"sha256 {digest[:DIGEST_SHOWN]}"] if digest else []
    return ", ".join(parts) or "–"


def _packages(diff: RunDiff) -> list[Row]:
    loaded = {True: "loaded", False: "not loaded", None: ""}
    # What was loaded says most.
    ordered = sorted(diff.packages, key=lambda p: p.is_loaded is False)
    return [(p.name, p.a or "–", p.b or "–", loaded[p.is_loaded]) for p in ordered]


def _facts(facts: Sequence[Any]) -> list[Row]:  # Any: what has name, a and b
    rows: list[Row] = []
    for fact in facts:
        a, b = pair_text(fact.a, fact.b)
        rows.append((
            fact.name,
            "not known" if fact.a is None else a,
            "not known" if fact.b is None else b,
        ))  # fmt: skip
    return rows


def _chance(diff: RunDiff) -> list[Row]:
    rows: list[Row] = []
    for found in diff.chance:
        seeds = [
            "seed not known" if seed is None else f"seed {value_text(seed)}"
            for seed in (found.seed_a, found.seed_b)
        ]
        said = ["another state at the start"] if found.same_start is False else []
        said += [f"unseeded in {in_runs(found.unseeded)}"] if found.unseeded else []
        rows.append((found.generator, *seeds, ", ".join(said)))
    return rows
