"""`nbtrack.sweep_panel`, `%panel sweep` and `%%sweep` without a space: the panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbtrack.errors import OptionError
from nbtrack.notebook.panels.sweep import SweepPanel
from nbtrack.notebook.sweep_magic import without_track
from nbtrack.notebook.transform import magic_line
from nbtrack.sweeps.arrange import is_swept
from nbtrack.tracking.session import process_session

if TYPE_CHECKING:
    from nbtrack.sweeps.api import Asked
    from nbtrack.sweeps.sweep import Sweep


class Shown:
    """The panel of the sweep that ran last in this process."""

    def __init__(self) -> None:
        self.panel: SweepPanel | None = None


last = Shown()


def sweep_panel(
    what: str | Sweep | None = None,
    space: Mapping[str, str] | None = None,
    *,
    n: int | None = None,
    metric: str | None = None,
) -> SweepPanel:
    r"""A form that launches a sweep of a cell, or the monitor of a sweep.

    Parameters
    ----------
    what : str or Sweep, optional
        The text of a cell, or a sweep. Default: the sweep that ran last, or else the
        last tracked cell of this session.
    space : mapping, optional
        Of names to values as text: what is ticked. Default: nothing.
    n : int, optional
        How many trials. Default 20.
    metric : str, optional
        As in `nbtrack.sweep`; default: what the names of the cell tell.

    Returns
    -------
    SweepPanel
        `line`, `space`, `n`, `budget`, `start()`, `pause()`, `go_on()`, `stop()`,
        `sweep`, `promote(number)`, `charts(kind)`; shown in a notebook.

    Raises
    ------
    OptionError
        For a cell that is no Python, values that are none, or nothing to show.

    Examples
    --------
    >>> import nbtrack
    >>> cell = "lr = 0.1\nfor epoch in range(3):\n    loss = lr / (epoch + 1)"
    >>> panel = nbtrack.sweep_panel(cell, {"lr": "log(1e-3, 1)"}, n=8)
    >>> panel.line
    '%%sweep lr=log(1e-3, 1) --n 8 --metric loss:min'
    >>> panel.budget
    '8 runs × unknown: run the cell once'
    """
    panel = _panel_of(what)
    if metric is not None:
        panel.metric = metric
    if n is not None:
        panel.n = n
    if space is not None:
        panel.space = dict(space)
    last.panel = panel
    return panel


def followed(sweep: Sweep, text: str, track_line: str, line: str, asked: Asked) -> None:
    """A cell is being swept: `%panel sweep` shows this one from now on."""
    panel = SweepPanel(text, track_line=track_line, sweep=sweep, line=line)
    panel.fill(asked)
    last.panel = panel


def panel_of_cell(cell: str) -> SweepPanel:
    """The form for a cell as it stands under its `%%sweep`."""
    text, track_line = without_track(cell)
    if not text.strip():
        raise OptionError("There is no cell below %%sweep.")
    last.panel = SweepPanel(text, track_line=track_line)
    return last.panel


def _panel_of(what: str | Sweep | None) -> SweepPanel:
    if isinstance(what, str):
        text, track_line = without_track(what)
        return SweepPanel(text, track_line=track_line)
    if what is not None:
        return SweepPanel("", sweep=what)
    if last.panel is not None and last.panel.sweep is not None:
        return last.panel
    return panel_of_cell(_last_tracked())


def _last_tracked() -> str:
    log = process_session().executed
    cells = [] if log is None else log.cells
    for cell in reversed(cells):
        if not is_swept(cell.source) and magic_line().match(cell.source.lstrip()):
            return cell.source
    raise OptionError("No cell was tracked yet: write %%sweep on top of one.")
