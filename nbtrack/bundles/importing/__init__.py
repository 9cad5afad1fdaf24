"""A bundle of somebody else becomes a run of a store, whole or not at all."""
