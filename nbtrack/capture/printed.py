"""What a stream said, as a terminal would leave it: a progress bar is its last line.

Text behind a carriage return replaces its line, cursor moves of nested bars are
followed, colours are dropped. Of a long text the first 256 KB and the last part are
kept, with a line in between that says how much is not. Cuts fall between lines, or
between words of a line without end, and never leave a part of a private key.
"""

from __future__ import annotations

import re
from collections import deque

HEAD_BYTES = 256 << 10
TAIL_BYTES = 640 << 10  # with the head and the open rows it makes less than 1 MB
OPEN_BYTES = 64 << 10  # rows that the cursor may still go back to
OPEN_ROWS = 64
_CONTROL = re.compile(
    r"\r?\n|\r|\x08+"
    r"|\x1b\[(?P<numbers>[0-9;?]{0,40})[ -/]{0,4}(?P<letter>[@-~])"  # CSI
    r"|\x1b\][^\x07\x1b]{0,4000}(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|\x1b[@-Z\\^_]"
)
_CUT_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-9;?]{0,40}[ -/]{0,4}|\][^\x07\x1b]{0,4000})?\Z"
)
_SPACE = re.compile(rb"\s")
_KEY_BYTES = 20_000  # no private key is longer
_KEY_BEGINS = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_ENDS = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[^\n]{0,20}\n?")


class PrintedText:
    r"""Takes what is written to a stream in any portions; keeps what is left of it.

    >>> text = PrintedText()
    >>> text.feed("  0%|     | 0/2\r 50%|##   | 1/2")
    >>> text.feed("\r100%|#####| 2/2\ndone\n")
    >>> text.whole()
    '100%|#####| 2/2\ndone\n'
    """

    def __init__(
        self, *, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES
    ) -> None:
        self._head_room, self._tail_room = head_bytes, tail_bytes
        self._head: list[bytes] = []
        self._head_is_full = False
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._rows = [""]  # from here on the cursor may go
        self._row = 0
        self._replaces = False  # the next character begins the row anew
        self._waiting = ""  # an escape sequence whose end has not come yet
        self._dropped = b""  # the last of what was cut
        self.n_cut_bytes = 0

    def feed(self, text: str) -> None:
        """Take what was written."""
        text = self._waiting + text
        cut = _CUT_SEQUENCE.search(text, max(0, len(text) - 4_100))
        text, self._waiting = (
            (text[: cut.start()], cut[0]) if cut is not None else (text, "")
        )
        if self._is_plain(text):
            first, *rest = text.split("\n")
            self._rows[-1] += first
            self._rows += rest
            self._row = len(self._rows) - 1
        else:
            self._follow(text)
        self._close_rows()

    def whole(self) -> str:
        """All that is kept."""
        return self._text(self._rows)

    def settled(self) -> str:
        """The same without the last word of a line that is not ended.

        It may be half a secret: what is kept while more may come ends here.
        """
        rows = list(self._rows)
        rows[self._row] = rows[self._row][: _end_of_words(rows[self._row])]
        return self._text(rows)

    def _text(self, rows: list[str]) -> str:
        head, tail = b"".join(self._head), b"".join(self._tail)
        parts = [head.decode("utf-8", "surrogatepass")]
        if self.n_cut_bytes:
            new_line = "\n" if head and not head.endswith(b"\n") else ""
            # With hyphens: the search for private keys stops at them.
            said = f"----- nbtrack left out {self.n_cut_bytes:,} bytes here -----\n"
            parts.append(new_line + said)
        parts.append(tail.decode("utf-8", "surrogatepass"))
        return "".join([*parts, "\n".join(rows)])

    # -- the screen --------------------------------------------------------------------

    def _is_plain(self, text: str) -> bool:
        at_end = self._row == len(self._rows) - 1 and not self._replaces
        return at_end and not any(control in text for control in ("\r", "\x1b", "\x08"))

    def _follow(self, text: str) -> None:
        start = 0
        for found in _CONTROL.finditer(text):
            self._write(text[start : found.start()])
            start = found.end()
            self._obey(found)
        self._write(text[start:])

    def _write(self, text: str) -> None:
        if not text:
            return
        if self._replaces:
            # A bar that wipes itself out leaves blanks.
            self._rows[self._row] = text if text.strip(" ") else ""
            self._replaces = False
        else:
            self._rows[self._row] += text

    def _obey(self, found: re.Match[str]) -> None:
        control = found[0]
        if control.endswith("\n"):
            self._move(1)
            self._replaces = bool(self._rows[self._row])
        elif control == "\r":
            self._replaces = True
        elif control[0] == "\x08":
            row = self._rows[self._row]
            self._rows[self._row] = row[: max(0, len(row) - len(control))]
        elif found["letter"]:
            self._obey_sequence(found["letter"], found["numbers"])

    def _obey_sequence(self, letter: str, numbers: str) -> None:
        first = numbers.partition(";")[0]
        n = int(first) if first.isdigit() else None
        if letter in "ABEF":  # up, down, and the same to the start of the row
            steps = min(n or 1, OPEN_ROWS)
            self._move(steps if letter in "BE" else -steps)
            self._replaces = self._replaces or letter in "EF"
        elif letter == "G" and n in (None, 1):
            self._replaces = True
        elif letter == "K" and (n == 2 or (n in (None, 0) and self._replaces)):
            self._rows[self._row] = ""
        elif letter == "J" and n in (None, 0):
            del self._rows[self._row + 1 :]

    def _move(self, steps: int) -> None:
        self._row = max(0, self._row + steps)
        while self._row >= len(self._rows):
            self._rows.append("")

    # -- what is kept ------------------------------------------------------------------

    def _close_rows(self) -> None:
        """Settle rows that the cursor will not go back to."""
        n = max(0, len(self._rows) - OPEN_ROWS)
        open_bytes = sum(map(len, self._rows[n:]))
        while open_bytes > OPEN_BYTES and n < len(self._rows) - 1:
            open_bytes -= len(self._rows[n])
            n += 1
        if n:
            self._keep("\n".join(self._rows[:n]) + "\n")
            del self._rows[:n]
            self._row = max(0, self._row - n)
        if open_bytes > OPEN_BYTES:
            end = _end_of_words(self._rows[-1]) or len(self._rows[-1])
            self._keep(self._rows[-1][:end])
            self._rows[-1] = self._rows[-1][end:]

    def _keep(self, text: str) -> None:
        body = text.encode("utf-8", "surrogatepass")
        if not self._head_is_full:
            body = self._fill_head(body)
        if body:
            self._tail.append(body)
            self._tail_bytes += len(body)
            self._drop_front()

    def _fill_head(self, body: bytes) -> bytes:
        """Put into the head what has room there; what has not, comes back."""
        if len(body) <= self._head_room:
            self._head.append(body)
            self._head_room -= len(body)
            return b""
        self._head_is_full = True
        end = body.rfind(b"\n", 0, self._head_room) + 1
        if end:
            self._head.append(body[:end])
            return body[end:]
        # What the head ends with may go on in `body`: a word is not torn apart.
        head = b"".join(self._head)
        word = max(head.rfind(b"\n"), head.rfind(b" ")) + 1
        self._head = [head[:word]]
        return head[word:] + body

    def _drop_front(self) -> None:
        """Let go of the oldest lines of the tail, as many as are too many."""
        if self._tail_bytes <= self._tail_room:
            return
        while self._tail_bytes > self._tail_room:
            body = self._tail.popleft()
            self._tail_bytes -= len(body)
            self._drop(body, self._drop_of(body))
        self._drop_rest_of_key()

    def _drop(self, body: bytes, end: int) -> None:
        """Let go of the front of the oldest portion; the rest goes back."""
        self.n_cut_bytes += end
        self._dropped = (self._dropped + body[:end])[-_KEY_BYTES:]
        if end < len(body):
            self._tail.appendleft(body[end:])
            self._tail_bytes += len(body) - end

    def _drop_of(self, body: bytes) -> int:
        """How much of the oldest portion goes: to the end of a line or of a word."""
        least = self._tail_room - self._tail_bytes  # what may stay of it
        if least <= 0:
            return len(body)
        start = len(body) - least
        line = body.find(b"\n", start)
        if line >= 0:
            return line + 1
        word = _SPACE.search(body, start)
        return word.end() if word else len(body)

    def _drop_rest_of_key(self) -> None:
        """A private key that has lost its first line would not be found any more."""
        begun = [found.end() for found in _KEY_BEGINS.finditer(self._dropped)]
        if not begun or _KEY_ENDS.search(self._dropped, begun[-1]):
            return
        whole = b"".join(self._tail)
        end = _KEY_ENDS.search(whole, 0, _KEY_BYTES)
        if end is not None:
            self._tail.clear()
            self._tail_bytes = 0
            self._drop(whole, end.end())


def _end_of_words(row: str) -> int:
    """Where the last word of a row begins; its end, where it ends with a blank."""
    return max(row.rfind(" "), row.rfind("\t")) + 1
