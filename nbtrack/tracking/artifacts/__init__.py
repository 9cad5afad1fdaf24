"""Artifacts as users hold them: log a version, use one, edit, compare, watch."""
