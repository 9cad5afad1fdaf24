"""Runs of Neptune, as `neptune-exporter` wrote them: parquet and files."""

from nbtrack.interop.neptune.source import open_source, recognises

__all__ = ["open_source", "recognises"]
