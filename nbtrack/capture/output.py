"""What is written to stdout and stderr, taken on its way and shown as before.

A stream of a Jupyter kernel has a hook for that: it is heard in the kernel's own thread
when a text is sent, and printing costs nothing more. That includes what C code and
`!commands` print. Any other stream stays the object it is, only its `write` is put
before the old one, so that whoever holds the stream (logging, tqdm) is heard too: what
passes `write` is Python's own output only. The old `write` comes first, and what it
returns or raises is what the caller gets: nothing of ours can lose a byte or show one
twice. Not seen: `sys.stdout.buffer`, other processes, and what `%%capture` or
`redirect_stdout` lead away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from nbtrack.guard import tolerated

Stream = Any  # whatever the user's `sys.stdout` is
Write = Callable[[Any], Any]  # Any: what the stream itself takes and returns


class Tap(Protocol):
    """Hears one stream until it is removed."""

    stream: Stream

    def take(self) -> str:
        """What was written since the last time."""

    def last_words(self) -> str:
        """The same, when what was written a moment ago must not be missing."""

    def remove(self) -> None:
        """Leave the stream as it was."""


def tap_on(stream: Stream) -> Tap:
    """Begin to hear a stream.

    Raises
    ------
    AttributeError, TypeError
        For a stream that lets nobody hear what is written to it.
    """
    is_of_kernel = hasattr(stream, "register_hook") and hasattr(stream, "pub_thread")
    return KernelTap(stream) if is_of_kernel else StreamTap(stream)


class KernelTap:
    """Hears a stream of ipykernel where its texts are sent to the front end."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._heard: list[str] = []
        if getattr(stream, "_flush_pending", True):
            stream.flush()  # what was printed before is not ours to hear
        # Hooks belong to the thread in which they are registered.
        stream.pub_thread.schedule(self._register)

    def take(self) -> str:
        """What was sent since the last time."""
        return _taken(self._heard)

    def last_words(self) -> str:
        """What was written until now: waits until it is sent, as every cell's end."""
        self.stream.flush()
        return self.take()

    def remove(self) -> None:
        """Hear no more."""
        if self.stream.pub_thread is not None:
            self.stream.pub_thread.schedule(self._unregister)

    def _register(self) -> None:
        self.stream.register_hook(self._hear)

    def _unregister(self) -> None:
        self.stream.unregister_hook(self._hear)

    def _hear(self, message: Any) -> Any:
        # What this returns is what is sent: the message, whatever happens here.
        with tolerated(_nothing):
            self._heard.append(str(message["content"]["text"]))
        return message


class StreamTap:
    r"""Hears one stream until it is removed.

    >>> import io
    >>> stream = io.StringIO()
    >>> tap = StreamTap(stream)
    >>> print("loss", 0.5, file=stream)
    >>> tap.take(), stream.getvalue()
    ('loss 0.5\n', 'loss 0.5\n')
    >>> tap.remove()

    Raises AttributeError or TypeError for a stream that lets nobody stand before its
    `write`.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._heard: list[Any] = []
        self._put_before(stream.write)

    def take(self) -> str:
        """What was written since the last time."""
        now = _own_write(self.stream)
        if now is not self._hearing and getattr(now, "__self__", None) is self.stream:
            # IPython puts a `write` before ours for a cell, and the bare one after it.
            self._put_before(now)
        return _taken(self._heard)

    last_words = take

    def remove(self) -> None:
        """Give the stream its own `write` back; under somebody else's, be deaf."""
        if _own_write(self.stream) is self._hearing:
            if self._before is None:
                del self.stream.write
            else:
                self.stream.write = self._before
        self._deafen()
        self._heard.clear()

    def _put_before(self, write: Write) -> None:
        self._before = _own_write(self.stream)  # of somebody who was here first
        self._hearing, self._deafen = _hearing(write, self._heard.append)
        self.stream.write = self._hearing


def _own_write(stream: Stream) -> Any:
    """The `write` that somebody gave to this very stream, if anybody did."""
    return getattr(stream, "__dict__", {}).get("write")


def _taken(heard: list[Any]) -> str:
    n = len(heard)
    taken = heard[:n]
    # One step under the GIL: what other threads write meanwhile stands behind it.
    del heard[:n]
    return "".join(text for text in taken if isinstance(text, str))


def _hearing(write: Write, hear: Write) -> tuple[Write, Callable[[], None]]:
    """A `write` that is heard, and what makes it pass on only."""

    # Twice per printed line: nothing is looked up, counted or locked here.
    def hearing(text: Any, /) -> Any:
        done = write(text)
        hear(text)
        return done

    def deafen() -> None:
        nonlocal hear
        hear = _nothing

    return hearing, deafen


def _nothing(_: object) -> None:
    """Who hears when nobody does."""
