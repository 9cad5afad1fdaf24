"""Lineage as a picture: boxes for nodes, curves for edges, nothing but SVG.

Colours carry white text and stand out on white and on black. Beside the picture comes
an image map, by which the boxes have tooltips in a page that drops drawings.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nbtrack.analysis.graph_layout import LAYERS_PER_ROW, Layout, Place, layered
from nbtrack.analysis.lineage_edges import Edge
from nbtrack.analysis.lineage_nodes import Node
from nbtrack.text import escape, shorten, text_digest

BOX_WIDTH, BOX_HEIGHT = 130, 38  # five in a row fit under a cell
_STEP_X, _STEP_Y = BOX_WIDTH + 34, BOX_HEIGHT + 12
_LEFT, _TOP, _BETWEEN = 20, 8, 34  # px around the rows; between two of them
_LABEL_CHARS, _NOTE_CHARS = 17, 21
COLOURS = {"run": "#2c7a5b", "artifact": "#2f6db0", "data": "#8a6a1c"}
_EDGE, _START = "#8f8f8f", "#e0912f"
_STATUS = {"failed": "#ff8a80", "crashed": "#ff8a80", "stopped": "#ffcf6b"}
_FONT = "font-family='system-ui,sans-serif'"


@dataclass(frozen=True, slots=True)
class _Point:
    x: float
    y: float


def graph_image(
    nodes: Sequence[Node], edges: Sequence[Edge], start: str | None, *, alt: str
) -> str:
    """The picture as an `img` with its map of tooltips.

    >>> node = Node("run:1", "run", "<b>", "x", "2026")
    >>> image = graph_image([node], [], None, alt="lineage")
    >>> "<b>" in image, "title='&lt;b&gt;" in image
    (False, True)
    """
    drawing = _Drawing(
        layered([n.id for n in nodes], [(e.source, e.target) for e in edges])
    )
    svg = _svg(drawing, nodes, edges, start)
    data = base64.b64encode(svg.encode()).decode("ascii")
    name = "nbt-" + text_digest(svg)[:16]
    areas = "".join(_area(node, drawing.corner(node.id)) for node in nodes)
    style = "display:block;max-width:none"
    return (
        f"<img alt='{escape(alt)}' style='{style}' width='{drawing.width:.0f}' "
        f"height='{drawing.height:.0f}' usemap='#{name}' "
        f"src='data:image/svg+xml;base64,{data}'><map name='{name}'>{areas}</map>"
    )


class _Drawing:
    """From places to pixels."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        tops, y = [], float(_TOP)
        for height in layout.heights:
            tops.append(y)
            y += height * _STEP_Y + _BETWEEN
        self._tops = tops
        n_layers = 1 + max((p.layer for p in layout.places.values()), default=0)
        n_layers = LAYERS_PER_ROW if len(tops) > 1 else n_layers
        self.width = 2 * _LEFT + n_layers * _STEP_X - (_STEP_X - BOX_WIDTH)
        self.height = y - _BETWEEN + _TOP - (_STEP_Y - BOX_HEIGHT)

    def corner(self, node: str) -> _Point:
        """The upper left corner of a box."""
        middle = self.middle(self.layout.places[node])
        return _Point(middle.x, middle.y - BOX_HEIGHT / 2)

    def middle(self, place: Place) -> _Point:
        """The middle of the left side of a box, or of what passes there."""
        y = self._tops[place.row] + place.y * _STEP_Y + BOX_HEIGHT / 2
        return _Point(_LEFT + place.layer * _STEP_X, y)

    def gutter(self, row: int) -> float:
        """The height between a row and the next, where edges go back to the left."""
        return self._tops[row + 1] - _BETWEEN / 2 - (_STEP_Y - BOX_HEIGHT) / 2

    def path(self, edge: Edge) -> str:
        """The line of an edge, from its source's box to its target's."""
        places = self.layout.paths[edge.source, edge.target]
        is_back = _far(places[0]) > _far(places[-1])
        left_to_right = places[::-1] if is_back else places
        first = self.middle(left_to_right[0])
        at = _Point(first.x + BOX_WIDTH, first.y)
        line = f"M{at.x:.1f},{at.y:.1f}"
        for before, place in pairwise(left_to_right):
            to = self.middle(place)
            if place.row > before.row:
                line += self._around(at, to, before.row)
            else:
                line += _curve(at, to)
            is_bend = place is not left_to_right[-1]
            at = _Point(to.x + BOX_WIDTH, to.y) if is_bend else to
            line += f"L{at.x:.1f},{at.y:.1f}" if is_bend else ""
        return line

    def _around(self, at: _Point, to: _Point, row: int) -> str:
        """From the end of a row along the gutter to the beginning of the next."""
        gutter, right, left = self.gutter(row), self.width - 8, 8.0
        return (
            f"H{right - 6:.1f}Q{right:.1f},{at.y:.1f} {right:.1f},{at.y + 6:.1f}"
            f"V{gutter - 6:.1f}Q{right:.1f},{gutter:.1f} {right - 6:.1f},{gutter:.1f}"
            f"H{left + 6:.1f}Q{left:.1f},{gutter:.1f} {left:.1f},{gutter + 6:.1f}"
            f"V{to.y - 6:.1f}Q{left:.1f},{to.y:.1f} {left + 6:.1f},{to.y:.1f}"
            f"H{to.x:.1f}"
        )


def _far(place: Place) -> tuple[int, int]:
    return place.row, place.layer


def _curve(at: _Point, to: _Point) -> str:
    bend = (to.x - at.x) / 2
    return (
        f"C{at.x + bend:.1f},{at.y:.1f} {to.x - bend:.1f},{to.y:.1f} "
        f"{to.x:.1f},{to.y:.1f}"
    )


def _svg(
    drawing: _Drawing, nodes: Sequence[Node], edges: Sequence[Edge], start: str | None
) -> str:
    width, height = f"{drawing.width:.0f}", f"{drawing.height:.0f}"
    return "".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' "
            f"height='{height}' viewBox='0 0 {width} {height}' {_FONT}>",
            *_lines(drawing, edges),
            *(_box(n, drawing.corner(n.id), is_start=n.id == start) for n in nodes),
            "</svg>",
        ]
    )


def _lines(drawing: _Drawing, edges: Iterable[Edge]) -> list[str]:
    """One line for each pair of nodes, however many edges there are between them."""
    pairs: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        if edge.source != edge.target:
            pairs.setdefault((edge.source, edge.target), edge)
    lines = []
    for edge in pairs.values():
        dash = " stroke-dasharray='5 3'" if edge.what == "forked" else ""
        lines.append(
            f"<path d='{drawing.path(edge)}' fill='none' stroke='{_EDGE}' "
            f"stroke-width='1.4'{dash}/>{_arrow(drawing, edge)}"
        )
    return lines


def _arrow(drawing: _Drawing, edge: Edge) -> str:
    """The tip at the box of the target, on the side from which the edge comes."""
    source, target = (
        drawing.layout.places[edge.source],
        drawing.layout.places[edge.target],
    )
    at, is_back = drawing.middle(target), _far(source) > _far(target)
    x, away = (at.x + BOX_WIDTH, 6) if is_back else (at.x, -6)
    return f"<path d='M{x:.1f},{at.y:.1f}l{away},-3.5v7z' fill='{_EDGE}'/>"


def _box(node: Node, at: _Point, *, is_start: bool) -> str:
    colour = COLOURS[node.kind]
    frame = f" stroke='{_START}' stroke-width='3'" if is_start else ""
    size = f"width='{BOX_WIDTH}' height='{BOX_HEIGHT}' rx='5'"
    behind = (
        f"<rect x='{at.x + 4:.1f}' y='{at.y + 4:.1f}' {size} fill='{colour}' "
        "fill-opacity='.45'/>" if node.n > 1 else ""
    )  # fmt: skip
    if "gone" in node.facts:
        frame += f" fill-opacity='.62' stroke-dasharray='4 3'{_stroke(frame, colour)}"
    x, y = at.x + 9, at.y + 16
    return (
        f"{behind}<rect x='{at.x:.1f}' y='{at.y:.1f}' {size} fill='{colour}'{frame}/>"
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='12' font-weight='600' fill='#fff'>"
        f"{_xml(_fitting(node.label))}</text>"
        f"<text x='{x:.1f}' y='{y + 15:.1f}' font-size='10.5' fill='#fff' "
        f"fill-opacity='.88'>{_xml(shorten(node.note, _NOTE_CHARS))}</text>"
        f"{_mark(node, at)}"
    )


def _stroke(frame: str, colour: str) -> str:
    return "" if frame else f" stroke='{colour}'"


def _mark(node: Node, at: _Point) -> str:
    """A run that did not end well has a dot."""
    colour = _STATUS.get(node.facts.get("status", ""))
    if colour is None:
        return ""
    x, y = at.x + BOX_WIDTH - 11, at.y + BOX_HEIGHT - 11
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'/>"


def _fitting(label: str) -> str:
    """Of a long name the beginning, and its version whole."""
    name, colon, version = label.rpartition(":")
    if len(label) <= _LABEL_CHARS or not colon or len(version) > _LABEL_CHARS // 2:
        return shorten(label, _LABEL_CHARS)
    return shorten(name, _LABEL_CHARS - len(version) - 1) + colon + version


def _area(node: Node, at: _Point) -> str:
    lines = [node.label, *(f"{name}: {text}" for name, text in node.facts.items())]
    title = "&#10;".join(escape(shorten(line, 120)) for line in lines)
    corners = (at.x, at.y, at.x + BOX_WIDTH, at.y + BOX_HEIGHT)
    coords = ",".join(f"{value:.0f}" for value in corners)
    return (
        f"<area shape='rect' coords='{coords}' alt='{escape(node.label)}' "
        f"title='{title}'>"
    )


def _xml(text: str) -> str:
    """Escaped for XML, which unlike HTML has no place for two characters at all."""
    return escape(text).translate({0xFFFE: "?", 0xFFFF: "?"})
