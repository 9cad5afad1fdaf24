"""Floor 4: a plain script, tracked without an edit: `nbtrack run script.py`."""
