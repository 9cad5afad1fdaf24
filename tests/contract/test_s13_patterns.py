"""S13: each of our patterns takes time in proportion to the text, whatever is in it."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from pathlib import Path
from re import _constants as codes
from re import _parser as parser

import pytest

import nbtrack

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
LONG = 100_000  # characters of hostile text
LIMIT_S = 0.05
# Time that grows by more than this where the text grows by 5 is more than linear: that
# would be 5, a square 25. And only what is slow at all counts.
GROWTH_MAX = 12.0
# IPython's own for `$name` in a line magic: only the user's own cells come before it.
OF_ONES_OWN_CELL = {"nbtrack.slices.emit_expand._DOLLAR"}
PIECES = [
    "a", "A", "0", " ", "\n", "\t", '"', "'", "\\", ".", "/", "-", "_", "=", ":", ",",
    "(", "[", "{", "<", "%", "$", "@", "é", "\0", "aA0", "a.", "a=", "a='", "k: ", "--",
    "http://", "[[", "((", "\\'", "a ", "a\n", "\r\n", "=a ", "a:b@", "a-a.", "0.0",
]  # fmt: skip


def loose_patterns():
    """Every compiled pattern that a module, or a container in it, holds."""
    found = {}
    for info in pkgutil.walk_packages(nbtrack.__path__, "nbtrack."):
        try:
            module = importlib.import_module(info.name)
        except ImportError:  # of an extra that is not installed
            continue
        for name, value in vars(module).items():
            for pattern in patterns_in(value, 0):
                key = pattern.pattern, pattern.flags
                found.setdefault(key, f"{info.name}.{name}")
    return found


def patterns_in(value, depth):
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, tuple | list | set | frozenset):
        for each in value:
            yield from patterns_in(each, depth + 1)
    elif depth < 4 and isinstance(value, dict):
        for each in value.values():
            yield from patterns_in(each, depth + 1)
    elif depth < 4 and type(value).__module__.startswith("nbtrack"):
        slots = getattr(type(value), "__slots__", ())
        names = [*slots, *getattr(value, "__dict__", ())]
        for name in names:
            yield from patterns_in(getattr(value, name, None), depth + 1)


def literals(parsed):
    """The runs of plain characters in a pattern: what leads its engine on."""
    run, found = [], []
    for code, what in parsed:
        if code is codes.LITERAL:
            run.append(chr(what))
            continue
        found += ["".join(run)] if run else []
        run = []
        for part in what if isinstance(what, tuple | list) else [what]:
            parts = part if isinstance(part, list) else [part]
            for each in parts:
                if isinstance(each, parser.SubPattern):
                    found += literals(each)
    return [*found, "".join(run)] if run else found


def hostile(pattern):
    """Texts to repeat: plain pieces, the pattern's own words, and both together."""
    text = pattern.pattern
    source = text if isinstance(text, str) else text.decode("latin-1")
    own = list(dict.fromkeys(literals(parser.parse(source, pattern.flags & ~32))))[:8]
    mixed = [word + piece for word in own[:4] for piece in "a0 .-='\""]
    leading = [(word, piece) for word in own[:4] for piece in ("a", "0", " ", "a.")]
    yield from (("", piece) for piece in [*PIECES, *own, *mixed] if piece)
    yield from leading


def seconds(pattern, start, piece, length, how):
    """What the calls that are made of it cost, of the processor's time."""
    text = (start + piece * (length // len(piece)))[:length] + "\x01"
    subject = text if isinstance(pattern.pattern, str) else text.encode()
    best = 9.0
    for _ in range(2):
        began = time.process_time()
        if how & {"match", "fullmatch"}:
            pattern.match(subject)
            pattern.fullmatch(subject)
        if how & {"search", "finditer", "findall", "sub", "subn", "split"}:
            for _ in pattern.finditer(subject):
                pass
        best = min(best, time.process_time() - began)
        if best < LIMIT_S / 10:
            break
    return best


SOURCES = "\n".join(p.read_text() for p in Path(nbtrack.__file__).parent.rglob("*.py"))
ANY = {"match", "search"}


def methods_of(where):
    """How the code calls it; where that cannot be seen, in every way."""
    name = where.rpartition(".")[2]
    found = set(re.findall(rf"\b{name}\.(\w+)\(", SOURCES))
    passed_on = re.search(rf"[(,=]\s*{name}\s*[,)]", SOURCES)
    return found if found and not passed_on else found | ANY


def is_more_than_linear(pattern, start, piece, how=frozenset(ANY)):
    before = seconds(pattern, start, piece, LONG // 625, how)
    for length in (LONG // 125, LONG // 25, LONG // 5, LONG):
        now = seconds(pattern, start, piece, length, how)
        if now > LIMIT_S and now / max(before, 1e-3) > GROWTH_MAX:
            return f"{start!r} + {piece!r} x: {now * 1e3:.0f} ms at {length}"
        before = now
    return None


def test_s13_all_patterns_are_found():
    found = loose_patterns()
    assert len(found) > 100
    where = " ".join(found.values())
    for module in ("redact", "store", "server", "capture", "bundles"):
        assert f"nbtrack.{module}" in where


def test_s13_each_pattern_is_linear_in_100_kb_of_hostile_text():
    slow = {}
    for (text, flags), where in loose_patterns().items():
        if where in OF_ONES_OWN_CELL:
            continue
        pattern, how = re.compile(text, flags), methods_of(where)
        for start, piece in hostile(pattern):
            trouble = is_more_than_linear(pattern, start, piece, how)
            if trouble is not None:
                slow[f"{where}: {text[:80]!r}"] = trouble
                print(where, repr(text[:150]), trouble, flush=True)
                break
    assert slow == {}


def test_s13_a_square_pattern_is_told():
    assert is_more_than_linear(re.compile(r"a+b"), "", "a") is not None
    assert is_more_than_linear(re.compile(r"a+b"), "", "c") is None
