"""A lineage by type: one node for an artifact, an experiment, a kind of data."""

from __future__ import annotations

from collections.abc import Sequence

from nbtrack.analysis.lineage_edges import Edge
from nbtrack.analysis.lineage_nodes import Node
from nbtrack.text import shorten


def group_nodes(
    nodes: Sequence[Node], edges: Sequence[Edge]
) -> tuple[tuple[Node, ...], tuple[Edge, ...], dict[str, str]]:
    """The grouped nodes, their edges, and which group each node went to."""
    members: dict[str, list[Node]] = {}
    place: dict[str, str] = {}
    for node in nodes:
        place[node.id] = _group_of(node)
        members.setdefault(place[node.id], []).append(node)
    counts: dict[tuple[str, str, str], int] = {}
    for edge in edges:
        key = place[edge.source], place[edge.target], edge.what
        counts[key] = counts.get(key, 0) + edge.n
    merged = tuple(Edge(*key, n=n) for key, n in counts.items())
    return tuple(_merged(id_, each) for id_, each in members.items()), merged, place


def _group_of(node: Node) -> str:
    if node.kind == "artifact":
        return f"artifact:{node.label.rpartition(':')[0] or node.label}"
    return f"{node.kind}:{node.type}"


def _merged(id_: str, nodes: Sequence[Node]) -> Node:
    first, n = nodes[0], sum(node.n for node in nodes)
    name = id_.partition(":")[2]
    labels = [node.label for node in nodes]
    words = {"run": "run", "artifact": "version", "data": name}[first.kind]
    counted = f"{n:,} {words}{'s' * (n != 1)}"
    if first.kind == "data":
        label, note = ", ".join(dict.fromkeys(labels)), counted
    else:
        label, note = name, counted
    facts = {
        first.kind: name if first.kind != "data" else counted,
        "type": first.type if first.kind == "artifact" else "",
        "first": labels[0], "last": labels[-1] if n > 1 else "",
    }  # fmt: skip
    return Node(
        id_, first.kind, shorten(label, 60), first.type, first.at, note=note,
        facts={key: text for key, text in facts.items() if text}, n=n,
    )  # fmt: skip
