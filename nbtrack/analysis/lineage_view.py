"""How lineage is shown: one static page with the graph exploded and grouped by type.

No script and nothing from outside: folding is HTML's own `details`. What is too much
for a picture is folded or left out, and that is said; `to_frame()` has all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbtrack.analysis.lineage_edges import Edge
from nbtrack.analysis.lineage_nodes import Node
from nbtrack.analysis.lineage_svg import COLOURS, graph_image
from nbtrack.text import escape, shorten

if TYPE_CHECKING:
    from nbtrack.analysis.lineage import Lineage

NODES_MAX, EDGES_MAX = 200, 1_500  # of one picture
OPEN_MAX = 60  # nodes up to which the exploded picture stands open, not the grouped
FAN_MAX = 9  # alike siblings that are drawn one by one
FAN_ENDS = 3  # of more, the first and the last of them
_MUTED = "opacity:.68"
_BOX = "overflow:auto;max-height:620px;margin:4px 0"
_WORDS = {"run": "run", "artifact": "artifact", "data": "data"}


def lineage_html(found: Lineage) -> str:
    """The page of a lineage."""
    n_all = len(found.nodes)
    nodes, edges = folded(found.nodes, found.edges, keep=found.start)
    n_left = len(nodes) - NODES_MAX
    nodes, edges = nearest(nodes, edges, found.start)
    grouped = found.grouped()
    parts = [
        "<div style='font:13px/1.5 system-ui,sans-serif'>",
        f"<div><b>{escape(found.headline())}</b>{_legend(found.nodes)}</div>",
    ]
    exploded = _picture(nodes, edges, found.start, found.headline())
    if len(grouped.nodes) == n_all:
        parts.append(exploded)
    else:
        by_type = _picture(
            *nearest(grouped.nodes, grouped.edges, grouped.start), grouped.start,
            f"{found.headline()}, grouped by type",
        )  # fmt: skip
        is_open = len(nodes) <= OPEN_MAX and n_left <= 0
        parts.append(_folding("every run and version", exploded, is_open=is_open))
        parts.append(_folding("grouped by type", by_type, is_open=not is_open))
    parts += [*_left_out(n_left, "nodes"), "</div>"]
    return "".join(parts)


def folded(
    nodes: Sequence[Node], edges: Sequence[Edge], *, keep: str | None
) -> tuple[list[Node], list[Edge]]:
    """Of many siblings that came from and went to the same, one box for the middle."""
    into: dict[str, set[str]] = {node.id: set() for node in nodes}
    out: dict[str, set[str]] = {node.id: set() for node in nodes}
    for edge in edges:
        into[edge.target].add(edge.source)
        out[edge.source].add(edge.target)
    alike: dict[object, list[Node]] = {}
    for node in nodes:
        name = node.label.rpartition(":")[0] if node.kind == "artifact" else node.type
        key = node.kind, name, frozenset(into[node.id]), frozenset(out[node.id])
        alike.setdefault(key, []).append(node)
    place: dict[str, str] = {}
    boxes: dict[str, Node] = {}
    for fan in alike.values():
        middle = [n for n in fan[FAN_ENDS:-FAN_ENDS] if _is_plain(n) and n.id != keep]
        if len(fan) > FAN_MAX and len(middle) > 1:
            box = _fold(middle)
            boxes[middle[0].id] = box
            place |= dict.fromkeys((node.id for node in middle), box.id)
    kept = [boxes.get(n.id, n) for n in nodes if n.id not in place or n.id in boxes]
    moved = [
        replace(
            edge,
            source=place.get(edge.source, edge.source),
            target=place.get(edge.target, edge.target),
        )
        for edge in edges
    ]
    return kept, list(dict.fromkeys(moved))


def _is_plain(node: Node) -> bool:
    """Not one that people gave an alias, or registered."""
    aliases = set(filter(None, node.facts.get("aliases", "").split(", ")))
    return "registered" not in node.facts and not aliases - {"latest"}


def _fold(nodes: Sequence[Node]) -> Node:
    first, last = nodes[0], nodes[-1]
    words = {"run": "runs", "artifact": "versions", "data": "inputs"}[first.kind]
    facts = {"first": first.label, "last": last.label, "drawn as": "one box"}
    return Node(
        f"fold:{first.id}", first.kind, f"{len(nodes):,} more {words}", first.type,
        first.at, note=f"{_short(first)} … {_short(last)}", facts=facts,
        n=len(nodes),
    )  # fmt: skip


def _short(node: Node) -> str:
    """Of a version its number, of others the beginning of the name."""
    is_version = node.kind == "artifact"
    return node.label.rpartition(":")[2] if is_version else shorten(node.label, 9)


def nearest(
    nodes: Sequence[Node], edges: Sequence[Edge], start: str | None
) -> tuple[list[Node], list[Edge]]:
    """As many nodes as can be drawn: those nearest to `start`, else the newest."""
    if len(nodes) <= NODES_MAX:
        return list(nodes), list(edges)
    beside: dict[str, list[str]] = {node.id: [] for node in nodes}
    for edge in edges:
        beside[edge.source].append(edge.target)
        beside[edge.target].append(edge.source)
    newest = sorted(nodes, key=lambda node: node.at, reverse=True)
    kept: dict[str, None] = {}
    for first in [*([start] if start else []), *(node.id for node in newest)]:
        waiting = deque([] if first in kept else [first])
        while waiting and len(kept) < NODES_MAX:
            one = waiting.popleft()
            if one not in kept:
                kept[one] = None
                waiting += [near for near in beside[one] if near not in kept]
    drawn = [edge for edge in edges if edge.source in kept and edge.target in kept]
    return [node for node in nodes if node.id in kept], drawn


def _picture(
    nodes: Sequence[Node], edges: Sequence[Edge], start: str | None, alt: str
) -> str:
    if not nodes:
        return f"<div style='{_MUTED}'>no artifact was logged or used yet</div>"
    in_time = sorted(nodes, key=lambda node: node.at)
    image = graph_image(in_time, edges[:EDGES_MAX], start, alt=alt)
    more = "".join(_left_out(len(edges) - EDGES_MAX, "edges"))
    return f"<div style='{_BOX}'>{image}</div>{more}"


def _legend(nodes: Sequence[Node]) -> str:
    kinds = dict.fromkeys(node.kind for node in nodes)
    return "".join(
        f" <span style='margin-left:14px'><span style='color:{COLOURS[kind]}'>■</span> "
        f"<span style='{_MUTED}'>{_WORDS[kind]}</span></span>"
        for kind in COLOURS
        if kind in kinds
    )


def _folding(title: str, body: str, *, is_open: bool) -> str:
    shown = " open" if is_open else ""
    return (
        f"<details{shown}><summary style='cursor:pointer'>{escape(title)}</summary>"
        f"{body}</details>"
    )


def _left_out(n: int, what: str) -> list[str]:
    if n <= 0:
        return []
    text = f"… and {n:,} more {what} are not drawn; .nodes and .edges have all of them"
    return [f"<div style='{_MUTED}'>{escape(text)}</div>"]
