"""Copies all runs of another store into this one, each whole or not at all."""
