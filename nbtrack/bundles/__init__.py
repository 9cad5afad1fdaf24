"""Reproducibility bundles: a run as one file that re-runs itself, with a verdict."""
