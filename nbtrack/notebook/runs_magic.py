"""`%runs`: the table of runs, and small changes to them, in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbtrack.analysis import edits
from nbtrack.analysis.runs_table import select, store_here, tag_texts
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import (
    Arguments,
    Option,
    parse_arguments,
    split_line,
    unquoted,
)
from nbtrack.notebook.display import show_line
from nbtrack.notebook.runs_display import RunsTable
from nbtrack.records import RunRecord

if TYPE_CHECKING:
    from nbtrack.store import Store

OPTIONS = (
    Option("last", "one", ("-n", "--last")),
    Option("sort", "one", ("-s", "--sort")),
    Option("cols", "words", ("-c", "--cols")),
    Option("trashed", "flag", ("--trashed",)),
)


def runs_magic(line: str) -> RunsTable | None:
    """Show runs, or change one: %runs [QUERY] [options].

    %runs loss < .3 and params.opt == "adam" --sort val_acc --last 20
    %runs --cols name params.lr best.loss     --trashed shows the trash
    %runs rename base-3 better                %runs note base-3 'too slow'
    %runs tag base-3 baseline 'data: mnist'   %runs untag base-3 baseline
    %runs trash base-3                        %runs restore base-3

    `%runs` returns the table; its `.df` is the pandas frame of `nbtrack.runs()`.
    """
    action, *rest = split_line_loosely(line) or [""]
    if action in ACTIONS:
        show_line(_act(action, [unquoted(word) for word in rest]))
        return None
    return _table(line)


def _table(line: str) -> RunsTable:
    query, options = _query_and_options(line)
    last = options.one("last")
    if last is not None and not last.isdecimal():
        raise OptionError(f"--last needs a whole number, not {last[:40]!r}.")
    columns = tuple(
        name for text in options.many("cols") for name in text.split(",") if name
    )
    table = select(
        store_here(),
        query,
        sort=options.one("sort"),
        last=None if last is None else int(last),
        trashed=options.has("trashed"),
    )
    return RunsTable(table, columns)


def _query_and_options(line: str) -> tuple[str, Arguments]:
    """The query is everything before the first option; `-loss > 1` is none."""
    tokens = split_line_loosely(line)
    flags = {flag for option in OPTIONS for flag in option.flags}
    for at, token in enumerate(tokens):
        if token.partition("=")[0] in flags or token.startswith("--"):
            return " ".join(tokens[:at]), _options(tokens[at:])
    return _bare(line), Arguments()


def _options(tokens: list[str]) -> Arguments:
    found = parse_arguments(" ".join(tokens), OPTIONS)
    if found.words:
        raise OptionError(
            f"{found.words[0]!r} stands behind an option: the query comes first."
        )
    return found


def split_line_loosely(line: str) -> list[str]:
    """Words of the line; quotes that do not close are left to the query's parser."""
    try:
        return split_line(line)
    except OptionError:
        return line.split()


def _bare(line: str) -> str:
    return unquoted(line.strip()) if line.strip()[:1] in "\"'" else line.strip()


def _act(action: str, words: list[str]) -> str:
    n_words, how, act = ACTIONS[action]
    enough = len(words) >= n_words if how.endswith("...") else len(words) == n_words
    if not enough:
        raise OptionError(f"Write %runs {action} {how}.")
    return act(store_here(), words)


def _rename(store: Store, words: list[str]) -> str:
    run, name = words
    before = store.run(run)
    return f"run {before.name} is now {edits.rename(store, before.id, name).name}"


def _tag(store: Store, words: list[str]) -> str:
    return _tags_of(edits.tag(store, words[0], *words[1:]))


def _untag(store: Store, words: list[str]) -> str:
    return _tags_of(edits.untag(store, words[0], *words[1:]))


def _note(store: Store, words: list[str]) -> str:
    return f"notes of run {edits.note(store, words[0], ' '.join(words[1:])).name} kept"


def _trash(store: Store, words: list[str]) -> str:
    found = [store.run(word).id for word in words]  # all of them, before any is moved
    names = [edits.trash(store, run).name for run in found]
    back = "%runs restore " + (" ".join(found))
    return f"in the trash: {', '.join(names)} · {back} takes it back"


def _restore(store: Store, words: list[str]) -> str:
    return "restored: " + ", ".join(edits.restore(store, word).name for word in words)


def _tags_of(record: RunRecord) -> str:
    return f"run {record.name} · tags {', '.join(tag_texts(record.tags)) or 'none'}"


Action = Callable[["Store", list[str]], str]
ACTIONS: dict[str, tuple[int, str, Action]] = {
    "rename": (2, "RUN NAME", _rename),
    "tag": (2, "RUN TAG...", _tag),
    "untag": (2, "RUN TAG...", _untag),
    "note": (2, "RUN TEXT...", _note),
    "trash": (1, "RUN...", _trash),
    "restore": (1, "RUN...", _restore),
}
