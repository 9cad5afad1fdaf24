"""`nbtrack report`: a selection of runs as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from nbtrack.cli.frame import Verb, opened, say, say_json, with_options
from nbtrack.text import counted


@click.command("report", cls=Verb)
@click.argument("words", nargs=-1, metavar="[RUN... | QUERY]")
@click.option("-o", "--output", metavar="FILE", help="Default: report.html.")
@click.option("--title", default="", help="Default: how many runs of what.")
@click.option("--format", "form", metavar="html|md", help="Default: as FILE ends.")
@click.option("--diff", nargs=2, metavar="A B", help="Explain why these two differ.")
@click.option("--cards", is_flag=True, help="Model cards of all versions they made.")
@click.option("--last", type=click.IntRange(0), metavar="N", help="The newest N.")
@click.option("--sort", default="", metavar="NAME", help="-NAME turns round.")
@click.option("--baseline", default="", metavar="RUN", help="Show differences to it.")
@click.option("--group", default="", metavar="NAME", help="A column: params.opt.")
@click.option("--metric", default="", metavar="NAME", help="That says what is best.")
@click.option("--select", multiple=True, metavar="RUN", help="Draw these; repeat it.")
@with_options
def report(
    words: Sequence[str],
    output: str | None,
    *,
    title: str,
    form: str | None,
    diff: tuple[str, str] | None,
    cards: bool,
    select: Sequence[str],
    store_path: str | None,
    as_json: bool,
    **state: Any,  # last, sort, baseline, group, metric
) -> None:
    """Write a report of runs, in HTML or Markdown.

    Of all runs, of some by name, or of those that answer to a query as in %runs:
    nbtrack report 'loss < .3' -o week3.html. With -o alone a report that exists is
    made again with its own selection.
    """
    from nbtrack.analysis.comparing.state import CompareState
    from nbtrack.analysis.comparing.words import runs_or_query
    from nbtrack.analysis.report.asked import Asked
    from nbtrack.slices.report import make

    with opened(store_path) as store:
        runs, query = runs_or_query(store, words, words)
        shown = CompareState(query, tuple(runs), selected=tuple(select), **state)
        asked = Asked(shown, title, diff, cards)
        made = make(asked, path=output, format=form, store=store)
    if as_json:
        say_json(
            {"path": str(made.path), "format": made.format, "runs": made.n_runs,
             "refreshed": made.is_refreshed, "gone": made.n_gone, "line": made.line}
        )  # fmt: skip
        return
    refreshed = ", refreshed with its own selection" if made.is_refreshed else ""
    say(f"{made.path}: {counted(made.n_runs, 'run')}{refreshed}")
