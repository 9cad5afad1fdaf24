"""`%artifacts` and `%lineage`: versions as a table, one of them, where it is from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.artifact_page import KnownArtifact
from nbtrack.analysis.artifacts_table import choose_versions, tags_text
from nbtrack.analysis.code_view import settled_store
from nbtrack.analysis.lineage import Lineage, lineage
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Arguments, Option, parse_arguments, unquoted
from nbtrack.notebook.artifacts_display import (
    ROWS_SHOWN,
    ArtifactPage,
    ArtifactsTable,
)
from nbtrack.notebook.display import show_line
from nbtrack.text import shorten, visible
from nbtrack.tracking.artifacts import api

if TYPE_CHECKING:
    from nbtrack.analysis.artifact_diff import ArtifactDiff
    from nbtrack.analysis.lineage_walk import Walk
    from nbtrack.records import ArtifactRecord
    from nbtrack.store import Store
    from nbtrack.tracking.artifacts.verifying import Verified

OPTIONS = (
    Option("type", "one", ("-t", "--type")),
    Option("gone", "flag", ("--gone",)),
    Option("last", "one", ("-n", "--last")),
)
LINEAGE_OPTIONS = (
    Option("up", "flag", ("--up",)),
    Option("down", "flag", ("--down",)),
    Option("depth", "one", ("--depth",)),
    Option("grouped", "flag", ("--grouped",)),
    Option("walk", "flag", ("--walk",)),
    Option("metric", "one", ("-m", "--metric")),
    Option("all", "flag", ("--all",)),
)


def artifacts_magic(line: str) -> Any:  # Any: whatever the action shows
    """Show versions of artifacts, or do something with one; see `%artifacts?`.

    Raises
    ------
    OptionError
        For a slip in the line.
    ArtifactNotFoundError
        Where nothing answers to a name.
    """
    found = parse_arguments(line, OPTIONS)
    words = [unquoted(word) for word in found.words]
    store = settled_store()
    if words and words[0] in ACTIONS:
        if found.values:
            raise OptionError(f"%artifacts {words[0]} takes no options.")
        return _act(store, words[0], words[1:])
    last = _whole_number(found, "last")
    versions = choose_versions(
        store, words, type=found.one("type"), last=last,
        gone=True if found.has("gone") else None,
    )  # fmt: skip
    is_filtered = bool(words or found.has("type") or found.has("gone"))
    return ArtifactsTable(versions, last or ROWS_SHOWN, is_filtered)


def lineage_magic(line: str) -> Lineage | Walk:
    """Show where a run or a version is from and what came of it; see `%lineage?`.

    Raises
    ------
    OptionError
        For a slip in the line.
    RunNotFoundError, ArtifactNotFoundError
        Where nothing answers to it.
    """
    found = parse_arguments(line, LINEAGE_OPTIONS)
    if len(found.words) > 1 or (found.words and found.has("all")):
        shown = shorten(visible(" ".join(found.words)), 60)
        raise OptionError(f"%lineage takes one run or version, not {shown!r}.")
    if found.has("metric") and not found.has("walk"):
        raise OptionError("--metric goes with --walk.")
    store = settled_store()
    start = unquoted(found.words[0]) if found.words else "last"
    made = lineage(
        None if found.has("all") else start,
        up=found.has("up") or not found.has("down"),
        down=found.has("down") or not found.has("up"),
        depth=_whole_number(found, "depth"),
        store=store,
    )
    if found.has("walk"):
        return made.walk(found.one("metric"))
    return made.grouped() if found.has("grouped") else made


def _whole_number(found: Arguments, name: str) -> int | None:
    text = found.one(name)
    if text is not None and not text.isdecimal():
        shown = shorten(visible(text), 40)
        raise OptionError(f"--{name} needs a whole number, not {shown!r}.")
    return None if text is None else int(text)


def _act(store: Store, action: str, words: list[str]) -> Any:
    n_words, how, act = ACTIONS[action]
    most = {"]": 1, ".": len(words)}.get(how[-1], n_words)
    if not n_words <= len(words) <= most:
        raise OptionError(f"Write %artifacts {action} {how}.")
    return act(store, words)


def _show(store: Store, words: list[str]) -> ArtifactPage:
    return ArtifactPage(KnownArtifact.of(store, words[0]))


def _alias(store: Store, words: list[str]) -> None:
    ref, alias = words
    record = api.alias(ref, alias, store=store)
    show_line(f"{record.name}:{alias} is {record.ref} now")


def _unalias(store: Store, words: list[str]) -> None:
    record = api.unalias(words[0], store=store)
    show_line(f"{record.ref} has the aliases {', '.join(record.aliases) or 'none'}")


def _note(store: Store, words: list[str]) -> None:
    record = api.edit(words[0], description=" ".join(words[1:]), store=store)
    show_line(f"description of {record.ref} kept")


def _tag(store: Store, words: list[str]) -> None:
    _say_tags(api.edit(words[0], tags=words[1:], store=store))


def _untag(store: Store, words: list[str]) -> None:
    _say_tags(api.edit(words[0], untag=words[1:], store=store))


def _say_tags(record: ArtifactRecord) -> None:
    show_line(f"{record.ref} · tags {tags_text(record) or 'none'}")


def _diff(store: Store, words: list[str]) -> ArtifactDiff:
    return api.diff(*words, store=store)


def _verify(store: Store, words: list[str]) -> Verified:
    return api.verify(words[0] if words else None, store=store)


Action = Callable[["Store", list[str]], Any]
ACTIONS: dict[str, tuple[int, str, Action]] = {
    "show": (1, "REF", _show),
    "diff": (2, "REF REF", _diff),
    "alias": (2, "REF ALIAS", _alias),
    "unalias": (1, "NAME:ALIAS", _unalias),
    "note": (2, "REF TEXT...", _note),
    "tag": (2, "REF TAG...", _tag),
    "untag": (2, "REF TAG...", _untag),
    "verify": (0, "[REF]", _verify),
}
