"""What the user holds: the live run, loops, callbacks, checkpoints."""
