"""Callbacks for training loops, one module per framework."""
