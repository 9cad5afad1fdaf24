"""Puts cells below the running one: as cells, where our JupyterLab extension listens.

The kernel asks over a comm whether anybody does; who answers within a second is sent
the texts, and nobody else is: a page that wakes up late puts nothing there twice. Where
nobody listens, IPython's own "next input" takes one cell. Texts are all that is sent,
and the page never runs them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.guard import guard

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = Literal["put", "sent", "unheard"]

FEATURE = "putting cells below"
TARGET = "nbtrack.cells"  # as in labextension/src/cells.ts
ANSWER_S = 1.0  # a page answers within some 30 ms
POLL_S = 0.02
CELLS_MAX, CHARS_MAX = 500, 2_000_000  # the page takes no more


def insert_cells(
    shell: Any,  # IPython's shell
    texts: Sequence[str],
    *,
    below: str | None = None,
) -> Answer:
    """Have a page put these cells below the running one.

    Parameters
    ----------
    below
        The front end's id of another cell to put them below. Its page may be heard
        by the main thread alone: call from another one when that is free.

    Returns
    -------
    str
        "put" there; "sent" to a page that has not said so; "unheard": nothing was sent.

    >>> insert_cells(None, ["x = 1"])
    'unheard'
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None or guard.is_off(FEATURE):
        return "unheard"
    if len(texts) > CELLS_MAX or sum(map(len, texts)) > CHARS_MAX:
        return "unheard"
    with guard(FEATURE):
        talk = _Talk(kernel, below or running_cell(kernel))
        try:
            return talk.insert(texts)
        finally:
            talk.close()
    return "unheard"


def set_next(shell: Any, text: str) -> None:
    """Have the front end put one cell below, or at the prompt.

    >>> from types import SimpleNamespace
    >>> set_next(SimpleNamespace(set_next_input=print), "x = 1")
    x = 1
    """
    shell.set_next_input(text)


class _Talk:
    """One conversation with a page, in the middle of a cell."""

    def __init__(self, kernel: Any, cell: str | None) -> None:
        from comm import create_comm

        self._kernel = kernel
        self._cell = cell
        self._ready, self._done = Event(), Event()
        self._comm = create_comm(target_name=TARGET, primary=False)
        self._comm.on_msg(self._on_message)
        self._poll = self._hear_early()

    def insert(self, texts: Sequence[str]) -> Answer:
        """Ask, and send the texts to who answers."""
        self._comm.open({"type": "hello", "cell": self._cell})
        if not self._wait(self._ready):
            return "unheard"
        self._comm.send({"type": "insert", "cells": list(texts)})
        return "put" if self._wait(self._done) else "sent"

    def close(self) -> None:
        """Nobody listens to it any more."""
        self._comm.close()

    def _wait(self, answer: Event) -> bool:
        until = time.monotonic() + ANSWER_S
        while not answer.wait(POLL_S):
            if time.monotonic() > until:
                return False
            if self._poll is not None:
                self._poll()
        return True

    def _hear_early(self) -> Callable[[], None] | None:
        """The shell is busy with the cell that asks; see `panels.stop_channel`."""
        from nbtrack.notebook.panels.stop_channel import ShellPoller, open_early

        if open_early(self._comm, self._hear) or not ShellPoller.fits(self._kernel):
            return None
        if current_thread() is not main_thread():
            return None  # which hears it by itself
        return ShellPoller(self._kernel, self._comm.comm_id).poll

    def _on_message(self, message: Mapping[str, Any]) -> None:
        with guard(FEATURE):
            self._hear(message["content"]["data"])

    def _hear(self, data: object) -> None:
        """An answer of the page; it may come in any thread, and twice."""
        kind = data.get("type") if isinstance(data, dict) else None
        if kind == "ready":
            self._ready.set()
        elif kind == "done":
            self._done.set()


def running_cell(kernel: Any) -> str | None:  # Any: ipykernel has no types
    """The front end's id of the cell that is running."""
    metadata = kernel.get_parent().get("metadata") or {}
    found = metadata.get("cellId")
    return found if isinstance(found, str) else None
