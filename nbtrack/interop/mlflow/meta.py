r"""The small part of YAML in which MLflow's file store writes its `meta.yaml` files.

Keys with scalars, maps of scalars below a key, empty lists and maps; scalars plain, in
single or double quotes, folded over several lines, as PyYAML's dumper writes them.
Anything else is an error: half a file that is taken for a whole one would be worse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

META_MAX_BYTES = 20 << 20  # a data set's profile may have 16 MB
_KEY = re.compile(
    r"(?P<indent> *)(?P<key>'(?:[^']|'')*'|\"[^\"\\]*\"|[^\s'\"#:][^:]*):"
)
_INT = re.compile(r"[-+]?(0|[1-9]\d*)\Z")
_FLOAT = re.compile(r"[-+]?\d+\.\d*([eE][-+]\d+)?\Z|[-+]?\.inf\Z")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_EMPTY: dict[str, Any] = {"{}": {}, "[]": []}
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85",
    "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
# From the first of its spaces on: else each of a million spaces would begin one.
_BREAKS = re.compile(r"(?<! ) *\n(?: *\n)* *")
_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")


def read_meta(path: Path) -> dict[str, Any]:
    """What a file says; ValueError for what MLflow does not write."""
    if path.stat().st_size > META_MAX_BYTES:
        raise ValueError(f"{path} is too long to be one of MLflow's.")
    return parse_meta(path.read_text(encoding="utf-8"))


def parse_meta(text: str) -> dict[str, Any]:
    r"""The same of a text.

    >>> parse_meta("end_time: null\nname: 'it''s'\ntags:\n  a.b: x y\n  c: '1'\n")
    {'end_time': None, 'name': "it's", 'tags': {'a.b': 'x y', 'c': '1'}}
    """
    found: dict[str, Any] = {}
    below = found
    for indent, key, value in _entries(text):
        if not indent:
            below = found
        elif below is found:  # the first below a key that had no value
            last = next(reversed(found), None)
            if last is None or found[last] is not None:
                raise ValueError(f"{key!r} is not where it could be.")
            found[last] = below = {}
        below[key] = value
    return found


def _entries(text: str) -> Iterator[tuple[int, str, Any]]:
    """Indent, key and value of each entry, its further lines taken along."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip() or line in ("---", "..."):
            continue
        head = _KEY.match(line)
        if head is None or (line[head.end() :] and line[head.end()] != " "):
            raise ValueError(f"{line[:80]!r} is no line of MLflow's.")
        raw = line[head.end() :].strip(" ")
        indent = len(head["indent"])
        if raw[:1] in ("'", '"'):
            more = _closing(raw, lines, at)
        else:
            more = _further(lines, at, indent) if raw else 0
        value = _scalar("\n".join([raw, *lines[at : at + more]]))
        at += more
        yield indent, str(_scalar(head["key"], is_key=True)), value


def _closing(raw: str, lines: list[str], at: int) -> int:
    """How many lines after it a quoted scalar goes on."""
    text, n = raw, 0
    while not _is_closed(text):
        if at + n >= len(lines):
            raise ValueError(f"{raw[:40]!r} is not closed.")
        text += "\n" + lines[at + n]
        n += 1
    return n


def _is_closed(text: str) -> bool:
    quote, inside = text[0], text[1:].rstrip(" ")
    if quote == "'":
        return inside.replace("''", "").endswith("'")
    return _ESCAPED.sub("", inside.replace("\\\n", "")).endswith('"')


def _further(lines: list[str], at: int, indent: int) -> int:
    """How many lines a plain scalar goes on: those that are indented more."""
    n = 0
    while at + n < len(lines):
        line = lines[at + n]
        if line.strip() and not line.startswith(" " * (indent + 1)):
            break
        n += 1
    while n and not lines[at + n - 1].strip():
        n -= 1
    return n


def _scalar(raw: str, *, is_key: bool = False) -> Any:
    if raw[:1] == "'":
        return _folded(raw.rstrip(" ")[1:-1]).replace("''", "'")
    if raw[:1] == '"':
        return _unescaped(raw.rstrip(" ")[1:-1])
    text = _folded(raw)
    if is_key:
        return text
    if text in _EMPTY:
        return type(_EMPTY[text])()
    if text[:1] in ("&", "*", "!", "|", ">", "[", "{", "@", "`", "%"):
        raise ValueError(f"{text[:40]!r} is no value of MLflow's.")
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    return float(text.replace(".inf", "inf")) if _FLOAT.match(text) else text


def _folded(text: str) -> str:
    """Lines joined by a space; an empty line between them is a line break."""
    return _BREAKS.sub(lambda found: "\n" * (found[0].count("\n") - 1) or " ", text)


def _unescaped(text: str) -> str:
    # A line that ends in \ goes on in the next, whose indent may be given up by a \.
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\\n *", r"\1", text)
    return _ESCAPED.sub(_character, _folded(text))


def _character(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code not in _ESCAPES:
        raise ValueError(f"{json.dumps(found[0])} is no escape.")
    return _ESCAPES[code]
