"""How arrays and generators of numpy and the trees of scikit-learn are read.

An array's whole content is hashed where it lies, without a copy where its memory is in
one piece. What owns the memory is a part: a write through any view shows as an alias.
"""

from __future__ import annotations

import sys
from typing import Any

from nbtrack.capture.classes import is_a
from nbtrack.capture.dataflow.portrait_bytes import fingerprint
from nbtrack.capture.dataflow.portrait_inert import constant
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk

_COPIED = 1 << 22  # bytes of a strided array that are brought together at once


def add_array(walk: Walk, value: Any) -> None:
    """An array or an instance of a subclass: dtype, shape, flags, every element.

    >>> from nbtrack.capture.dataflow.portraits import Budget, portrait
    >>> import numpy
    >>> look = lambda *a: portrait(
    ...     numpy.array(a), namespace={}, budget=Budget(9, 999)
    ... ).digest
    >>> look(1, 2) == look(1, 2) != look(2, 1)
    True
    """
    import numpy

    array = value
    if type(value) is not numpy.ndarray:
        array = numpy.ndarray.view(value, numpy.ndarray)
    walk.roots.add("numpy")
    add_base(walk, value)
    dtype = array.dtype
    kind = dtype.str if dtype.names is None else repr(dtype)
    flags = array.flags.writeable, array.flags.c_contiguous
    walk.tokens.append(("array", kind, *flags, *array.shape))
    add_elements(walk, array)


def add_base(walk: Walk, value: Any) -> None:
    """What owns the memory of an array, and where it lies."""
    import numpy

    get_base = numpy.ndarray.__dict__["base"].__get__
    owner, base = value, get_base(value)
    while base is not None and is_a(base, numpy.ndarray):
        owner, base = base, get_base(base)
    if owner is not value:
        walk.extra_parts.add(id(owner))
    if base is not None and type(base) is not bytes:
        if type(base) is memoryview:
            base = base.obj
        walk.extra_parts.add(id(base))
    if "torch" in sys.modules:
        for one in {id(owner): owner, id(value): value}.values():
            address = numpy.ndarray.__dict__["__array_interface__"].__get__(one)[
                "data"
            ][0]
            walk.extra_parts.add(memory_part(address))


def memory_part(address: int) -> int:
    """The part that stands for memory, whoever owns it; no id of an object.

    >>> memory_part(16)
    -17
    """
    return -address - 1


def add_elements(walk: Walk, array: Any) -> None:
    """Every element, in the order of memory where that is in one piece."""
    dtype = array.dtype
    if dtype.hasobject or dtype.char == "T":
        _add_objects(walk, array)
    elif walk.can_pay(array.nbytes):
        walk.tokens.append(hash_elements(array))


def _add_objects(walk: Walk, array: Any) -> None:
    import numpy

    if array.dtype.names is None:
        if not walk.can_copy(array.size):
            return
        flat = numpy.ndarray.reshape(array, -1).tolist()
        walk.add_members(("objects",), flat)
        return
    for name in array.dtype.names:
        field = array[name]
        walk.tokens.append(("field", name, field.dtype.str))
        add_elements(walk, field)


def hash_elements(array: Any) -> int:
    """A number for the bytes of all elements.

    >>> import numpy
    >>> grid = numpy.arange(6.0).reshape(2, 3)
    >>> hash_elements(grid[:, ::2]) == hash_elements(grid[:, ::2].copy())
    True
    """
    import numpy

    if not array.nbytes:
        return 0
    if array.flags.c_contiguous:
        return fingerprint(array.reshape(-1).view(numpy.uint8))
    if array.flags.f_contiguous:
        return fingerprint(array.T.reshape(-1).view(numpy.uint8))
    if array.nbytes <= _COPIED or len(array) < 2:
        return fingerprint(array.tobytes())
    step = max(1, len(array) * _COPIED // array.nbytes)
    pieces = [
        fingerprint(array[start : start + step].tobytes())
        for start in range(0, len(array), step)
    ]
    return hash(tuple(pieces))


def _masked(walk: Walk, value: Any) -> None:
    import numpy

    facts = numpy.ma.MaskedArray.__dict__["__dict__"].__get__(value)
    add_array(walk, value)
    walk.stack.append({**facts, "_basedict": None, "_optinfo": None}.get("_mask"))
    walk.tokens.append(bool(facts.get("_hardmask")))


def _scalar(walk: Walk, value: Any) -> None:
    import numpy

    walk.roots.add("numpy")
    if is_a(value, numpy.void):
        add_array(walk, numpy.asarray(value))
        walk.extra_parts.add(id(value.base) if value.base is not None else id(value))
        return
    walk.frozen.add(id(value))
    if is_a(value, numpy.object_):
        walk.hide("a scalar object of numpy")
        return
    if value.dtype.char in "gG":  # some of its bytes are noise
        walk.tokens.append((value.dtype.str, str(value)))
        return
    walk.tokens.append((value.dtype.str, numpy.generic.tobytes(value)))


def _generator(walk: Walk, value: Any) -> None:
    walk.roots.add("numpy")
    walk.tokens.append("generator")
    get = vars(sys.modules["numpy.random"].Generator)["bit_generator"].__get__
    walk.stack.append(get(value))


def _random_state(walk: Walk, value: Any) -> None:
    walk.roots.add("numpy")
    walk.tokens.append("random")
    kind = sys.modules["numpy.random"].RandomState
    _add_state(walk, kind.get_state(value, legacy=False))
    walk.extra_parts.add(id(vars(kind)["_bit_generator"].__get__(value)))


def _bit_generator(walk: Walk, value: Any) -> None:
    walk.tokens.append("bits")
    _add_state(walk, value.state)
    walk.stack.append(value.seed_seq)


def _seed_sequence(walk: Walk, value: Any) -> None:
    walk.tokens.append(("seeds", value.n_children_spawned, *value.spawn_key))
    entropy = value.entropy
    walk.stack.append(entropy if type(entropy) is int else repr(entropy))


def _add_state(walk: Walk, state: Any) -> None:
    """A state that was made just now: what it holds is no part of anything."""
    import numpy

    for key in state:
        inner = state[key]
        walk.tokens.append(key)
        if isinstance(inner, dict):
            _add_state(walk, inner)
        elif isinstance(inner, numpy.ndarray):
            walk.tokens.append(hash_elements(inner))
        else:
            walk.tokens.append(inner if isinstance(inner, int) else repr(inner))


def _tree(walk: Walk, value: Any) -> None:
    walk.roots.add("sklearn")
    walk.tokens.append("tree")
    get_state: Any = type(value).__getstate__
    state = get_state(value)
    if walk.can_pay(sum(getattr(part, "nbytes", 0) for part in state.values())):
        _add_state(walk, state)


ARRAYS: dict[str, Handler] = {
    "ndarray": add_array,
    "memmap": add_array,
    "MaskedArray": _masked,
    **dict.fromkeys(("generic", "str_", "bytes_"), _scalar),
    "dtype": constant,
    "ufunc": constant,
    "Generator": _generator,
    "RandomState": _random_state,
    "BitGenerator": _bit_generator,
    "SeedSequence": _seed_sequence,
    "Tree": _tree,
    # They count their queries, and never change what they answer.
    **dict.fromkeys(("KDTree", "BallTree", "KDTree64", "BallTree64"), constant),
    **dict.fromkeys(("KDTree32", "BallTree32"), constant),
}
