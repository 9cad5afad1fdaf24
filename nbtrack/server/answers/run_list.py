"""The list of runs over all stores: which they are, and the rows of one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from nbtrack.analysis.query import bare, check_names, parse_query
from nbtrack.analysis.runs_table import answering, names_in
from nbtrack.server.answers.run_rows import rows_of
from nbtrack.server.desk import Desk
from nbtrack.server.stores import Held


@dataclass(frozen=True, slots=True)
class Question:
    """Which runs are asked for; None is any."""

    limit: int
    offset: int = 0
    store: str | None = None
    query: str = ""
    status: str | None = None
    kernel: str | None = None
    is_trashed: bool = False


class _Place(NamedTuple):
    """Where a run stands among all: sorts by time, then by id."""

    started_at: str
    run: str
    store: str


def runs(desk: Desk, question: Question, seen: str | None = None) -> dict[str, Any]:
    """A page of the runs that are asked for, newest first, and what cannot be read.

    Where `seen` is still the version, nothing but that.

    Raises
    ------
    QueryError
        For a query that cannot be understood.
    StoreNotFoundError
        For a store that is not known here.
    """
    version = desk.stores.version()
    if seen == version:
        return {"unchanged": True, "version": version}
    answer: dict[str, Any] = desk.lists.answer(
        question, version, lambda: _listed(desk, question)
    )
    return {**answer, "version": version}


def _listed(desk: Desk, question: Question) -> dict[str, Any]:
    places, rows, is_whole = _page(desk, question)
    if not is_whole:  # a store turned out to be damaged: its runs are not among them
        places, rows, _ = _page(desk, question)
    problems = desk.stores.problems(question.store)
    return {"runs": rows, "total": len(places), "problems": problems}


def _page(
    desk: Desk, question: Question
) -> tuple[list[_Place], list[dict[str, Any]], bool]:
    """All runs that are meant, the rows of a page, and whether none is missing."""
    places = _places(desk, question)
    page = places[question.offset : question.offset + question.limit]
    rows = _rows(desk, page)
    return places, rows, len(rows) == len(page)


def _places(desk: Desk, question: Question) -> list[_Place]:
    """All runs that are meant, each once; of those in several stores the first."""
    found = _answering(desk, question)
    places, _ = desk.stores.each_held(
        lambda held: _places_in(held, question, found), question.store
    )
    once: dict[str, _Place] = {}
    for place in places:
        once.setdefault(place.run, place)
    return sorted(once.values(), reverse=True)


def _places_in(
    held: Held, question: Question, found: Mapping[str, set[str]] | None
) -> Iterator[_Place]:
    answering = None if found is None else found.get(held.id, set())
    for head in held.heads:
        if (
            head.is_trashed == question.is_trashed
            and (answering is None or head.id in answering)
            and question.kernel in (None, head.kernel_id)
            and question.status in (None, held.status(head))
        ):
            yield _Place(head.started_at, head.id, held.id)


def _answering(desk: Desk, question: Question) -> Mapping[str, set[str]] | None:
    """The runs of each store that answer to the query; None where there is none."""
    if not question.query.strip():
        return None
    asked = parse_query(question.query)
    names = asked.names | set(map(bare, asked.names))
    tables, _ = desk.stores.each_held(
        lambda held: [
            (held.id, held.store.table(trashed=question.is_trashed, names=names))
        ],
        question.store,
    )
    known = set().union(*(names_in(table) for _, table in tables))
    if not known.issuperset(map(bare, asked.names)):
        # A slip is told from a name that no run has by names like it, in any store.
        more, _ = desk.stores.each(lambda store: store.names_used(), question.store)
        check_names(asked, known.union(more))
    return {home: set(answering(table, asked)) for home, table in tables}


def _rows(desk: Desk, page: list[_Place]) -> list[dict[str, Any]]:
    """The rows of a page, in its order."""
    rows = rows_of(desk, {place.run: place.store for place in page})
    return [rows[place.run] for place in page if place.run in rows]
