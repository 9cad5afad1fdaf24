"""Where the trials of a cell can run so that each begins from the same state.

In the kernel, when the cell was shown to change nothing that it reads: because it reads
nothing that could be changed, because it was seen to run in this session, or because it
was rehearsed: run once in a process of its own, from the slice of cells that it needs.
A cell that does change what it reads runs from that slice, in a fresh process for each
trial. Where neither can be shown the sweep is refused, with the variable's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError, SweepError
from nbtrack.sweeps.boundary import Boundary
from nbtrack.sweeps.executor import Executor, KernelExecutor
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.capture.session import ExecutedCell
    from nbtrack.sweeps.api import Asked
    from nbtrack.sweeps.sites import CellText
    from nbtrack.sweeps.sweep import Sweep

_ASKS = ("input", "getpass", "raw_input")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a cell's effects on what it reads.

    `leaks` is None while nobody has seen it run; empty: it was shown to change nothing.
    """

    leaks: Mapping[str, str] | None
    changeable: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether it was shown to change nothing that it reads."""
        return self.leaks is not None and not self.leaks


@dataclass(frozen=True, slots=True)
class Arranged:
    """The executor, and why it is this one."""

    executor: Executor
    why: str


@contextmanager
def arrange(
    shell: Any,  # IPython has no types
    cell: CellText,
    asked: Asked,
    sweep: Sweep,
    states: Mapping[str, str],
) -> Iterator[Arranged]:
    """The executor for the trials of a cell; what it needs lives as long as the block.

    Raises
    ------
    OptionError
        For a cell that asks for input.
    SweepError
        When no way is known to run its trials independently; names the variables.
    """
    refuse_input(cell)
    evidence = evidence_of(cell, shell.user_ns)
    if asked.stays_in_kernel and evidence.is_clean:
        yield Arranged(KernelExecutor(shell, cell.python), "in this kernel")
        return
    from nbtrack.sweeps.rehearsal import arranged_by_rehearsal

    with arranged_by_rehearsal(shell, cell, asked, sweep, states, evidence) as found:
        yield found


def refuse_input(cell: CellText) -> None:
    """Nobody sits before forty trials.

    Raises
    ------
    OptionError
        For a cell that calls `input()` or its like.
    """
    from nbtrack.capture.dataflow.cell_reads import cell_reads

    found = cell_reads(cell.python, cell.namespace)
    for name in _ASKS:
        if name in found.names or name in found.attributes:
            raise OptionError(
                f"The cell asks for {name}(), and nobody answers in a trial: put what "
                "was typed into a variable of an earlier cell."
            )


def evidence_of(cell: CellText, namespace: Mapping[str, Any]) -> Evidence:
    """What the session has seen of the effects of a cell with this text."""
    changeable = Boundary.of(cell.python, namespace).changeable
    if not changeable:
        return Evidence({}, ())
    seen = seen_before(cell.text)
    if seen is None or seen.flow is None or not seen.ok:
        return Evidence(None, changeable)
    leaks = {
        name: f"{seen.label or 'an earlier cell'} changed it"
        for name in changeable
        if seen.flow.writes.get(name) == "changed"
    }
    # What was too large for the look at every cell is looked at after each trial.
    return Evidence(leaks, changeable)


def seen_before(text: str) -> ExecutedCell | None:
    """The last execution of the same text, whatever magics stood above it.

    One whose names were put back says nothing of them: it was a trial.
    """
    from nbtrack.tracking.session import process_session

    log = process_session().executed
    wanted = body_of(text)
    cells = [] if log is None else [c for c in log.cells if not is_swept(c.source)]
    ended = (cell for cell in reversed(cells) if cell.ok)
    return next((c for c in ended if body_of(c.source) == wanted), None)


def is_swept(source: str) -> bool:
    r"""Whether a cell that was executed is a sweep, or a trial of one.

    >>> is_swept("%%sweep lr=[1, 2]\nloss = lr"), is_swept("%%track\nloss = 1")
    (True, False)
    """
    first = source.lstrip().partition("\n")[0]
    return first.startswith("%%sweep") or "'trial: " in first


def body_of(text: str) -> str:
    r"""The text below cell magics, without space around it.

    >>> body_of("%%time\n%%track base\nx = 1\n")
    'x = 1'
    """
    lines = text.strip().split("\n")
    while lines and (not lines[0].strip() or lines[0].lstrip().startswith("%%")):
        lines.pop(0)
    return "\n".join(lines).strip()


def refusal(evidence: Evidence, why_not: str) -> SweepError:
    """Why a cell is not swept: it may change what it reads, which is not rebuilt."""
    leaks = evidence.leaks or {}
    names = list(leaks) or list(evidence.changeable)
    listed = ", ".join(visible(name) for name in names[:5])
    knows = (
        f"changes {listed}, which it reads"
        if leaks
        else f"reads {listed}, and nobody has seen that it leaves that as it is"
    )
    return SweepError(
        f"Trials would not be independent: the cell {knows}; and the cells that make "
        f"it do not run in a process of their own ({shorten(why_not, 200)}). Make it "
        "in the swept cell, or run the cell once with %%track."
    )
