"""Runs that nbtrack itself exported, as JSON lines or parquet, come back equal."""

from nbtrack.interop.ours.source import open_source, recognises

__all__ = ["open_source", "recognises"]
