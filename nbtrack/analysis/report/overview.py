"""The first page: what was asked for, how many runs, which is best and its params."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nbtrack.analysis.comparing.columns import Column
from nbtrack.analysis.comparing.still import cell_text
from nbtrack.analysis.report.content import Block, Cell, Grid, Heading, Note, row_of
from nbtrack.analysis.report.look import Look, bare, shown_time
from nbtrack.text import shorten

PARAMS_MAX = 40
METRICS_MAX = 12
_NAMES_MAX = 8


def overview(look: Look, made_at: str) -> Iterator[Block]:
    """What a reader wants to know first."""
    yield Grid(["", ""], _facts(look, made_at))
    if look.gone:
        n = len(look.gone)
        names = ", ".join(look.gone[:_NAMES_MAX])
        more = f" and {n - _NAMES_MAX} more" if n > _NAMES_MAX else ""
        yield Note(
            f"{n} run{'s'[: n != 1]} of the selection {'are' if n > 1 else 'is'} "
            f"deleted or in the trash, and left out: {names}{more}."
        )
    if look.judge is None:
        yield Note(
            "No metric of these runs says by its goal which run is better, so none is "
            "called the best."
        )
    elif not look.ranked:
        yield Note(f"{bare(look.judge)} is NaN in every run that has it.")
    else:
        yield from _best(look, look.judge)


def _facts(look: Look, made_at: str) -> list[list[Cell]]:
    found, state = look.found, look.asked.state
    counts = Counter(found.table.fields["status"])
    statuses = ", ".join(f"{n} {status}" for status, n in counts.most_common())
    began = sorted(found.table.fields["started_at"])
    which = state.query or ("the runs named below" if state.runs else "all runs")
    rows = [
        row_of("Made", f"{made_at} UTC"),
        row_of("Runs", f"{len(found.ids)}: {statuses}"),
        row_of("Began", " to ".join(dict.fromkeys(
            f"{shown_time(at)} UTC" for at in (began[0], began[-1])))),
        row_of("Selection", which + (f", the last {state.last}" if state.last else "")),
        row_of("As a panel", found.state.line(found.called())),
    ]  # fmt: skip
    if look.judge is not None:
        lacking = len(found.ids) - len(look.ranked)
        goal = {"min": "less is better", "max": "more is better"}
        text = f"{bare(look.judge)}, {goal.get(look.judge.goal or '', '')}"
        text += f"; {lacking} without it or NaN" if lacking else ""
        rows.append(row_of("Judged by", text))
    return rows


def _best(look: Look, judge: Column) -> Iterator[Block]:
    at = look.ranked[0]
    others = sum(judge.values[place] == judge.values[at] for place in look.ranked[1:])
    status = look.found.table.fields["status"][at]
    yield Heading(f"The best run: {look.names[at]}")
    ties = f" {others} more as good." if others else ""
    ended = f" It is {status}." if status != "finished" else ""
    yield Note(f"{bare(judge)} {cell_text(judge, at)}.{ended}{ties}")
    metrics = [c for c in look.metrics if c.values[at] is not None]
    rows = [row_of(bare(c), cell_text(c, at)) for c in metrics[:METRICS_MAX]]
    yield Grid(["metric", "best @ step"], rows, max(0, len(metrics) - METRICS_MAX))
    params = [
        c for c in look.found.columns if c.kind == "param" and c.values[at] is not None
    ]
    params.sort(key=lambda column: not column.differs)
    rows = [
        row_of(bare(c), cell_text(c, at), "differs" if c.differs else "")
        for c in params[:PARAMS_MAX]
    ]
    if rows:
        heads = ["param", shorten(look.names[at], 30), "between the runs"]
        yield Grid(heads, rows, max(0, len(params) - PARAMS_MAX))
