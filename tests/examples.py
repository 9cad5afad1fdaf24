"""How many random examples a property is tried with."""

from __future__ import annotations

import os

import pytest

ALL = os.environ.get("NBTRACK_TEST_EXAMPLES") == "all"  # as `make test-fuzz` sets it


def examples(n: int) -> int:
    """All `n` of them in `make test-fuzz`, a fifth in the default tests, at least 10.

    >>> examples(300) in (60, 300), examples(6)
    (True, 6)
    """
    return n if ALL else min(n, max(n // 5, 10))


def often(quick: int, whole: int):
    """How often a fault is injected: quick in its suite, whole in `make test-fuzz`.

    >>> [each.values for each in often(20, 200)]
    [(20,), (200,)]
    """
    return [pytest.param(quick), pytest.param(whole, marks=pytest.mark.fuzz)]
