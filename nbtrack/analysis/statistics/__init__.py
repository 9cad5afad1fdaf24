"""Whether one group of runs beats another, and the table of a paper."""
