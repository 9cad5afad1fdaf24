"""Runs of trackio: its databases, with what lies beside them."""

from nbtrack.interop.trackio.source import open_source, recognises

__all__ = ["open_source", "recognises"]
