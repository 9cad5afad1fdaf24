"""Resuming a run: which one is meant, whether it may be, and where its metrics go on.

The same run goes on in another process: its steps behind the last ones, its duration
added up, its params replaced where they are said again. A run that still lives is
refused: two writers of one curve would mix their steps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nbtrack.errors import ResumeError
from nbtrack.records import TextRecord
from nbtrack.text import shorten, text_digest, visible

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store

_WRITTEN_OVER = frozenset({"diff", "stdout", "stderr"})  # one text of a role each


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a resumed run takes over of its earlier life."""

    record: RunRecord
    steps: dict[str, int] = field(default_factory=dict)  # metric -> its next step

    @property
    def duration_s(self) -> float:
        """How long it took before."""
        return self.record.duration_s or 0.0

    def texts_kept(self, store: Store, digest: str | None) -> list[TextRecord]:
        """What the new life would write over: each under the time when it ended.

        The cell where it is another one now, the diff, what was printed, and the facts
        as one text: those of the new life stand for the run.
        """
        before = self.record
        name = f"until {before.ended_at or before.started_at}"
        texts = [t for t in store.texts(before.id) if t.role in _WRITTEN_OVER]
        kept = [replace(t, name=name) for t in texts if t.name == t.role]
        if digest is not None and before.source_digest not in (None, digest):
            source = TextRecord("source", name, before.source_digest, before.source)
            kept.append(source)
        facts = {f.name: f.missing or f.value for f in store.facts(before.id).values()}
        if facts:
            body = json.dumps(facts, indent=1)
            kept.append(TextRecord("facts", name, text_digest(body), body))
        return kept


def earlier_life(store: Store, asked: str, *, experiment: str | None) -> Earlier:
    """The run to go on with.

    Parameters
    ----------
    asked : str
        An id, a name, or "last": the newest run of the experiment, else of the store.

    Raises
    ------
    RunNotFoundError
        When there is no such run.
    ResumeError
        When it is running or in the trash.
    """
    if asked == "last":
        asked = store.newest(experiment) or store.newest() or asked
    record = store.run(asked)
    shown = shorten(visible(record.name), 60)
    if record.status == "running":
        raise ResumeError(
            f"Run {shown!r} ({record.id}) still goes on in process "
            f"{store.pid_of(record.id) or 'unknown'}: end it there (its Stop button, "
            "run.finish(), or the end of that kernel) before it is resumed."
        )
    if record.trashed_at is not None:
        raise ResumeError(
            f"Run {shown!r} is in the trash: %runs restore {record.id} takes it back."
        )
    steps = {name: m.last_step + 1 for name, m in record.metrics.items()}
    return Earlier(record, steps)
