"""Runs side by side: columns, marks, curves, and a state that is a line of text."""
