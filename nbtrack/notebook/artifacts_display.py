"""How `%artifacts` shows its table and a version's page: static HTML, and plain text.

All of it is text of runs and goes through `short` and `escape`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtrack.analysis.artifact_page import (
    KnownArtifact,
    artifact_headline,
    sections_of_artifact,
)
from nbtrack.analysis.artifacts_table import Versions, cells_of
from nbtrack.notebook.run_page import plain_section, section_html
from nbtrack.notebook.runs_display import as_text, short
from nbtrack.text import escape, shown_bytes, visible

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 100  # unless more are asked for: some 60 KB in the notebook
_HINT = (
    "no artifacts yet: run.log_artifact(path, name) or run.checkpoint(model) keeps one"
)
_BOX = "overflow:auto;max-height:480px"
_RIGHT = ("size", "files", "step")


@dataclass(frozen=True)
class ArtifactsTable:
    """Versions of artifacts as `%artifacts` shows them; `df` has all of them."""

    versions: Versions
    n_shown: int = ROWS_SHOWN
    is_filtered: bool = False

    @property
    def df(self) -> pd.DataFrame:
        """The versions as `nbtrack.artifacts.list` gives them."""
        from nbtrack.tracking.artifacts.api import frame_of

        return frame_of(self.versions.records)

    def __len__(self) -> int:
        return len(self.versions)

    def __repr__(self) -> str:
        if not self.versions:
            return self._none()
        heads, rows = self._cells()
        return as_text(heads, rows, [self._sum(), *self._more()])

    def _repr_html_(self) -> str:
        if not self.versions:
            return f"<div>{escape(self._none())}</div>"
        heads, rows = self._cells()
        gone = [record.gone_at is not None for record in self._shown().records]
        top = "".join(
            f"<th style='{_align(name)}'>{escape(name)}</th>" for name in heads
        )
        body = "".join(
            _row(heads, row, is_gone) for row, is_gone in zip(rows, gone, strict=True)
        )
        under = "".join(f"<div>{escape(text)}</div>" for text in self._more())
        return (
            f"<div>{escape(self._sum())}</div><div style='{_BOX}'><table><thead><tr>"
            f"{top}</tr></thead><tbody>{body}</tbody></table></div>{under}"
        )

    def _shown(self) -> Versions:
        every = self.versions
        return Versions(every.records[: self.n_shown], every.run_names, every.models)

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        heads, rows = cells_of(self._shown())
        return heads, [[short(text) for text in row] for row in rows]

    def _sum(self) -> str:
        records = self.versions.records
        names = {record.name for record in records}
        kept = {r.digest: r.size_bytes for r in records if r.gone_at is None}
        n_gone = sum(record.gone_at is not None for record in records)
        given_up = f" · {n_gone:,} given up" if n_gone else ""
        return (
            f"{len(records):,} version{'s' * (len(records) != 1)} of {len(names):,} "
            f"artifact{'s' * (len(names) != 1)} · {shown_bytes(sum(kept.values()))}"
            f"{given_up}"
        )

    def _more(self) -> list[str]:
        rest = len(self.versions) - self.n_shown
        return [f"… and {rest:,} older; --last N shows more, .df has all"] * (rest > 0)

    def _none(self) -> str:
        return "no artifacts answer to that" if self.is_filtered else _HINT


def _row(heads: list[str], row: list[str], is_gone: bool) -> str:
    cells = "".join(map(_cell, heads, row))
    return f"<tr style='opacity:.5'>{cells}</tr>" if is_gone else f"<tr>{cells}</tr>"


def _cell(head: str, text: str) -> str:
    return f"<td style='{_align(head)}'>{escape(text)}</td>"


def _align(head: str) -> str:
    side = "right" if head in _RIGHT else "left"
    return f"text-align:{side};white-space:nowrap"


@dataclass(frozen=True)
class ArtifactPage:
    """One version with all that is known of it; `known` holds the records."""

    known: KnownArtifact

    def __repr__(self) -> str:
        lines = [visible(artifact_headline(self.known.record))]
        for section in sections_of_artifact(self.known):
            lines += ["", section.title, *plain_section(section)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = f"<div><b>{escape(artifact_headline(self.known.record))}</b></div>"
        sections = sections_of_artifact(self.known)
        shown = ("Load", "Facts", "Lineage", "Files", "Metadata")
        return f"<div>{head}{''.join(section_html(s, shown) for s in sections)}</div>"
