"""The three first tasks of CONTRIBUTING, done in a copy of the package as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nbtrack

ROOT = Path(__file__).parent.parent
TASKS = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TASKS = TASKS.partition("## Three first tasks")[2].partition("\n## ")[0]
PYTHON = re.findall(r"^```python\n(.*?)^```$", TASKS, re.MULTILINE | re.DOTALL)
DIFFS = re.findall(r"^```diff\n(.*?)^```$", TASKS, re.MULTILINE | re.DOTALL)
CALLBACK = """
    class IgniteCallback: '''Keeps nothing yet.'''
    class Hook:
        def install(self): print("hooked into", __name__)
        def remove(self): pass
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package, to be changed."""
    built = shutil.ignore_patterns("__pycache__", "static", "labextension")
    return shutil.copytree(ROOT / "nbtrack", tmp_path / "nbtrack", ignore=built)


def python(package, *words):
    """What the changed package says."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def add_lines(file, diff):
    """Put the lines with a plus behind the one that stands before them."""
    before, *added = [line[1:] for line in diff.splitlines()]
    text = file.read_text(encoding="utf-8")
    assert text.count(f"{before}\n") == 1
    lines = "\n".join([before, *added])
    file.write_text(text.replace(before, lines), encoding="utf-8")


def test_a_verb_is_one_module(package, store_path):
    for _ in range(2):
        with nbtrack.start():
            pass
    (package / "cli" / "count_verb.py").write_text(PYTHON[0], encoding="utf-8")
    assert python(package, "-m", "nbtrack", "count") == "2 runs"
    assert "Count the runs of the store." in python(package, "-m", "nbtrack", "--help")


def test_a_role_of_a_family_is_one_line(package):
    add_lines(package / "metric_names.py", DIFFS[0])
    code = (
        "from nbtrack.analysis.frames import metric_meta\n"
        "from nbtrack.analysis.families import headline\n"
        "from nbtrack.records import MetricSummary\n"
        "both = [MetricSummary(n, 'min', 2, 1., 1, 1., 1, 2., 0, 0)\n"
        "        for n in ('loss', 'ema_loss')]\n"
        "told = [metric_meta(each) for each in both]\n"
        "print({m['family'] for m in told}, [m['colour'] for m in told],\n"
        "      told[0]['place'] < told[1]['place'], headline(both))"
    )
    assert python(package, "-c", code) == "{'loss'} [0, 4] True ['ema_loss']"


def test_a_callback_is_one_module_and_one_row(package, tmp_path):
    folder = package / "tracking" / "callbacks"
    add_lines(folder / "__init__.py", DIFFS[1])
    source = "\n".join(line[4:] for line in CALLBACK.splitlines())
    (folder / "ignite.py").write_text(source, encoding="utf-8")
    (tmp_path / "ignite").mkdir()
    for name in ("__init__", "engine"):
        (tmp_path / "ignite" / f"{name}.py").write_text("", encoding="utf-8")
    code = (
        "import nbtrack\n"
        "assert 'IgniteCallback' in nbtrack.__all__\n"
        "assert nbtrack.IgniteCallback.__doc__ == 'Keeps nothing yet.'\n"
        "nbtrack.autolog('ignite')\n"
        "import ignite.engine"
    )
    said = python(package, "-c", code)
    assert said == "hooked into nbtrack.tracking.callbacks.ignite"
