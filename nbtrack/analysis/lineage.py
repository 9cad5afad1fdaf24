"""Lineage: which runs and data made a version, and who used it, up and down.

Nodes are runs, versions of artifacts, and data that a run read; edges are what runs
logged, what they used, and the files that they opened whose bytes an artifact holds.
The store is asked a fixed number of times; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.lineage_edges import Edge, RawEdge, data_of, edges_of, reached
from nbtrack.analysis.lineage_nodes import Node, node_of_run, node_of_version
from nbtrack.errors import ArtifactNotFoundError, NbtrackError, RunNotFoundError
from nbtrack.records import ArtifactRecord
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.analysis.lineage_walk import Walk
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

Key = str | int  # a run by its id, a version by its number in the store
LINES_SHOWN = 30


@dataclass(frozen=True)
class Lineage:
    """What leads to a run or a version, and what came of it.

    The notebook shows it as a graph; `nodes` and `edges` are the data behind it.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    store: Store = field(repr=False, compare=False)
    start: str | None = None  # the id of the node that was asked for

    def __len__(self) -> int:
        return len(self.nodes)

    def node(self, ref: str) -> Node:
        """The node that a reference means: `mlp:v3`, `mlp:best`, a run, a data name.

        Raises
        ------
        ArtifactNotFoundError
            Where nothing in this lineage answers to it.
        """
        wanted = self._ids_of(ref)
        found = [node for node in self.nodes if node.id in wanted or node.label == ref]
        found = found or [n for n in self.nodes if n.digest and _begins(n.digest, ref)]
        if not found:
            hint = did_you_mean(ref, [node.label for node in self.nodes])
            raise ArtifactNotFoundError(
                f"Nothing in this lineage is called {shorten(repr(ref))}.{hint}"
            )
        return found[-1]

    def made_by(self, ref: str) -> list[Node]:
        """What made it: the runs that logged a version, or what went into a run."""
        return self._beside(self.node(ref).id, "source")

    def used_by(self, ref: str) -> list[Node]:
        """Who used it: the runs that read a version, or what came out of a run."""
        return self._beside(self.node(ref).id, "target")

    def grouped(self) -> Lineage:
        """The same by type: one node for an artifact, an experiment, a kind of data."""
        from nbtrack.analysis.lineage_groups import group_nodes

        nodes, edges, place = group_nodes(self.nodes, self.edges)
        start = None if self.start is None else place[self.start]
        return Lineage(nodes, edges, self.store, start)

    def walk(self, metric: str | None = None) -> Walk:
        """From the best value of a metric over these runs to its data and code.

        Parameters
        ----------
        metric
            Default: validation loss if there is one, else what can say which is better.

        Raises
        ------
        MetricNotFoundError
            Where no run here has it.
        """
        from nbtrack.analysis.lineage_walk import walk_from

        return walk_from(self, metric)

    def to_frame(self) -> pd.DataFrame:
        """One row for each edge: from what, how, to what, at which step and path."""
        import pandas as pd

        nodes = {node.id: node for node in self.nodes}
        columns = (
            "source", "source_kind", "source_type", "what", "target", "target_kind",
            "target_type", "step", "path", "source_id", "target_id",
        )  # fmt: skip
        rows = [
            _row(edge, nodes[edge.source], nodes[edge.target]) for edge in self.edges
        ]
        frame = pd.DataFrame(rows, columns=list(columns))
        return frame.astype({"step": "Int64"})

    def __repr__(self) -> str:
        labels = {node.id: visible(node.label) for node in self.nodes}
        lines = [self.headline()]
        for edge in self.edges[:LINES_SHOWN]:
            at = "" if edge.step is None else f" @ step {edge.step}"
            lines.append(
                f"  {labels[edge.source]} ── {edge.what} ─▶ {labels[edge.target]}{at}"
            )
        more = len(self.edges) - LINES_SHOWN
        return "\n".join([*lines, *([f"  … and {more} more"] if more > 0 else [])])

    def _repr_html_(self) -> str:
        from nbtrack.analysis.lineage_view import lineage_html

        return lineage_html(self)

    def headline(self) -> str:
        """What it is of, and how much there is of it, in one line."""
        start = next((n.label for n in self.nodes if n.id == self.start), "")
        counts = [
            _count(self.nodes, "run", "run"),
            _count(self.nodes, "artifact", "version"),
            _count(self.nodes, "data", "data input"),
        ]
        of = f"lineage of {visible(start)}" if start else "lineage"
        return f"{of}: {', '.join(filter(None, counts)) or 'nothing is known'}"

    def _beside(self, id_: str, end: Literal["source", "target"]) -> list[Node]:
        other = "target" if end == "source" else "source"
        near = {getattr(e, end) for e in self.edges if getattr(e, other) == id_}
        return [node for node in self.nodes if node.id in near]

    def _ids_of(self, ref: str) -> set[str]:
        ids = set[str]()
        for kind, find in (("artifact", self.store.artifact), ("run", self.store.run)):
            try:
                ids.add(f"{kind}:{find(ref).id}")
            except NbtrackError:  # the other kind, or data
                continue
        return ids


def lineage(
    start: Run | RunRecord | ArtifactRecord | str | None = "last",
    *,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
    store: Store | None = None,
) -> Lineage:
    """Who made this, from what, and who used it.

    Parameters
    ----------
    start
        A run or its name, a version as `mlp:v3` or `mlp` (a run comes first where both
        are called so), a registered model as `fraud@production`, or None for all that
        the store knows.
    up, down
        Whether to follow what led to it, and what came of it.
    depth
        At most so many edges away.
    store
        Default: the one of this folder.

    Raises
    ------
    RunNotFoundError, ArtifactNotFoundError
        Where nothing answers to `start`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     nbtrack.log(loss=0.5)
    ...     run.checkpoint({"w": [1, 2]}, name="mlp")
    >>> from nbtrack.analysis.lineage import lineage
    >>> [node.label for node in lineage("mlp:v0").made_by("mlp:v0")]
    ['base']
    """
    from nbtrack.tracking.settled import settled

    store = settled(store or getattr(start, "store", None))
    return trace(store, _key_of(store, start), up=up, down=down, depth=depth)


def trace(
    store: Store,
    start: Key | None,
    *,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
) -> Lineage:
    """The lineage from a run's id or a version's number; None: of everything."""
    links = store.lineage_links()
    edges = edges_of(links)
    if start is None:
        upward = {key: 0 for edge in edges for key in (edge[0], edge[1])}
        upward |= {run.id: 0 for run in store.lineage_runs(_all_runs(store))}
        downward = dict[Key, int]()
    else:
        upward = reached(edges, start, end=1, depth=depth) if up else {start: 0}
        downward = reached(edges, start, end=0, depth=depth) if down else {start: 0}
    kept = [e for e in edges if _within(e, upward) or _within(e, downward)]
    near = [k for k, far in upward.items() if depth is None or far < depth]
    readers = [key for key in near if isinstance(key, str)] if up else []
    return _lineage(store, {**upward, **downward}, kept, readers, start)


def _all_runs(store: Store) -> list[str]:
    return list(store.table(trashed=False, names=("id",)).ids)


def _within(edge: RawEdge, keys: Mapping[Key, int]) -> bool:
    return edge[0] in keys and edge[1] in keys


def _lineage(
    store: Store,
    keys: Iterable[Key],
    edges: Sequence[RawEdge],
    readers: Sequence[str],
    start: Key | None,
) -> Lineage:
    runs = store.lineage_runs(key for key in keys if isinstance(key, str))
    ids = [key for key in keys if isinstance(key, int)]
    models = store.registered(ids)
    versions = store.artifact_versions(ids=ids)
    covered = {(edge[1], edge[5]) for edge in edges}
    data, reads = data_of(store.lineage_inputs(readers), covered)
    nodes = [
        *data,
        *map(node_of_run, runs),
        *(node_of_version(v, models.get(v.id, ())) for v in versions),
    ]
    known = {node.id for node in nodes}
    made = [
        Edge(_id(source), _id(target), what, step, path)
        for source, target, what, step, path, _ in edges
        if _id(source) in known and _id(target) in known
    ]
    name = None if start is None else _id(start)
    return Lineage(tuple(nodes), (*reads, *made), store, name)


def _id(key: Key) -> str:
    return f"run:{key}" if isinstance(key, str) else f"artifact:{key}"


def _key_of(
    store: Store, start: Run | RunRecord | ArtifactRecord | str | None
) -> Key | None:
    if start is None:
        return None
    if not isinstance(start, str):
        return start.id
    if ":" in start:
        return store.artifact(start).id
    try:
        return store.run(start).id
    except RunNotFoundError as no_run:
        try:
            return store.artifact(start).id
        except ArtifactNotFoundError:
            raise no_run from None


def _row(edge: Edge, source: Node, target: Node) -> tuple[Any, ...]:
    return (
        source.label, source.kind, source.type, edge.what, target.label, target.kind,
        target.type, edge.step, edge.path, source.id, target.id,
    )  # fmt: skip


def _count(nodes: Iterable[Node], kind: str, word: str) -> str:
    n = sum(node.n for node in nodes if node.kind == kind)
    return f"{n} {word}{'s' * (n != 1)}" if n else ""


def _begins(digest: str, ref: str) -> bool:
    return len(ref) >= 6 and digest.startswith(ref)
