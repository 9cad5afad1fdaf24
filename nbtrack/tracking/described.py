"""What describes a run beside its params and metrics; the part of `Run` that keeps it.

Facts, texts, inputs and rich values come from the background, some a moment after the
run has ended: they are taken as long as the store is open. Every string passes the
search for secrets here, and nowhere else, before it is written. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.records import (
    CellRecord,
    Fact,
    FlowRecord,
    InputRecord,
    MediaRecord,
    TextRecord,
)

if TYPE_CHECKING:
    from nbtrack.store import Journal

_SOURCE_ROLES = frozenset({"diff", "module", "script"})  # Python, where names tell


class Described:
    """Takes facts, texts, inputs and rich values of one run; `Run` is one."""

    id: str
    _journal: Journal

    def log_facts(self, facts: Iterable[Fact]) -> None:
        """Keep what is known of the run, or why it is not known; later ones win.

        Examples
        --------
        >>> import nbtrack
        >>> from nbtrack.records import Fact
        >>> with nbtrack.start("base") as run:
        ...     run.log_facts([Fact("room.temperature", 21.5)])
        >>> run.store.facts(run.id)["room.temperature"].value
        21.5
        """
        with guard("facts"):
            rows = [self._fact_row(fact) for fact in facts]
            if rows:
                self._describe("facts", facts=rows)

    def log_failure(self, error: BaseException) -> None:
        """Keep what kind of error ended the run, and the line that it came from."""
        with guard("the failing line"):
            from nbtrack.capture.failing_line import failure_facts

            self.log_facts(failure_facts(error))

    def log_texts(self, texts: Iterable[TextRecord]) -> None:
        """Keep texts; one of the same role and name replaces the earlier one."""
        with guard("texts"):
            rows = [asdict(without_secrets_in(text)) for text in texts]
            if rows:
                self._describe("texts", texts=rows)

    def log_inputs(self, inputs: Iterable[InputRecord]) -> None:
        """Keep what the run read; one of the same type and name is replaced."""
        with guard("inputs"):
            rows = [self._cleared(asdict(found)) for found in inputs]
            if rows:
                self._describe("inputs", inputs=rows)

    def log_media(self, media: MediaRecord) -> None:
        """Keep a rich value; one of the same name and step is replaced."""
        from nbtrack.tracking.media.clearing import cleared

        with guard("rich values"):
            row = {field.name: getattr(media, field.name) for field in fields(media)}
            self._describe("media", **cleared(row))

    def log_cells(self, cells: Iterable[CellRecord]) -> None:
        """Keep executed cells of this session; one of the same number is replaced."""
        with guard("the log of cells"):
            rows = [asdict(cell_without_secrets(cell)) for cell in cells]
            if rows:
                self._describe("cells", cells=rows)

    def log_measured(
        self,
        *,
        peak_rss_bytes: int | None = None,
        peak_vram_bytes: int | None = None,
        model_bytes: int | None = None,
    ) -> None:
        """Keep what a run took, as columns of the table of runs; None leaves one."""
        fields = {
            "peak_rss_bytes": peak_rss_bytes,
            "peak_vram_bytes": peak_vram_bytes,
            "model_bytes": model_bytes,
        }
        known = {name: int(n) for name, n in fields.items() if n is not None}
        if known:
            self._describe("run_changed", fields=known)

    def log_grade(self, letter: str | None, why: Iterable[str] = ()) -> None:
        """Keep how far the notebook explains the run: A to D, and the culprits.

        It is judged after the cell has ended, so a run that is over takes it too.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start("base") as run:
        ...     pass
        >>> run.log_grade("C", ["`x` comes from a failed cell [4]"])
        >>> run.record().grade
        'C'
        """
        with guard("the grade"):
            lines = [self._cleared(str(line)) for line in why]
            fields = {"grade": letter, "grade_why": "\n".join(lines) or None}
            self._describe("run_changed", fields=fields)

    def _describe(self, kind: str, **fields: Any) -> None:
        # Not `_emit`: it refuses what comes after the run's end.
        self._journal.emit({"kind": kind, "run": self.id, **fields})

    def _fact_row(self, fact: Fact) -> list[Any]:
        from nbtrack.redact import redact_param

        value, _ = redact_param(fact.name, fact.value)
        return [fact.name, value, self._cleared(fact.missing)]

    def _cleared(self, value: Any) -> Any:
        """A JSON-able value without secrets."""
        from nbtrack.redact import redact_json

        return redact_json(value)


def without_secrets_in(text: TextRecord) -> TextRecord:
    """The text as it may be kept, with how much was taken out of it."""
    from nbtrack.redact import redact, redact_source

    if text.body is None:
        return text
    clear = redact_source if text.role in _SOURCE_ROLES else redact
    body, n_found = clear(text.body)
    return replace(text, body=body, n_redacted=text.n_redacted + n_found)


def cell_without_secrets(cell: CellRecord) -> CellRecord:
    """The cell as it may be kept; its digest stays that of what was typed."""
    from nbtrack.redact import redact_source

    if cell.flow is not None:
        cell = replace(cell, flow=flow_without_secrets(cell.flow))
    if cell.source is None:
        return cell
    return replace(cell, source=redact_source(cell.source)[0])


def flow_without_secrets(flow: FlowRecord) -> FlowRecord:
    """The names that a cell read and changed, as they may be kept: paths hold tokens.

    >>> flow = FlowRecord(("x", "@file:/a/hf_abcdefghijklmnopqrstuvwx"))
    >>> flow_without_secrets(flow).reads
    ('x', '@file:/a/[redacted]')
    """
    from nbtrack.redact import redact, redact_json

    words = asdict(flow)
    # One look at all of them together: a cell may read hundreds of names.
    if redact("\n".join(_texts_in(words)))[1] == 0:
        return flow
    clear = redact_json(words)
    both = {"reads": tuple(clear["reads"]), "kills": tuple(clear["kills"])}
    return FlowRecord(**{**clear, **both})


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (str(name), *_texts_in(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts_in(item)
