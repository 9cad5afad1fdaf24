"""What is printed while a run lives, kept with the run: `nbtrack.logs`.

Text is taken from the streams every second, and what has come is kept soon after, so
that a killed process has lost little; the longer the text, the more seldom, for it is
looked through for secrets as a whole each time. Nested runs each keep what is printed
while they live. In a forked child the streams are as if nothing had been.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from nbtrack.capture.output import Stream, Tap, tap_on
from nbtrack.records import TextRecord
from nbtrack.text import text_digest
from nbtrack.tracking.background import background
from nbtrack.tracking.ticker import ticker

if TYPE_CHECKING:
    from nbtrack.capture.printed import PrintedText
    from nbtrack.tracking.run import Run

FEATURE = "output"
ROLES = ("stdout", "stderr")
EVERY_S = 1.0
_SHARE = 50  # keeping a text for a second is followed by so many seconds without


class OutputPart:
    """Hears the streams while a run lives; see the module."""

    feature = FEATURE

    def begin(self, run: Run) -> None:
        """Put our ears to the streams."""
        _streams.follow(run)

    def end(self, run: Run) -> None:
        """Take the last words; they are kept in the background."""
        _streams.leave(run)


class _Listener:
    """What one run has heard. `hear` and `due` are called under the streams' lock."""

    def __init__(self, run: Run, taps: dict[str, Tap]) -> None:
        self.run = run
        self.taps = taps
        self._texts: dict[str, PrintedText] = {}
        self._keeping = threading.Lock()
        self._kept: dict[str, str] = {}  # the digest of what was kept last
        self._keep_at = 0.0
        self._is_over = False

    def hear(self, tap: Tap, text: str) -> None:
        """Take what was written to a stream."""
        for role, own in self.taps.items():
            if own is tap:
                self._text(role).feed(text)

    def _text(self, role: str) -> PrintedText:
        if role not in self._texts:
            from nbtrack.capture.printed import PrintedText  # for those who print

            self._texts[role] = PrintedText()
        return self._texts[role]

    def due(self) -> list[TextRecord]:
        """What there is to keep by now; nothing, where that was done a moment ago."""
        if time.monotonic() < self._keep_at:
            return []
        return self._records({r: text.settled() for r, text in self._texts.items()})

    def keep_some(self, records: list[TextRecord]) -> None:
        """Keep what is due, unless the last words are kept already."""
        start = time.monotonic()
        with self._keeping:
            if not self._is_over:
                self.run.log_texts(records)
        self._keep_at = time.monotonic() + _SHARE * (time.monotonic() - start)

    def keep_all(self) -> None:
        """Keep everything, after the last words."""
        records = self._records({r: text.whole() for r, text in self._texts.items()})
        with self._keeping:
            self._is_over = True
            self.run.log_texts(records)

    def _records(self, bodies: dict[str, str]) -> list[TextRecord]:
        """The texts that are others than the last time."""
        records = []
        for role, body in bodies.items():
            digest = text_digest(body)
            if body and self._kept.get(role) != digest:
                self._kept[role] = digest
                n_cut = self._texts[role].n_cut_bytes
                cut = f"{n_cut:,} bytes of the middle were left out" if n_cut else None
                records.append(TextRecord(role, role, digest, body, missing=cut))
        return records


class Streams:
    """The streams of the process, and the runs that hear them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[_Listener] = []
        os.register_at_fork(after_in_child=self._forked)

    def follow(self, run: Run) -> None:
        """Let a run hear what is printed from now on."""
        with self._lock, self._or_none():
            self._pass_on(_last_words)  # what was said before is not for this run
            taps, deaf = self._tapped()
            self._listeners.append(_Listener(run, taps))
        ticker.call(self._tick, feature=FEATURE)
        run.log_texts(deaf)

    def leave(self, run: Run) -> None:
        """Let a run hear the last words, and no more."""
        with self._lock, self._or_none():
            self._pass_on(_last_words)
            mine = [one for one in self._listeners if one.run is run]
            self._listeners = [one for one in self._listeners if one.run is not run]
            self._remove_unheard(mine)
        for listener in mine:
            background.submit(listener.keep_all, feature=FEATURE)

    def _tick(self) -> float | None:
        with self._lock, self._or_none():
            self._pass_on(_taken)
            due = [(listener, listener.due()) for listener in self._listeners]
        for listener, records in due:
            if records:
                listener.keep_some(records)
        return EVERY_S if due else None

    @contextmanager
    def _or_none(self) -> Iterator[None]:
        """What breaks is not tried again: the streams are left as they were."""
        with ExitStack() as undo:
            undo.callback(self._let_go)
            yield
            undo.pop_all()

    def _let_go(self) -> None:
        for tap in self._taps():
            tap.remove()
        self._listeners = []

    def _pass_on(self, said: Callable[[Tap], str]) -> None:
        """Let the runs hear what was written, in the order of writing."""
        for tap in self._taps():
            text = said(tap)
            if text:
                for listener in self._listeners:
                    listener.hear(tap, text)

    def _taps(self) -> list[Tap]:
        taps = [tap for one in self._listeners for tap in one.taps.values()]
        return list({id(tap): tap for tap in taps}.values())

    def _tapped(self) -> tuple[dict[str, Tap], list[TextRecord]]:
        """A tap on each of the streams of now, and why there is none on one."""
        taps: dict[str, Tap] = {}
        deaf: list[TextRecord] = []
        for role in ROLES:
            stream: Stream = getattr(sys, role)
            try:
                found = self._tap_on(stream, [*self._taps(), *taps.values()])
            except (AttributeError, TypeError):
                kind = type(stream).__name__
                why = f"a stream of type {kind} lets nobody hear what is written to it"
                deaf.append(TextRecord(role, role, None, missing=why))
                continue
            if found not in taps.values():  # `sys.stderr = sys.stdout`: heard once
                taps[role] = found
        return taps, deaf

    def _tap_on(self, stream: Stream, known: list[Tap]) -> Tap:
        found = (tap for tap in known if tap.stream is stream)
        return next(found, None) or tap_on(stream)

    def _remove_unheard(self, gone: list[_Listener]) -> None:
        still = self._taps()
        for listener in gone:
            for tap in listener.taps.values():
                if tap not in still:
                    tap.remove()

    def _forked(self) -> None:
        self._lock = threading.RLock()
        self._let_go()


def _taken(tap: Tap) -> str:
    return tap.take()


def _last_words(tap: Tap) -> str:
    return tap.last_words()


_streams = Streams()
