"""A bundle rerun in an environment made from its lock: what a colleague does."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile

import pytest

pytestmark = [pytest.mark.reproduce, pytest.mark.timeout(500)]
CELLS = (
    "import numpy as np\nimport pandas as pd",
    "frame = pd.DataFrame({'x': np.random.rand(50)})\nframe['y'] = 3 * frame.x",
    "%%track base --no-live\nw = 0.0\nfor epoch in range(5):\n"
    "    error = frame.y - w * frame.x\n    w += (error * frame.x).mean()\n"
    "    loss = float((error**2).mean())",
)


@pytest.fixture
def bundle(in_notebook, tmp_path):
    target = tmp_path / "base.nbt.zip"
    in_notebook(
        *CELLS,
        environment={"NBTRACK_OFFLINE": "0"},
        then=f"import nbtrack\nnbtrack.export('base', {str(target)!r})",
    )
    return target


def member(path, name):
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


def test_it_comes_out_the_same_in_an_environment_from_its_lock(
    bundle, tmp_path, monkeypatch
):
    import nbtrack

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBTRACK_STORE", str(tmp_path / ".nbtrack"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    verdict = nbtrack.rerun(bundle, trust=True)
    assert (verdict.verdict, verdict.environment) == ("BITWISE", "locked"), verdict

    environments = list((tmp_path / "cache" / "nbtrack" / "environments").iterdir())
    folders = [path for path in environments if path.is_dir()]
    assert len(folders) == 1
    facts = nbtrack.open().facts(verdict.run)
    loaded = {line.partition("==")[0] for line in facts["python.loaded"].value}
    assert {"numpy", "pandas"} <= loaded
    assert "scikit-learn" not in loaded  # it is installed here, and not there
    assert nbtrack.rerun(bundle).is_same  # from the same environment
    assert [p for p in environments if p.is_dir()] == folders


def test_the_lock_is_one_that_other_tools_read(bundle):
    from packaging.pylock import Pylock

    text = member(bundle, "env/pylock.toml")
    lock = Pylock.from_dict(tomllib.loads(text))
    lock.validate()
    assert {"numpy", "pandas"} <= {str(package.name) for package in lock.packages}
    manifest = json.loads(member(bundle, "manifest.json"))
    assert manifest["environment"]["lock"] == "hashes"


def test_the_command_line_says_the_same(bundle, tmp_path):
    def call(*words):
        return subprocess.run(
            [sys.executable, "-c", "from nbtrack.cli import main; main()", *words],
            cwd=tmp_path, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )  # fmt: skip

    said = call("verify", str(bundle))
    assert said.returncode == 0, said.stderr
    assert "INTACT" in said.stdout
    refused = call("rerun", str(bundle), "--env", "current")
    assert refused.returncode == 1
    assert "--trust" in refused.stderr
    done = call("rerun", str(bundle), "--env", "current", "--trust", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "BITWISE"
    again = call("rerun", str(bundle), "--env", "current", "--set", "w=.5")
    assert again.returncode == 0, again.stderr
    assert "WHAT-IF" in again.stdout
    taken = call("import", str(bundle))
    assert taken.returncode == 0, taken.stderr
    assert "imported base" in taken.stdout
