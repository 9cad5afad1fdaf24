"""Artifacts elsewhere: pushed to, and pulled from, any place that fsspec can reach."""
