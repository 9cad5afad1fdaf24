"""Keeps the version the same in all places, and says what is missing for a release.

    python .ci/release.py version 0.2.0    writes it into all places
    python .ci/release.py check            is the tree clean, the version one and dated?

`nbtrack/__init__.py` is where the version is; npm wants it in two files of its own, the
changes have it as a heading. Runs on the standard library alone, and changes nothing
but these four files.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path("nbtrack/__init__.py")
PACKAGE = Path("labextension/package.json")
LOCK = Path("labextension/package-lock.json")
CHANGES = Path("CHANGELOG.md")
VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
IN_SOURCE = re.compile(r'(?m)^__version__ = "([^"]*)"$')
# The first of its kind in package.json; of the lock the two that are of nbtrack itself.
IN_JSON = re.compile(r'("name": "nbtrack",\s*"version": ")([^"]*)(")')
HEADING = re.compile(r"(?m)^## (\S+) \(([^)]*)\)$")
OPEN = "not released"


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("version").add_argument("version")
    verbs.add_parser("check")
    asked = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    if asked.verb == "version":
        set_version(root, asked.version)
        return
    found = [*unclean(root), *disagreeing(root), *undated(root), *tagged(root)]
    if found:
        sys.exit("\n".join(f"nbtrack: {line}" for line in found))
    print(f"nbtrack: {version_of(root)} is ready to be built")


def version_of(root: Path) -> str:
    """The version, from the one place that counts."""
    found = IN_SOURCE.search((root / SOURCE).read_text("utf-8"))
    return found[1] if found else ""


def set_version(root: Path, version: str) -> None:
    """Write the version into all places, and a heading where the changes have none."""
    if not VERSION.fullmatch(version):
        sys.exit(f"nbtrack: {version!r} is no version such as 0.2.0 or 1.0.0rc1")
    rewrite(root / SOURCE, IN_SOURCE, f'__version__ = "{version}"')
    for name in (PACKAGE, LOCK):
        rewrite(root / name, IN_JSON, rf"\g<1>{version}\g<3>")
    changes = (root / CHANGES).read_text("utf-8")
    if any(heading == version for heading, _ in HEADING.findall(changes)):
        return
    first = HEADING.search(changes)
    at = first.start() if first else len(changes)
    text = f"{changes[:at]}## {version} ({OPEN})\n\n{changes[at:]}"
    (root / CHANGES).write_text(text, "utf-8")


def rewrite(path: Path, pattern: re.Pattern[str], new: str) -> None:
    """Put the new text where the pattern is found, which it must be."""
    text, n_times = pattern.subn(new, path.read_text("utf-8"))
    if not n_times:
        sys.exit(f"nbtrack: there is no version in {path}")
    path.write_text(text, "utf-8")


def unclean(root: Path) -> list[str]:
    """What git knows to be changed or new: it would be in the sdist."""
    said = git(root, "status", "--porcelain")
    return [f"not committed: {line[3:]}" for line in said.splitlines()]


def disagreeing(root: Path) -> list[str]:
    """The files whose version is another than the package's."""
    version = version_of(root)
    found = []
    for name, n_places in ((PACKAGE, 1), (LOCK, 2)):
        told = [match[1] for match in IN_JSON.findall((root / name).read_text("utf-8"))]
        if told != [version] * n_places:
            found.append(f"{name} says {', '.join(told)}, {SOURCE} says {version}")
    return found


def undated(root: Path) -> list[str]:
    """What is wrong with the first heading of the changes."""
    first = HEADING.search((root / CHANGES).read_text("utf-8"))
    if first is None or first[1] != version_of(root):
        told = first[1] if first else "nothing"
        return [f"{CHANGES} begins with {told}, {SOURCE} says {version_of(root)}"]
    try:
        day = datetime.date.fromisoformat(first[2])
    except ValueError:
        return [f"{CHANGES} has no day of release: {first[0]}"]
    # A day ahead, for who lives east of here.
    late = day > datetime.date.today() + datetime.timedelta(days=1)
    return [f"{CHANGES} has a day to come: {first[0]}"] if late else []


def tagged(root: Path) -> list[str]:
    """Whether this version was released from other sources."""
    tag = f"v{version_of(root)}"
    if not git(root, "tag", "--list", tag).strip():
        return []
    same = git(root, "rev-list", "-1", tag) == git(root, "rev-list", "-1", "HEAD")
    return [] if same else [f"{tag} is the tag of another commit"]


def git(root: Path, *words: str) -> str:
    """What git says of this checkout."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"nbtrack: git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main()
