"""The panel that compares runs: a table and curves, which Python reads and sets.

The kernel keeps the state and reads the store; the page sorts, marks and draws. What
is clicked comes here as a whole new state, is checked, and is told back as the line of
`%compare` that gives the same panel. A page that cannot be heard keeps what it shows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from nbtrack.analysis import edits
from nbtrack.analysis.comparing import wire
from nbtrack.analysis.comparing.data import Compared, compared, refreshed
from nbtrack.analysis.comparing.overlay import Drawn, Overlay, Wanted
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
SPARKS_MAX = 200  # runs whose small curves one message brings
SPARK_POINTS = 48
POINTS_MAX = 20_000  # of one curve, whatever the page asks for
_SCRIPT = "compare.js"


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
        self._store = store
        self._found = found
        self._overlay = Overlay(store)
        self._widget: Any = None

    @property
    def state(self) -> CompareState:
        """All of it, as one frozen value."""
        return self._found.state

    @property
    def line(self) -> str:
        """The line of `%compare` that shows the same."""
        several = self._store if isinstance(self._store, SeveralStores) else None
        stores = several.words if several else ()
        return self.state.line(self._found.called(), stores=stores)

    @property
    def found(self) -> Compared:
        """What the state means in the store, as of the last look at it."""
        return self._found

    @property
    def store(self) -> Source:
        """Where the runs are read: a store, or several as one."""
        return self._store

    def home(self, run: str) -> Store:
        """The store that a run is in."""
        if isinstance(self._store, SeveralStores):
            return self._store.home(run)
        return cast("Store", self._store)

    @property
    def df(self) -> pd.DataFrame:
        """The runs that are shown, in their order, with the columns that are shown."""
        return self._found.df

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
        is_new = self._take(replace(self.state, **changes))
        self._tell(table=is_new)

    def refresh(self) -> None:
        """Read the store again: runs that came since, numbers that changed."""
        self._found = refreshed(self._store, self._found)
        self._tell(table=True)

    def _take(self, state: CompareState) -> bool:
        """Go over to a state; whether the page must be told other runs."""
        before = self._found
        self._found = compared(self._store, state, before=before)
        return before.rows is not self._found.rows

    # -- the page ------------------------------------------------------------------

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {
            "text/plain": still_text(self._found),
            "text/html": still_html(self._found, self._overlay),
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
                self._hear(content)
            except NbtrackError as exc:
                self._send({"type": "error", "text": str(exc)})

    def _hear(self, content: dict[str, Any]) -> None:
        kind = content.get("type")
        if kind == "hello":
            self._tell(table=True)
        elif kind == "state":
            told = content.get("state")
            is_new = self._take(CompareState.from_json(told if told else {}))
            self._tell(table=is_new)
        elif kind == "curves":
            self._send(*self._curves(content))
        elif kind == "sparks":
            self._send(*self._sparks(content))
        elif kind == "pick":
            self._pick(str(content.get("run")), float(content.get("x") or 0.0))
        elif kind == "star":
            self._star(str(content.get("run")), on=bool(content.get("on")))
        elif kind == "refresh":
            self.refresh()

    def _tell(self, *, table: bool = False) -> None:
        if self._widget is None:
            return
        found = self._found
        if table:
            rows, n_all = found.rows, len(found.glance.table)  # the page sorts
            ids, names = rows.table.ids, rows.table.fields["name"]
            starred = [run for run in ids if _is_starred(found, run)]
            self._send(*wire.table_message(ids, names, rows.columns, starred, n_all))
        told = {"state": self.state.as_json(), "metric": found.metric()}
        self._send({"type": "state", "line": self.line, **told})

    def _curves(self, asked: dict[str, Any]) -> wire.Message:
        span = asked.get("span")
        state = self.state
        wanted = Wanted(
            self._found.metric(),
            state.x,
            state.smooth,
            None if not span else (float(span[0]), float(span[1])),
            min(int(asked.get("points") or 0) or POINTS_MAX, POINTS_MAX),
        )
        drawn = self._bands(wanted) if state.bands else self._lines(wanted)
        told = {"type": "curves", "metric": wanted.metric, "x": state.x, "span": span}
        return wire.curves_message(
            [curve for curve in drawn if curve is not None],
            {**told, "axes": self._axes(wanted.metric)},
        )

    def _lines(self, wanted: Wanted) -> list[Drawn | None]:
        return [self._overlay.curve(run, wanted) for run in self.state.selected]

    def _bands(self, wanted: Wanted) -> list[Drawn | None]:
        members = self._found.groups()
        return [self._overlay.band(key, runs, wanted) for key, runs in members.items()]

    def _axes(self, metric: str) -> list[str]:
        """What the selected curves can be drawn over, besides step and time."""
        runs = self.state.selected or self._found.ids[:1]
        axes: dict[str, None] = {}
        for run in runs:
            axes |= dict.fromkeys(self._overlay.axes(run, metric))
        return list(axes)

    def _sparks(self, asked: dict[str, Any]) -> wire.Message:
        ids = [str(run) for run in asked.get("ids") or ()][:SPARKS_MAX]
        known = set(self._found.ids)
        wanted = Wanted(self._found.metric(), points=SPARK_POINTS)
        drawn = [self._overlay.curve(run, wanted) for run in ids if run in known]
        told = {"type": "sparks", "metric": wanted.metric, "asked": ids}
        return wire.curves_message([d for d in drawn if d is not None], told)

    def _pick(self, run: str, x: float) -> None:
        """The checkpoint that was saved last at or before a clicked point."""
        step = self._overlay.step_at(run, self._found.metric(), self.state.x, x)
        record = self._store.run(run)
        text, code = f"{record.name} @ step {step}: no checkpoint up to here", ""
        saved = [
            (c.step, at)
            for at, c in enumerate(record.checkpoints)
            if not c.gone_at and c.step is not None
        ]
        before = [one for one in saved if step is not None and one[0] <= step]
        if before:
            found = record.checkpoints[max(before)[1]]
            text = f"{record.name} @ step {step} → {found.name}:v{found.version}"
            where = f"step={found.step}, name={found.name!r}"
            if isinstance(self._store, SeveralStores):
                where += f", store=nbtrack.open({str(self.home(run).path)!r})"
            code = f"nbtrack.load_checkpoint({record.id!r}, {where})"
        self._send({"type": "picked", "text": text, "code": code})

    def _star(self, run: str, *, on: bool) -> None:
        change = edits.tag if on else edits.untag
        change(self.home(run), run, wire.STAR)
        self.refresh()

    def _send(self, head: dict[str, Any], columns: bytes | None = None) -> None:
        if self._widget is not None:
            self._widget.send(head, buffers=None if columns is None else [columns])


def _part(name: str) -> property:
    def read(panel: ComparePanel) -> Any:
        return getattr(panel.state, name)

    def write(panel: ComparePanel, value: Any) -> None:
        panel.set(**{name: tuple(value) if isinstance(value, list) else value})

    return property(read, write, doc=f"`{name}` of the state.")


for _name in CompareState.__dataclass_fields__:
    if _name != "selected":
        setattr(ComparePanel, _name, _part(_name))


def _is_starred(found: Compared, run: str) -> bool:
    return wire.STAR in found.table.tags.get(run, {})


@functools.cache
def _widget_class() -> type[Any]:
    import anywidget

    # Made once per process: anywidget reads the front end when a class is made.
    class CompareWidget(anywidget.AnyWidget):  # type: ignore[misc]  # untyped base
        _esm = front_end(_SCRIPT)

    return CompareWidget
