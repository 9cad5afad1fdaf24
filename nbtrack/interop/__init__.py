"""Other trackers: their runs taken in, ours handed out, ids and times kept."""
