"""The panel that compares runs: a table and curves, which Python reads and sets.

The kernel keeps the state and reads the store, in a `Conversation` with the page that
this carries as messages of a widget. A page that cannot be heard keeps what it shows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.comparing.conversation import Conversation, Told
from nbtrack.analysis.comparing.data import Compared
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.analysis.comparing.still import still_html, still_text
from nbtrack.analysis.several_stores import SeveralStores
from nbtrack.errors import NbtrackError
from nbtrack.guard import guard
from nbtrack.notebook.panels.outlets import WIDGET_VIEW, best_surface
from nbtrack.notebook.panels.widget import front_end

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.analysis.comparing.source import Source
    from nbtrack.store import Store

FEATURE = "compare panel"
_SCRIPTS = ("uplot.js", "compare.js")


class ComparePanel:
    """Runs side by side; what `nbtrack.compare` and `%compare` return.

    Every part of the state is an attribute that can be read and set: `query`, `sort`,
    `columns`, `hidden`, `all_params`, `group`, `pinned`, `baseline`, `selection`,
    `metric`, `x`, `smooth`, `log_x`, `log_y`, `clip`, `bands`. Setting one that cannot
    be raises, and changes nothing.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start(f"lr-{lr}", params={"lr": lr}):
    ...         nbtrack.log(loss=lr)
    >>> panel = nbtrack.compare(sort="loss", selected=["lr-0.1"])
    >>> panel.sort = "-loss"
    >>> panel.df["best.loss"].tolist(), panel.line
    ([0.1, 0.01], "%compare --sort '-best.loss' --select lr-0.1")
    """

    def __init__(self, store: Source, found: Compared) -> None:
        words = store.words if isinstance(store, SeveralStores) else ()
        self._conversation = Conversation(store, found, stores=words)
        self._widget: Any = None

    @property
    def state(self) -> CompareState:
        """All of it, as one frozen value."""
        return self._conversation.state

    @property
    def line(self) -> str:
        """The line of `%compare` that shows the same."""
        return self._conversation.line

    @property
    def found(self) -> Compared:
        """What the state means in the store, as of the last look at it."""
        return self._conversation.found

    @property
    def store(self) -> Source:
        """Where the runs are read: a store, or several as one."""
        return self._conversation.store

    def home(self, run: str) -> Store:
        """The store that a run is in."""
        return self._conversation.home(run)

    @property
    def df(self) -> pd.DataFrame:
        """The runs that are shown, in their order, with the columns that are shown."""
        return self.found.df

    @property
    def selection(self) -> list[str]:
        """The ids of the runs whose curves are drawn; up to seven."""
        return list(self.state.selected)

    @selection.setter
    def selection(self, runs: Iterable[str]) -> None:
        self.set(selected=tuple(runs))

    def set(self, **changes: Any) -> None:  # Any: fields of CompareState
        """Change several parts of the state at once.

        Raises
        ------
        OptionError, QueryError, RunNotFoundError
            For what cannot be shown; the panel stays as it was.
        """
        unknown = changes.keys() - set(CompareState.__dataclass_fields__)
        if unknown:
            raise TypeError(f"The panel has no {min(unknown)!r}.")
        is_new = self._conversation.take(replace(self.state, **changes))
        self._tell(table=is_new)

    def refresh(self) -> None:
        """Read the store again: runs that came since, numbers that changed."""
        self._conversation.refresh()
        self._tell(table=True)

    # -- the page ------------------------------------------------------------------

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {
            "text/plain": still_text(self.found),
            "text/html": still_html(self.found, self._conversation.overlay),
        }
        if best_surface() == "widget":
            with guard(FEATURE):
                self._open()
                bundle[WIDGET_VIEW] = {
                    "version_major": 2,
                    "version_minor": 0,
                    "model_id": self._widget.model_id,
                }
        return bundle

    def _open(self) -> None:
        if self._widget is None:
            self._widget = _widget_class()()
            self._widget.on_msg(self._on_message)

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        with guard(FEATURE):
            try:
                self._send(self._conversation.hear(content))
            except NbtrackError as exc:
                self._send([({"type": "error", "text": str(exc)}, None)])

    def _tell(self, *, table: bool) -> None:
        if self._widget is not None:
            self._send(self._conversation.told(table=table))

    def _send(self, said: Iterable[Told]) -> None:
        for head, columns in said:
            buffers = None if columns is None else [columns]
            self._widget.send(head, buffers=buffers)


def _part(name: str) -> property:
    def read(panel: ComparePanel) -> Any:
        return getattr(panel.state, name)

    def write(panel: ComparePanel, value: Any) -> None:
        panel.set(**{name: tuple(value) if isinstance(value, list) else value})

    return property(read, write, doc=f"`{name}` of the state.")


for _name in CompareState.__dataclass_fields__:
    if _name != "selected":
        setattr(ComparePanel, _name, _part(_name))


@functools.cache
def _widget_class() -> type[Any]:
    import anywidget

    # Made once per process: anywidget reads the front end when a class is made.
    class CompareWidget(anywidget.AnyWidget):  # type: ignore[misc]  # untyped base
        _esm = front_end(*_SCRIPTS)

    return CompareWidget
