"""`%models`: the registry as tables, one version with its history, and its changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbtrack.analysis.code_view import settled_store
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Arguments, Option, parse_arguments, unquoted
from nbtrack.notebook.display import show_line
from nbtrack.notebook.models_display import Card, ModelPage, ModelsTable, Shown
from nbtrack.text import shorten, visible
from nbtrack.tracking.models import api

if TYPE_CHECKING:
    from nbtrack.store import Store

OPTIONS = (
    Option("force", "flag", ("--force",)),
    Option("to", "one", ("--to",)),
    Option("goal", "one", ("--goal",)),
)
# Which action takes which option: a slip must not be read as something else.
_TAKEN_BY = {"force": "promote", "to": "rollback", "goal": "compare"}


def models_magic(line: str) -> Shown | None:
    """Show registered models, or do something with one; see `%models?`.

    Raises
    ------
    OptionError
        For a slip in the line.
    ModelError
        Where nothing answers to a name, or the way to a stage is not open.
    """
    found = parse_arguments(line, OPTIONS)
    words = [unquoted(word) for word in found.words]
    action = words[0] if words and words[0] in ACTIONS else ""
    for option in found.values:
        if _TAKEN_BY[option] != action:
            raise OptionError(f"--{option} goes with %models {_TAKEN_BY[option]}.")
    store = settled_store()
    if action:
        return _act(store, action, words[1:], found)
    if len(words) > 1:
        shown = shorten(visible(" ".join(words)), 60)
        raise OptionError(
            f"%models takes one model, or an action first, not {shown!r}. Actions are "
            f"{', '.join(ACTIONS)}."
        )
    if not words:
        return ModelsTable(api.list(store=store))
    if "@" in words[0]:
        return _show(store, words, found)
    return ModelsTable(api.versions(words[0], store=store))


def _act(
    store: Store, action: str, words: list[str], options: Arguments
) -> Shown | None:
    how, act = ACTIONS[action]
    n_words = len(how.split())
    is_open = how.endswith("...")
    if len(words) < n_words or (len(words) > n_words and not is_open):
        raise OptionError(f"Write %models {action} {how}.")
    if is_open:  # the rest of the line is one text, with or without quotes
        words = [*words[: n_words - 1], " ".join(words[n_words - 1 :])]
    return act(store, words, options)


def _show(store: Store, words: list[str], options: Arguments) -> ModelPage:
    from nbtrack.analysis.model_page import KnownModel

    return ModelPage(KnownModel.of(store, words[0]))


def _events(store: Store, words: list[str], options: Arguments) -> ModelsTable:
    return ModelsTable(api.events(words[0], store=store))


def _card(store: Store, words: list[str], options: Arguments) -> Card:
    return Card(api.card(words[0], store=store))


def _compare(store: Store, words: list[str], options: Arguments) -> ModelsTable:
    goal = options.one("goal")
    if goal not in (None, "min", "max"):
        raise OptionError("--goal is min or max.")
    name, metric = words
    return ModelsTable(
        api.compare(name, metric, goal=goal, store=store)  # type: ignore[arg-type]
    )


def _approve(store: Store, words: list[str], options: Arguments) -> None:
    ref, why = words
    made = api.approve(ref, note=why, store=store)
    show_line(f"{made.ref} is approved for production by {made.approved_by}")


def _promote(store: Store, words: list[str], options: Arguments) -> None:
    ref, stage, why = words
    made = api.promote(
        ref,
        stage,  # type: ignore[arg-type]  # an unknown one is named by the store
        note=why,
        force=options.has("force"),
        store=store,
    )
    show_line(f"{made.ref} is in {made.stage} now")


def _rollback(store: Store, words: list[str], options: Arguments) -> None:
    name, why = words
    made = api.rollback(name, note=why, to=options.one("to"), store=store)
    show_line(f"{made.ref} is back in production")


def _alias(store: Store, words: list[str], options: Arguments) -> None:
    ref, alias = words
    made = api.alias(ref, alias, store=store)
    show_line(f"{made.name}@{alias} is {made.ref} now")


def _unalias(store: Store, words: list[str], options: Arguments) -> None:
    ref, alias = words
    made = api.unalias(ref, alias, store=store)
    show_line(f"{made.ref} has the aliases {', '.join(made.aliases) or 'none'}")


def _note(store: Store, words: list[str], options: Arguments) -> None:
    made = api.edit(words[0], notes=words[1], store=store)
    show_line(f"notes of {made.ref} kept")


Action = Callable[["Store", list[str], Arguments], "Shown | None"]
ACTIONS: dict[str, tuple[str, Action]] = {
    "show": ("NAME@VERSION", _show),
    "events": ("NAME", _events),
    "card": ("NAME@VERSION", _card),
    "compare": ("NAME METRIC", _compare),
    "approve": ("NAME@VERSION WHY...", _approve),
    "promote": ("NAME@VERSION STAGE WHY...", _promote),
    "rollback": ("NAME WHY...", _rollback),
    "alias": ("NAME@VERSION ALIAS", _alias),
    "unalias": ("NAME@VERSION ALIAS", _unalias),
    "note": ("NAME@VERSION TEXT...", _note),
}
