"""Why two runs differ: what is not the same in them, and which of it matters most."""
