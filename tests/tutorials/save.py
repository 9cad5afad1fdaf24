"""Runs the tutorials and saves them with what they show: `make notebooks`.

    python tests/tutorials/save.py [01_first_run ...]

Needed: the environment of the tests, Chromium, and nothing from a network.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import nbformat

TESTS = Path(__file__).resolve().parents[1]
sys.path[0] = str(TESTS)  # this file's own folder stood there

from tutorials.execution import executed  # noqa: E402
from tutorials.pictures import Painter, painting  # noqa: E402
from tutorials.saved import settle  # noqa: E402

NOTEBOOKS = TESTS.parent / "notebooks"


def main(names: list[str]) -> None:
    every = sorted(NOTEBOOKS.glob("*.ipynb"))
    unknown = set(names) - {path.stem for path in every}
    if unknown:
        raise SystemExit(f"No tutorial is called {min(unknown)!r} in {NOTEBOOKS}.")
    with painting() as painter:
        for path in every:
            if not names or path.stem in names:
                save(path, painter)


def save(path: Path, painter: Painter) -> None:
    """One tutorial, and how long it took and how large it is."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nbt-", ignore_cleanup_errors=True) as home:
        notebook = executed(path, Path(home))
        took_s = time.monotonic() - began
        settle(notebook, Path(home), painter)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    print(
        f"{path.stem:26} {took_s:5.1f} s {path.stat().st_size / 1e3:6.0f} KB",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
