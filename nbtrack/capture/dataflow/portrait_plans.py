"""Which handler reads an instance of a type: found once for each type, then kept.

A type is known by the nearest of its bases that has a handler. What classes written in
Python add to it is their attributes and slots. What a class written in C adds cannot be
seen, and is told by its size: the value is opaque then.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from nbtrack.capture.classes import lives_on, mro_of, name_of, root_of, vars_of
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk

_ATTRIBUTES, _VALUES, _INSTANCE = ("attributes",), ("values",), ("instance",)
_SLOT, _EMPTY = ("slot",), ("empty slot",)
_MANAGED = -1  # as offset of a `__dict__`: it lies before the object
_POINTER = 8  # bytes of a slot
_N_KEPT = 20_000  # types
_size_of = type.__dict__["__basicsize__"].__get__
_dict_offset_of = type.__dict__["__dictoffset__"].__get__
_weak_offset_of = type.__dict__["__weakrefoffset__"].__get__

# By the id of the type, with a weak reference: an id is given again after a death.
# Bases whose handler sees what the C classes of their own library below them keep.
KNOWN_WHOLE = frozenset(
    [
        "BitGenerator",
        "NDArrayBacked",
        "Tensor",
        "NDFrame",
        "Index",
        "generic",
        "dtype",
        "BlockManager",
        "_Timestamp",
        "_Timedelta",
        "_Period",
        "BaseOffset",
        "Tree",
        *("SparseIndex", "PeriodDtypeBase", "Interval"),
        "_PandasConvertible",
        *("DataType", "Field", "Schema", "Scalar", "Buffer"),
    ]
)
LIBRARY_CACHES = frozenset(
    {
        *("_cache", "_item_cache", "_cacher", "_engine", "_id", "_references"),
        *("_is_copy", "_flags", "_accessors", "_reset_identity"),
        *("_has_sorted_indices", "_has_canonical_format"),
    }
)
# Bases whose handler reads the attributes, too.
READ_WHOLE = frozenset({"NDFrame", "Index", "Tensor", "MaskedArray", "memmap"})
_plans: dict[int, tuple[Any, Handler]] = {}


def plan_of(kind: type) -> Handler:
    """What reads an instance of `kind`, and of no subclass.

    >>> from nbtrack.capture.dataflow.portrait_walk import Budget
    >>> walk = Walk({}, Budget(9, 9))
    >>> plan_of(list)(walk, [1, 2])
    >>> walk.tokens
    [('list',), 2, 1, 2]
    """
    known = _plans.get(id(kind))
    if known is not None:
        alive, handler = known
        if alive is None or alive() is kind:
            return handler
    if len(_plans) > _N_KEPT:
        _plans.clear()
    handler = _make_plan(kind)
    _plans[id(kind)] = (
        None if lives_on(kind) else weakref.ref(kind),
        handler,
    )
    return handler


def _make_plan(kind: type) -> Handler:
    from nbtrack.capture.dataflow.portrait_kinds import handler_of

    own: list[type] = []
    for base in mro_of(kind):
        handler = handler_of(base, exact=base is kind)
        if handler is not None:
            break
        own.append(base)
    else:
        raise TypeError("a type without object among its bases")
    if base is kind:
        return handler
    return _instance_plan(kind, own, base, handler)


def _instance_plan(
    kind: type, own: list[type], base: type, content: Handler
) -> Handler:
    """The attributes and slots that `own` classes add to what `base` has."""
    from nbtrack.capture.dataflow.portrait_code import add_class, is_own_class
    from nbtrack.capture.dataflow.portrait_library import add_hidden

    slots = [member for one in own for member in _slots_of(one)]
    attributes = None if name_of(base) in READ_WHOLE else _dict_getter(own)
    known_whole = base in (BaseException, tuple) or name_of(base) in KNOWN_WHOLE
    hides = not known_whole and _hides(own)
    root = root_of(kind)
    caches = _caches_of(kind, root)
    read_content = None if base is object else content

    def read(walk: Walk, value: Any) -> None:
        walk.tokens.append(_INSTANCE)
        if hides:
            add_hidden(walk, value, root)
        if attributes is not None:
            facts = attributes(value)
            if caches and not is_own_class(walk, kind):
                facts = {key: facts[key] for key in facts if key not in caches}
            add_attributes(walk, facts)
        for slot in slots:
            try:
                walk.stack.append(slot(value))
                walk.tokens.append(_SLOT)
            except AttributeError:
                walk.tokens.append(_EMPTY)
        if read_content is not None:
            read_content(walk, value)
        add_class(walk, kind, root)

    return read


def _caches_of(kind: type, root: str) -> frozenset[str]:
    """Attributes of a library's objects that come and go as they are read."""
    if root in ("pandas", "scipy"):
        return LIBRARY_CACHES
    cached = functools.cached_property
    facts = [vars_of(one) for one in mro_of(kind) if root_of(one) == root]
    found = [name for some in facts for name in some if type(some[name]) is cached]
    return frozenset(found)


def add_attributes(walk: Walk, attributes: Any) -> None:
    """The attributes of an instance; its keys are texts nearly always."""
    if type(attributes) is dict:
        keys, values = list(attributes), list(attributes.values())
    else:
        keys, values = list(dict.keys(attributes)), list(dict.values(attributes))
    walk.add_members(_ATTRIBUTES, keys)
    walk.add_members(_VALUES, values)


def attributes_of(value: Any) -> dict[str, Any]:
    """The `__dict__` of an instance, by the descriptor of C; empty where it has none.

    >>> attributes_of(3)
    {}
    """
    get = _dict_getter(list(mro_of(type(value))))
    return {} if get is None else get(value)


def _slots_of(kind: type) -> list[Callable[[Any], Any]]:
    return [
        member.__get__
        for member in list(vars_of(kind).values())
        if type(member) is MemberDescriptorType
    ]


def _dict_getter(own: list[type]) -> Callable[[Any], Any] | None:
    """What gives the `__dict__` of an instance, whatever its class calls so itself."""
    for kind in own:
        found = vars_of(kind).get("__dict__")
        if type(found) in (GetSetDescriptorType, MemberDescriptorType):
            return found.__get__  # type: ignore[no-any-return]
    return None


def _hides(own: list[type]) -> bool:
    """Whether a class among `own` keeps anything but slots and a `__dict__`."""
    for one in own:
        base = type.__dict__["__base__"].__get__(one) or object
        room = _size_of(one) - _size_of(base)
        room -= _POINTER * len(_slots_of(one))
        in_it = _dict_offset_of(one) not in (0, _MANAGED)
        if in_it and not _dict_offset_of(base):
            room -= _POINTER
        if _weak_offset_of(one) > 0 and not _weak_offset_of(base):
            room -= _POINTER
        if room > 0:
            return True
    return False
