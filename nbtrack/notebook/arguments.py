"""The line of a magic, split into names and options; every slip is said in one line.

Values keep their text (quotes and brackets included) because `-p` hands them to
Python; `unquoted` takes the quotes off for everybody else. Unknown and doubled options
are errors with a did-you-mean, as a silent slip would be kept for years.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nbtrack.errors import OptionError
from nbtrack.text import did_you_mean, shorten, visible

# words: many, and several at a time; maybe: one, behind a "=" alone
Kind = Literal["flag", "maybe", "one", "many", "words"]

_OPEN, _CLOSE = "([{", ")]}"
_NUMBER = re.compile(r"-\.?\d")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a magic: its spellings, short and long, and what follows it."""

    name: str
    kind: Kind
    flags: tuple[str, ...]


@dataclass(slots=True)
class Arguments:
    """What a line said: words without an option, and values by option name."""

    words: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str | None:
        """The value of an option that takes one, without its quotes."""
        found = self.values.get(name)
        return unquoted(found[0]) if found else None

    def many(self, name: str) -> tuple[str, ...]:
        """All values of an option, without quotes, each once."""
        return tuple(dict.fromkeys(unquoted(v) for v in self.values.get(name, [])))

    def has(self, name: str) -> bool:
        """Whether the option was given."""
        return name in self.values


def parse_arguments(line: str, options: tuple[Option, ...]) -> Arguments:
    """Split `line` by the options that a magic knows.

    Raises
    ------
    OptionError
        For an unknown or doubled option, a missing value, an unclosed quote.

    Examples
    --------
    >>> tag = Option("tag", "many", ("-t", "--tag"))
    >>> parse_arguments("base -t 'a b' --tag=c", (tag,)).many("tag")
    ('a b', 'c')
    """
    by_flag = {flag: option for option in options for flag in option.flags}
    tokens = split_line(line)
    found = Arguments()
    while tokens:
        token = tokens.pop(0)
        if not _is_flag(token):
            found.words.append(token)
            continue
        flag, equals, value = token.partition("=")
        option = _known(flag, by_flag)
        if option.kind == "maybe":
            _once(option, flag, found.values)
            found.values[option.name] = [value]
            continue
        if equals and option.kind != "flag":
            tokens.insert(0, value)
        elif equals:
            raise OptionError(f"Option {flag} takes no value, but has {value!r}.")
        _take(option, flag, tokens, found.values)
    return found


def split_line(line: str) -> list[str]:
    """Words, where quotes and brackets hold together what they enclose.

    Examples
    --------
    >>> split_line("base -p betas=(0.9, 0.99) --notes 'two words'  # first try")
    ['base', '-p', 'betas=(0.9, 0.99)', '--notes', "'two words'"]
    """
    tokens, word, depth, quote = [], "", 0, ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote and line[at - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif not word and char == "#" and line[at + 1 : at + 2].strip() == "":
            break
        elif char.isspace() and depth == 0:
            tokens += [word] if word else []
            word = ""
            continue
        else:
            depth = max(0, depth + (char in _OPEN) - (char in _CLOSE))
        word += char
    if quote or depth:
        what = f"quote {quote}" if quote else "bracket"
        raise OptionError(f"Unclosed {what} in {_shown(word)}.")
    return [*tokens, word] if word else tokens


def unquoted(text: str) -> str:
    """`text` without the quotes around it.

    Examples
    --------
    >>> unquoted("'two words'"), unquoted("it's")
    ('two words', "it's")
    """
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        inner = text[1:-1]
        return inner.replace("\\" + text[0], text[0])
    return text


def _is_flag(text: str) -> bool:
    return text.startswith("-") and len(text) > 1 and not _NUMBER.match(text)


def _known(flag: str, by_flag: Mapping[str, Option]) -> Option:
    if flag in by_flag:
        return by_flag[flag]
    hint = did_you_mean(flag, by_flag) or f" Known: {' '.join(by_flag)}."
    raise OptionError(f"Unknown option {_shown(flag, quote=False)}.{hint}")


def _take(
    option: Option, flag: str, tokens: list[str], values: dict[str, list[str]]
) -> None:
    if option.kind in ("flag", "one"):
        _once(option, flag, values)
    taken = values.setdefault(option.name, [])
    if option.kind == "flag":
        return
    if not tokens or _is_flag(tokens[0]):
        raise OptionError(f"Option {flag} needs a value after it.")
    taken.append(tokens.pop(0))
    while option.kind == "words" and tokens and not _is_flag(tokens[0]):
        taken.append(tokens.pop(0))


def _once(option: Option, flag: str, values: Mapping[str, list[str]]) -> None:
    if option.name in values:
        raise OptionError(f"Option {flag} was given twice.")


def _shown(text: str, *, quote: bool = True) -> str:
    short = shorten(visible(text), 60)
    return repr(short) if quote else short


def seconds_of(found: Arguments, name: str) -> float | None:
    """The value of an option that is a number of seconds.

    Raises
    ------
    OptionError
        For anything else.

    Examples
    --------
    >>> seconds_of(Arguments(values={"timeout": ["60"]}), "timeout")
    60.0
    """
    text = found.one(name)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        shown = shorten(visible(text), 40)
        raise OptionError(f"--{name} needs a number of seconds, not {shown!r}.")
    return seconds
