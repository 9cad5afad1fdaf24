"""A digest of any value that is the same in every process, or why there is none.

Data goes through `nbtrack.capture.digests`. Numbers, containers, dataclasses and plain
objects are taken apart by what they hold, models of PyTorch by their state; a class or
function of the notebook counts by its code, so that an edited one is another. What is
left counts by its pickle. Nothing is compared by its name or its place in memory alone.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
import types
from collections.abc import Iterable
from enum import Enum
from typing import Any

from nbtrack.capture.digests import NotDigestible, digest_of
from nbtrack.guard import tolerated
from nbtrack.text import shorten

_DEPTH_MAX = 40
_PICKLE_MAX_BYTES = 200_000_000
_HEAP_TYPE = 1 << 9  # of `type.__flags__`
_POINTER_BYTES = 8
_NAMED = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)


class NotComparable(ValueError):
    """A value cannot be compared between processes; the message says why."""


def value_digest(value: Any) -> str:
    """Sha256 of what a value holds.

    Raises
    ------
    NotComparable
        For functions, streams, open files and what they are in.

    >>> value_digest({"a": 1.0}) == value_digest({"a": 1.0}) != value_digest({"a": 1})
    True
    """
    return _Taking().digest(value, 0)


class _Taking:
    """One digest being taken; knows what it is inside of."""

    def __init__(self) -> None:
        self._inside: dict[int, int] = {}  # id -> how deep: circles are marked

    def digest(self, value: Any, depth: int) -> str:
        """The digest of one value in it."""
        if depth > _DEPTH_MAX:
            raise NotComparable(f"it is nested more than {_DEPTH_MAX} deep")
        if id(value) in self._inside:
            return _sha("circle", str(depth - self._inside[id(value)]))
        kind = type(value)
        if value is None or kind in (bool, int, float, complex, str, bytes):
            return _plain(value)
        self._inside[id(value)] = depth
        try:
            return self._of_kind(value, kind, depth)
        finally:
            del self._inside[id(value)]

    def _of_kind(self, value: Any, kind: type, depth: int) -> str:
        if isinstance(value, list | tuple):
            parts = [self.digest(item, depth + 1) for item in value]
            return self._container(value, parts, depth)
        if isinstance(value, set | frozenset):
            parts = sorted(self.digest(item, depth + 1) for item in value)
            return self._container(value, parts, depth)
        if isinstance(value, dict):
            # In their order, which people can see.
            parts = [
                self.digest(item, depth + 1) for pair in value.items() for item in pair
            ]
            return self._container(value, parts, depth)
        if isinstance(value, Enum):
            return _sha("enum", _name(kind), value.name)
        if isinstance(value, _NAMED):
            return _by_name(value)
        return self._object(value, kind, depth)

    def _container(self, value: Any, parts: list[str], depth: int) -> str:
        kind = type(value)
        beside = _attributes(value)
        if beside:
            parts = [*parts, self.digest(beside, depth + 1)]
        return _sha("container", _name(kind), _code_of(kind), *parts)

    def _object(self, value: Any, kind: type, depth: int) -> str:
        why: list[Exception] = []
        with tolerated(why.append):
            return _sha("data", _name(kind), digest_of(value))
        if not isinstance(why[0], NotDigestible):
            raise NotComparable(f"reading it failed: {shorten(str(why[0]), 100)}")
        if _is_torch_module(value):
            state = {**value.state_dict(), "training": value.training}
            inner = self.digest(dict(sorted(state.items())), depth + 1)
            return _sha("module", _name(kind), _code_of(kind), str(value), inner)
        if _is_plain_class(kind):
            inner = self.digest(_attributes(value), depth + 1)
            return _sha("object", _name(kind), _code_of(kind), inner)
        return _sha("pickle", _name(kind), _code_of(kind), _pickled(value))


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return _sha("float", "nan" if value != value else (value + 0.0).hex())
    if isinstance(value, complex):
        return _sha("complex", _plain(value.real), _plain(value.imag))
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
        return _sha("str", hashlib.sha256(value).hexdigest())
    return _sha(type(value).__name__, repr(value))


def _by_name(value: Any) -> str:
    """A class, function or module of a library; of the notebook there is no telling."""
    home = value.__name__ if _is_module(value) else value.__module__
    if home in (None, "__main__"):
        raise NotComparable(f"it is, or holds, {_article(value)} of the notebook")
    return _sha("name", str(home), getattr(value, "__qualname__", ""))


def _is_module(value: Any) -> bool:
    return isinstance(value, types.ModuleType)


def _attributes(value: Any) -> dict[str, Any]:
    """What stands in an object itself, by name; nothing of theirs is called."""
    held: dict[str, Any] = {}
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for slot in [slots] if isinstance(slots, str) else slots:
            if slot not in ("__dict__", "__weakref__"):
                with tolerated(lambda exc: None):  # a slot that was never set
                    held[slot] = object.__getattribute__(value, slot)
    with tolerated(lambda exc: None):  # there is no __dict__
        held |= object.__getattribute__(value, "__dict__")
    return dict(sorted(held.items(), key=lambda item: str(item[0])))


def _is_plain_class(kind: type) -> bool:
    """Whether no base of it is written in C, where something may stand unseen.

    Such a base is no heap type, or has a `__new__` of its own (as `copyreg` finds it),
    or more room than its slots take.
    """
    for base in kind.__mro__[:-1]:
        new = vars(base).get("__new__")
        if not base.__flags__ & _HEAP_TYPE or isinstance(new, types.BuiltinMethodType):
            return False
        slots = vars(base).get("__slots__", ())
        n_known = 1 if isinstance(slots, str) else len(tuple(slots))
        n_known += ("__dict__" in vars(base)) + ("__weakref__" in vars(base))
        above = base.__base__ or object
        if base.__basicsize__ - above.__basicsize__ > _POINTER_BYTES * n_known:
            return False
    return True


def code_digest(value: Any) -> str | None:
    """Sha256 of the code of a function or class of the notebook; None of all else.

    >>> code_digest(len) is None
    True
    """
    if getattr(value, "__module__", None) != "__main__":
        return None
    if isinstance(value, types.FunctionType):
        return _function_code(value)
    return _code_of(value) if isinstance(value, type) else None


def _code_of(kind: type) -> str:
    """The code of the classes of the notebook; of others their name has to do."""
    parts = [
        _function_code(found)
        for base in kind.__mro__
        if base.__module__ == "__main__"
        for _, found in sorted(vars(base).items())
    ]
    return _sha("code", *parts)


def _function_code(found: Any) -> str:
    found = getattr(found, "__func__", found)
    if isinstance(found, property):
        accessors = (found.fget, found.fset, found.fdel)
        return _sha("property", *(_function_code(f) for f in accessors))
    code = getattr(found, "__code__", None)
    if not isinstance(code, types.CodeType):
        return _plain(found) if isinstance(found, int | float | str) else ""
    return _sha("function", *_code_parts(code))


def _code_parts(code: types.CodeType) -> Iterable[str]:
    yield code.co_code.hex()
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_parts(constant)
        elif isinstance(constant, frozenset):
            yield repr(sorted(map(repr, constant)))
        else:
            yield repr(constant)


def _pickled(value: Any) -> str:
    written = io.BytesIO()
    why: list[Exception] = []
    with tolerated(why.append):
        pickle.Pickler(written, protocol=5).dump(value)
    if why:
        said = shorten(f"{type(why[0]).__name__}: {why[0]}", 120)
        raise NotComparable(f"{_article(value)} cannot be compared ({said})")
    body = written.getvalue()
    if len(body) > _PICKLE_MAX_BYTES:
        raise NotComparable(f"its pickle has {len(body):,} bytes")
    if b"__main__" in body:
        # By its name alone: an edited function would count as the same one.
        raise NotComparable(f"{_article(value)} refers to code of the notebook")
    return hashlib.sha256(body).hexdigest()


def _is_torch_module(value: Any) -> bool:
    torch = sys.modules.get("torch")
    module = getattr(getattr(torch, "nn", None), "Module", None)
    return module is not None and isinstance(value, module)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _article(value: Any) -> str:
    names = {type: "a class", types.FunctionType: "a function"}
    return names.get(type(value), f"a value of {type(value).__name__}")


def _sha(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        body = part.encode("utf-8", "surrogatepass")
        digest.update(len(body).to_bytes(8, "big") + body)
    return digest.hexdigest()
