"""The panel of a sweep: a form that launches it, a leaderboard that follows it.

Its state is text: one line of `%%sweep`, which is what Start runs. Started here a sweep
runs beside the kernel, which stays free; as a cell it runs in the kernel, with the same
panel under it in the place of a table.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, get_args

from nbtrack.analysis.wording import count
from nbtrack.errors import NbtrackError, OptionError
from nbtrack.guard import guard
from nbtrack.notebook.panels.outlets import WIDGET_VIEW, best_surface, current_shell
from nbtrack.notebook.panels.sweep_charts import Chart, chart_of, chart_outputs, code_of
from nbtrack.notebook.panels.sweep_feed import FEATURE
from nbtrack.notebook.panels.sweep_still import still_html
from nbtrack.notebook.panels.sweep_view import SweepView, view_of
from nbtrack.notebook.sweep_form import SweepForm, budget_words
from nbtrack.notebook.sweep_promote import promoted_text
from nbtrack.sweeps.arrange import seen_before
from nbtrack.sweeps.offers import Offer, offers_of
from nbtrack.sweeps.sites import CellText
from nbtrack.sweeps.study import PRUNERS, SAMPLERS
from nbtrack.text import did_you_mean, escape, visible

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nbtrack.sweeps.api import Asked
    from nbtrack.sweeps.sweep import Sweep


class SweepPanel:
    r"""A sweep to launch, to follow and to learn from; see `nbtrack.sweep_panel`.

    `space`, `n`, `sampler`, `metric`, `prune` and `parallel` can be read and set;
    `line` is the `%%sweep` of the same; `sweep` is the one that runs or ran.

    Examples
    --------
    >>> import nbtrack
    >>> panel = nbtrack.sweep_panel("lr = 0.1\nloss = lr**2")
    >>> [(offer.name, offer.guess) for offer in panel.offers]
    [('lr', 'log(0.01, 1)')]
    """

    def __init__(
        self,
        text: str,
        *,
        track_line: str = "",
        sweep: Sweep | None = None,
        line: str = "",
    ) -> None:
        self.text = text
        self.sweep = sweep
        self.problem = ""  # why the last Start was refused
        self._track_line = track_line
        self._line_ran = line
        self._cell = self._cell_text()
        self.offers: list[Offer] = [] if not text else offers_of(self._cell, _log())
        self.form = SweepForm.of_cell(text, self.offers)
        self._view: SweepView | None = None
        self._output: Any = None  # an ipywidgets.Output, for charts
        self._box: Any = None
        self._below: str | None = None  # the front end's id of the cell it stands under

    # ---- what is asked for

    @property
    def line(self) -> str:
        """The line that, on top of the cell, gives the same sweep."""
        return self.form.line() if self.text else self._line_ran

    @property
    def space(self) -> dict[str, str]:
        """What is ticked, and its values as text."""
        return self.form.space

    @space.setter
    def space(self, space: Mapping[str, str]) -> None:
        texts = {name: str(values) for name, values in space.items()}
        for name in texts:
            self._cell.site_of(name)
        spaces = {**self.form.spaces, **texts}
        self._change(replace(self.form, spaces=spaces, ticked=tuple(texts)))

    @property
    def n(self) -> int | None:
        """How many trials; None for a whole grid."""
        return int(self.form.n) if self.form.n else None

    @n.setter
    def n(self, n: int | None) -> None:
        self._change(replace(self.form, n="" if n is None else str(n)))

    @property
    def parallel(self) -> int:
        """How many at a time."""
        return int(self.form.parallel or 1)

    @parallel.setter
    def parallel(self, parallel: int) -> None:
        self._change(replace(self.form, parallel=str(parallel)))

    @property
    def sampler(self) -> str:
        """How values are chosen."""
        return self.form.sampler

    @sampler.setter
    def sampler(self, sampler: str) -> None:
        self._change(replace(self.form, sampler=sampler))

    @property
    def metric(self) -> str:
        """What is made small or large, as `val_loss:min`."""
        return self.form.metric

    @metric.setter
    def metric(self, metric: str) -> None:
        self._change(replace(self.form, metric=metric))

    @property
    def prune(self) -> str:
        """Which pruner stops bad trials; "" for none."""
        return self.form.prune

    @prune.setter
    def prune(self, prune: str) -> None:
        self._change(replace(self.form, prune=prune))

    def fill(self, asked: Asked) -> None:
        """Take over what another sweep of this cell was asked for."""
        given = {axis.name: axis.text for axis in asked.space.axes}
        pruner = "" if asked.plan.pruning == "none" else asked.plan.pruning
        self.form = SweepForm(
            {**self.form.spaces, **given},
            tuple(given),
            n="" if asked.n is None else str(asked.n),
            sampler=asked.plan.sampler,
            metric=asked.aim.text,
            prune=pruner,
            parallel=str(asked.parallel),
        )

    @property
    def budget(self) -> str:
        """What it will take, by how long this cell took when it ran last."""
        n = self.form.n_trials(self._cell.namespace)
        parallel = int(self.form.parallel) if self.form.parallel.isdigit() else 1
        return budget_words(n, self._each_s(), parallel)

    # ---- what is done

    @property
    def is_running(self) -> bool:
        """Whether its sweep goes on."""
        return self.sweep is not None and not self.sweep.wait(0)

    def start(self) -> Sweep:
        """Run what `line` says, beside the kernel: it returns at once.

        Raises
        ------
        OptionError, SweepError
            For what can be known now; what goes wrong later is `sweep.error`.
        """
        from nbtrack.sweeps.launch import launch_cell

        if self.is_running:
            raise OptionError("It is running: stop it first.")
        asked = self.form.asked(self.text, self._cell.namespace, self._track_line)
        self.problem, self._line_ran = "", self.form.line()
        beside = replace(asked, background=True)
        found = launch_cell(self.text, beside, made=self._take)
        self._tell()
        return found

    def stop(self) -> None:
        """End the sweep: trials that run are stopped."""
        self._running().stop("panel")

    def pause(self) -> None:
        """Let no trial begin until `go_on`."""
        self._running().pause()

    def go_on(self) -> None:
        """The end of a pause."""
        self._running().go_on()

    def promote(self, number: int) -> str:
        """Put a trial below as a cell with `%%track` and its values; it is not run.

        Returns
        -------
        str
            The cell's text.

        Raises
        ------
        OptionError
            Where the trial has no run, or it was a call of a function.
        """
        from nbtrack.notebook.cell_insertion import insert_cells, set_next

        text = promoted_text(self._any(), number)
        shell = current_shell()
        if shell is not None and insert_cells(shell, [text]) == "unheard":
            set_next(shell, text)
        return text

    def charts(self, kind: Chart = "importances") -> go.Figure:
        """A chart of its trials: "importances", "parallel", "contour" or "slice".

        Raises
        ------
        OptionError, MissingExtraError
            As `nbtrack.plot_importances` and the others do.
        """
        if kind not in get_args(Chart):
            hint = did_you_mean(kind, get_args(Chart)) or ""
            raise OptionError(f"There is no chart {kind!r:.40}.{hint}")
        return chart_of(self._any(), kind)

    # ---- the page

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self._html()}
        if best_surface() == "widget":
            with guard(FEATURE):
                self._open()
                bundle[WIDGET_VIEW] = view_of(self._box)
        return bundle

    def __repr__(self) -> str:
        lines = [self.line]
        if self.sweep is not None:
            lines.append(repr(self.sweep))
        elif self.text:
            for offer in self.offers:
                mark = "x" if offer.name in self.form.ticked else " "
                values = self.form.spaces[offer.name]
                lines.append(f"  [{mark}] {offer.name} = {offer.value}   {values}")
            lines.append(f"  {self.budget}")
        return "\n".join(map(visible, "\n".join(lines).split("\n")))

    def _html(self) -> str:
        if self.sweep is not None:
            return still_html(self.sweep, self._line_ran or self.line)
        return f"<pre>{escape(repr(self))}</pre>"

    def _open(self) -> None:
        from nbtrack.notebook.cell_insertion import running_cell

        kernel = getattr(current_shell(), "kernel", None)
        self._below = None if kernel is None else running_cell(kernel)
        if self._view is not None:
            return
        from ipywidgets import Output, VBox

        self._view = SweepView(self._hear)
        self._output = Output()
        self._box = VBox([self._view.widget, self._output])
        if self.is_running:
            self._follow()

    def _take(self, sweep: Sweep) -> None:
        self.sweep = sweep
        if self._output is not None:
            self._output.outputs = ()
        self._follow()

    def _follow(self) -> None:
        if self._view is not None and self.sweep is not None:
            self._view.follow(self.sweep, self._about())

    def _about(self) -> dict[str, object]:
        return {"line": self._line_ran or self.line, "has_kernel": True}

    def _hear(self, content: Mapping[str, Any]) -> None:
        try:
            self._answer(content)
        except NbtrackError as exc:
            self._say(str(exc), is_error=True)

    def _answer(self, content: Mapping[str, Any]) -> None:
        kind = content.get("type")
        if kind == "form":
            told = content.get("form")
            self.form = self.form.told(told if isinstance(told, dict) else {})
            self.problem = ""
        elif kind == "start":
            self._start_here()
        elif kind == "promote":
            self._promote_aside(int(content.get("number", -1)))
        elif kind == "chart":
            self._show_chart(str(content.get("chart")))
        if kind in ("hello", "form", "start"):
            self._tell()
        if kind == "hello":
            self._tell_sweep()

    def _start_here(self) -> None:
        try:
            self.start()
        except NbtrackError as exc:
            self.problem = str(exc)

    def _promote_aside(self, number: int) -> None:
        """The page answers this thread, which must not wait for it."""
        text = promoted_text(self._any(), number)

        def put() -> None:
            from nbtrack.notebook.cell_insertion import insert_cells

            answer = insert_cells(current_shell(), [text], below=self._below)
            if answer == "unheard":
                self._send({"type": "cell", "number": number, "text": text})
            else:
                self._say(f"trial {number} is a cell below; it was not run")

        _aside(put)

    def _show_chart(self, name: str) -> None:
        kind = next((k for k in get_args(Chart) if k == name), None)
        if kind is None or self._output is None:
            return
        sweep = self._any()
        self._output.outputs = chart_outputs(sweep, kind)
        self._send({"type": "chart", "chart": kind, "code": code_of(sweep, kind)})

    def _tell(self) -> None:
        if self._view is None or not self.text:
            return
        form, slips = self.form, self.form.slips(self._cell)
        rows = [
            [
                visible(offer.name),
                offer.name,
                visible(offer.value),
                offer.where,
                form.spaces[offer.name],
                offer.name in form.ticked,
                visible(slips.get(offer.name, "")),
            ]
            for offer in self._rows()
        ]
        fields = {name: getattr(form, name) for name in _FIELDS}
        self._send(
            {
                "type": "form",
                "rows": rows,
                "fields": fields,
                "slips": {name: slips.get(f"--{name}", "") for name in _FIELDS},
                "samplers": SAMPLERS,
                "pruners": PRUNERS[1:],
                "line": self.line,
                "budget": self.budget,
                "problem": visible(self.problem),
                "is_ready": bool(form.ticked) and not slips and not self.is_running,
            }
        )

    def _rows(self) -> list[Offer]:
        """What can be ticked; what was named in Python alone is one of them."""
        known = {offer.name for offer in self.offers}
        more = [name for name in self.form.spaces if name not in known]
        named = [Offer(name, "", self.form.spaces[name], "cell") for name in more]
        return [*self.offers, *named]

    def _tell_sweep(self) -> None:
        """How the sweep stands, where no feed says so."""
        if self.sweep is None or self._view is None:
            return
        feed = self._view.feed
        if feed is not None and feed.is_alive:
            return
        from nbtrack.notebook.panels.sweep_wire import sweep_message, total_of

        message = sweep_message(self.sweep, n_total=total_of(self.sweep))
        self._send({**message, **self._about()})

    def _say(self, text: str, *, is_error: bool = False) -> None:
        self._send({"type": "said", "text": visible(text), "is_error": is_error})

    def _send(self, message: dict[str, Any]) -> None:
        if self._view is not None:
            self._view.send(message)

    # ---- inside

    def _change(self, form: SweepForm) -> None:
        """Take a form that Python set; what is new and wrong raises, and stays out."""
        before = self.form.slips(self._cell)
        for name, slip in form.slips(self._cell).items():
            if before.get(name) != slip:
                raise OptionError(slip)
        self.form = form
        self._tell()

    def _cell_text(self) -> CellText:
        shell = current_shell()
        if shell is None:
            return CellText(self.text)
        python = shell.transform_cell(self.text)
        return CellText(self.text, shell.user_ns, python=python)

    def _each_s(self) -> float | None:
        """How long the cell takes: as it ran last, or as its trials did."""
        seen = seen_before(self.text) if self.text else None
        if seen is not None and seen.duration_s is not None:
            return seen.duration_s
        rows = self.sweep.rows if self.sweep is not None else []
        taken = [r.duration_s for r in rows if r.duration_s and r.status == "finished"]
        return fmean(taken) if taken else None

    def _any(self) -> Sweep:
        if self.sweep is None:
            raise OptionError("There is no sweep yet: start one.")
        return self.sweep

    def _running(self) -> Sweep:
        sweep = self._any()
        if not self.is_running:
            n = count(sweep.n_done)
            raise OptionError(f"Sweep {sweep.name!r} is over: {n} trials.")
        return sweep


_FIELDS = ("n", "sampler", "metric", "prune", "parallel")


def _log() -> Any:
    from nbtrack.tracking.session import process_session

    return process_session().executed


def _aside(call: Callable[[], None]) -> None:
    """In a thread of its own, whose messages belong to the same cell."""

    def guarded() -> None:
        with guard(FEATURE):
            call()

    follow = contextvars.copy_context().run
    threading.Thread(target=follow, args=(guarded,), daemon=True).start()
