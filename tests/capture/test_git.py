"""What git says of a folder: everywhere a notebook may stand, and where it cannot."""

from __future__ import annotations

import os
import shutil
import stat
import time
from pathlib import Path

import pytest
from repositories import applied, git, new_repository, write

from nbtrack.capture.git_call import ask_git
from nbtrack.capture.git_diff import uncommitted
from nbtrack.capture.repository import FACTS, look_at, without_login

KEY = "hf_" + "a1B2c3D4e5F6g7H8i9J0"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    files = {"train.py": "lr = 0.1\n", "notebooks/a.ipynb": "{}\n", "data.bin": b"\0\1"}
    return new_repository(tmp_path / "project", files)


def facts(folder: Path) -> dict:
    return {fact.name: fact for fact in look_at(folder).facts}


def diff_of(folder: Path):
    return next((t for t in look_at(folder).texts if t.role == "diff"), None)


def test_a_notebook_in_a_subfolder_sees_commit_branch_and_remote(repository):
    git(repository, "remote", "add", "origin", "https://ada:pw@example.org/x.git")
    known = facts(repository / "notebooks")
    assert known["git.commit"].value == git(repository, "rev-parse", "HEAD")
    assert known["git.branch"].value == "main"
    assert known["git.remote"].value == "https://example.org/x.git"
    assert known["git.folder"].value == "notebooks"
    assert known["git.dirty"].value is False
    assert look_at(repository).root == repository
    assert diff_of(repository) is None


def test_the_remote_is_the_one_that_the_branch_follows(repository):
    git(repository, "remote", "add", "origin", "git@example.org:a/origin.git")
    git(repository, "remote", "add", "fork", "git@example.org:a/fork.git")
    assert facts(repository)["git.remote"].value == "git@example.org:a/origin.git"
    git(repository, "config", "branch.main.remote", "fork")
    assert facts(repository)["git.remote"].value == "git@example.org:a/fork.git"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://user:token@example.org/x.git", "https://example.org/x.git"),
        (f"https://{KEY}@example.org/x", "https://example.org/x"),
        ("https://u:p@ss@example.org/x", "https://example.org/x"),
        ("https://u:p/ss@example.org/x", "https://example.org/x"),
        ("https://example.org/x?access_token=abc#f", "https://example.org/x"),
        ("https://example.org:8080/@scope/x", "https://example.org:8080/@scope/x"),
        ("ssh://git@example.org:22/x", "ssh://git@example.org:22/x"),
        ("ssh://git:pw@example.org/x", "ssh://example.org/x"),
        ("git@example.org:a/x.git", "git@example.org:a/x.git"),
        ("/srv/x.git", "/srv/x.git"),
    ],
)
def test_no_login_stays_in_a_remote(url, kept):
    assert without_login(url) == kept


def test_a_detached_head_has_a_commit_and_no_branch(repository):
    git(repository, "checkout", "--quiet", "--detach")
    known = facts(repository)
    assert known["git.commit"].value == git(repository, "rev-parse", "HEAD")
    assert known["git.branch"].value is None
    assert "detached HEAD" in known["git.branch"].missing


def test_a_worktree_and_a_submodule_are_repositories_of_their_own(repository, tmp_path):
    side = tmp_path / "side"
    git(repository, "worktree", "add", "--quiet", "-b", "side", str(side))
    assert facts(side)["git.branch"].value == "side"
    local = ["-c", "protocol.file.allow=always"]
    git(repository, *local, "submodule", "--quiet", "add", str(side), "part")
    write(repository / "part", {"train.py": "lr = 0.3\n"})
    part = look_at(repository / "part")
    assert part.root == repository / "part"
    assert "part/train.py" not in part.texts[0].body
    assert "+lr = 0.3" in part.texts[0].body


def test_outside_a_repository_every_fact_is_missing_with_its_reason(tmp_path):
    known = facts(tmp_path)
    assert {known[name].missing for name in FACTS} == {
        "no repository around this folder"
    }
    assert diff_of(tmp_path) is None


def test_before_the_first_commit_that_is_the_reason(tmp_path):
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "git@example.org:a/x.git")
    known = facts(tmp_path)
    assert known["git.commit"].missing == "there is no commit yet"
    assert known["git.dirty"].missing == "there is no commit yet"
    assert known["git.remote"].value == "git@example.org:a/x.git"


def break_head(root: Path) -> None:
    (root / ".git/HEAD").write_bytes(b"\0<script>")


def break_index(root: Path) -> None:
    (root / ".git/index").write_bytes(b"DIRC torn")


def break_objects(root: Path) -> None:
    shutil.rmtree(root / ".git/objects")
    (root / ".git/objects").mkdir()


def break_config(root: Path) -> None:
    (root / ".git/config").write_text("[core\n")


def break_all(root: Path) -> None:
    shutil.rmtree(root / ".git")
    (root / ".git").mkdir()


@pytest.mark.parametrize(
    "breaking", [break_head, break_index, break_objects, break_config, break_all]
)
def test_a_broken_repository_is_a_missing_fact_with_a_reason(repository, breaking):
    breaking(repository)
    known = facts(repository)
    assert known["git.dirty"].value is None
    assert known["git.dirty"].missing
    assert known["git.commit"].value or known["git.commit"].missing


def test_without_git_the_commit_is_read_off_the_files(repository, monkeypatch):
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", "/nowhere")
    known = facts(repository / "notebooks")
    assert known["git.commit"].value == commit
    assert known["git.branch"].missing == "git is not installed"


def fake_git(folder: Path, script: str, monkeypatch) -> None:
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_git_that_hangs_is_ended_with_its_children(tmp_path, monkeypatch):
    fake_git(tmp_path / "bin", "sleep 60 & sleep 60", monkeypatch)
    began = time.monotonic()
    said = ask_git(tmp_path, "status", timeout_s=0.2)
    assert said.failure == "git took too long to answer"
    assert time.monotonic() - began < 5


def test_a_repository_of_another_user_is_said(tmp_path, monkeypatch):
    message = "fatal: detected dubious ownership in repository at /x"
    fake_git(tmp_path / "bin", f"echo '{message}' >&2; exit 128", monkeypatch)
    assert "safe.directory" in facts(tmp_path)["git.commit"].missing


def test_nothing_of_the_repository_is_run_or_changed(repository, tmp_path):
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(stat.S_IRWXU)
    for setting in ("diff.external", "core.fsmonitor", "core.pager", "diff.x.textconv"):
        git(repository, "config", setting, str(trap))
    write(repository, {".git/info/attributes": "*.py diff=x\n", "train.py": "lr = 9\n"})
    index = repository / ".git/index"
    before = (index.stat().st_ino, index.stat().st_mtime_ns)
    time.sleep(0.01)
    os.utime(repository / "data.bin")
    assert "+lr = 9" in diff_of(repository).body
    assert (index.stat().st_ino, index.stat().st_mtime_ns) == before
    assert not (tmp_path / "sprung").exists()


def test_settings_of_the_user_do_not_change_the_diff(repository, tmp_path):
    write(repository, {"train.py": "lr = 0.2\n"})
    plain = diff_of(repository).body
    for setting in ("diff.noprefix=true", "color.ui=always", "diff.context=0"):
        git(repository, "config", *setting.split("="))
    assert diff_of(repository).body == plain


def test_the_diff_applies_cleanly_at_that_commit(repository, tmp_path):
    write(
        repository,
        {
            "train.py": "lr = 0.2\nname = 'Grüße'\r\n",
            "data.bin": b"\0\2\3",
            "new folder/ä b.py": "x = 1",
            "HEAD": "a file with a hard name\n",
        },
    )
    git(repository, "add", "--all")
    write(repository, {"train.py": "lr = 0.3\nname = 'Grüße'\r\n"})
    git(repository, "mv", "data.bin", "moved.bin")
    text = diff_of(repository / "notebooks")
    clone = applied(repository, text.body, tmp_path / "clone")
    for name in ("train.py", "moved.bin", "new folder/ä b.py", "HEAD"):
        assert (clone / name).read_bytes() == (repository / name).read_bytes()
    assert not (clone / "data.bin").exists()
    assert facts(repository)["git.changed"].value == sorted(
        ["HEAD", "data.bin", "moved.bin", "new folder/ä b.py", "train.py"]
    )


def test_a_diff_over_the_limit_is_its_digest_and_the_names(repository):
    write(repository, {"train.py": "x = 1\n" * 1000})
    found = uncommitted(repository, keep_bytes=1000)
    assert found.changed == ["train.py"]
    assert found.text.body is None
    assert len(found.text.digest) == 64
    assert "more than 1000" in found.text.missing


def test_what_may_hold_secrets_is_left_out_and_said(repository, tmp_path):
    files = {".env": "A=1\n", "notebooks/a.ipynb": "{1}\n", "id_rsa": "old\n"}
    write(repository, files)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "second")
    write(repository, {**files, ".env": f"A={KEY}\n", "id_rsa": "new\n"})
    write(repository, {"notebooks/a.ipynb": "{2}\n", "train.py": "lr = 0.2\n"})
    wide = f"token = {KEY}".encode("utf-16")
    write(repository, {"data.bin": wide})
    text = diff_of(repository)
    assert KEY not in text.body
    assert "+lr = 0.2" in text.body
    for name in (".env", "a.ipynb", "id_rsa", "data.bin"):
        assert name in text.missing
        assert name not in text.body
    applied(repository, text.body, tmp_path / "clone")


def test_a_secret_that_a_binary_file_had_before_is_left_out_too(tmp_path):
    old = new_repository(tmp_path / "p", {"a.bin": b"\0" + KEY.encode() * 3})
    write(old, {"a.bin": b"\0nothing"})
    text = diff_of(old)
    assert text.body is None
    assert "something like a secret" in text.missing


def test_text_that_is_no_utf_8_is_kept_and_said(tmp_path):
    old = new_repository(tmp_path / "p", {"latin.txt": "grün\n".encode("latin-1")})
    write(old, {"latin.txt": "blau grün\n".encode("latin-1")})
    text = diff_of(old)
    assert "+blau gr\\xfcn" in text.body
    assert "no UTF-8" in text.missing


def test_git_is_understood_in_any_locale(repository, monkeypatch, tmp_path):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "de")
    write(repository, {"train.py": "name = 'Grüße'\n"})
    assert "Grüße" in diff_of(repository).body
    assert facts(tmp_path)["git.commit"].missing == "no repository around this folder"
