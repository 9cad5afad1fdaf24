"""A report of a selection of runs: its pages as values, and two writers."""
