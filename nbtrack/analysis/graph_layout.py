"""Places the nodes of a graph in layers from left to right, always in the same way.

Sources stand left of what they lead to; edges cross little; a long chain goes on in the
next row, as text does. Cycles are drawn with one of their edges going back.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

LAYERS_PER_ROW = 5
_SWEEPS = 8
_THIN = 0.45  # the room of an edge that passes a layer, in nodes
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node or the bend of an edge is: its row, its layer in it, its height."""

    row: int
    layer: int
    y: float  # in nodes, from the top of the row


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the nodes, places that each edge passes, and heights of the rows."""

    places: Mapping[str, Place]
    paths: Mapping[Pair, tuple[Place, ...]]  # from the source to the target
    heights: tuple[float, ...]  # in nodes


def layered(nodes: Sequence[str], edges: Iterable[Pair]) -> Layout:
    """The layout of a graph; nodes and edges in an order that does not change.

    >>> layout = layered(["a", "b"], [("a", "b")])
    >>> layout.places["a"].layer, layout.places["b"].layer, layout.heights
    (0, 1, (1.0,))
    """
    pairs = list(dict.fromkeys(edge for edge in edges if edge[0] != edge[1]))
    backward = _backward(nodes, pairs)
    forward = list(dict.fromkeys(p[::-1] if p in backward else p for p in pairs))
    layer = _layers(nodes, forward)
    chains = {pair: _chain(pair, layer) for pair in forward}
    links = [link for chain in chains.values() for link in pairwise(chain)]
    for chain in chains.values():
        layer |= {bend: layer[chain[0]] + i for i, bend in enumerate(chain)}
    y = _heights(_ordered(layer, links), links)
    places, heights = _in_rows(layer, y)
    paths = {}
    for pair in pairs:
        chain = chains[pair[::-1] if pair in backward else pair]
        path = tuple(places[bend] for bend in chain)
        paths[pair] = path[::-1] if pair in backward else path
    return Layout({node: places[node] for node in nodes}, paths, heights)


def _backward(nodes: Sequence[str], pairs: Sequence[Pair]) -> set[Pair]:
    """Edges that would close a cycle, met in depth-first order without recursion."""
    beside = _beside(nodes, pairs)
    state: dict[str, int] = {}  # 1: on the way, 2: done
    backward = set[Pair]()
    for first in nodes:
        way = [(first, iter(beside[first]))] if first not in state else []
        state.setdefault(first, 1)
        while way:
            node, rest = way[-1]
            nearest = next(rest, None)
            if nearest is None:
                state[node] = 2
                way.pop()
            elif nearest not in state:
                state[nearest] = 1
                way.append((nearest, iter(beside[nearest])))
            elif state[nearest] == 1:
                backward.add((node, nearest))
    return backward


def _beside(nodes: Iterable[str], pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in pairs:
        found[source].append(target)
    return found


def _layers(nodes: Sequence[str], pairs: Sequence[Pair]) -> dict[str, int]:
    """The longest way to a node; what has no way to it stands beside what it feeds."""
    after, n_before = _beside(nodes, pairs), dict.fromkeys(nodes, 0)
    for _, target in pairs:
        n_before[target] += 1
    ready = [node for node in nodes if n_before[node] == 0]
    sources, layer = list(ready), dict.fromkeys(nodes, 0)
    for node in ready:  # grows
        for nearest in after[node]:
            layer[nearest] = max(layer[nearest], layer[node] + 1)
            n_before[nearest] -= 1
            if n_before[nearest] == 0:
                ready.append(nearest)
    for node in sources:
        if after[node]:
            layer[node] = min(layer[nearest] for nearest in after[node]) - 1
    return layer


def _chain(pair: Pair, layer: Mapping[str, int]) -> list[str]:
    """The edge with a bend in each layer that it passes; no node is called so."""
    source, target = pair
    n = layer[target] - layer[source] - 1
    return [source, *(f"\0{source}\0{target}\0{i}" for i in range(n)), target]


def _ordered(layer: Mapping[str, int], links: Sequence[Pair]) -> list[list[str]]:
    """Each layer in the order in which its edges cross least, of those tried."""
    order: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for node, at in layer.items():
        order[at].append(node)
    before, after = _neighbours(layer, links)
    best, fewest = [list(one) for one in order], _crossings(order, after)
    for sweep in range(_SWEEPS):
        is_right = sweep % 2 == 0
        near = before if is_right else after
        for at in range(1, len(order)) if is_right else range(len(order) - 2, -1, -1):
            beside = order[at - 1] if is_right else order[at + 1]
            place = {node: i for i, node in enumerate(beside)}
            own = {node: i for i, node in enumerate(order[at])}
            order[at].sort(key=lambda n: (_mean(near[n], place, own[n]), own[n]))
        crossings = _crossings(order, after)
        if crossings < fewest:
            best, fewest = [list(one) for one in order], crossings
    return best


def _neighbours(
    nodes: Iterable[str], links: Sequence[Pair]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    names = list(nodes)
    return _beside(names, [link[::-1] for link in links]), _beside(names, links)


def _mean(near: Sequence[str], place: Mapping[str, float], other: float) -> float:
    return sum(place[one] for one in near) / len(near) if near else other


def _crossings(order: Sequence[Sequence[str]], after: Mapping[str, list[str]]) -> int:
    """How many pairs of edges cross, by counting inversions between two layers."""
    n = 0
    for left, right in pairwise(order):
        place = {node: i for i, node in enumerate(right)}
        seen: list[int] = []
        for node in left:
            ends = sorted(place[one] for one in after[node])
            n += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return n


def _heights(order: Sequence[Sequence[str]], links: Sequence[Pair]) -> dict[str, float]:
    """A height for each node near those of its neighbours, none over another."""
    nodes = [node for one in order for node in one]
    before, after = _neighbours(nodes, links)
    y = {node: float(i) for one in order for i, node in enumerate(one)}
    for sweep in range(2 * _SWEEPS):
        is_right = sweep % 2 == 0
        for one in order if is_right else reversed(order):
            near = before if is_right else after
            wanted = [_mean(near[node], y, y[node]) for node in one]
            y |= zip(one, _apart(wanted, [_room(node) for node in one]), strict=True)
    return y


def _room(node: str) -> float:
    return _THIN if node.startswith("\0") else 1.0


def _apart(wanted: Sequence[float], rooms: Sequence[float]) -> list[float]:
    """The nearest to what is wanted at which none lies over the next."""
    gaps = [0.0, *((a + b) / 2 for a, b in pairwise(rooms))]
    down, up = list(wanted), list(wanted)
    for i in range(1, len(wanted)):
        down[i] = max(down[i], down[i - 1] + gaps[i])
    for i in range(len(wanted) - 2, -1, -1):
        up[i] = min(up[i], up[i + 1] - gaps[i + 1])
    return [(a + b) / 2 for a, b in zip(down, up, strict=True)]


def _in_rows(
    layer: Mapping[str, int], y: Mapping[str, float]
) -> tuple[dict[str, Place], tuple[float, ...]]:
    """Layers in rows, each row beginning at its own top."""
    n_rows = max(layer.values(), default=0) // LAYERS_PER_ROW + 1
    tops, ends = [float("inf")] * n_rows, [float("-inf")] * n_rows
    for node, at in layer.items():
        row = at // LAYERS_PER_ROW
        tops[row] = min(tops[row], y[node])
        ends[row] = max(ends[row], y[node])
    places = {
        node: Place(
            row := at // LAYERS_PER_ROW, at % LAYERS_PER_ROW, y[node] - tops[row]
        )
        for node, at in layer.items()
    }
    return places, tuple(
        end - top + 1 if top <= end else 0.0
        for top, end in zip(tops, ends, strict=True)
    )
