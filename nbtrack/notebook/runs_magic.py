"""`%runs`: the table of runs, and small changes to them, in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbtrack.analysis import edits, metric_edits
from nbtrack.analysis.groups import groups_of
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
from nbtrack.notebook.groups_display import GroupsTable
from nbtrack.notebook.runs_display import RunsTable
from nbtrack.records import RunRecord

if TYPE_CHECKING:
    from nbtrack.store import Store, Table
    from nbtrack.store.edits import Edit

OPTIONS = (
    Option("last", "one", ("-n", "--last")),
    Option("sort", "one", ("-s", "--sort")),
    Option("cols", "words", ("-c", "--cols")),
    Option("trashed", "flag", ("--trashed",)),
    Option("by", "one", ("--by",)),
)
# `%runs experiment == "digits"` is a query, not a change of an experiment's name.
_OF_A_QUERY = {"==", "!=", "<", "<=", ">", ">=", "in", "not", "is", "and", "or"}


def runs_magic(line: str) -> RunsTable | GroupsTable | None:
    """Show runs, or change some: %runs [QUERY] [options].

    %runs loss < .3 and params.opt == "adam" --sort val_acc --last 20
    %runs --cols name params.lr best.loss     --trashed shows the trash
    %runs status == "finished" --by group     means with a 95 % interval; --by parent
    %runs rename base-3 better                %runs note base-3 'too slow'
    %runs tag base-3 baseline 'data: mnist'   %runs untag base-3 baseline
    %runs trash base-3                        %runs restore base-3
    %runs trash --where loss > 5              %runs experiment dgits digits
    %runs metric rename los loss [RUN...]     %runs metric delete oops [RUN...]
    %runs undo                                takes back one of these last four

    `%runs` returns the table; its `.df` is the pandas frame of `nbtrack.runs()`.
    """
    action, *rest = split_line_loosely(line) or [""]
    if action in ACTIONS and not _OF_A_QUERY.intersection(rest[:1]):
        show_line(_act(action, rest))
        return None
    return _table(line)


def _table(line: str) -> RunsTable | GroupsTable:
    query, options = _query_and_options(line)
    if options.has("by"):
        return _groups(query, options)
    columns = tuple(
        name for text in options.many("cols") for name in text.split(",") if name
    )
    return RunsTable(_selected(query, options), columns)


def _groups(query: str, options: Arguments) -> GroupsTable:
    for name in ("sort", "cols"):
        if options.has(name):
            raise OptionError(
                f"--{name} does not go with --by: nbtrack.groups() gives a frame to "
                "sort and choose from."
            )
    by = options.one("by") or ""
    table = _selected(query, options)
    return GroupsTable(tuple(groups_of(store_here(), table, by=by)), by, len(table))


def _selected(query: str, options: Arguments) -> Table:
    last = options.one("last")
    if last is not None and not last.isdecimal():
        raise OptionError(f"--last needs a whole number, not {last[:40]!r}.")
    return select(
        store_here(),
        query,
        sort=options.one("sort"),
        last=None if last is None else int(last),
        trashed=options.has("trashed"),
    )


def _query_and_options(line: str) -> tuple[str, Arguments]:
    """The query is everything before the first option; `-loss > 1` is none."""
    tokens, found = split_query(line, OPTIONS, first="the query comes first")
    return " ".join(tokens) if found.values else _bare(line), found


def split_query(
    line: str, options: tuple[Option, ...], *, first: str
) -> tuple[list[str], Arguments]:
    """The words before the first option, of a query or not, and the options.

    Raises
    ------
    OptionError
        For a word behind an option, saying what comes `first`.
    """
    tokens = split_line_loosely(line)
    flags = {flag for option in options for flag in option.flags}
    for at, token in enumerate(tokens):
        if token.partition("=")[0] in flags or token.startswith("--"):
            found = parse_arguments(" ".join(tokens[at:]), options)
            if found.words:
                raise OptionError(
                    f"{found.words[0]!r} stands behind an option: {first}."
                )
            return tokens[:at], found
    return tokens, Arguments()


def split_line_loosely(line: str) -> list[str]:
    """Words of the line; quotes that do not close are left to the query's parser."""
    try:
        return split_line(line)
    except OptionError:
        return line.split()


def _bare(line: str) -> str:
    return unquoted(line.strip()) if line.strip()[:1] in "\"'" else line.strip()


def _act(action: str, tokens: list[str]) -> str:
    if action == "trash" and tokens[:1] == ["--where"]:
        return _trash_where(_bare(" ".join(tokens[1:])))
    words = [unquoted(token) for token in tokens]
    n_words, how, act = ACTIONS[action]
    enough = (
        len(words) >= n_words if how.endswith(("...", "]")) else len(words) == n_words
    )
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


def _trash_where(query: str) -> str:
    return _taken_back(edits.trash_all(store_here(), query))


def _experiment(store: Store, words: list[str]) -> str:
    return _taken_back(edits.rename_experiment(store, *words))


def _metric(store: Store, words: list[str]) -> str:
    what, name, *rest = words
    if what == "delete":
        edit = metric_edits.delete_metric(name, rest or None, store=store)
    elif what == "rename" and rest:
        new, *runs = rest
        edit = metric_edits.rename_metric(name, new, runs or None, store=store)
    else:
        raise OptionError(f"Write %runs metric {_METRIC}.")
    return _taken_back(edit)


def _undo(store: Store, words: list[str]) -> str:
    if not words:
        return str(metric_edits.undo(store=store))
    if len(words) > 1 or not words[0].isdecimal():
        raise OptionError("Write %runs undo, or %runs undo and the number of an edit.")
    return str(metric_edits.undo(int(words[0]), store=store))


def _taken_back(edit: Edit) -> str:
    return f"{edit.text} · %runs undo {edit.id} takes it back"


def _restore(store: Store, words: list[str]) -> str:
    return "restored: " + ", ".join(edits.restore(store, word).name for word in words)


def _tags_of(record: RunRecord) -> str:
    return f"run {record.name} · tags {', '.join(tag_texts(record.tags)) or 'none'}"


_METRIC = "rename OLD NEW [RUN...], or %runs metric delete NAME [RUN...]"
Action = Callable[["Store", list[str]], str]
ACTIONS: dict[str, tuple[int, str, Action]] = {
    "rename": (2, "RUN NAME", _rename),
    "tag": (2, "RUN TAG...", _tag),
    "untag": (2, "RUN TAG...", _untag),
    "note": (2, "RUN TEXT...", _note),
    "trash": (1, "RUN...", _trash),
    "restore": (1, "RUN...", _restore),
    "experiment": (2, "OLD NEW", _experiment),
    "metric": (2, _METRIC, _metric),
    "undo": (0, "[EDIT]", _undo),
}
