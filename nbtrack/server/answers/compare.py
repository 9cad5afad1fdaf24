"""A page compares runs: what it says goes to its conversation, as in the notebook."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbtrack.analysis.comparing.conversation import Conversation, Told, begun
from nbtrack.analysis.comparing.data import Compared, compared
from nbtrack.analysis.comparing.source import Source
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.analysis.several_stores import SeveralStores
from nbtrack.errors import NbtrackError, StoreError, StoreNotFoundError
from nbtrack.server.desk import Desk
from nbtrack.store import Store

POINTS_MAX = 5_000  # of one curve
POINTS_KEPT = 500_000  # of one conversation, 8 MB: what is drawn is not read anew


@dataclass(frozen=True, slots=True)
class Question:
    """What a page sends: its token, what it shows, and what it says, in order."""

    messages: Sequence[Mapping[str, Any]]
    token: str | None = None
    stores: Sequence[str] | None = None  # ids; None: all
    state: CompareState = field(default_factory=CompareState)


def compare(desk: Desk, question: Question) -> dict[str, Any]:
    """What the page is answered, and the token of its conversation.

    A message that cannot be followed is answered with an error, and the others are
    followed all the same.

    Raises
    ------
    StoreNotFoundError
        For a store that is not known here, or where there is none.
    StoreError
        Where one that is named cannot be read.
    """
    try:
        token, page, told = _found(desk, question)
    except StoreNotFoundError:
        raise
    except StoreError:
        # What cannot be read is put aside by this; the others are compared meanwhile.
        desk.stores.each(lambda store: [store.table()])
        token, page, told = _found(desk, question)
    for message in question.messages:
        told += _heard(page, message)
    return {"conversation": token, "messages": list(map(_packed, told))}


def _found(desk: Desk, question: Question) -> tuple[str, Conversation, list[Told]]:
    """The conversation, begun where there is none, and what is to be said first."""
    stores, problems = _chosen(desk, question.stores)
    token = question.token
    page = desk.conversations.find(token)
    if page is None or token is None:
        is_new = token is None
        page, said = _opened(stores, question.state, is_new=is_new)
        token = desk.conversations.keep(None, stores, page)
        return token, page, [*problems, *said]
    if desk.conversations.is_about(token, stores):
        return token, page, []
    page, said = _opened(stores, page.state, is_new=False)
    desk.conversations.keep(token, stores, page)
    return token, page, [*problems, *said, *page.told(table=True)]


def _chosen(
    desk: Desk, ids: Sequence[str] | None
) -> tuple[Sequence[Store], list[Told]]:
    """The stores to read, and what is wrong with those that should be among them."""
    if ids is not None:
        return [desk.stores.of_store(id_) for id_ in dict.fromkeys(ids)], []
    stores, problems = desk.stores.each(lambda store: [store])
    if not stores:
        said = "; ".join(f"{p['store']}: {p['message']}" for p in problems)
        if problems:
            raise StoreError(f"No store can be read. {said}")
        raise StoreNotFoundError("There is no store yet: run a cell with %%track.")
    return stores, [_error(f"{p['store']}: {p['message']}") for p in problems]


def _opened(
    stores: Sequence[Store], state: CompareState, *, is_new: bool
) -> tuple[Conversation, list[Told]]:
    """A conversation in that state, or as near to it as what is there now allows."""
    source: Source = stores[0]
    if len(stores) > 1:
        source = SeveralStores({str(store.path): store for store in stores})
    found, said = _nearest(source, state, begun if is_new else compared)
    page = Conversation(source, found, points_max=POINTS_MAX, points_kept=POINTS_KEPT)
    return page, [_error(said)] if said else []


def _nearest(
    source: Source,
    state: CompareState,
    read: Callable[[Source, CompareState], Compared],
) -> tuple[Compared, str]:
    """What a state means, and why not all of it, where it cannot be meant."""
    said = ""
    # Of runs that are gone since, or in the trash, only the marks are let go.
    unmarked = replace(state, runs=(), selected=(), pinned=(), baseline="")
    for attempt in (state, unmarked):
        try:
            return read(source, attempt), said
        except StoreError:
            raise
        except NbtrackError as exc:
            said = said or str(exc)
    return read(source, CompareState()), said


def _heard(page: Conversation, message: Mapping[str, Any]) -> list[Told]:
    try:
        return page.hear(message)
    except NbtrackError as exc:
        return [_error(str(exc))]


def _error(text: str) -> Told:
    return {"type": "error", "text": text}, None


def _packed(told: Told) -> dict[str, Any]:
    head, columns = told
    packed = None if columns is None else base64.b64encode(columns).decode("ascii")
    return {**head, "packed": packed}
