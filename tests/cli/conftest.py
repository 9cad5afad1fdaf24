"""The store that the verbs are tried on."""

from __future__ import annotations

from cli_calls import filled

__all__ = ["filled"]
