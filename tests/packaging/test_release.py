"""The version is one, in all places; what is not ready for a release is named."""

from __future__ import annotations

import datetime
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nbtrack

ROOT = Path(__file__).parents[2]
PLACES = (
    *(".ci/release.py", "nbtrack/__init__.py", "CHANGELOG.md"),
    *("labextension/package.json", "labextension/package-lock.json"),
)


def test_npm_has_the_version_of_the_package():
    package = json.loads((ROOT / "labextension/package.json").read_text())
    lock = json.loads((ROOT / "labextension/package-lock.json").read_text())
    told = [package["version"], lock["version"], lock["packages"][""]["version"]]
    assert told == [nbtrack.__version__] * 3


def test_the_changes_begin_with_this_version():
    heading = re.search(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert heading[1] == nbtrack.__version__


@pytest.fixture
def checkout(tmp_path):
    """The files with a version, committed."""
    for name in PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder, *words):
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "as it is")


def release(folder, *words):
    command = [sys.executable, folder / ".ci/release.py", *words]
    return subprocess.run(command, capture_output=True, text=True)


def date_the_changes(folder, day):
    changes = folder / "CHANGELOG.md"
    text = re.sub(
        r"(?m)^(## \S+) \(.*\)$", rf"\1 ({day})", changes.read_text(), count=1
    )
    changes.write_text(text)
    commit(folder)


def test_a_version_is_set_in_all_places_and_nothing_else_is(checkout):
    assert release(checkout, "version", "7.8.9rc1").returncode == 0
    texts = [(checkout / name).read_text() for name in PLACES[1:]]
    assert [text.count("7.8.9rc1") for text in texts] == [1, 1, 1, 2]
    told = subprocess.run(
        ["git", "diff", "--numstat"], cwd=checkout, capture_output=True, text=True
    )
    changed = {tuple(line.split("\t")[:2]) for line in told.stdout.splitlines()}
    assert changed == {("1", "1"), ("2", "2"), ("2", "0")}
    assert "## 7.8.9rc1 (not released)" in (checkout / "CHANGELOG.md").read_text()


def test_what_is_no_version_is_refused(checkout):
    done = release(checkout, "version", "v7")
    assert done.returncode == 1
    assert "'v7' is no version such as 0.2.0" in done.stderr


def test_a_release_is_ready_when_all_is_committed_and_dated(checkout):
    date_the_changes(checkout, datetime.date.today().isoformat())
    done = release(checkout, "check")
    assert done.stdout == f"nbtrack: {nbtrack.__version__} is ready to be built\n"
    assert done.returncode == 0


def test_each_thing_that_is_not_ready_is_named(checkout):
    date_the_changes(checkout, "not released")
    (checkout / "new.py").write_text("")
    package = checkout / "labextension/package.json"
    package.write_text(package.read_text().replace(nbtrack.__version__, "9.9.9", 1))
    git(checkout, "tag", f"v{nbtrack.__version__}")
    git(checkout, "commit", "--allow-empty", "--message", "later")
    done = release(checkout, "check")
    assert done.returncode == 1
    for told in (
        "not committed: new.py",
        "labextension/package.json says 9.9.9",
        "CHANGELOG.md has no day of release",
        "is the tag of another commit",
    ):
        assert told in done.stderr


def test_a_day_to_come_is_none_of_release(checkout):
    date_the_changes(checkout, "2999-01-01")
    assert "a day to come" in release(checkout, "check").stderr
