"""Runs of DVCLive: its folder, and the experiments of DVC that git has of it."""

from nbtrack.interop.dvclive.source import open_source, recognises

__all__ = ["open_source", "recognises"]
