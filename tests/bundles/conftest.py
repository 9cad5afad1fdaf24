"""A notebook's session in a process, a folder and a home of its own."""

from __future__ import annotations

import functools
import itertools
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from slices.farm import Job, run_jobs

_numbers = itertools.count()


@pytest.fixture
def in_notebook(tmp_path):
    """Play cells, then Python that leaves its findings in `answer`; give that back."""
    return functools.partial(played_in, tmp_path)


def played_in(
    home: Path,
    *cells: str,
    then: str,
    files: Mapping[str, str | bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """The same, with a home."""
    given = {
        "cells": cells, "files": dict(files or {}), "home": str(home),
        "then": textwrap.dedent(then), "environment": dict(environment or {}),
    }  # fmt: skip
    job = Job(next(_numbers), "bundles.played.play", given, timeout_s=100.0)
    answer = run_jobs([job])[job.key]
    assert answer.error is None, f"{answer.error}\n{answer.said}"
    return answer.value
