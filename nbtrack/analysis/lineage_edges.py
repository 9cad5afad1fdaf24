"""The edges of lineage: from rows of the store to what is followed up and down.

An edge is a tuple `source, target, what, step, path, digest` of keys (a run's id, a
version's number): there may be a hundred thousand of them, most of them not asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.lineage_nodes import Node, node_of_data

if TYPE_CHECKING:
    from nbtrack.records import InputRecord
    from nbtrack.store.lineage_rows import Holder, Links, Opened

Key = str | int
RawEdge = tuple[Any, Any, str, int | None, str, str | None]


@dataclass(frozen=True, slots=True)
class Edge:
    """Something went from one node into another."""

    source: str  # the id of a node
    target: str
    what: str  # logged, used, opened, read, forked
    step: int | None = None
    path: str = ""
    n: int = 1  # how many edges it stands for, in a grouped lineage


def edges_of(links: Links) -> list[RawEdge]:
    """Every edge of the store, those of opened files found by their digests."""
    edges: list[RawEdge] = [
        (use.run, use.version, "logged", use.step, use.path, None)
        if use.role == "output"
        else (use.version, use.run, "used", use.step, use.path, None)
        for use in links.uses
    ]
    edges += _opened(links)
    edges += [(f.origin, f.run, "forked", f.step, "", None) for f in links.forks]
    return edges


def reached(
    edges: Iterable[RawEdge], start: Key, *, end: int, depth: int | None
) -> dict[Key, int]:
    """How far each node is from `start`: upward from the targets (end 1), or downward.

    >>> edges = [("a", 1, "logged", 0, "", None), (1, "a", "used", 0, "", None)]
    >>> reached(edges, "a", end=0, depth=None)
    {'a': 0, 1: 1}
    """
    beside: dict[Key, list[Key]] = {}
    for source, target, *_ in edges:
        near, far_off = (source, target) if end == 0 else (target, source)
        beside.setdefault(near, []).append(far_off)
    far: dict[Key, int] = {start: 0}
    front: list[Key] = [start]
    while front and (depth is None or far[front[0]] < depth):
        found = dict.fromkeys(
            near for key in front for near in beside.get(key, ()) if near not in far
        )
        far |= dict.fromkeys(found, far[front[0]] + 1)
        front = list(found)
    return far


def data_of(
    inputs: Iterable[tuple[str, InputRecord]], covered: set[tuple[Any, str | None]]
) -> tuple[list[Node], list[Edge]]:
    """Nodes of the data that no artifact holds, and who read it."""
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], Edge] = {}
    for run, found in inputs:
        if (run, found.digest) in covered:
            continue
        node = node_of_data(run, found)
        nodes.setdefault(node.id, node)
        edge = Edge(node.id, f"run:{run}", "read", path=found.name)
        edges.setdefault((edge.source, edge.target), edge)
    return list(nodes.values()), list(edges.values())


def _opened(links: Links) -> list[RawEdge]:
    """A file of the very run's own making is no input; one of its uses says it all."""
    logged, used = set[tuple[str, int]](), set[tuple[str, int]]()
    for use in links.uses:
        (logged if use.role == "output" else used).add((use.run, use.version))
    holders: dict[str, dict[int, list[Holder]]] = {}
    for holder in links.holders:
        holders.setdefault(holder.digest, {}).setdefault(holder.artifact, []).append(
            holder
        )
    edges: list[RawEdge] = []
    for opened in links.opened:
        every = holders.get(opened.digest, {})
        mine = [h.version for held in every.values() for h in held]
        if any((opened.run, version) in logged for version in mine):
            continue
        meant = [v for v in mine if (opened.run, v) in used]
        for version in meant or [_meant(held, opened) for held in every.values()]:
            edges.append(
                (version, opened.run, "opened", None, opened.name, opened.digest)
            )
    return _fewest(edges, holders)


def _meant(held: Sequence[Holder], opened: Opened) -> int:
    """The newest version that was there when the run began, else the oldest."""
    at = bisect_right([h.created_at for h in held], opened.started_at)
    return held[max(0, at - 1)].version


def _fewest(
    edges: list[RawEdge], holders: Mapping[str, Mapping[int, Sequence[Holder]]]
) -> list[RawEdge]:
    """Of several versions that a run seems to have opened, the one that explains all.

    A file that did not change is in every later version of its folder; one that did
    tells which version it was.
    """
    holds = {
        (h.version, digest): artifact
        for digest, by_artifact in holders.items()
        for artifact, held in by_artifact.items()
        for h in held
    }
    groups: dict[tuple[str, int], list[RawEdge]] = {}
    for edge in edges:
        groups.setdefault((edge[1], holds[edge[0], edge[5] or ""]), []).append(edge)
    fewer: list[RawEdge] = []
    for group in groups.values():
        picks = dict.fromkeys(edge[0] for edge in group)
        whole = [p for p in picks if all((p, edge[5] or "") in holds for edge in group)]
        if len(picks) > 1 and whole:
            group = [(whole[0], *edge[1:]) for edge in group]
        fewer += group
    return fewer
