"""Lets a click on Stop through while the cell is busy, on every ipykernel we know.

What decides is where ipykernel hands a comm message of the page (measured):

- 7.0 to 7.3: in a thread of the page's subshell, at once. Nothing to do.
- 7.4 and later: in the shell that last published on that comm, which is the busy one.
  The comm's `_reply_subshell_for` is replaced, so that the page's own subshell is kept.
  It runs in the kernel's channel thread: pages without subshells are heard right there.
- 6.x: in the main thread, after the cell. A poll in the main thread picks our messages
  out of the shell's queue; the rest stays where it was.

All of this is ipykernel's inside: each part is looked for before it is used, and where
nothing fits the control row of the store remains. Whoever is called sets events only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

# ipykernel's and zmq's objects are untyped here.
Kernel = Any
Comm = Any


def open_early(comm: Comm, hear: Callable[[object], None]) -> bool:
    """Keep replies of `comm` out of the busy shell; False where there is no such hook.

    Parameters
    ----------
    comm : ipykernel comm
        The widget's.
    hear : callable
        Takes the `data` of a message that came without a subshell. It runs in the
        kernel's channel thread: it must be tiny and must not raise.
    """
    if not hasattr(comm, "_reply_subshell_for"):
        return False

    def route(data: object, default: str | None) -> str | None:
        if default is None:
            hear(data)
        return default

    comm._reply_subshell_for = route
    return True


class ShellPoller:
    """Hears the messages of one comm on ipykernel 6 while the main thread is busy."""

    def __init__(self, kernel: Kernel, comm_id: str) -> None:
        self._kernel = kernel
        self._comm_id = comm_id

    @staticmethod
    def fits(kernel: Kernel) -> bool:
        """Whether this kernel needs to be polled, and can be."""
        has_subshells = getattr(kernel, "_supports_kernel_subshells", False)
        parts = ("shell_stream", "msg_queue", "session", "comm_manager")
        if has_subshells or not all(hasattr(kernel, part) for part in parts):
            return False
        return hasattr(kernel.msg_queue, "_queue")

    def poll(self) -> None:
        """Dispatch what has come for our comm; only in the main thread."""
        self._read_socket()
        for message in self._take_ours():
            self._kernel.comm_manager.comm_msg(None, None, message)

    def _read_socket(self) -> None:
        from zmq.constants import PollEvent

        # The stream's callback puts every message into `msg_queue`, none is handled.
        self._kernel.shell_stream.flush(PollEvent.POLLIN)

    def _take_ours(self) -> list[dict[str, Any]]:
        queue = self._kernel.msg_queue._queue
        ours = []
        for entry in list(queue):
            message = self._ours(entry)
            if message is not None:
                queue.remove(entry)
                ours.append(message)
        return ours

    def _ours(self, entry: tuple[Any, ...]) -> dict[str, Any] | None:
        """The message of a queue entry if it is a comm message of our comm."""
        frames = entry[-1][0]  # (index, dispatch, (frames,))
        session = self._kernel.session
        _, parts = session.feed_identities(frames, copy=False)
        header = session.unpack(parts[1].bytes)
        if header["msg_type"] != "comm_msg":
            return None
        content = session.unpack(parts[4].bytes)
        if content["comm_id"] != self._comm_id:
            return None
        return {"header": header, "content": content, "buffers": []}


class MainThreadCall:
    """Has a function called in the main thread, between two of its byte codes.

    As a signal handler would be, without taking a signal from anybody: the interpreter
    calls it as soon as the main thread runs Python code again.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        self._is_due = False

        def call(_: object) -> int:
            self._is_due = False
            function()
            return 0

        # The C callback must live as long as the interpreter may still call it.
        self._call = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(call)

    def schedule(self) -> None:
        """Ask for one call; a second request before it ran changes nothing."""
        if not self._is_due:
            self._is_due = ctypes.pythonapi.Py_AddPendingCall(self._call, None) == 0
