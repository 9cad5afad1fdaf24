"""What git says of the folder in which a run takes place: commit, branch, remote, diff.

Where it says nothing (no git, no repository, a broken one, one of somebody else's) each
fact is missing, with the reason. Nothing in the repository is changed. It takes tens of
milliseconds, so it is for the background.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from nbtrack.capture.git import git_commit
from nbtrack.capture.git_call import ask_git
from nbtrack.capture.git_diff import uncommitted
from nbtrack.records import Fact, TextRecord

FACTS = ("git.commit", "git.branch", "git.remote", "git.dirty")
N_SHOWN = 200  # names of changed files
_BRANCH = ("--abbrev-ref", "HEAD")

_SCHEME = re.compile(r"\A(?P<head>(?:[\w+.-]+::)?[\w+.-]+://)(?P<rest>.*)\Z", re.DOTALL)


@dataclass(slots=True)
class Seen:
    """What was found out about a folder."""

    root: Path | None = None  # of the work tree
    facts: list[Fact] = field(default_factory=list)
    texts: list[TextRecord] = field(default_factory=list)

    def know(self, name: str, value: object = None, missing: str | None = None) -> None:
        """Add a fact."""
        self.facts.append(Fact(name, value, missing))


def look_at(folder: Path) -> Seen:
    """Everything that git says about the repository around a folder.

    >>> look_at(Path("/")).facts[0].missing
    'no repository around this folder'
    """
    seen = Seen()
    said = ask_git(folder, "rev-parse", "--show-toplevel", "HEAD", *_BRANCH)
    if said.failure is None:
        *root, commit, branch = os.fsdecode(said.out).removesuffix("\n").split("\n")
        seen.root = Path("\n".join(root))
        seen.know("git.commit", commit)
        on_branch = branch != "HEAD"
        detached = None if on_branch else "detached HEAD: no branch is checked out"
        seen.know("git.branch", branch if on_branch else None, detached)
        _changes(seen, seen.root)
    else:
        seen.root = _without_commit(seen, folder, said.failure)
    if seen.root is not None:
        _remote(seen, seen.root)
        inside = os.path.relpath(os.path.realpath(folder), os.path.realpath(seen.root))
        seen.know("git.folder", inside)
    return seen


def without_login(url: str) -> str:
    """A remote's address without passwords, tokens and what else logs somebody in.

    >>> without_login("https://ada:pw@example.org/x.git")
    'https://example.org/x.git'
    >>> without_login("git@example.org:ada/x.git")
    'git@example.org:ada/x.git'
    """
    found = _SCHEME.match(url)
    if found is None:
        return url
    head, rest = found["head"], re.split(r"[?#]", found["rest"], maxsplit=1)[0]
    host, slash, path = rest.partition("/")
    _, colon, port = host.partition(":")
    if "@" not in host and "@" in path and colon and not port.isdigit():
        host, slash, path = rest, "", ""  # a password with a bare slash in it
    login, _, place = host.rpartition("@")
    if head == "ssh://" and login and ":" not in login:
        place = host  # a name, and nothing that logs in
    return f"{head}{place}{slash}{path}"


def _without_commit(seen: Seen, folder: Path, reason: str) -> Path | None:
    """Say what is not known and why; the work tree, where there is one all the same."""
    said = ask_git(folder, "rev-parse", "--show-toplevel")
    root = None if said.failure else Path(os.fsdecode(said.out).removesuffix("\n"))
    try:
        commit = git_commit(folder)
    except (OSError, ValueError):
        commit = None
    if reason.startswith("no repository") and _has_git_folder(folder):
        reason = "the repository around this folder is broken"
    seen.know("git.commit", commit, None if commit else reason)
    names = FACTS[1:] if root is None else ("git.branch", "git.dirty")
    for name in names:
        seen.know(name, None, reason)
    return root


def _has_git_folder(folder: Path) -> bool:
    return any(os.path.lexists(place / ".git") for place in (folder, *folder.parents))


def _changes(seen: Seen, root: Path) -> None:
    found = uncommitted(root)
    if found.failure:
        seen.know("git.dirty", None, found.failure)
        seen.texts.append(TextRecord("diff", "diff", None, missing=found.failure))
        return
    seen.know("git.dirty", bool(found.changed))
    if found.changed:
        n_more = len(found.changed) - N_SHOWN
        more = f"and {n_more} more" if n_more > 0 else None
        seen.know("git.changed", found.changed[:N_SHOWN], more)
        seen.texts.append(found.text)


def _remote(seen: Seen, root: Path) -> None:
    pattern = r"^(remote\..*\.url|branch\..*\.remote)$"
    said = ask_git(root, "config", "-z", "--get-regexp", pattern)
    pairs = [e.partition("\n")[::2] for e in os.fsdecode(said.out).split("\0") if e]
    urls = {key[7:-4]: url for key, url in reversed(pairs) if key.startswith("remote.")}
    branch = next((f.value for f in seen.facts if f.name == "git.branch"), None)
    upstream = dict(pairs).get(f"branch.{branch}.remote", "origin")
    url = urls.get(upstream) or urls.get("origin") or next(iter(urls.values()), None)
    if url is None:
        seen.know("git.remote", None, "the repository has no remote")
    else:
        seen.know("git.remote", without_login(url))
