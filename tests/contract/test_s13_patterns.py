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
ROOT = Path(nbtrack.__file__).parent.parent
LONG = 100_000  # characters of hostile text
LIMIT_S = 0.05
# Time that grows by more than this where the text grows by 5 is more than linear: that
# would be 5, a square 25. And only what is slow at all counts.
GROWTH_MAX = 12.0
# IPython's own for `$name` in a line magic: only the user's own cells come before it.
OF_ONES_OWN_CELL = {"nbtrack.slices.emit_expand._DOLLAR"}
# It sees the name of one file, which no file system lets be longer than 255 bytes.
OF_ONE_FILE_NAME = {"nbtrack.tracking.callbacks.framework_files._BEFORE_TEMPLATE"}
# In a container, so that the test cannot see how they are called.
MATCHED_AS_A_WHOLE = {"nbtrack.capture.packages._LINES"}
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


ANY = frozenset({"match", "search"})
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text()
    for path in (ROOT / "nbtrack").rglob("*.py")
}


def methods_of(where):
    """How it is called where it stands or is imported; else in every way."""
    if where in MATCHED_AS_A_WHOLE:
        return {"fullmatch"}
    module, _, name = where.rpartition(".")
    brought = re.compile(rf"^from {module} import .*?\b{name}\b", re.M)
    texts = [s for m, s in SOURCES.items() if m == module or brought.search(s)]
    found = {m for text in texts for m in re.findall(rf"\b{name}\.(\w+)\(", text)}
    is_passed_on = any(re.search(rf"[(,]\s*{name}\s*[,)]", text) for text in texts)
    return found if found and not is_passed_on else found | ANY


def trouble_with(pattern, how=ANY):
    """The text over which it takes more than linear time; None where there is none.

    All texts at two lengths; the slowest of them then at the full one.
    """
    slowest, most = None, -1.0
    for start, piece in hostile(pattern):
        before = seconds(pattern, start, piece, LONG // 125, how)
        now = seconds(pattern, start, piece, LONG // 25, how)
        if grew_too_much(before, now):
            return f"{start!r} + {piece!r} x: {now * 1e3:.0f} ms at {LONG // 25}"
        if now > most:
            slowest, most = (start, piece), now
    before = seconds(pattern, *slowest, LONG // 5, how)
    if not grew_too_much(most, before):
        now = seconds(pattern, *slowest, LONG, how)
        if not grew_too_much(before, now):
            return None
    start, piece = slowest
    return f"{start!r} + {piece!r} x: {before * 1e3:.0f} ms at {LONG // 5}"


def grew_too_much(before, now):
    return now > LIMIT_S / 10 and now / max(before, 2e-4) > GROWTH_MAX


def test_s13_all_patterns_are_found():
    found = loose_patterns()
    assert len(found) > 100
    where = " ".join(found.values())
    for module in ("redact", "store", "server", "capture", "bundles"):
        assert f"nbtrack.{module}" in where


def test_s13_each_pattern_is_linear_in_100_kb_of_hostile_text():
    slow = {}
    for (text, flags), where in loose_patterns().items():
        if where in OF_ONES_OWN_CELL | OF_ONE_FILE_NAME:
            continue
        trouble = trouble_with(re.compile(text, flags), methods_of(where))
        if trouble is not None:
            slow[f"{where}: {text[:80]!r}"] = trouble
    assert slow == {}


def test_s13_a_square_pattern_is_told():
    assert trouble_with(re.compile(r"a+b")) is not None
    assert trouble_with(re.compile(r"\w\d|b")) is None
    assert trouble_with(re.compile(r"a+b"), {"fullmatch"}) is None
