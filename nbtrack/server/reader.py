"""The one thread in which stores are read, for all handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from nbtrack.errors import StoreError
from nbtrack.server.desk import Desk
from nbtrack.server.stores import Session

Answer = TypeVar("Answer")
ANSWER_S = 10.0  # from the question to the answer, those before it included


class Reader:
    """Lets answers be made one after the other, away from the event loop."""

    def __init__(self, root: Path | None, named: Sequence[str] = ()) -> None:
        self._desk = Desk(root, named)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nbtrack-reader")

    async def ask(
        self, sessions: Sequence[Session], work: Callable[[Desk], Answer]
    ) -> Answer:
        """Do `work(desk)`, with the stores of the sessions that run now.

        Raises
        ------
        StoreError
            Where that takes too long: what has not begun by then is not done.
        """
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._thread, self._answer, sessions, work)
        try:
            return await asyncio.wait_for(answer, ANSWER_S)
        except TimeoutError as exc:
            raise StoreError(
                f"The stores did not answer within {ANSWER_S:.0f} s: "
                "try again in a moment."
            ) from exc

    def close(self) -> None:
        """Close every store and end the thread."""
        self._thread.submit(self._desk.stores.close).result()
        self._thread.shutdown()

    def _answer(
        self, sessions: Sequence[Session], work: Callable[[Desk], Answer]
    ) -> Answer:
        self._desk.stores.look(sessions)
        return work(self._desk)
