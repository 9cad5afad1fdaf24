"""The conversation of a page that compares runs, whoever carries the messages.

The state is kept on this side and the stores are read here; the page sorts, marks and
draws. What is clicked comes as a whole new state, is checked, and is told back as the
line of `%compare` that gives the same. The mirror of `shared/compare/wire.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from nbtrack.analysis import edits
from nbtrack.analysis.comparing import wire
from nbtrack.analysis.comparing.data import Compared, compared, refreshed
from nbtrack.analysis.comparing.overlay import Drawn, Overlay, Wanted
from nbtrack.analysis.comparing.state import SELECTED_MAX, CompareState
from nbtrack.analysis.runs_table import sorted_ids
from nbtrack.analysis.several_stores import SeveralStores

if TYPE_CHECKING:
    from nbtrack.analysis.comparing.source import Source
    from nbtrack.store import Store

BEST_SELECTED = 5  # curves that are drawn where nobody says which
SPARKS_MAX = 200  # runs whose small curves one message brings
SPARK_POINTS = 48
POINTS_MAX = 20_000  # of one curve, whatever the page asks for

Told = tuple[dict[str, Any], bytes | None]  # a message, and its packed numbers


def begun(store: Source, state: CompareState) -> Compared:
    """What a state means; where nobody says which curves, the best are drawn.

    Raises
    ------
    QueryError, OptionError, RunNotFoundError
        As `compared`.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start(f"lr-{lr}", params={"lr": lr}):
    ...         nbtrack.log(loss=lr)
    >>> len(begun(nbtrack.open(), CompareState(last=2)).state.selected)
    2
    """
    found = compared(store, state)
    if state.selected or state.bands:
        return found
    return replace(found, state=replace(found.state, selected=_best(found)))


class Conversation:
    """One page's comparison: what it shows, and what it is answered.

    `stores` are the words by which the line names where it reads, if not the store of
    the folder; no curve has more than `points_max` points, and of all that were read
    `points_kept` are remembered. Not thread safe.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(loss=0.5)
    >>> store = nbtrack.open()
    >>> page = Conversation(store, begun(store, CompareState()))
    >>> [head["type"] for head, _ in page.hear({"type": "hello"})]
    ['table', 'state']
    """

    def __init__(
        self,
        store: Source,
        found: Compared,
        *,
        stores: Sequence[str] = (),
        points_max: int = POINTS_MAX,
        points_kept: int | None = None,
    ) -> None:
        self.store = store
        self.found = found
        self.overlay = Overlay(store, points_kept=points_kept)
        self._stores = tuple(stores)
        self._points_max = points_max

    @property
    def state(self) -> CompareState:
        """All of it, as one frozen value."""
        return self.found.state

    @property
    def line(self) -> str:
        """The line of `%compare` that shows the same."""
        return self.state.line(self.found.called(), stores=self._stores)

    def home(self, run: str) -> Store:
        """The store that a run is in."""
        if isinstance(self.store, SeveralStores):
            return self.store.home(run)
        return cast("Store", self.store)

    def take(self, state: CompareState) -> bool:
        """Go over to a state; whether the page must be told other runs.

        Raises
        ------
        QueryError, OptionError, RunNotFoundError
            For what cannot be shown; all stays as it was.
        """
        before = self.found
        self.found = compared(self.store, state, before=before)
        return before.rows is not self.found.rows

    def refresh(self) -> None:
        """Read the store again: runs that came since, numbers that changed."""
        self.found = refreshed(self.store, self.found)

    def hear(self, content: Mapping[str, Any]) -> list[Told]:
        """What the page is answered; nothing where it says what nobody knows.

        Raises
        ------
        NbtrackError
            For what cannot be shown or changed; all stays as it was.
        TypeError, ValueError
            For a message that is none of `ToKernel`.
        """
        kind = content.get("type")
        if kind == "hello":
            return self.told(table=True)
        if kind == "state":
            state = CompareState.from_json(content.get("state") or {})
            return self.told(table=self.take(state))
        if kind == "refresh":
            self.refresh()
            return self.told(table=True)
        if kind == "curves":
            return [self._curves(content)]
        if kind == "sparks":
            return [self._sparks(content)]
        if kind == "pick":
            x = float(content.get("x") or 0.0)
            return [self._picked(str(content.get("run")), x)]
        if kind == "star":
            return self._starred(str(content.get("run")), on=bool(content.get("on")))
        return []

    def told(self, *, table: bool) -> list[Told]:
        """The state and its line, behind the table where that is another one."""
        found, said = self.found, list[Told]()
        if table:
            rows, n_all = found.rows, len(found.glance.table)  # the page sorts
            ids, names = rows.table.ids, rows.table.fields["name"]
            starred = [run for run in ids if _is_starred(found, run)]
            said.append(wire.table_message(ids, names, rows.columns, starred, n_all))
        state = {"state": self.state.as_json(), "metric": found.metric()}
        said.append(({"type": "state", "line": self.line, **state}, None))
        return said

    def _curves(self, asked: Mapping[str, Any]) -> Told:
        span, most = asked.get("span"), self._points_max
        state = self.state
        wanted = Wanted(
            self.found.metric(),
            state.x,
            state.smooth,
            None if not span else (float(span[0]), float(span[1])),
            min(int(asked.get("points") or 0) or most, most),
        )
        drawn = self._bands(wanted) if state.bands else self._lines(wanted)
        told = {"type": "curves", "metric": wanted.metric, "x": state.x, "span": span}
        return wire.curves_message(
            [curve for curve in drawn if curve is not None],
            {**told, "axes": self._axes(wanted.metric)},
        )

    def _lines(self, wanted: Wanted) -> list[Drawn | None]:
        return [self.overlay.curve(run, wanted) for run in self.state.selected]

    def _bands(self, wanted: Wanted) -> list[Drawn | None]:
        members = self.found.groups()
        return [self.overlay.band(key, runs, wanted) for key, runs in members.items()]

    def _axes(self, metric: str) -> list[str]:
        """What the selected curves can be drawn over, besides step and time."""
        runs = self.state.selected or self.found.ids[:1]
        axes: dict[str, None] = {}
        for run in runs:
            axes |= dict.fromkeys(self.overlay.axes(run, metric))
        return list(axes)

    def _sparks(self, asked: Mapping[str, Any]) -> Told:
        ids = [str(run) for run in asked.get("ids") or ()][:SPARKS_MAX]
        known = set(self.found.ids)
        wanted = Wanted(self.found.metric(), points=SPARK_POINTS)
        drawn = [self.overlay.curve(run, wanted) for run in ids if run in known]
        told = {"type": "sparks", "metric": wanted.metric, "asked": ids}
        return wire.curves_message([d for d in drawn if d is not None], told)

    def _picked(self, run: str, x: float) -> Told:
        """The checkpoint that was saved last at or before a clicked point."""
        step = self.overlay.step_at(run, self.found.metric(), self.state.x, x)
        record = self.store.run(run)
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
            if isinstance(self.store, SeveralStores):
                where += f", store=nbtrack.open({str(self.home(run).path)!r})"
            code = f"nbtrack.load_checkpoint({record.id!r}, {where})"
        return {"type": "picked", "text": text, "code": code}, None

    def _starred(self, run: str, *, on: bool) -> list[Told]:
        change = edits.tag if on else edits.untag
        change(self.home(run), run, wire.STAR)
        self.refresh()
        return self.told(table=True)


def _best(found: Compared) -> tuple[str, ...]:
    if found.state.runs and len(found.ids) <= SELECTED_MAX:
        return tuple(found.ids)
    metric = found.metric()
    return tuple(sorted_ids(found.table, metric)[:BEST_SELECTED]) if metric else ()


def _is_starred(found: Compared, run: str) -> bool:
    return wire.STAR in found.table.tags.get(run, {})
