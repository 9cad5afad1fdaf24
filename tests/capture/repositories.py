"""Real git repositories for tests, and what git is asked of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org")


def git(folder: Path, *args: str, check: bool = True, stdin: str | None = None) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(
        ["git", *IDENTITY, *args],
        cwd=folder,
        check=check,
        capture_output=True,
        input=None if stdin is None else stdin.encode(),
    )
    return done.stdout.decode().strip()


def new_repository(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A repository with these files committed on `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "first")
    return folder


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files, with the folders that they stand in."""
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.encode())


def applied(repository: Path, diff: str, to: Path) -> Path:
    """A clean clone with the diff applied, as somebody else would do it."""
    git(repository.parent, "clone", "--quiet", "--no-local", str(repository), str(to))
    git(to, "apply", "--check", "-", stdin=diff)
    git(to, "apply", "-", stdin=diff)
    return to
