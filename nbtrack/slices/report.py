"""`nbtrack.report`: a selection of runs as one file, HTML or Markdown.

It stands on this floor because a report explains why two runs differ, for which
`nbtrack.slices.diff` asks the slices. The pages are those of `nbtrack.analysis.report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.code_view import SETTLE_S
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.analysis.report.asked import Asked
from nbtrack.analysis.report.build import Explain, built
from nbtrack.analysis.report.files import Format, asked_of, format_of, write
from nbtrack.errors import OptionError, RunNotFoundError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.analysis.diff.run_diff import RunDiff
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

NAMES = {"html": "report.html", "md": "report.md"}


@dataclass(frozen=True, slots=True)
class Made:
    """A report that was written."""

    path: Path  # absolute
    format: Format
    n_runs: int
    line: str  # of %report, that makes it again
    is_refreshed: bool  # with the selection that stood in the file
    n_gone: int = 0  # runs of that selection that are not there any more


def report(
    *runs: Run | RunRecord | str,
    query: str = "",
    path: Path | str | None = None,
    title: str = "",
    format: Literal["html", "md"] | None = None,
    diff: Sequence[Run | RunRecord | str] | None = None,
    cards: bool = False,
    store: Store | None = None,
    **state: Any,  # fields of CompareState
) -> Path:
    """Write a report of runs: overview, dashboard, difference, paper table, models.

    The HTML is one file that needs no network and has no script. The Markdown has its
    charts as SVG files in the folder `<name>_files` beside it. What was asked for
    stands in the file: without runs, query or options a report that exists is made
    again with its own selection, from the runs that answer by then.

    Parameters
    ----------
    *runs
        Ids, names or runs; none: all that answer to `query`.
    query : str
        As in `nbtrack.runs`.
    path : path, optional
        Default: report.html, or report.md, in the working folder. A file that is no
        report of nbtrack is never written over.
    title : str
        Default: how many runs of which experiment.
    format : {"html", "md"}, optional
        Default: by the ending of `path`, else HTML.
    diff : two runs, optional
        Whose difference is explained, A and B; default the second and the best.
    cards : bool
        Model cards of all versions that the runs made, not of the newest alone.
    store : Store, optional
        Default: the live run's own, or the one that belongs to this folder.
    **state
        As in `nbtrack.compare`: `sort`, `last`, `columns`, `hidden`, `all_params`,
        `group`, `baseline`, `selected`, `metric`, `x`, `smooth`, `log_x`, `log_y`,
        `bands`.

    Returns
    -------
    Path
        Of the file, absolute.

    Raises
    ------
    RunNotFoundError
        Where no run answers, or a name is none.
    QueryError, MetricNotFoundError
        For a query or a metric that cannot be understood or found.
    OptionError
        For another slip, a file that is no report, a folder that cannot be written.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start(f"lr {lr}", params={"lr": lr}):
    ...         nbtrack.log(loss=lr)
    >>> path = nbtrack.report(query="loss < 1", title="Week 3")
    >>> path.name, "<script" in path.read_text(), "lr 0.01" in path.read_text()
    ('report.html', False, True)
    >>> nbtrack.report(path=path) == path  # again, with the same selection
    True
    """
    state = {k: tuple(v) if isinstance(v, list) else v for k, v in state.items()}
    known = [field.name for field in fields(CompareState)]
    unknown = sorted(state.keys() - set(known))
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise OptionError(f"report() has no option {unknown[0]!r}.{hint}")
    asked = Asked(
        CompareState(query, tuple(map(_id, runs)), **state),
        title,
        _pair(diff),
        cards,
    )
    return make(asked, path=path, format=format, store=store).path


def make(
    asked: Asked,
    *,
    path: Path | str | None = None,
    format: str | None = None,
    store: Store | None = None,
) -> Made:
    """Write the report of what was asked for; see `report`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(loss=0.5)
    >>> make(Asked(CompareState("loss < 1")), path="week.md").line
    '%report loss < 1 -o week.md'
    """
    from nbtrack.tracking.background import background
    from nbtrack.tracking.settled import settled

    background.settle(SETTLE_S)
    here = settled(store)
    form = format_of(None if path is None else Path(path), format)
    target = Path(NAMES[form] if path is None else path).expanduser().resolve()
    before, gone = asked_of(target), list[str]()
    is_refreshed = before is not None and not asked.selects
    if before is not None and is_refreshed:
        asked, gone = _again(here, before, asked)
    asked = replace(asked, pair=_pair_in(here, asked.pair))
    found = built(
        here, asked, explain=_explained(here), file_name=_name(target, path), gone=gone
    )
    write(found, target, form)
    line = found.asked.line(_name(target, path))
    return Made(target, form, found.n_runs, line, is_refreshed, len(gone))


def _name(target: Path, path: Path | str | None) -> str:
    """As it was said: no folder of this machine comes into the file otherwise."""
    return target.name if path is None or Path(path).is_absolute() else str(path)


def _again(store: Store, before: Asked, now: Asked) -> tuple[Asked, list[str]]:
    """What the file was asked for, without runs that were deleted since."""
    gone = {run for run in before.named() if not _is_there(store, run)}
    asked = before.without(gone)
    if before.state.runs and not asked.state.runs:
        raise RunNotFoundError(
            f"All {len(before.state.runs)} runs of this report are deleted or in the "
            "trash: it stays as it is. Name others, or take them back with %runs "
            "restore."
        )
    title, cards = now.title or before.title, now.cards or before.cards
    return replace(asked, title=title, cards=cards), sorted(gone)


def _is_there(store: Store, run: str) -> bool:
    try:
        return store.run(run).trashed_at is None
    except RunNotFoundError:
        return False


def _explained(store: Store) -> Explain:
    def explain(a: str, b: str) -> RunDiff:
        from nbtrack.slices.diff import diff

        return diff(a, b, store=store)

    return explain


def _pair_in(store: Store, pair: tuple[str, str] | None) -> tuple[str, str] | None:
    return None if pair is None else (store.run(pair[0]).id, store.run(pair[1]).id)


def _pair(diff: Sequence[Run | RunRecord | str] | None) -> tuple[str, str] | None:
    if diff is None:
        return None
    if isinstance(diff, str) or len(diff) != 2:
        shown = shorten(visible(repr(diff)), 60)
        raise OptionError(f"diff={shown}: name two runs, as diff=('a', 'b').")
    return _id(diff[0]), _id(diff[1])


def _id(run: Run | RunRecord | str) -> str:
    return run if isinstance(run, str) else run.id
