"""The file of a bundle: read as hostile, written the same each time."""
