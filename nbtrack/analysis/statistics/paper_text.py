"""How a paper's table is written, in Markdown and in LaTeX with booktabs.

All text of runs goes through `plain` or `latex` and stays text.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nbtrack.analysis.confidence import MeanCI
from nbtrack.analysis.model_card import plain
from nbtrack.analysis.statistics.comparison import decimals_for
from nbtrack.text import counted, shorten, visible

_LABEL_MAX = 120
_PLAIN_MAX = 1e6  # from here on, and below _PLAIN_DECIMALS, numbers have an exponent
_PLAIN_DECIMALS = 6
_EXPONENT_DIGITS = 6
_ROUNDING = 1e-9
_ARROWS = {"max": "↑", "min": "↓"}
_LATEX_ARROWS = {"max": r" $\uparrow$", "min": r" $\downarrow$"}
# `[` and `*` after a line's end would be arguments of it.
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "*": "{*}", "-": "{-}",
    "–": "--", **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}  # fmt: skip
_LATEX_MARKS = re.compile("|".join(map(re.escape, _LATEX)))


class PaperTable(str):
    """The text of a table; a notebook shows Markdown as the table that it is."""

    __slots__ = ("style",)
    style: str  # "markdown" or "latex"

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str | None:
        return str(self) if self.style == "markdown" else None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # Any: IPython's
        printer.text(str(self))


@dataclass(frozen=True, slots=True)
class Row:
    """What a row is called."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One metric: a mean for each row."""

    name: str
    goal: str | None
    cells: list[MeanCI]
    stars: frozenset[int]  # places of rows


@dataclass(frozen=True, slots=True)
class _Number:
    """One cell as it is read; `mean` empty where there is no number."""

    mean: str
    width: str  # empty without an interval
    bold: bool
    star: bool


def latex(text: str) -> str:
    r"""Text that LaTeX sets as it is.

    >>> latex(r"50% of $x_1$ \input{a}")
    '50\\% of \\$x\\_1\\$ \\textbackslash{}input\\{a\\}'
    """
    safe = shorten(visible(text), _LABEL_MAX)
    return _LATEX_MARKS.sub(lambda found: _LATEX[found[0]], safe)


def rendered(
    rows: Sequence[Row],
    columns: Sequence[Column],
    *,
    style: str,
    heads: Sequence[str],
    ci: bool,
    digits: int | None,
    bold: bool,
    star: float | None,
    n_alone: int,
) -> PaperTable:
    """The table as text, with what has to be known of it below."""
    numbers = [_numbers(c, ci=ci, digits=digits, bold=bold) for c in columns]
    notes = _notes(columns, ci=ci, bold=bold, star=star, n_alone=n_alone)
    write = _markdown if style == "markdown" else _latex_table
    table = PaperTable(write(rows, columns, heads, numbers, notes))
    table.style = style
    return table


def _markdown(
    rows: Sequence[Row],
    columns: Sequence[Column],
    heads: Sequence[str],
    numbers: Sequence[Sequence[_Number]],
    notes: Sequence[str],
) -> str:
    titles = [
        f"{plain(c.name)} {_ARROWS.get(c.goal or '', '')}".strip() for c in columns
    ]
    lines = [_line([*map(plain, heads), *titles])]
    lines.append("|" + ":--|" * len(heads) + "--:|" * len(columns))
    for at, row in enumerate(rows):
        cells = [_markdown_cell(column[at]) for column in numbers]
        lines.append(_line([*map(plain, row.labels), *cells]))
    return "\n".join([*lines, "", "; ".join(notes) + "."])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(number: _Number) -> str:
    if not number.mean:
        return "–"
    mean = f"**{number.mean}**" if number.bold else number.mean
    width = f" ± {number.width}" if number.width else ""
    return f"{mean}{width}" + r"\*" * number.star


def _latex_table(
    rows: Sequence[Row],
    columns: Sequence[Column],
    heads: Sequence[str],
    numbers: Sequence[Sequence[_Number]],
    notes: Sequence[str],
) -> str:
    titles = [latex(c.name) + _LATEX_ARROWS.get(c.goal or "", "") for c in columns]
    lines = [
        r"% \usepackage{booktabs}",
        f"% {'; '.join(notes)}.".replace("±", "+-"),
        rf"\begin{{tabular}}{{{'l' * len(heads)}{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join([*map(latex, heads), *titles]) + r" \\",
        r"\midrule",
    ]
    for at, row in enumerate(rows):
        cells = [_latex_cell(column[at]) for column in numbers]
        lines.append(" & ".join([*map(latex, row.labels), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _latex_cell(number: _Number) -> str:
    if not number.mean:
        return "--"
    mean = _math(number.mean)
    mean = rf"\mathbf{{{mean}}}" if number.bold else mean
    width = rf" \pm {_math(number.width)}" if number.width else ""
    return f"${mean}{width}{'^{*}' if number.star else ''}$"


def _math(number: str) -> str:
    mantissa, _, exponent = number.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def _numbers(
    column: Column, *, ci: bool, digits: int | None, bold: bool
) -> list[_Number]:
    form = _form(column.cells, digits)
    means = [_text(cell.mean, form) for cell in column.cells]
    best = _best(column, means) if bold else None
    return [
        _Number(
            mean,
            _text(cell.half_width, form) if ci and mean else "",
            bool(mean) and mean == best,
            at in column.stars,
        )
        for at, (mean, cell) in enumerate(zip(means, column.cells, strict=True))
    ]


def _best(column: Column, means: Sequence[str]) -> str | None:
    """How the best is written: all that read the same are as good, for a reader."""
    pick = {"min": min, "max": max}.get(column.goal or "")
    finite = [text for text in means if text]
    return pick(finite, key=float) if pick and finite else None


def _form(cells: Sequence[MeanCI], digits: int | None) -> str:
    """One format for a column, so that its points stand below one another."""
    if digits is not None:
        return f".{digits}f"
    means = [abs(c.mean) for c in cells if math.isfinite(c.mean) and c.mean]
    widths = [
        c.half_width for c in cells if c.half_width and math.isfinite(c.half_width)
    ]
    size = max(means, default=1.0)
    typical = statistics.median(widths) if widths else 0.0
    if not _ROUNDING * size < typical < math.inf:  # none, or equal but for rounding
        typical = size / 100
    if not 1e-300 < typical < 1e300:
        return ".3e"
    decimals = decimals_for(typical)
    if size < _PLAIN_MAX and decimals <= _PLAIN_DECIMALS:
        return f".{decimals}f"
    significant = math.floor(math.log10(size)) + 1 - math.floor(math.log10(typical))
    return f".{min(max(significant, 1), _EXPONENT_DIGITS)}e"


def _text(value: float | None, form: str) -> str:
    if value is None or not math.isfinite(value):
        return ""
    text = f"{value:{form}}"
    return text.removeprefix("-") if float(text) == 0 else text


def _notes(
    columns: Sequence[Column],
    *,
    ci: bool,
    bold: bool,
    star: float | None,
    n_alone: int,
) -> list[str]:
    cells = [cell for column in columns for cell in column.cells if cell.n]
    counts = sorted({cell.n for cell in cells}) or [0]
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    what = "Mean ± 95 % CI (Student's t)" if ci else "Mean"
    notes = [f"{what} of n={n} run{'s'[: counts != [1]]}"]
    if bold and any(column.goal for column in columns):
        notes.append("best in bold")
    if star is not None:
        notes.append(f"* told from the best with p < {star:g} (two-sided, Holm)")
    if n_nan := sum(cell.n_nan for cell in cells):
        notes.append(f"{counted(n_nan, 'value')} NaN left out")
    if n_alone:
        notes.append(f"{counted(n_alone, 'run')} without a row left out")
    return notes
