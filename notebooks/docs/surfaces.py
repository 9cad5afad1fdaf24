"""Writes the magics, the command and what can be switched off into their pages.

A page has a line such as `<!-- magics -->` or `<!-- command -->`, which is replaced by
Markdown made from the tables that nbtrack itself parses with: what is shown
here is what is understood there. What an option means stands in the help text of its
magic (`%runs?`), one line for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click
from sphinx.application import Sphinx

from nbtrack.analysis.query import FIELDS
from nbtrack.bundles import verdict
from nbtrack.cli import command
from nbtrack.notebook import (
    artifacts_magic,
    bundle_magics,
    compare_magic,
    diff_magic,
    media_display,
    models_magic,
    options,
    report_magic,
    runs_magic,
    slice_magic,
    sweep_magic,
)
from nbtrack.notebook.arguments import Option
from nbtrack.notebook.line_magics import LINE_MAGICS
from nbtrack.notebook.magics import Extension
from nbtrack.notebook.transform import MAGIC_NAMES
from nbtrack.tracking.settings import FEATURES

OPTIONS: dict[str, tuple[Option, ...]] = {
    "%%track": options.OPTIONS,
    "%%sweep": sweep_magic.OPTIONS,
    "%artifacts": artifacts_magic.OPTIONS,
    "%compare": compare_magic.OPTIONS,
    "%diff": diff_magic.OPTIONS,
    "%export": bundle_magics.EXPORT,
    "%lineage": artifacts_magic.LINEAGE_OPTIONS,
    "%media": media_display.OPTIONS,
    "%models": models_magic.OPTIONS,
    "%report": report_magic.OPTIONS,
    "%rerun": bundle_magics.RERUN,
    "%runs": runs_magic.OPTIONS,
    "%slice": slice_magic.OPTIONS,
}
# Whose help text says what the options mean that a magic takes over from another.
TAKEN_FROM = {"%%sweep": "%%track", "%report": "%compare"}
EVERYWHERE = {"store_path", "as_json"}  # of every verb: said once, above them
TAKES = {"many": "repeatable", "words": "several at a time"}
_FLAG = re.compile(r"\s*(?P<flags>-\S.*?)\s{2,}(?P<meaning>\S.*)")
# Columns, an assignment or a magic: to be read as typed.
_AS_TYPED = re.compile(r"\s*%|.*\S\s{2,}\S")


def magics() -> dict[str, str]:
    """Every magic and its help text, cell magics first."""
    tracks = [f"%%{name}" for name in MAGIC_NAMES]
    texts = dict.fromkeys(tracks, Extension.track.__doc__ or "")
    texts["%%sweep"] = Extension.sweep.__doc__ or ""
    lines = {f"%{name}": call.__doc__ or "" for name, call in LINE_MAGICS.items()}
    return texts | dict(sorted(lines.items()))


def meanings(text: str) -> dict[str, tuple[str, str]]:
    """What a help text says of each flag: how it is written, and what it means."""
    found: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        match = _FLAG.fullmatch(line)
        if match:
            written, meaning = match["flags"], match["meaning"]
            for flag in re.findall(r"(?<![\w-])--?\w[\w-]*", written):
                found[flag] = (written, meaning)
    return found


def meaning_of(option: Option, magic: str) -> tuple[str, str]:
    """How an option is written, and its meaning, in its own help or the other's.

    Raises
    ------
    KeyError
        Where no help text has a line for it.
    """
    texts = magics()
    for name in (magic, TAKEN_FROM.get(magic, magic)):
        known = meanings(texts[name])
        for flag in option.flags:
            if flag in known:
                return known[flag]
    raise KeyError(f"{magic}: its help has no line for {option.flags[-1]}")


def magics_page() -> str:
    """A section for each magic: what it does, examples, options."""
    parts: list[str] = []
    for magic, text in magics().items():
        if magic == "%%nbtrack":
            parts += [f"## `{magic}`", "The same as `%%track`, under a name that no "
                      "other package has."]  # fmt: skip
            continue
        parts += [f"## `{magic}`", *_prose(text, magic)]
        if magic in OPTIONS:
            parts.append(_option_table(magic))
    return "\n\n".join(parts)


def _prose(text: str, magic: str) -> Iterator[str]:
    """The help text without its lines of options, which are a table here."""
    head, *rest = re.split(r"\n\s*\n", text.strip())
    what, _, usage = head.replace("\n", " ").partition(f": {magic}")
    yield f"{re.sub(r' +', ' ', what).rstrip('.')}."
    if usage:
        yield f"```text\n{magic}{usage.rstrip('.')}\n```"
    for paragraph in rest:
        lines = [s for s in paragraph.splitlines() if not _FLAG.fullmatch(s)]
        if not lines:
            continue
        if any(map(_AS_TYPED.match, lines)):
            body = "\n".join(line.strip() for line in lines)
            yield f"```text\n{body}\n```"
        else:
            yield _marked(" ".join(line.strip() for line in lines))


def _marked(text: str) -> str:
    """Options and magics in a sentence as code."""
    parts = re.split(r"(`[^`]*`)", text)
    pattern = r"(?<![\w`])(%%?[a-z_]+\??|--?[a-z][\w-]*)(?![\w`])"
    return "".join(
        part if part.startswith("`") else re.sub(pattern, r"`\1`", part)
        for part in parts
    )


def _option_table(magic: str) -> str:
    rows = []
    for option in OPTIONS[magic]:
        written, meaning = meaning_of(option, magic)
        flags = ", ".join(f"`{flag}`" for flag in option.flags)
        extra = TAKES.get(option.kind, "")
        if extra and "repeat" not in meaning:
            meaning = f"{meaning} ({extra})"
        example = _example(written, option)
        rows.append((flags, f"`{example}`" if example else "", _marked(meaning)))
    return _table(("option", "as in", "meaning"), rows)


def _example(written: str, option: Option) -> str:
    """`-p, --param lr=0.1` as one writes it: `-p lr=0.1`; of a flag nothing."""
    value = written.rpartition(option.flags[-1])[2].strip()
    return f"{option.flags[0]} {value}" if value else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    )


def verbs(group: click.Group = command, above: str = "nbtrack") -> dict[str, Any]:
    """Every verb of the command, also those below another, with its full name."""
    found: dict[str, Any] = {}
    for name in sorted(group.commands):
        verb, full = group.commands[name], f"{above} {name}"
        found[full] = verb
        if isinstance(verb, click.Group):
            found |= verbs(verb, full)
    return found


def command_page() -> str:
    """A section for each verb: usage, what it does, arguments and options."""
    return "\n\n".join(
        part for name, verb in verbs().items() for part in _verb(name, verb)
    )


def _verb(name: str, verb: click.Command) -> Iterator[str]:
    context = click.Context(verb, info_name=name)
    usage = " ".join(verb.collect_usage_pieces(context))
    mark = "#" * (1 + name.count(" "))
    yield f"{mark} `{name}`"
    yield f"```text\n{name} {usage}\n```"
    for paragraph in re.split(r"\n\s*\n", (verb.help or "").strip()):
        yield _marked(" ".join(paragraph.split()))
    options = [p for p in verb.params if isinstance(p, click.Option) and not p.hidden]
    named = [option for option in options if option.name not in EVERYWHERE]
    if named:
        rows = [_option_row(option, context) for option in named]
        yield _table(("option", "takes", "meaning"), rows)


def _option_row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    flags = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    takes = "" if option.is_flag else f"`{option.make_metavar(context)}`"
    meaning = _marked((option.help or "").strip())
    default = option.default
    is_said = "efault" in meaning or option.is_flag or option.required
    if not is_said and isinstance(default, str | int | float) and default != "":
        meaning += f" Default: `{default}`."
    meaning += " Repeatable." if option.multiple else ""
    meaning += " Required." if option.required else ""
    return flags, takes, meaning.strip()


def features_page() -> str:
    """What is captured, by the word that switches it off."""
    rows = [(f"`{name}`", what) for name, what in FEATURES.items()]
    return _table(("word", "what is not captured then"), rows)


def fields_line() -> str:
    """The names that a query knows beside metrics, params and tags."""
    return ", ".join(f"`{name}`" for name in FIELDS if name != "tags") + "."


def verdicts_table() -> str:
    """The words of a verdict, from the best to the worst."""
    found = re.findall(r"^ {4}([A-Z-]+) {2,}(.*)$", verdict.__doc__ or "", re.M)
    return _table(("verdict", "meaning"), [(f"`{word}`", what) for word, what in found])


MADE: dict[str, Callable[[], str]] = {
    "<!-- magics -->": magics_page,
    "<!-- command -->": command_page,
    "<!-- features -->": features_page,
    "<!-- fields -->": fields_line,
    "<!-- verdicts -->": verdicts_table,
}


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Put what is made in the place of its mark."""
    for mark, make in MADE.items():
        if mark in source[0]:
            source[0] = source[0].replace(mark, make())


def always_anew(app: Sphinx, *_: Any) -> list[str]:
    """The pages made from code, whose own files do not change with it."""
    pages = ("magics", "command", "settings", "query", "reproduce")
    return [f"docs/reference/{page}" for page in pages]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the two hooks."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", always_anew)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
