"""How lists, dicts, sets, buffers and subclasses of numbers and texts are read.

Every function is given an instance of the type or of a subclass, and calls the C type's
own methods only: what a subclass overrides is not run.
"""

from __future__ import annotations

import array
import collections
import marshal
import mmap
from typing import Any

from nbtrack.capture.dataflow.portrait_bytes import FORM
from nbtrack.capture.dataflow.portrait_walk import (
    ATOMS,
    N_PER_NODE,
    Handler,
    Walk,
    copied,
)

_ALL = slice(None)
_deque_iter: Any = collections.deque.__iter__
_ordered_iter: Any = collections.OrderedDict.__iter__
_DICT, _VALUES = ("dict",), ("values",)
_SORTABLE = ({id(int)}, {id(str)}, {id(bytes)})
_DEPTH = 50  # of tuples in tuples that are sorted by what they hold


def _list(walk: Walk, value: Any) -> None:
    if walk.can_copy(list.__len__(value)):
        walk.add_members(("list",), list.copy(value))


def _tuple(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.add_members(("tuple",), tuple.__getitem__(value, _ALL))


def _dict(walk: Walk, value: Any) -> None:
    if not walk.can_copy(dict.__len__(value)):
        return
    if type(value) is dict:
        try:
            _add_pairs(walk, list(value), list(value.values()))
            return
        except RuntimeError:
            pass
    _add_pairs(walk, copied(_keys, value), copied(_values, value))


def _keys(value: Any) -> list[Any]:
    return list(dict.keys(value))


def _values(value: Any) -> list[Any]:
    return list(dict.values(value))


def _add_pairs(walk: Walk, keys: list[Any], values: list[Any]) -> None:
    """Keys first. What is pushed first is visited last, so one order for all."""
    stack, height = walk.stack, len(walk.stack)
    if walk.add_members(_DICT, keys):
        walk.add_members(_VALUES, values)
        return
    pushed = stack[height:]
    del stack[height:]
    walk.push_members(_VALUES, values)
    stack.extend(pushed)


def _default_dict(walk: Walk, value: Any) -> None:
    walk.stack.append(_factory_of(value))
    _dict(walk, value)


_factory_of: Any = collections.defaultdict.__dict__["default_factory"].__get__


def _ordered_dict(walk: Walk, value: Any) -> None:
    """Its order is not that of the dict below it: `move_to_end` changes only one."""
    if not dict.__len__(value):  # a module of torch has a dozen of them
        walk.tokens.extend((_DICT, 0))
        return
    if not walk.can_copy(dict.__len__(value)):
        return
    keys = copied(_keys, value)
    if not all(_is_frozen(key) for key in keys):
        # To iterate would call `__hash__` of the keys.
        walk.hide("an OrderedDict with keys that have a hash of their own")
        _dict(walk, value)
        return
    ordered = copied(lambda odd: list(_ordered_iter(odd)), value)
    _dict(walk, value)
    walk.add_members(("order",), ordered)


def _set(walk: Walk, value: Any) -> None:
    if walk.can_copy(set.__len__(value)):
        members = copied(lambda some: list(set.__iter__(some)), value)
        _add_set(walk, "set", members)


def _frozen_set(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    _add_set(walk, "frozenset", list(frozenset.__iter__(value)))


def _add_set(walk: Walk, kind: str, members: list[Any]) -> None:
    """Sorted by what they hold where that can be told, else as they come."""
    kinds = set(map(id, map(type, members)))
    if kinds in _SORTABLE:
        members.sort()
    elif not walk.can_copy(N_PER_NODE * len(members)):  # a microsecond each
        return
    elif all(_is_frozen(member) for member in members):
        members.sort(key=lambda member: marshal.dumps(member, FORM))
    walk.add_members((kind,), members)


def _is_frozen(value: Any, depth: int = 0) -> bool:
    """Whether it is made of atoms and tuples of them only."""
    if id(type(value)) in ATOMS:
        return True
    if depth > _DEPTH or not _is_plain_nest(type(value)):
        return False
    return all(_is_frozen(member, depth + 1) for member in value)


def _is_plain_nest(kind: type) -> bool:
    return kind is tuple or kind is frozenset


def _deque(walk: Walk, value: Any) -> None:
    members = copied(lambda some: list(_deque_iter(some)), value)
    length = collections.deque.__dict__["maxlen"].__get__(value)
    walk.tokens.append(length)
    walk.add_members(("deque",), members)


def _bytearray(walk: Walk, value: Any) -> None:
    if walk.can_pay(bytearray.__len__(value)):
        # A copy in one call: a view, however short, would keep it from growing.
        content = bytes(bytearray.__getitem__(value, _ALL))
        walk.add_bytes("bytearray", content, 0)


def _array(walk: Walk, value: Any) -> None:
    n_bytes = array.array.__len__(value) * value.itemsize
    if walk.can_pay(n_bytes):
        walk.tokens.append(array.array.__dict__["typecode"].__get__(value))
        walk.add_bytes("array", array.array.tobytes(value), 0)


def _memory_view(walk: Walk, value: memoryview) -> None:
    about = (value.format, value.readonly, *(value.shape or ()), -1)
    walk.tokens.append(("memoryview", *about))
    if walk.can_pay(value.nbytes):
        walk.add_bytes("bytes", value.tobytes(), 0)
        walk.stack.append(value.obj)


def _mmap(walk: Walk, value: Any) -> None:
    try:
        n_bytes = mmap.mmap.__len__(value)
    except ValueError:
        walk.tokens.append("closed")
        return
    walk.tokens.append(mmap.mmap.tell(value))
    if walk.can_pay(n_bytes):
        walk.add_bytes("mmap", mmap.mmap.__getitem__(value, _ALL), 0)


def _int(walk: Walk, value: Any) -> None:
    walk.tokens.append(int.__int__(value))


def _float(walk: Walk, value: Any) -> None:
    walk.tokens.append(float.__float__(value))


def _complex(walk: Walk, value: Any) -> None:
    walk.tokens.append(complex.__complex__(value))


def _str(walk: Walk, value: Any) -> None:
    walk.add_text(str.__str__(value))


def _bytes(walk: Walk, value: Any) -> None:
    walk.add_text(bytes.__getitem__(value, _ALL))


CONTAINERS: dict[type, Handler] = {
    list: _list,
    tuple: _tuple,
    dict: _dict,
    collections.defaultdict: _default_dict,
    collections.OrderedDict: _ordered_dict,
    set: _set,
    frozenset: _frozen_set,
    collections.deque: _deque,
    bytearray: _bytearray,
    array.array: _array,
    memoryview: _memory_view,
    mmap.mmap: _mmap,
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _bytes,
}
