"""The commit, read off the files of a repository: git itself is not run.

For where there is no git, and for the start of a run, which must not wait for one. What
git says is in `nbtrack.capture.repository`.
"""

from __future__ import annotations

import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")  # sha1, or sha256 repositories


def git_commit(folder: Path) -> str | None:
    """The commit checked out in the repository around `folder`, without running git.

    None outside a repository, in one without a commit, and where refs are kept in a
    format that only git reads.
    """
    for place in (folder, *folder.parents):
        dot_git = place / ".git"
        if dot_git.is_dir():
            return _head_commit(dot_git)
        if dot_git.is_file():  # a worktree or submodule points elsewhere
            target = dot_git.read_text(encoding="utf-8").removeprefix("gitdir:")
            return _head_commit(place / target.strip())
    return None


def _head_commit(git: Path) -> str | None:
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return _as_commit(head)
    return _ref_commit(_common_folder(git), head.removeprefix("ref:").strip())


def _common_folder(git: Path) -> Path:
    common = git / "commondir"
    if not common.is_file():
        return git
    return git / common.read_text(encoding="utf-8").strip()


def _ref_commit(git: Path, ref: str) -> str | None:
    loose = git / ref
    if loose.is_file():
        return _as_commit(loose.read_text(encoding="utf-8").strip())
    packed = git / "packed-refs"
    if packed.is_file():
        for line in packed.read_text(encoding="utf-8").splitlines():
            if line.endswith(f" {ref}"):
                return _as_commit(line.split()[0])
    return None


def _as_commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None
