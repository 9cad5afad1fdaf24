"""What a class is, told by what C keeps of it: its metaclass is not asked.

A metaclass, a `__class__` or a property of the notebook's may answer otherwise, or run
code of the user's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made while running
_mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_vars_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
_name_of: Callable[[type], str] = type.__dict__["__name__"].__get__
_flags_of = type.__dict__["__flags__"].__get__


def mro_of(kind: type) -> tuple[type, ...]:
    """The bases of a class, without asking its metaclass.

    >>> mro_of(bool)
    (<class 'bool'>, <class 'int'>, <class 'object'>)
    """
    return _mro_of(kind)


def vars_of(kind: type) -> Any:
    """The attributes of a class itself, without asking its metaclass.

    >>> "append" in vars_of(list)
    True
    """
    return _vars_of(kind)


def name_of(kind: type) -> str:
    """The name of a class, without asking its metaclass.

    >>> name_of(dict)
    'dict'
    """
    return _name_of(kind)


def module_of(kind: type) -> str:
    """The name of the module of a class, as the class says.

    >>> import weakref
    >>> module_of(dict), module_of(weakref.ref)
    ('builtins', 'weakref')
    """
    found = _vars_of(kind).get("__module__")
    if type(found) is str:
        return found
    name: object = type.__module__  # a C type tells it by a descriptor of `type`
    if lives_on(kind):
        name = type.__getattribute__(kind, "__module__")
    return name if type(name) is str else "builtins"


def root_of(kind: type) -> str:
    """The top-level module of a class.

    >>> import decimal
    >>> root_of(decimal.Decimal)
    'decimal'
    """
    return module_of(kind).partition(".")[0]


def is_a(value: object, kind: type) -> bool:
    """As `isinstance`, which would also ask the object for its `__class__`.

    >>> is_a(True, int), is_a(3, str)
    (True, False)
    """
    return issubclass(type(value), kind)


def lives_on(kind: type) -> bool:
    """Whether a class is a part of the interpreter or of a library in C, for good.

    >>> lives_on(dict), lives_on(type("Made", (), {}))
    (True, False)
    """
    return not _flags_of(kind) & _HEAP_TYPE
