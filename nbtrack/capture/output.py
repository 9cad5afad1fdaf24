"""What is written to stdout and stderr, taken on its way and shown as before.

The stream stays the object it is; only its `write` is put before the old one, so that
whoever holds the stream (logging, tqdm) is heard too. The old `write` comes first, and
what it returns or raises is what the caller gets: nothing of ours can lose a byte of it
or show one twice. Seen is what passes `write` of the stream that stood in `sys` when
the run began: in a Jupyter kernel also what C code and `!commands` print, elsewhere
Python's own only. Not seen: `sys.stdout.buffer`, other processes, and what `%%capture`
or `redirect_stdout` lead away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Stream = Any  # whatever the user's `sys.stdout` is
Write = Callable[[Any], Any]  # Any: what the stream itself takes and returns


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
        # Of somebody who was here first.
        self._before = getattr(stream, "__dict__", {}).get("write")
        self._hearing, self._deafen = _hearing(stream.write, self._heard.append)
        stream.write = self._hearing

    def take(self) -> str:
        """What was written since the last time."""
        n = len(self._heard)
        taken = self._heard[:n]
        # One step under the GIL: what other threads write meanwhile stands behind it.
        del self._heard[:n]
        return "".join(text for text in taken if isinstance(text, str))

    def remove(self) -> None:
        """Give the stream its own `write` back; under somebody else's, be deaf."""
        if vars(self.stream).get("write") is self._hearing:
            if self._before is None:
                del self.stream.write
            else:
                self.stream.write = self._before
        self._deafen()
        self._heard.clear()


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
