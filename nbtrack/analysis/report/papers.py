"""The paper's table and the model cards of a report."""

from __future__ import annotations

from collections.abc import Iterator

from nbtrack.analysis.model_card import model_card
from nbtrack.analysis.report.content import Block, Card, Cell, Grid, Note, Paper, row_of
from nbtrack.analysis.report.look import Look, bare
from nbtrack.analysis.statistics.paper_table import paper_table_of
from nbtrack.records import ModelVersion

METRICS_MAX = 8
PARAMS_MAX = 3  # that make a row, where no run has a group
CARDS_MAX = 10
VERSIONS_MAX = 200


def paper(look: Look) -> Iterator[Block]:
    """The table in Markdown and in LaTeX, a row for each group or setting."""
    metrics = [bare(c) for c in look.metrics if c.goal][:METRICS_MAX]
    if not metrics:
        yield Note("No metric of these runs has a goal: there is nothing to tabulate.")
        return
    rows = _rows(look)
    yield Note(f"A row for each {', '.join(rows)}.")
    table = look.found.table
    texts = [
        str(paper_table_of(look.store, table, rows=rows, metrics=metrics, style=style))
        for style in ("markdown", "latex")
    ]
    yield Paper(*texts)


def _rows(look: Look) -> list[str]:
    """The group, else the params that differ but for seeds, else each run."""
    if look.found.state.group:
        return [look.found.state.group]
    if any(group is not None for group in look.found.table.fields["group"]):
        return ["group"]
    params = [c for c in look.found.columns if c.kind == "param" and c.differs]
    told = [c.name for c in params if "seed" not in c.name.lower() and all(
        isinstance(v, int | float | str) for v in c.values)]  # fmt: skip
    return told[:PARAMS_MAX] or ["name"]


def cards(look: Look) -> Iterator[Block]:
    """The registered versions that these runs made, and their cards."""
    made = [v for v in look.store.model_versions() if v.run in look.place]
    if not made:
        yield Note("No version of a registered model was made by these runs.")
        return
    heads = ["version", "stage", "run", "registered (UTC)", "approved by"]
    rows = [_version(look, version) for version in made[:VERSIONS_MAX]]
    yield Grid(heads, rows, max(0, len(made) - VERSIONS_MAX))
    newest = {version.name: version for version in made}  # they are lowest first
    shown = made[::-1] if look.asked.cards else list(newest.values())
    for version in shown[:CARDS_MAX]:
        yield Card(version.ref, model_card(look.store, version))
    if len(shown) > CARDS_MAX:
        yield Note(f"{len(shown) - CARDS_MAX} more cards: %models card NAME@VERSION.")
    elif len(shown) < len(made):
        yield Note("Of each model the newest version; --cards shows all.")


def _version(look: Look, version: ModelVersion) -> list[Cell]:
    return row_of(
        version.ref,
        version.stage,
        look.name(version.run or ""),
        version.created_at[:19].replace("T", " "),
        version.approved_by or "",
    )
