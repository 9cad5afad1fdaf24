"""Every promise of reliability and security has a test that bears its number."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
PROMISES = [f"r{n:02d}" for n in range(1, 23)] + [f"s{n:02d}" for n in range(1, 18)]
_NAME = re.compile(r"^ *(?:async )?def test_((?:[rs]\d\d_)+)", re.MULTILINE)


def files_by_promise() -> dict[str, set[str]]:
    """Files that hold tests of a promise, by its number; read, and not imported."""
    found: dict[str, set[str]] = {}
    for file in TESTS.rglob("test_*.py"):
        for ids in _NAME.findall(file.read_text("utf-8")):
            for promise in ids.strip("_").split("_"):
                found.setdefault(promise, set()).add(file.name)
    return found


def test_every_promise_has_a_test():
    assert set(PROMISES) - files_by_promise().keys() == set()


def test_no_test_bears_a_number_that_is_no_promise():
    assert files_by_promise().keys() - set(PROMISES) == set()
