"""How what has a position or a state is read: iterators, files, locks, generators.

Nothing is consumed, moved or written out. Where the state of an object cannot be had
so, as of a file that is written to, the object is opaque.
"""

from __future__ import annotations

import _random
import collections
import contextvars
import decimal
import gc
import hashlib
import io
import itertools
import sys
import threading
import types
import weakref
from typing import Any

from nbtrack.capture.classes import is_a
from nbtrack.capture.dataflow.portrait_inert import constant
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk
from nbtrack.capture.reread import without_warnings

_UNSET = "unset"


def _by_reduce(walk: Walk, value: Any) -> None:
    """What the C type would pickle: what is iterated, and the position in it."""
    state = _reduced(value)
    walk.tokens.append(("iterator", id(type(value))))
    walk.alive.append(state)
    walk.stack.append(state[2:])
    walk.stack.append(state[1])


def _reduced(value: Any) -> Any:
    """The state by C's own method; of itertools Python 3.12 and later warn of it."""
    reduce: Any = type(value).__reduce__
    with without_warnings():
        return reduce(value)


def _by_what_is_left(walk: Walk, value: Any) -> None:
    """An iterator of a dict or set: the members that are still to come."""
    if not walk.can_copy(type(value).__length_hint__(value)):
        return
    left = _reduced(value)[1][0]
    walk.tokens.append(id(type(value)))
    walk.add_members(("left",), left)
    walk.stack.extend(one for one in gc.get_referents(value) if _is_hashed(one))


def _is_hashed(value: Any) -> bool:
    return is_a(value, dict) or is_a(value, set) or is_a(value, frozenset)


def _by_referents(walk: Walk, value: Any) -> None:
    """What C holds of a type that cannot be pickled, and no more state than that."""
    walk.tokens.append(id(type(value)))
    held = [one for one in gc.get_referents(value) if not is_a(one, type)]
    walk.alive.append(held)
    walk.tokens.append(len(held))
    walk.stack.extend(held)


def _cycle(walk: Walk, value: Any) -> None:
    state = _reduced(value)
    walk.tokens.append("cycle")
    if state[2][1]:  # in its second round
        rest = _reduced(state[1][0])
        walk.tokens.append(rest[2] if len(rest) > 2 else 0)
        walk.stack.append(tuple(state[2][0]))
    else:
        walk.stack.append(tuple(state[2][0]))
        walk.stack.append(state[1])


def _tee_data(walk: Walk, value: Any) -> None:
    """Shared by the iterators of one `tee`: what one has seen and another has not."""
    source, seen, following = _reduced(value)[1]
    walk.tokens.append("tee")
    walk.stack.extend((source, tuple(seen), following))


def _generator(walk: Walk, value: Any) -> None:
    _add_frame(walk, value.gi_frame, value.gi_code, value.gi_yieldfrom)


def _coroutine(walk: Walk, value: Any) -> None:
    _add_frame(walk, value.cr_frame, value.cr_code, value.cr_await)


def _async_generator(walk: Walk, value: Any) -> None:
    _add_frame(walk, value.ag_frame, value.ag_code, value.ag_await)


def _add_frame(walk: Walk, frame: Any, code: Any, waits_for: Any) -> None:
    """Where it stands and what its variables are; no frame: it has ended."""
    if frame is None:
        walk.tokens.append("ended")
        return
    if frame.f_globals is walk.namespace:
        walk.codes[id(code)] = code
    walk.tokens.append(("at", frame.f_lasti))
    found = frame.f_locals
    pairs = dict(found)
    if sys.version_info < (3, 13) and code.co_flags & 1:  # CO_OPTIMIZED
        # A copy that the frame keeps: it would keep the values alive, too.
        found.clear()
    walk.stack.append(waits_for)
    walk.add_members(("names",), list(pairs))
    walk.add_members(("values",), list(pairs.values()))


def _text_file(walk: Walk, value: Any) -> None:
    if value.closed:
        walk.tokens.append("closed")
        return
    if any(value is one for one in (sys.__stdin__, sys.__stdout__, sys.__stderr__)):
        constant(walk, value)
        return
    inner = value.buffer
    if type(inner) is not io.BufferedReader or type(inner.raw) is not io.FileIO:
        walk.hide("an open file that is written to, or a stream")
        return
    if not inner.raw.seekable():
        walk.hide("a stream")
        return
    try:
        walk.tokens.append(("file", value.tell()))
    except OSError:  # while its lines are taken one by one
        walk.hide("a file that is being read")


def _binary_file(walk: Walk, value: Any) -> None:
    if value.closed:
        walk.tokens.append("closed")
        return
    raw = value.raw
    if type(raw) is not io.FileIO or not raw.seekable():
        walk.hide("a stream")
        return
    if type(value) is not io.BufferedReader:
        walk.hide("an open file that is written to")
        return
    walk.tokens.append(("file", value.tell()))


def _raw_file(walk: Walk, value: Any) -> None:
    if value.closed:
        walk.tokens.append("closed")
    elif not value.seekable():
        walk.hide("a stream")
    elif value.writable():
        walk.hide("an open file that is written to")
    else:
        walk.tokens.append(("file", value.tell()))


def _memory_file(walk: Walk, value: Any) -> None:
    base = io.BytesIO if is_a(value, io.BytesIO) else io.StringIO
    if base.closed.__get__(value):
        walk.tokens.append("closed")
        return
    walk.tokens.append((base.__name__, base.tell(value)))
    walk.add_text(base.getvalue(value))


def _random_state(walk: Walk, value: Any) -> None:
    walk.tokens.append(("random", *_random.Random.getstate(value)))


def _lock(walk: Walk, value: Any) -> None:
    walk.tokens.append(("lock", value.locked()))


def _reentrant_lock(walk: Walk, value: Any) -> None:
    told = repr(value)  # of C: "<locked _thread.RLock object owner=1 count=1 at ...>"
    walk.tokens.append(("lock", told.partition(" at ")[0]))


def _weak(walk: Walk, value: Any) -> None:
    walk.tokens.append("weak")
    target = weakref.ref.__call__(value)
    walk.alive.append(target)
    walk.stack.append(weakref.ref.__dict__["__callback__"].__get__(value))
    walk.stack.append(target)


def _context_variable(walk: Walk, value: Any) -> None:
    walk.roots.add("contextvars")
    walk.tokens.append("context")
    walk.stack.append(value.get(_UNSET))


def _context(walk: Walk, value: Any) -> None:
    pairs = list(value.items())
    walk.add_members(("context",), [one for pair in pairs for one in pair])


def _decimal_context(walk: Walk, value: Any) -> None:
    state = decimal.Context.__reduce__(value)[1]
    walk.roots.add("decimal")
    walk.tokens.append("context")
    flat = [tuple(one) if type(one) is list else one for one in state]
    walk.stack.extend(flat)
    walk.alive.append(flat)


def _error(walk: Walk, value: Any) -> None:
    walk.tokens.append("error")
    walk.stack.append(BaseException.__dict__["args"].__get__(value))
    facts = BaseException.__dict__["__dict__"].__get__(value)
    walk.stack.append(facts or None)


def _namespace(walk: Walk, value: Any) -> None:
    facts = types.SimpleNamespace.__dict__["__dict__"].__get__(value)
    walk.tokens.append("namespace")
    walk.add_members(("names",), list(facts))
    walk.add_members(("values",), list(facts.values()))


def _mapping_view(walk: Walk, value: Any) -> None:
    """What it shows; its own methods would ask a mapping of the user's."""
    walk.tokens.append("view")
    walk.stack.extend(gc.get_referents(value))


def _hash_object(walk: Walk, value: Any) -> None:
    walk.tokens.append(("hash", value.name, value.hexdigest()))


def _weak_proxy(walk: Walk, value: Any) -> None:
    walk.hide("a weak proxy")


_SEQUENCES: tuple[Any, ...] = ((), [], "", "é", b"", bytearray(), range(0))
_TOOLS = (
    *(enumerate, zip, map, filter, reversed),
    *(type(iter(one)) for one in _SEQUENCES),
    *(type(iter(range(1 << 70))), type(reversed([])), type(iter(int, 0))),
    *(itertools.accumulate, itertools.chain, itertools.combinations, itertools.count),
    *(itertools.combinations_with_replacement, itertools.compress, itertools.starmap),
    *(itertools.dropwhile, itertools.filterfalse, itertools.groupby, itertools.islice),
    *(itertools.permutations, itertools.product, itertools.repeat, itertools.takewhile),
    *(itertools.zip_longest, itertools._tee),  # type: ignore[attr-defined]
    *(type(iter(collections.deque())),),
)
_OF_HASHED: tuple[type, ...] = (
    *(type(iter({})), type(iter({}.values())), type(iter({}.items()))),
    *(type(reversed({})), type(reversed({}.values())), type(reversed({}.items()))),
    type(iter(set())),
)

STATE: dict[type, Handler] = {
    **dict.fromkeys(_TOOLS, _by_reduce),
    **dict.fromkeys(_OF_HASHED, _by_what_is_left),
    itertools.pairwise: _by_referents,
    itertools.cycle: _cycle,
    itertools._tee_dataobject: _tee_data,  # type: ignore[attr-defined]
    types.GeneratorType: _generator,
    types.CoroutineType: _coroutine,
    types.AsyncGeneratorType: _async_generator,
    io.TextIOWrapper: _text_file,
    io.BufferedReader: _binary_file,
    io.BufferedWriter: _binary_file,
    io.BufferedRandom: _binary_file,
    io.FileIO: _raw_file,
    io.BytesIO: _memory_file,
    io.StringIO: _memory_file,
    _random.Random: _random_state,
    type(threading.Lock()): _lock,
    type(threading.RLock()): _reentrant_lock,
    weakref.ref: _weak,
    contextvars.ContextVar: _context_variable,
    contextvars.Context: _context,
    decimal.Context: _decimal_context,
    BaseException: _error,
    types.SimpleNamespace: _namespace,
    types.MappingProxyType: _mapping_view,
    type(hashlib.sha256()): _hash_object,
    weakref.ProxyType: _weak_proxy,
    weakref.CallableProxyType: _weak_proxy,
}
