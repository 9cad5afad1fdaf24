"""What a shell offers at the next Tab: runs, artifacts, models, columns of the store.

By the names of a verb's parameters, so that a new verb has it without a word. It reads
the database and nothing else: no store is made, brought up to date, or taken over, and
where one cannot be read there is nothing to offer, and nothing is said.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
)
from click.types import StringParamType

from nbtrack.errors import NbtrackError

if TYPE_CHECKING:
    from nbtrack.store import Store

OFFERED_MAX = 200
WAIT_S = 0.25  # for a lock: who pressed Tab waits
# A word that needs no quotes in any shell; a run of another name is offered by its id.
_PLAIN = re.compile(r"[\w.+/@:-]+")


def runs(store: Store) -> Iterable[tuple[str, str]]:
    """Runs by name, newest first; by id where the name is no plain word."""
    table = store.table(names=("name", "status", "started_at"))
    facts = (table.fields[name] for name in ("name", "status", "started_at"))
    for id_, name, status, at in zip(table.ids, *facts, strict=True):
        word = name if _PLAIN.fullmatch(name) else id_
        yield word, f"{status} {at[:16].replace('T', ' ')}"
    yield "last", "the newest"


def artifacts(store: Store) -> Iterable[tuple[str, str]]:
    """Artifacts and their versions."""
    for version in reversed(store.artifact_versions(gone=False)):
        yield version.name, version.type
        yield version.ref, version.type


def models(store: Store) -> Iterable[tuple[str, str]]:
    """Models, and their versions."""
    for name in store.model_names():
        yield name, "model"
        for version in store.model_versions(name):
            yield version.ref, version.stage


def columns(store: Store) -> Iterable[tuple[str, str]]:
    """Params and metrics."""
    for name in sorted(store.names_used()):
        yield name, ""


Offer = Callable[["Store"], Iterable[tuple[str, str]]]
# By the name of a parameter; those of other kinds (a choice, a number) have their own.
_OFFERS: dict[str, Sequence[Offer]] = {
    "run": (runs,), "runs": (runs,), "a": (runs,), "b": (runs,), "select": (runs,),
    "baseline": (runs,), "diff": (runs,), "what": (runs,), "resume": (runs,),
    "words": (runs, columns), "query": (columns,),
    "ref": (artifacts, models), "refs": (artifacts, models), "keep": (artifacts,),
    "name": (artifacts, models),
    "sort": (columns,), "metric": (columns,), "group": (columns,),
}  # fmt: skip
_WITH_FILES = ("what", "ref")  # a bundle is meant by its path
_FILES = ("place", "output", "store_path", "other", "into", "find_links", "url")


class _Offered(StringParamType):
    """A text that a shell can complete from the store."""

    def __init__(self, parameter: str) -> None:
        self._parameter = parameter

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What begins like `incomplete`."""
        found = offered(
            ctx.params.get("store_path"), _OFFERS[self._parameter], incomplete
        )
        # Alone: bash forgets all others where there is one of these.
        if self._parameter in _WITH_FILES and not found:
            found.append(CompletionItem(incomplete, type="file"))
        return found


class _Files(StringParamType):
    """A path as it was typed: whoever takes it looks whether it is there."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What the shell finds."""
        return [CompletionItem(incomplete, type="file")]


class _Tools(StringParamType):
    """A tool that runs are taken from; another word has its own error, with a hint."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What begins like `incomplete`."""
        from nbtrack.interop.sources import READERS

        return [CompletionItem(tool) for tool in READERS if tool.startswith(incomplete)]


def complete(parameters: Iterable[click.Parameter]) -> None:
    """Have the parameters of a verb completed that are known by their names."""
    for parameter in parameters:
        name = parameter.name or ""
        if parameter.type is click.UNPROCESSED:  # `nbtrack run`: a script comes first
            parameter.type = _Files()
        elif parameter.type is not click.STRING:
            continue
        elif name in _OFFERS:
            parameter.type = _Offered(name)
        elif name in _FILES:
            parameter.type = _Files()
        elif name == "tool":
            parameter.type = _Tools()


def offered(
    store: str | None, offers: Sequence[Offer], incomplete: str
) -> list[CompletionItem]:
    """The words of a store that begin like `incomplete`, each once."""
    words: dict[str, str] = {}
    with (
        suppress(NbtrackError, sqlite3.Error, OSError, ValueError),
        _looked_into(store) as opened,
    ):
        for word, said in chain.from_iterable(offer(opened) for offer in offers):
            if word.startswith(incomplete) and _PLAIN.fullmatch(word):
                words.setdefault(word, said)
            if len(words) >= OFFERED_MAX:
                break
    return [CompletionItem(word, help=said) for word, said in words.items()]


def _looked_into(path: str | None) -> Store:
    from nbtrack.store.locate import folder_for
    from nbtrack.store.read_only import open_to_read

    return open_to_read(folder_for(path, None), wait_s=WAIT_S)


class _Bash(BashComplete):
    """Bash takes `mlp:v3` for three words, and puts what is offered after the colon."""

    _before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before, and the one that is begun, put together again."""
        args, incomplete = super().get_completion_args()
        if incomplete == ":":
            incomplete = ""
            args.append(":")
        if len(args) >= 2 and args[-1] == ":":
            self._before = f"{args[-2]}:"
            return args[:-2], f"{self._before}{incomplete}"
        return args, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Without what stands before the colon."""
        item.value = item.value.removeprefix(self._before)
        return super().format_completion(item)


def script_of(shell: str, command: click.Command) -> str:
    """What a shell is to read, once; click writes it."""
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"There is no completion for {shell!r}.")
    return made(command, {}, "nbtrack", "_NBTRACK_COMPLETE").source()


add_completion_class(_Bash)
