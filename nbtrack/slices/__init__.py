"""Which executed cells made a result: the slice, its script, and the proof of it."""
