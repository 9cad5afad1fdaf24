"""The files that runs can be written as; read by the command line at its start."""

from __future__ import annotations

# By format, the module and its function that writes it.
WRITERS: dict[str, tuple[str, str]] = {
    "parquet": ("nbtrack.interop.export.parquet", "write_parquet"),
    "json": ("nbtrack.interop.export.json_lines", "write_json"),
    "csv": ("nbtrack.interop.export.csv_tables", "write_csv"),
    "rows": ("nbtrack.interop.export.rows", "write_rows"),
    "tensorboard": ("nbtrack.interop.export.events", "write_events"),
    "dvc": ("nbtrack.interop.export.dvc_stages", "write_dvc"),
}
