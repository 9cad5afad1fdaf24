"""All pages of a report from one look at a store; nothing is written here.

The difference of two runs comes from a floor above and is handed in as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nbtrack import __version__
from nbtrack.analysis.report.again import again
from nbtrack.analysis.report.asked import Asked
from nbtrack.analysis.report.content import Block, Difference, Note, Page, Report
from nbtrack.analysis.report.dashboard import dashboard
from nbtrack.analysis.report.look import Look, bare, look_at
from nbtrack.analysis.report.overview import overview
from nbtrack.analysis.report.papers import cards, paper
from nbtrack.analysis.wording import number
from nbtrack.text import counted

if TYPE_CHECKING:
    from nbtrack.analysis.diff.run_diff import RunDiff
    from nbtrack.store import Store

Explain = Callable[[str, str], "RunDiff"]  # ids of two runs


def built(
    store: Store,
    asked: Asked,
    *,
    explain: Explain,
    file_name: str,
    gone: Sequence[str] = (),
) -> Report:
    """The report of what was asked for, as of now.

    Parameters
    ----------
    explain
        Gives the difference of two runs by their ids.
    file_name
        Of the file it will stand in, for the line that makes it again.
    gone
        Runs that an earlier report had, and that are not there any more.

    Raises
    ------
    RunNotFoundError
        Where no run answers.
    QueryError, OptionError, MetricNotFoundError
        For what cannot be understood or found.
    """
    look = look_at(store, asked, gone)
    made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    pages = [
        Page("overview", "Overview", list(overview(look, made_at))),
        Page("dashboard", "Dashboard", list(dashboard(look))),
        Page("difference", "Difference", list(_difference(look, explain))),
        Page("paper", "Paper table", list(paper(look))),
        Page("models", "Models", list(cards(look))),
        Page("again", "Make it again", list(again(look, file_name))),
    ]
    title = asked.title or _title(look)
    return Report(title, made_at, __version__, look.asked, len(look.found.ids), pages)


def _title(look: Look) -> str:
    n = len(look.found.ids)
    experiments = set(look.found.table.fields["experiment"])
    of = f" of {experiments.pop()}" if len(experiments) == 1 else ""
    return f"{counted(n, 'run')}{of}"


def _difference(look: Look, explain: Explain) -> Iterator[Block]:
    pair, ids = look.asked.pair, look.found.ids
    if pair is not None:
        yield Note(f"Why {look.name(pair[0])} (A) and {look.name(pair[1])} (B) differ.")
        yield Difference(explain(*pair))
        return
    if look.judge is None or len(look.ranked) < 2:
        yield Note("There are no two runs with a metric that says which is better.")
        return
    best, second = look.ranked[:2]
    name, values = bare(look.judge), look.judge.values
    yield Note(
        f"Why the best run, {look.names[best]} (B, {name} {number(values[best])}), "
        f"differs from the second, {look.names[second]} (A, {number(values[second])})."
    )
    yield Difference(explain(ids[second], ids[best]))
