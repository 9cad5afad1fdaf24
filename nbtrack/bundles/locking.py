"""The packages of a bundle: those that its cells loaded, and what these require.

Where the cells were run again to prove the bundle, it is this Python that proved it and
whose versions count: what the process had imported at its end, without what nbtrack
itself imports. A bundle that nobody has proven has the versions of its run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nbtrack.bundles.content import Content
from nbtrack.bundles.environment.hashes import with_hashes
from nbtrack.bundles.environment.needed import needed_packages, recorded_packages
from nbtrack.bundles.environment.pylock import pylock_text
from nbtrack.capture.packages import packages as installed
from nbtrack.capture.packages import parse_lines
from nbtrack.capture.reread import reparse
from nbtrack.slices.claim import Claim
from nbtrack.sweeps.sites import readable

_FACTS = {"python": "python.version", "implementation": "python.implementation"}


def locked(
    claim: Claim, content: Content, *, offline: bool, tell: Callable[[str], None]
) -> tuple[dict[str, Any], str | None]:
    """What `env/packages.json` says, and the text of `env/pylock.toml` if there is one.

    Parameters
    ----------
    offline
        Whether the index of packages is not asked for hashes.
    """
    said = set(imported_by(_texts(content)))
    if content.answer is None:
        found = _recorded(claim, said, tell)
    else:
        found = needed_packages(_of_the_cells(content.answer.modules, said))
    found = with_hashes(found, offline=offline, tell=tell)
    return found, pylock_text(found).text


def imported_by(texts: Iterable[str]) -> Iterator[str]:
    """The modules at the top that code imports by name; relative ones are its own.

    >>> list(imported_by(["import numpy, os.path", "from torch.nn import Linear"]))
    ['numpy', 'os', 'torch']
    """
    for text in texts:
        try:
            tree = reparse(readable(text))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _texts(content: Content) -> Iterator[str]:
    """The cells, and the local modules that go with them."""
    yield from (each.cell.source or "" for each in content.kept)
    yield from content.script.files.values()
    for file in content.ledger.files:
        if file.body is not None:
            yield file.body.decode("utf-8", "replace")


def _of_the_cells(modules: Iterable[str], said: set[str]) -> set[str]:
    """Without those that are there for nbtrack alone, but for what cells import."""
    ours = {p["name"] for p in needed_packages(())["packages"]}
    wanted = {about.name for about in installed.loaded(said)}
    found = set(said)
    for module in modules:
        names = {about.name for about in installed.loaded({module})}
        if names - ours or names & wanted:
            found.add(module)
    return found - {"nbtrack"} | (said & {"nbtrack"})


def _recorded(
    claim: Claim, said: set[str], tell: Callable[[str], None]
) -> dict[str, Any]:
    """As the run had them; of what its session had loaded the cells' own imports."""
    assert claim.run is not None
    texts = [t.body or "" for t in claim.store.texts(claim.run.id, "packages")]
    facts = claim.store.facts(claim.run.id)
    if not texts:
        return needed_packages(said)
    loaded = facts["python.loaded"].value if "python.loaded" in facts else []
    names = set(parse_lines("\n".join(map(str, loaded or []))))
    ours = {p["name"] for p in needed_packages(())["packages"]}
    wanted = {about.name for about in installed.loaded(said)}
    told = {
        key: str(facts[fact].value) if fact in facts else None
        for key, fact in _FACTS.items()
    }
    return recorded_packages(
        "".join(texts), (names - ours) | wanted, recorded=told, tell=tell
    )
