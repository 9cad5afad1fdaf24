"""The comparisons that pages hold open: what each one shows, and what it has read.

A page names its conversation by a token. One that is forgotten (it was not asked for
long, a store was closed, the server was restarted) is made anew from the state that
the page sends along, so forgetting costs a page nothing.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from nbtrack.analysis.comparing.conversation import Conversation
from nbtrack.store import Store

MAX_CONVERSATIONS = 32  # the one that asked longest ago is forgotten
MAX_RUNS = 30_000  # of all together; with 25 params and metrics 5 KB each, as measured


@dataclass(frozen=True, slots=True)
class _Kept:
    stores: tuple[Store, ...]
    page: Conversation

    @property
    def n_runs(self) -> int:
        """How many it holds in memory."""
        return len(self.page.found.glance.table)


class Conversations:
    """Conversations by token, the latest asked last; used from one thread."""

    def __init__(self) -> None:
        self._by_token: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_token)

    def find(self, token: str | None) -> Conversation | None:
        """The conversation with that token, where it is remembered."""
        if token is None or token not in self._by_token:
            return None
        self._by_token.move_to_end(token)
        return self._by_token[token].page

    def is_about(self, token: str, stores: Sequence[Store]) -> bool:
        """Whether it reads just these stores, in this order."""
        kept = self._by_token[token].stores
        return len(kept) == len(stores) and all(
            one is other for one, other in zip(kept, stores, strict=True)
        )

    def keep(
        self, token: str | None, stores: Sequence[Store], page: Conversation
    ) -> str:
        """Remember a conversation, under its token or a new one."""
        token = token or secrets.token_hex(8)
        self._by_token[token] = _Kept(tuple(stores), page)
        self._by_token.move_to_end(token)
        while self._are_too_many():
            self._by_token.popitem(last=False)
        return token

    def _are_too_many(self) -> bool:
        """Whether one must go; the one that asked last never does."""
        if len(self) <= 1 or len(self) > MAX_CONVERSATIONS:
            return len(self) > 1
        return sum(kept.n_runs for kept in self._by_token.values()) > MAX_RUNS

    def forget(self, store: Store) -> None:
        """Drop those that read a store that is being closed."""
        gone = [
            token
            for token, kept in self._by_token.items()
            if any(one is store for one in kept.stores)
        ]
        for token in gone:
            del self._by_token[token]
