"""The live panels that follow runs by polling: what each one has been sent.

A frame carries a cursor, `<token>.<count>`; the next request names it. Where it is not
the last one that was sent (a reply was lost, the server was restarted, the viewer was
forgotten) all the data is sent anew, so a panel is never wrong, only late.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from nbtrack.analysis.frames import RunFeed
from nbtrack.store import Store

MAX_POINTS = 5_000  # of one curve in one frame
MAX_VIEWERS = 64  # a few MB each at worst; the one that asked longest ago is forgotten


@dataclass(slots=True)
class _Viewer:
    store: Store
    run_id: str
    feed: RunFeed
    n_sent: int = 0


class Viewers:
    """Feeds by token, the latest asked last; used from one thread."""

    def __init__(self) -> None:
        self._by_token: OrderedDict[str, _Viewer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_token)

    def frame(self, store: Store, run_id: str, cursor: str) -> dict[str, Any]:
        """The next frame of the viewer that holds `cursor`, or a first one."""
        token, _, count = cursor.partition(".")
        viewer = self._by_token.get(token)
        if viewer is None or viewer.run_id != run_id:
            token, viewer = self._new(store, run_id)
        self._by_token.move_to_end(token)
        is_next = count == str(viewer.n_sent)
        frame = viewer.feed.json_frame(full=not is_next)
        viewer.n_sent += 1
        return {**frame, "cursor": f"{token}.{viewer.n_sent}"}

    def forget(self, store: Store) -> None:
        """Drop the viewers of a store that is being closed."""
        gone = [token for token, v in self._by_token.items() if v.store is store]
        for token in gone:
            del self._by_token[token]

    def _new(self, store: Store, run_id: str) -> tuple[str, _Viewer]:
        token = secrets.token_hex(8)
        self._by_token[token] = _Viewer(
            store, run_id, RunFeed(store, run_id, points=MAX_POINTS)
        )
        while len(self._by_token) > MAX_VIEWERS:
            self._by_token.popitem(last=False)
        return token, self._by_token[token]
