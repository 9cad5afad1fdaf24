"""A chart as a small SVG picture: no script, no style sheet, no reference outside.

Its colours are in the middle of the scale, so that it reads on white and on black:
the picture stays the same when the theme of the page around it changes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass

from nbtrack.analysis.wording import number, sparkline
from nbtrack.text import escape, shorten

WIDTH, HEIGHT = 272, 164
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 26, 22  # margins around the curves, px
PALETTE = ("#2f86c5", "#d9702b", "#1f9e77", "#b8679b", "#a08020", "#7a7fd0")
GHOST = "#9a9a9a"
_INK = "#7c7c7c"
_CHAR = 6.4  # px, about the width of a letter
_FONT = "font-family='system-ui,sans-serif' font-size='11'"
_TITLE_CHARS, _LABEL_CHARS = 18, 14
_BELOW, _NAME_CHARS = 15, 40  # px of a name below the chart; its letters
_MARK, _MARK_GAP = 4, 5  # px: half the width of a mark; from one to the next


@dataclass(frozen=True, slots=True)
class Mark:
    """A diamond on a curve, hollow for what is not there any more."""

    x: float
    y: float
    is_hollow: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; points that are not finite leave a gap."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    is_ghost: bool = False
    marks: Sequence[Mark] = ()


def chart_svg(
    title: str, lines: Sequence[Line], *, x_label: str, legend: bool = True
) -> str:
    """The picture of one chart; `legend` names its lines beside the title.

    >>> svg = chart_svg("loss", [Line("loss", [0, 1], [1.0, 0.5], GHOST)], x_label="x")
    >>> svg.startswith("<svg") and "<script" not in svg
    True
    """
    box = _Box.around(lines)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' "
        f"viewBox='0 0 {WIDTH} {HEIGHT}' {_FONT} fill='{_INK}'>",
        *_y_axis(box),
        *_x_axis(box, x_label),
        *(
            _curve(line, box)
            for line in sorted(lines, key=lambda one: not one.is_ghost)
        ),
        *_heading(title, lines if legend else ()),
        "</svg>",
    ]
    return "".join(parts)


def with_names(svg: str, lines: Sequence[Line]) -> str:
    """A chart with the names of its lines below it, each in its colour.

    >>> line = Line("a<b", [0], [1], GHOST)
    >>> "a&lt;b" in with_names(chart_svg("loss", [line], x_label="step"), [line])
    True
    """
    height = HEIGHT + _BELOW * len(lines) + 6
    names = "".join(
        f"<path d='M12,{HEIGHT + _BELOW * nth + 8}h14' stroke='{line.colour}' "
        f"stroke-width='3'/><text x='32' y='{HEIGHT + _BELOW * nth + 12}'>"
        f"{xml_text(shorten(line.label, _NAME_CHARS))}</text>"
        for nth, line in enumerate(lines)
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' "
        f"viewBox='0 0 {WIDTH} {height}' font-family='system-ui,sans-serif' "
        f"font-size='11' fill='{_INK}'>{svg}{names}</svg>"
    )


def as_picture(svg: str, alt: str, *, style: str = "") -> str:
    """The drawing as an `img` of HTML, which leaves no text behind where it is dropped.

    JupyterLab drops the elements of a drawing where a notebook is not trusted and keeps
    their texts. GitHub drops the address of an SVG (jupyter/nbconvert#2106): `alt` is
    what is read there.

    >>> as_picture("<svg/>", "a < b").partition(" src=")[0]
    "<img alt='a &lt; b'"
    """
    body = base64.b64encode(svg.encode()).decode("ascii")
    look = f" style='{style}'" if style else ""
    return f"<img alt='{escape(alt)}'{look} src='data:image/svg+xml;base64,{body}'>"


def lines_alt(title: str, lines: Sequence[Line]) -> str:
    """A chart in words: each of its curves as a line of bars.

    >>> lines_alt("loss", [Line("a", [0, 1, 2], [3.0, 2.0, 1.0], GHOST)])
    'Curve of loss: a █▅▁'
    """
    told = ", ".join(f"{line.label} {sparkline(line.y)}".strip() for line in lines)
    return f"Curve of {title}: {told}"


@dataclass(frozen=True, slots=True)
class _Box:
    """From data to pixels."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float

    @classmethod
    def around(cls, lines: Sequence[Line]) -> _Box:
        xs = [x for line in lines for x in line.x if math.isfinite(x)]
        ys = [y for line in lines for y in line.y if math.isfinite(y)]
        y_min, y_max = (min(ys), max(ys)) if ys else (0.0, 1.0)
        room = 0.06 * (y_max - y_min) or 0.5 * abs(y_max) or 0.5
        if not math.isfinite(room):  # a range beyond what a float can hold
            room = 0.0
        x_min, x_max = (min(xs), max(xs)) if xs else (0.0, 1.0)
        return cls(x_min, max(x_max, x_min + 1e-9), y_min - room, y_max + room)

    def x(self, value: float) -> float:
        share = (value - self.x_min) / (self.x_max - self.x_min)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        # Divided first: the difference of two huge values may overflow.
        share = value / 2 - self.y_min / 2
        height = self.y_max / 2 - self.y_min / 2
        return HEIGHT - _BOTTOM - share / height * (HEIGHT - _TOP - _BOTTOM)


def _curve(line: Line, box: _Box) -> str:
    runs = _finite_runs(line, box)
    style = (
        f"fill='none' stroke='{line.colour}' stroke-linejoin='round' "
        f"stroke-width='{1.2 if line.is_ghost else 1.8}'"
    )
    dots = (_dot(one[0], line.colour) for one in runs if len(one) == 1)
    path = "".join(_path(one) for one in runs if len(one) > 1)
    drawn = f"<path d='{path}' {style}/>" if path else ""
    return drawn + "".join(dots) + "".join(_marks(line, box))


def _marks(line: Line, box: _Box) -> list[str]:
    """Those that can be told apart."""
    parts, last = [], -math.inf
    for mark in line.marks:
        if not (math.isfinite(mark.x) and math.isfinite(mark.y)):
            continue
        x, y = box.x(mark.x), box.y(mark.y)
        if x - last < _MARK_GAP:
            continue
        last = x
        fill = "none" if mark.is_hollow else line.colour
        parts.append(
            f"<path d='M{x:.1f},{y - _MARK:.1f}l{_MARK},{_MARK}l-{_MARK},{_MARK}"
            f"l-{_MARK},-{_MARK}z' fill='{fill}' stroke='{line.colour}'/>"
        )
    return parts


def _finite_runs(line: Line, box: _Box) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(line.x, line.y, strict=False):
        if math.isfinite(x) and math.isfinite(y):
            runs[-1].append((box.x(x), box.y(y)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _dot(point: tuple[float, float], colour: str) -> str:
    return f"<circle cx='{point[0]:.1f}' cy='{point[1]:.1f}' r='2' fill='{colour}'/>"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _y_axis(box: _Box) -> list[str]:
    parts = []
    for tick, text in _ticks(box.y_min, box.y_max, 4):
        y = box.y(tick)
        parts.append(
            f"<path d='M{_LEFT},{y:.1f}H{WIDTH - _RIGHT}' stroke='{_INK}' "
            f"stroke-opacity='.22'/><text x='{_LEFT - 6}' y='{y + 4:.1f}' "
            f"text-anchor='end'>{text}</text>"
        )
    return parts


def _x_axis(box: _Box, label: str) -> list[str]:
    y, right = HEIGHT - 7, WIDTH - _RIGHT
    text = shorten(label, _LABEL_CHARS)
    room = right - _CHAR * len(text) - 14  # ticks end where the label begins
    ticks = [
        f"<text x='{box.x(tick):.1f}' y='{y}' text-anchor='middle'>{value}</text>"
        for tick, value in _ticks(box.x_min, box.x_max, 5, least=1.0)
        if box.x(tick) < room
    ]
    return [
        *ticks,
        f"<text x='{right}' y='{y}' text-anchor='end'>{xml_text(text)}</text>",
    ]


def _heading(title: str, lines: Sequence[Line]) -> list[str]:
    text = shorten(title, _TITLE_CHARS)
    parts = [f"<text x='{_LEFT}' y='14' font-weight='600'>{xml_text(text)}</text>"]
    named = [line for line in lines if not line.is_ghost]
    if len(named) > 1:
        room = (WIDTH - _LEFT - _RIGHT) / _CHAR - len(text) - 2  # letters
        parts += _legend(named, most=max(3, int(room / len(named)) - 2))
    return parts


def _legend(lines: Sequence[Line], *, most: int) -> list[str]:
    """Names in their colours, from the right, so that they end before the title."""
    parts, x = [], float(WIDTH - _RIGHT)
    for line in reversed(lines):
        label = shorten(line.label, min(most, _LABEL_CHARS))
        parts.append(
            f"<text x='{x:.0f}' y='14' text-anchor='end' fill='{line.colour}'>"
            f"{xml_text(label)}</text>"
        )
        x -= _CHAR * (len(label) + 2)
    return parts


def xml_text(text: str) -> str:
    """Escaped for XML, which unlike HTML has no place for two characters at all."""
    return escape(text).translate({0xFFFE: "?", 0xFFFF: "?"})


def _ticks(
    low: float, high: float, n: int, *, least: float = 0.0
) -> list[tuple[float, str]]:
    """Round values within the range, with no more decimals than they need."""
    span = high - low
    if not (0 < span < math.inf):
        return [(low, number(low))]
    gap = 10.0 ** math.floor(math.log10(span / n))
    gap *= next(m for m in (1, 2, 5, 10) if span / (gap * m) <= n + 0.5)
    gap = max(gap, least)
    first, last = math.ceil(low / gap), math.floor(high / gap)
    if last - first > 2 * n:  # digits run out: the range is too narrow for its place
        return [(low, number(low))]
    return [(i * gap, _tick_text(i * gap, gap)) for i in range(first, last + 1)]


def _tick_text(tick: float, gap: float) -> str:
    size = abs(tick)
    if size >= 1e9 or 0 < gap < 1e-5:
        return number(tick) if tick else "0"
    unit, sign = (1e6, "M") if size >= 1e6 else (1e3, "k") if size >= 1e4 else (1.0, "")
    decimals = max(0, -math.floor(math.log10(gap / unit) + 1e-9))
    return f"{tick / unit:.{decimals}f}{sign}".replace("-", "−")
