"""README.md of a bundle: what is in it, how it is checked, and how it is run again.

Every text of the run is escaped: Markdown and hosts of it show it as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbtrack.analysis.model_card import plain
from nbtrack.bundles.contents.manifest_words import (
    about_run,
    gaps_of,
    metric_rows,
    needs_of,
    verdict_of,
)

METRICS_MAX = 60
_CONTENTS = (
    ("run/run.py", "the code: one script that needs no nbtrack"),
    ("run/run.ipynb", "the same as a notebook, with the outputs of the run"),
    ("run/slice.json", "which cells were kept or left out, and why"),
    ("env/", "Python, packages, machine, numerics, environment variables"),
    ("rng/", "states of random generators, and what each cell gave"),
    ("data/", "which data was read, with digests; the files where they may be in here"),
    ("results/", "every point of every metric, curves, checkpoints as safetensors"),
    ("checks/", "what the exporter's own reruns gave"),
    ("checklist.json", "what is known for a reproduction, and what is missing"),
    ("preview.html", "all of that to read, offline"),
    ("manifest.json", "the same for programs"),
    ("MANIFEST.sha256", "the digest of each file; its own is the name of the bundle"),
)


def readme_text(manifest: Mapping[str, Any]) -> str:
    r"""The text, as Markdown.

    Parameters
    ----------
    manifest
        As `manifest.json` has it.

    Examples
    --------
    >>> text = readme_text({"run": {"name": "<img>", "status": "finished"}})
    >>> text.splitlines()[0]
    '# \\<img\\>'
    """
    word, why = verdict_of(manifest)
    parts = [
        f"# {plain(manifest['run']['name'])}",
        plain(about_run(manifest)),
        f"**{word}.** {plain(why, limit=2_000)}",
        *_results(manifest),
        "## Check it",
        "That runs nothing of the run, and needs Python alone:",
        "    python verify.py",
        "## Run it again",
        "The code in here is its author's: read it before you run it.",
        "    uv run run/run.py\n    nbtrack rerun FILE.nbt.zip --trust",
        "The first line runs the script with its packages. The second one makes the "
        "environment anew, runs the script in an empty folder, and says for each "
        "metric whether it came out the same.",
        *_needs(manifest),
        *_gaps(manifest),
        "## What is in it",
        _table(("", ""), ((f"`{path}`", what) for path, what in _CONTENTS)),
        f"Written by nbtrack {plain(manifest.get('nbtrack', ''))}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _results(manifest: Mapping[str, Any]) -> list[str]:
    rows = metric_rows(manifest)
    if not rows:
        return ["## Results", "The run logged no metrics."]
    columns = ("metric", "last", "best", "points", "")
    shown = [[plain(cell) for cell in row] for row in rows[:METRICS_MAX]]
    left = len(rows) - METRICS_MAX
    more = [f"and {left} more in `results/expected.json`"] if left > 0 else []
    return ["## Results", _table(columns, shown), *more]


def _needs(manifest: Mapping[str, Any]) -> list[str]:
    lines = needs_of(manifest)
    told = "\n".join(f"- {plain(line, limit=2_000)}" for line in lines)
    return ["## What it needs", told] if lines else []


def _gaps(manifest: Mapping[str, Any]) -> list[str]:
    lines = [f"- {plain(what)}: {plain(why, limit=400)}" for what, why in
             gaps_of(manifest)]  # fmt: skip
    return ["## What is not captured", "\n".join(lines)] if lines else []


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(columns)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
