"""The code of a run is kept: commit, diff, modules that are not committed, script."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from repositories import applied, git, new_repository, write

import nbtrack
from nbtrack.analysis.code_view import code
from nbtrack.guard import guard
from nbtrack.tracking.background import background
from nbtrack.tracking.code_part import CodePart

KEY = "hf_" + "a1B2c3D4e5F6g7H8i9J0"
UTILS = "def step(x):\n    return x\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_path):
    """A repository with a module; its folder for notebooks is the working folder."""
    root = new_repository(
        tmp_path / "project",
        {"utils_nb.py": UTILS, "train.py": "lr = 0.1\n", "notebooks/x": ""},
    )
    monkeypatch.syspath_prepend(root)
    monkeypatch.chdir(root / "notebooks")
    yield root
    for name in [name for name in sys.modules if name.endswith("_nb")]:
        del sys.modules[name]


def test_a_run_in_a_subfolder_knows_its_commit_and_branch(project):
    git(project, "remote", "add", "origin", "https://user:pw@example.org/x.git")
    with nbtrack.start():
        pass
    found = code()
    assert found.commit == git(project, "rev-parse", "HEAD")
    assert (found.branch, found.folder, found.dirty) == ("main", "notebooks", False)
    assert found.remote == "https://example.org/x.git"
    assert found.diff is None
    assert "git.commit" not in found.missing


def test_a_detached_head_is_said(project):
    git(project, "checkout", "--quiet", "--detach")
    with nbtrack.start():
        pass
    assert code().commit == git(project, "rev-parse", "HEAD")
    assert "detached HEAD" in code().missing["git.branch"]


def test_the_diff_of_a_run_applies_at_its_commit(project, tmp_path):
    write(project, {"train.py": "lr = 0.2\n"})
    with nbtrack.start():
        pass
    found = code()
    clone = applied(project, found.diff, tmp_path / "clone")
    assert git(clone, "rev-parse", "HEAD") == found.commit
    assert (clone / "train.py").read_text() == "lr = 0.2\n"
    assert found.changed == ("train.py",)
    assert found.diff_digest == hashlib.sha256(found.diff.encode()).hexdigest()


def test_an_edited_module_is_in_the_run_with_its_text(project):
    edited = UTILS + "# not committed\n"
    write(project, {"utils_nb.py": edited})
    importlib.import_module("utils_nb")
    with nbtrack.start():
        pass
    module = code().modules["utils_nb.py"]
    assert (module.text, module.note) == (edited, None)
    assert module.digest == hashlib.sha256(edited.encode()).hexdigest()


def test_a_module_that_the_run_imports_itself_is_kept_and_no_other(project):
    write(project, {"new_nb.py": "x = 1\n", "unused_nb.py": "y = 1\n"})
    with nbtrack.start():
        background.settle(5)
        importlib.import_module("new_nb")
        importlib.import_module("utils_nb")
    modules = code().modules
    assert modules["new_nb.py"].text == "x = 1\n"
    assert modules["utils_nb.py"].text is None  # committed exactly so
    assert "unused_nb.py" not in modules


def test_outside_a_repository_the_run_goes_on(tmp_path, store_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with nbtrack.start() as run:
        run.log(loss=1.0)
    found = code()
    assert found.commit is None
    assert found.missing["git.commit"] == "no repository around this folder"
    assert run.record().metrics["loss"].n == 1


def test_a_working_folder_that_is_gone_is_said(tmp_path, store_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with nbtrack.start() as run:
        run.log(loss=1.0)
    monkeypatch.chdir(tmp_path)
    assert code().missing["git.commit"] == "the working folder is gone"


def test_a_training_that_goes_elsewhere_is_still_of_its_first_folder(
    project, tmp_path, monkeypatch
):
    with nbtrack.start():
        monkeypatch.chdir(tmp_path)
        background.settle(5)
    assert code().folder == "notebooks"


def test_code_is_switched_off(project):
    with nbtrack.start(off="code") as run:
        pass
    background.settle(5)
    run.store.journal.flush()
    assert not [n for n in run.store.facts(run.id) if n.startswith("git.")]
    assert run.store.texts(run.id, "module") == []


def test_a_part_that_breaks_is_one_line_and_the_run_goes_on(
    project, monkeypatch, capsys
):
    def broken(folder):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("nbtrack.capture.repository.look_at", broken)
    for _ in range(2):
        with nbtrack.start() as run:
            run.log(loss=1.0)
        background.settle(5)
    assert run.record().status == "finished"
    assert capsys.readouterr().err.count("code failed and was left out") == 1
    assert guard.failures["code"] == 1


def test_beginning_costs_under_a_millisecond(project):
    run = nbtrack.start(off="code")
    costs = []
    for _ in range(7):
        part, began = CodePart(), time.perf_counter()
        part.begin(run)
        costs.append(time.perf_counter() - began)
        background.settle(5)
    run.finish()
    assert sorted(costs)[3] < 0.001


SCRIPT = """\
import nbtrack, sys
import utils_nb
with nbtrack.start("scripted"):
    nbtrack.log(loss=1.0)
"""


def test_a_script_is_kept_by_its_own_file(project, store_path):
    write(project, {"run_me.py": SCRIPT, "utils_nb.py": "secret = 'x'\n"})
    done = subprocess.run(
        [sys.executable, "../run_me.py", "--token", KEY],
        cwd=project / "notebooks",
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = code("scripted")
    assert found.script["run_me.py"].text == SCRIPT
    digest = hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert found.script["run_me.py"].digest == digest
    assert found.modules["utils_nb.py"].text == "secret = '[redacted]'\n"
    assert found.notebook is None


def test_no_secret_of_the_code_is_in_the_store(project, store_path):
    git(project, "remote", "add", "origin", f"https://ada:{KEY}@example.org/x.git")
    write(project, {".env": "A=1\n", "conf.yaml": "a: 1\n", "a.ipynb": "{}\n"})
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "-m", "second")
    word = "tr0ub4dor-and-3"
    write(
        project,
        {
            ".env": f"PLAIN={word}\n",
            "conf.yaml": f"db_password: {word}\n",
            "a.ipynb": '{"source": ["password = \\"' + word + '\\""]}\n',
            "train.py": f"api_key = '{word}'\nlogin('{KEY}')\n",
            "utils_nb.py": f'password = "{word}"\nexport = "{KEY}"\n',
        },
    )
    importlib.import_module("utils_nb")
    with nbtrack.start():
        pass
    found = code()
    assert "+api_key = '[redacted]'" in found.diff
    assert "secrets" in found.missing["diff"]
    assert found.modules["utils_nb.py"].text.count("[redacted]") == 2
    files = [file for file in store_path.rglob("*") if file.is_file()]
    assert len(files) > 1
    for file in files:
        assert KEY.encode() not in file.read_bytes(), file
        assert word.encode() not in file.read_bytes(), file
