"""Figures that a tracked cell shows are kept, without a word in the cell.

Looked at is what goes to the page: a matplotlib figure (shown, or left at the end of
the cell), a plotly figure, a picture, the value of the last line. The bytes that were
shown are kept; nothing is drawn again. They are named figure-1, figure-2...; what is
updated in place is a later step of its name, and what is shown twice is kept once. Our
own panel and widgets are left alone. Tables that are shown are not kept, but counted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.notebook.panels.outlets import WIDGET_VIEW, current_shell
from nbtrack.tracking.media.content import Content, Snapshot
from nbtrack.tracking.media.figures import FIGURE_BYTES_MAX, PLOTLY, plotly_content

if TYPE_CHECKING:
    from nbtrack.tracked.parts import Tracking
    from nbtrack.tracking.run import Run

FEATURE = "figures"
FIGURES_MAX = 50  # of one cell; a figure at each epoch is a run's own `log_figure`
SVG = "image/svg+xml"
_KINDS = (PLOTLY, "image/png", "image/jpeg", SVG)  # the best one of a bundle is kept
_TABLE = 'class="dataframe"'
_TABLE_WITHIN = 2000  # characters: pandas writes it into the first tag

Bundle = Mapping[str, Any]  # MIME type -> what is shown


class Figures:
    """What one tracked cell shows, from its first line to its end."""

    feature = FEATURE
    setting = "figures"

    def __init__(self) -> None:
        self._run: Run | None = None
        self._taps: list[Tap] = []
        self._outer: Figures | None = None
        self.is_paused = False
        self._seen: list[Any] = []
        self._names: dict[str, str] = {}  # display id -> name
        self._n_names = 0
        self._n_left_out = 0
        self._n_tables = 0

    def begin(self, on: Tracking) -> None:
        """Look at what the shell shows from now on."""
        shell = current_shell()
        if shell is None:
            return
        self._run = on.run
        self._outer = _owner_of(shell.display_pub)
        if self._outer is not None:
            self._outer.is_paused = True  # a cell that runs a cell: it is shown once
        self._taps = [
            Tap(shell.display_pub, "publish", self.published, owner=self),
            Tap(shell.displayhook, "write_format_data", self.shown, owner=self),
        ]

    def end(self, on: Tracking) -> None:
        """Look away; say what was kept and what was not."""
        for tap in reversed(self._taps):
            tap.close()
        if self._outer is not None:
            self._outer.is_paused = False
        if n := len(self._seen):
            on.run.remarks.append(f"{n} figure{'s' * (n > 1)}")
        if n := self._n_left_out:
            on.notices.append(
                f"{n} figure{'s' * (n > 1)} ({FIGURES_MAX} of a cell are kept)"
            )
        if n := self._n_tables:
            on.notices.append(f"{n} shown table{'s' * (n > 1)} (run.log_table)")

    def published(
        self,
        data: Bundle,
        metadata: Bundle | None = None,
        *_: Any,
        transient: Bundle | None = None,
        **__: Any,
    ) -> None:
        """`display(...)` was called."""
        self._take(data, metadata or {}, (transient or {}).get("display_id"))

    def shown(self, data: Bundle, metadata: Bundle | None = None, *_: Any) -> None:
        """The value of the last line is shown."""
        self._take(data, metadata or {}, None)

    def _take(self, data: Bundle, metadata: Bundle, display_id: str | None) -> None:
        if self.is_paused or "nbtrack" in metadata or WIDGET_VIEW in data:
            return
        kind = next((kind for kind in _KINDS if data.get(kind)), None)
        if kind is None:
            html = data.get("text/html")
            is_table = isinstance(html, str) and _TABLE in html[:_TABLE_WITHIN]
            self._n_tables += is_table
        elif data[kind] not in self._seen:
            self._keep(kind, data[kind], display_id)

    def _keep(self, kind: str, shown: Any, display_id: str | None) -> None:
        if len(self._seen) >= FIGURES_MAX or self._run is None:
            self._n_left_out += 1
            return
        self._seen.append(shown)
        name = self._names.get(display_id or "")
        if name is None:
            self._n_names += 1
            name = f"figure-{self._n_names}"
        if display_id:
            self._names[display_id] = name
        size = len(shown) if isinstance(shown, str | bytes) else FIGURE_BYTES_MAX // 8
        snapshot = Snapshot(partial(_content, kind, shown), size)
        self._run.keep_snapshot(name, snapshot, kind="figure")


class Tap:
    """A method of one object whose calls are told on, until `close`.

    >>> class Pipe:
    ...     def send(self, text):
    ...         return len(text)
    >>> pipe, seen = Pipe(), []
    >>> tap = Tap(pipe, "send", seen.append)
    >>> pipe.send("abc"), seen
    (3, ['abc'])
    >>> tap.close()
    >>> pipe.send("de"), seen
    (2, ['abc'])
    """

    def __init__(
        self, of: Any, name: str, tell: Callable[..., None], *, owner: Any = None
    ) -> None:
        self._of, self._name = of, name
        self._tell: Callable[..., None] | None = tell
        self._before = vars(of).get(name)  # somebody else's, on the same object
        call = getattr(of, name)

        def tapped(*args: Any, **named: Any) -> Any:
            result = call(*args, **named)
            if self._tell is not None:
                with guard(FEATURE):
                    self._tell(*args, **named)
            return result

        tapped.nbtrack_owner = owner  # type: ignore[attr-defined]
        self._tapped = tapped
        setattr(of, name, tapped)

    def close(self) -> None:
        """Put the method back; where somebody has put theirs over it, only be still."""
        self._tell = None
        if vars(self._of).get(self._name) is not self._tapped:
            return
        if self._before is None:
            delattr(self._of, self._name)
        else:
            setattr(self._of, self._name, self._before)


def _owner_of(publisher: Any) -> Figures | None:
    """The tracked cell around this one that looks already."""
    tapped = vars(publisher).get("publish")
    return getattr(tapped, "nbtrack_owner", None)


def _content(kind: str, shown: Any) -> Content:
    """The figure as it is kept."""
    if kind == PLOTLY:
        return plotly_content(json.loads(shown) if isinstance(shown, str) else shown)
    if kind == SVG:
        from nbtrack.redact import redact

        text = shown if isinstance(shown, str) else bytes(shown).decode("utf-8")
        return Content("figure", body=redact(text)[0].encode(), mime=kind)
    body = base64.b64decode(shown) if isinstance(shown, str) else bytes(shown)
    return Content("figure", body=body, mime=kind)
