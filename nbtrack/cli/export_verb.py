"""`nbtrack export --format ...`: runs as parquet, JSON, CSV, rows, events, stages."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nbtrack.cli.frame import opened, say_report


def export_files(
    runs: Sequence[str],
    output: str | None,
    *,
    format: str,
    files: bool,
    store_path: str | None,
    as_json: bool,
) -> None:
    """Write the runs into the folder, and say what was written."""
    from nbtrack.interop.export.exporting import export_runs

    if output is None:
        raise click.UsageError("Say with -o into which folder.")
    with opened(store_path) as store:
        done = export_runs(
            output,
            runs or None,
            format=format,  # type: ignore[arg-type]  # click has looked
            files=files,
            store=store,
        )
    say_report(done, as_json=as_json)
