"""A script is a session of one cell: its slice runs alone, its bundle is proven."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nbtrack

SCRIPT = """
    import random
    from scale import scaled

    random.seed(3)
    rate = 0.5

    def train(n):
        for i in range(n):
            loss = scaled(random.random(), rate)
        return loss

    if __name__ == "__main__":
        print(train(4))
    """
SCALE = "def scaled(value, rate):\n    return value * rate\n"


@pytest.fixture
def recorded(folder):
    folder.write("train.py", SCRIPT)
    folder.write("scale.py", SCALE)
    folder.printed = folder.tracked("train.py").out
    return folder


def test_the_slice_is_the_script_and_prints_the_same(recorded, tmp_path, monkeypatch):
    monkeypatch.chdir(recorded.path)
    found = nbtrack.slice("train")
    (recorded.path / "again.py").write_text(found.source)
    again = subprocess.run(
        [sys.executable, "again.py"], capture_output=True, text=True, check=True
    )
    assert (again.stdout, found.grade.letter) == (recorded.printed, "A")


@pytest.mark.reproduce
def test_its_bundle_is_proven(recorded, monkeypatch):
    monkeypatch.chdir(recorded.path)
    made = subprocess.run(
        [sys.executable, "-c", "from nbtrack.cli import main; main()",
         "export", "train", "--offline"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "1 of 1 cells give the same result" in made.stdout, made.stderr
    assert made.returncode == 0
