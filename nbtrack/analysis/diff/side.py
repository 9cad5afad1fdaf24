"""One of the two runs that are compared, with everything that the store knows of it.

What was not recorded is None or empty here, and `unseen_of` says so in words: that
nothing differs is only worth what was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nbtrack.analysis.environment_view import Environment, environment_of
from nbtrack.records import CellRecord, Fact, InputRecord, RunRecord, TextRecord
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store

USED = "artifact"  # the type of an input that is a version of an artifact
NOTICES_SHOWN = 5
# Of data and of chance there is a part of its own.
_TOLD_ELSEWHERE = re.compile(r"^(?>.*? changed: ).* since run |were used unseeded")


@dataclass(frozen=True)
class Side:
    """What the store holds of one run."""

    record: RunRecord
    facts: Mapping[str, Fact] = field(default_factory=dict)
    texts: Sequence[TextRecord] = ()
    inputs: Sequence[InputRecord] = ()  # used artifacts among them
    cells: Sequence[CellRecord] = ()  # executed up to its own, which is the last one
    # The `seq` of the cells that made it; None where that is not known.
    needed: frozenset[int] | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)  # variable -> why
    notices: Sequence[str] = ()

    @cached_property
    def environment(self) -> Environment:
        """Python, machine, numerics and packages."""
        bodies = [text.body or "" for text in self.texts if text.role == "packages"]
        return environment_of(self.facts.values(), "".join(bodies))

    @property
    def needed_cells(self) -> list[CellRecord]:
        """The cells that the run depends on, its own as the last one."""
        return [cell for cell in self.cells if cell.seq in (self.needed or ())]

    def fact(self, name: str) -> object:
        """The value of a fact; None where it is not known."""
        return self.facts[name].value if name in self.facts else None


def side_of(
    store: Store,
    record: RunRecord,
    *,
    needed: frozenset[int] | None = None,
    unknown: Mapping[str, str] | None = None,
) -> Side:
    """Read what the store knows of a run.

    Parameters
    ----------
    needed
        The cells of its session that it depends on, by `seq`; its own is the last.
        None: its own is all that is known.
    unknown
        Variables whose origin is not known, and why.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}) as run:
    ...     pass
    >>> side_of(run.store, run.record()).cells
    ()
    """
    cells: Sequence[CellRecord] = ()
    if needed:
        cells = [cell for cell in store.cells(record.id) if cell.seq <= max(needed)]
    elif record.source is not None or record.source_digest is not None:
        cells, needed = [_own_cell(record)], frozenset({0})
    return Side(
        record,
        store.facts(record.id),
        store.texts(record.id),
        [*store.inputs(record.id), *_used(store, record.id)],
        tuple(cells),
        needed,
        unknown or {},
        store.notices(record.id),
    )


def unseen_of(a: Side, b: Side) -> tuple[str, ...]:
    """What was not recorded of the runs, a sentence each.

    >>> run = RunRecord("1", "base", "e", "finished", "", None, None)
    >>> unseen_of(Side(run), Side(run))[0]
    'A and B: which cells made it is not known'
    """
    found: dict[str, list[str]] = {}
    for name, side in (("A", a), ("B", b)):
        for text in dict.fromkeys(_unseen(side)):
            found.setdefault(text, []).append(name)
    return tuple(f"{' and '.join(who)}: {text}" for text, who in found.items())


def _unseen(side: Side) -> Iterator[str]:
    if side.record.status == "running":
        yield "it still goes on"
    if side.needed is None:
        yield "which cells made it is not known"
    for name, why in side.unknown.items():
        yield f"`{_plain(name)}` has no known origin: {_plain(why)}"
    if any(cell.source is None for cell in side.needed_cells):
        yield "the text of a cell was not kept"
    if "git.commit" not in side.facts and not _has(side, "module"):
        yield "commit and local modules were not recorded"
    if not side.environment.groups.get("python"):
        yield "the environment was not recorded"
    if not side.environment.packages:
        yield "the packages were not recorded"
    if "rng.unseeded" not in side.facts:
        yield "the random generators were not looked at"
    for found in side.inputs:
        if found.digest is None:
            why = found.missing or "only a sample was looked at"
            yield f"no digest of `{_plain(found.name)}`: {_plain(why)}"
    missed = [text for text in side.notices if not _TOLD_ELSEWHERE.search(text)]
    for notice in missed[:NOTICES_SHOWN]:
        yield _plain(notice)


def _has(side: Side, role: str) -> bool:
    return any(text.role == role for text in side.texts)


def _plain(text: str) -> str:
    return shorten(visible(" ".join(text.split())), 120)


def _own_cell(record: RunRecord) -> CellRecord:
    """The tracked cell, where the log of cells was not kept."""
    return CellRecord(
        0, record.cell_id, record.execution, record.source,
        record.source_digest or "", record.started_at,
    )  # fmt: skip


def _used(store: Store, run_id: str) -> list[InputRecord]:
    """The versions of artifacts that a run read, as inputs."""
    uses = [use for use in store.artifact_uses(run=run_id) if use.role == "input"]
    versions = store.artifact_versions(ids=[use.version_id for use in uses])
    digests = {version.id: version for version in versions}
    return [
        InputRecord(
            use.name, USED,
            digests[use.version_id].digest,
            digests[use.version_id].size_bytes,
            detail={"version": use.version},
        )
        for use in uses
        if use.version_id in digests
    ]  # fmt: skip
