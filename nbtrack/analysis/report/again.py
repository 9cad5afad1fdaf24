"""The last page: what it takes to make the report, and its runs, again."""

from __future__ import annotations

from collections.abc import Iterator

from nbtrack.analysis.report.content import Block, Cell, Grid, Heading, Note, Pre
from nbtrack.analysis.report.look import Look, shown_name
from nbtrack.text import shorten, visible

ROWS_MAX = 500
INPUTS_MAX = 4  # of one run
_COMMIT_SHOWN = 12
_DIGEST_SHOWN = 12


def again(look: Look, file_name: str) -> Iterator[Block]:
    """The line, then of each run its id, commit and data by digest."""
    line = look.asked.line(file_name, look.found.called())
    yield Note("In a notebook that has the same store:")
    yield Pre("", visible(line))
    yield Note(
        f"Or only the file: %report -o {file_name} makes it again from what is in it, "
        "with the runs that answer then."
    )
    yield Heading("Code and data of each run")
    heads = ["run", "id", "commit", "the cell, sha256", "data, sha256", "grade"]
    ids = look.found.ids[:ROWS_MAX]
    records = {record.id: record for record in look.store.runs(trashed=None, ids=ids)}
    rows = []
    for at, run in enumerate(ids):
        source = records[run].source_digest if run in records else None
        grade = look.found.table.fields["grade"][at] or ""
        digest = (source or "–")[:_DIGEST_SHOWN]
        rows.append(
            [Cell(look.names[at]), *map(Cell, (run, _commit(look, run), digest,
             _data(look, run), grade))]
        )  # fmt: skip
    yield Grid(heads, rows, len(look.found.ids) - len(ids))


def _commit(look: Look, run: str) -> str:
    facts = look.store.facts(run)
    commit, dirty = facts.get("git.commit"), facts.get("git.dirty")
    if commit is None or commit.value is None:
        return "–"
    changed = ", with changes" if dirty is not None and dirty.value else ""
    return f"{str(commit.value)[:_COMMIT_SHOWN]}{changed}"


def _data(look: Look, run: str) -> str:
    inputs = look.store.inputs(run)
    texts = [
        f"{shorten(shown_name(one.name), 30)} "
        f"{one.digest[:_DIGEST_SHOWN] if one.digest else 'not known'}"
        for one in inputs[:INPUTS_MAX]
    ]
    more = len(inputs) - INPUTS_MAX
    return ", ".join([*texts, f"and {more} more"] if more > 0 else texts) or "–"
