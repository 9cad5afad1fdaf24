"""A trial as a cell of its own: `%%track`, and the swept cell with its values in it."""

from __future__ import annotations

from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import split_line
from nbtrack.notebook.transform import magic_line
from nbtrack.sweeps.sweep import Sweep

_OF_THE_TRIAL = ("-p", "-t")  # with a value behind them that the cell says itself
_TAGS = ("'sweep: ", "'trial: ")


def promoted_text(sweep: Sweep, number: int) -> str:
    """The cell that runs a trial again, tracked; nothing runs.

    Raises
    ------
    OptionError
        For a number that is no trial, one that has no run yet, or a swept function.
    """
    run = run_of(sweep, number)
    source = sweep.store.run(run).source or ""
    first, _, body = source.partition("\n")
    found = magic_line().match(first)
    if found is None:
        raise OptionError(f"Trial {number} is a call of a function: it has no cell.")
    words = " ".join(["%%track", *own_options(found["line"])])
    return f"{words}\n{body}".rstrip("\n")


def run_of(sweep: Sweep, number: int) -> str:
    """The run of a trial, also of an earlier session.

    Raises
    ------
    OptionError
        Where there is none.
    """
    row = next((row for row in sweep.rows if row.number == number), None)
    if row is None:
        raise OptionError(f"Sweep {sweep.name!r} has no trial {number}.")
    if row.run is not None:
        return row.run
    from nbtrack.analysis.runs_table import runs

    query = f"tags.sweep == {sweep.name!r} and tags.trial == '{number}'"
    found = runs(query, store=sweep.store)
    if not len(found):
        raise OptionError(f"Trial {number} has no run.")
    return str(found["id"].iloc[0])


def own_options(line: str) -> list[str]:
    """Of a trial's line, what a tracked cell keeps: not its name, values and marks.

    >>> own_options("'s #0' -t 'sweep: s' -t 'trial: 0' -t mine -p lr=1 --no-live")
    ['-t', 'mine']
    """
    words = split_line(line)[1:]
    kept: list[str] = []
    while words:
        word = words.pop(0)
        if word in _OF_THE_TRIAL and words:
            value = words.pop(0)
            if word == "-t" and not value.startswith(_TAGS):
                kept += [word, value]
        elif word != "--no-live":
            kept.append(word)
    return kept
