"""Answers that are the same for all pages that ask: made once, and some kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

MAX_KEPT = 1_000


class Remembered:
    """The latest answer to each question, with what it depends on.

    Used from one thread.

    >>> kept = Remembered(2)
    >>> [kept.answer("q", version, lambda: version * 10) for version in (1, 1)]
    [10, 10]
    """

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def answer(
        self, question: Hashable, version: Hashable, make: Callable[[], Any]
    ) -> Any:
        """What `make` gives, or gave for this question at the same version."""
        known = self._kept.get(question)
        if known is None or known[0] != version:
            known = self._kept[question] = (version, make())
        self._kept.move_to_end(question)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return known[1]
