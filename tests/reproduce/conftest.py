"""Bundles as wholes: exports, fresh environments and reruns that take minutes."""

from __future__ import annotations

from bundles.conftest import in_notebook

__all__ = ["in_notebook"]
