"""Floor 4: a cell or a function, and a space: trials, each of them a run.

space -> study (Optuna asks, its SQLite file lies in the store) -> trials -> runs
"""
