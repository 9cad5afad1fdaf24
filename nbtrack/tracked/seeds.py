"""`--seed N`: one number for the generators of random, NumPy and PyTorch."""

from __future__ import annotations

import ast
import sys

from nbtrack.capture.reread import reparse


def seed_everything(seed: int, *, python: str) -> None:
    """Seed what is imported already, or what the code is about to import.

    A library that neither is imported nor appears in the code is left alone: importing
    PyTorch takes seconds.

    Examples
    --------
    >>> import random
    >>> seed_everything(7, python="")
    >>> first = random.random()
    >>> seed_everything(7, python="")
    >>> random.random() == first
    True
    """
    import random

    random.seed(seed)
    wanted = _imported_by(python) | set(sys.modules)
    if "numpy" in wanted:
        import numpy as np

        np.random.seed(seed)
    if "torch" in wanted:
        import torch

        torch.manual_seed(seed)


def _imported_by(python: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(reparse(python)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
