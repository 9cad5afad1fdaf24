"""Sends files that a browser saves and never shows, whatever is in them.

A file of a run may be a page with a script: it comes as an attachment of no known
type, and where a browser shows it nevertheless, it has no rights there. It is read
piece by piece away from the event loop, and the next piece only when one is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Iterator

from tornado.iostream import StreamClosedError

from nbtrack.errors import NbtrackError
from nbtrack.server.file_names import disposition
from nbtrack.server.handlers.request import NbtrackHandler, refusal

_logger = logging.getLogger("nbtrack")


class AttachmentHandler(NbtrackHandler):
    """One that answers with a file."""

    @property
    def content_security_policy(self) -> str:
        """No script, no form, no frame, no origin of ours."""
        return f"{super().content_security_policy}; sandbox"

    async def send(self, name: str, size_bytes: int, pieces: Iterator[bytes]) -> bool:
        """Send a file; whether all of it was.

        What is wrong with it before its first byte is an answer; what is wrong later
        cuts the connection, so that nobody takes a part for the whole.
        """
        try:
            piece = await asyncio.to_thread(next, pieces, b"")
            self.set_header("Content-Type", "application/octet-stream")
            self.set_header("Content-Disposition", disposition(name))
            self.set_header("Content-Length", str(size_bytes))
            self.set_header("Cache-Control", "private, no-store")
            return await self._sent(size_bytes, piece, pieces)
        except NbtrackError as exc:
            raise refusal(exc) from exc
        finally:
            if isinstance(pieces, Generator):
                await asyncio.to_thread(pieces.close)

    async def _sent(self, size_bytes: int, piece: bytes, rest: Iterator[bytes]) -> bool:
        n_sent = 0
        try:
            while piece and n_sent + len(piece) <= size_bytes:
                self.write(piece)
                await self.flush()  # until the other side has room for more
                n_sent += len(piece)
                piece = await asyncio.to_thread(next, rest, b"")
            if not size_bytes:
                await self.flush()  # the headers alone
        except NbtrackError as exc:
            _logger.warning("nbtrack: a download was cut off: %s", exc)
        except StreamClosedError:
            return False  # whoever asked is gone
        if n_sent != size_bytes or piece:
            self.request.connection.close()
            return False
        self.finish()
        return True
