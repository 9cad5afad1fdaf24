"""Values that are made to break whoever looks at them: nothing of theirs is run."""

from __future__ import annotations

import gc
import threading
import types
import weakref
from typing import Any

import pytest
from portrait_cases import is_seen, look

CALLS: list[str] = []


def _count(name: str) -> Any:
    def called(*args: Any, **kwargs: Any) -> Any:
        CALLS.append(name)
        raise RuntimeError(name)

    return called


HOSTILE_NAMES = (
    *("__eq__", "__repr__", "__str__", "__getattr__", "__reduce__", "__len__"),
    *("__reduce_ex__", "__getstate__", "__iter__", "__bool__", "__contains__"),
    *("__getitem__", "__call__", "__copy__", "__deepcopy__", "__sizeof__", "__dir__"),
    *("keys", "values", "items", "copy", "__array__", "__index__", "__format__"),
    *("__float__", "__int__", "__next__", "__length_hint__", "__fspath__", "__del__"),
)


class HostileMeta(type):
    armed = False

    def __eq__(cls, other: object) -> bool:
        return cls is other if not HostileMeta.armed else _count("meta eq")()

    def __hash__(cls) -> int:
        return id(cls) if not HostileMeta.armed else _count("meta hash")()

    def __getattribute__(cls, name: str) -> Any:
        if HostileMeta.armed:
            _count(f"meta {name}")()
        return super().__getattribute__(name)

    def __instancecheck__(cls, other: object) -> bool:
        return _count("meta isinstance")()  # type: ignore[no-any-return]

    def __subclasscheck__(cls, other: object) -> bool:
        return _count("meta issubclass")()  # type: ignore[no-any-return]


def hostile(base: type, **facts: Any) -> type:
    """A class below `base` whose every method raises, with a metaclass that does."""
    methods = {name: _count(name) for name in HOSTILE_NAMES if name != "__del__"}
    methods |= {
        "__class__": property(_count("__class__")),
        "other": property(_count("p")),
    }
    methods |= {"__module__": __name__, **facts}
    made = HostileMeta("Hostile", (base,), methods)
    type.__setattr__(made, "__getattribute__", _count("__getattribute__"))
    return made


@pytest.fixture
def armed():
    CALLS.clear()
    HostileMeta.armed = True
    yield
    HostileMeta.armed = False


def _make(kind: type, *args: Any) -> Any:
    HostileMeta.armed = False
    base = type.__dict__["__base__"].__get__(kind)
    value = base.__new__(kind, *args)
    HostileMeta.armed = True
    return value


@pytest.mark.parametrize(
    ("base", "arg"),
    [
        *((object, ()), (list, ()), (dict, ()), (set, ()), (tuple, ((1,),))),
        *((int, (3,)), (str, ("a",)), (bytes, (b"a",)), (float, (1.0,))),
        *((frozenset, ((1, 2),)), (bytearray, ()), (complex, (1j,))),
        *((Exception, ("x",)), (types.ModuleType, ("m",))),
    ],
)
def test_no_method_of_a_hostile_object_runs(armed, base, arg):
    value = _make(hostile(base), *arg)
    taken = [look(value), look([value, {"a": value}, (value, 1)])]
    assert CALLS == []
    assert [one.opaque for one in taken] == [None, None]
    assert taken[0].digest == look(value).digest


def test_a_hostile_class_and_its_attributes_are_looked_at(armed):
    kind = hostile(object, held=[1])
    taken = look(kind)
    assert (CALLS, taken.opaque) == ([], None)
    vars_of = type.__dict__["__dict__"].__get__
    vars_of(kind)["held"].append(2)
    assert look(kind).digest != taken.digest


def test_keys_with_a_hash_of_their_own_are_not_hashed(armed):
    HostileMeta.armed = False

    class Key:
        quiet = True

        def __hash__(self) -> int:
            return 1 if Key.quiet else _count("hash")()

        def __eq__(self, other: object) -> bool:
            return self is other if Key.quiet else _count("eq")()

    import collections

    keys = [Key(), Key()]
    values = [
        dict.fromkeys(keys),
        set(keys),
        frozenset(keys),
        collections.OrderedDict.fromkeys(keys),
        collections.Counter(keys),
    ]
    Key.quiet = False
    for value in values:
        look(value)
    assert CALLS == []
    Key.quiet = True


def test_a_property_named_dict_is_not_asked(armed):
    HostileMeta.armed = False

    class Odd:
        __dict__ = property(_count("__dict__"))  # type: ignore[assignment]

    look(Odd())
    assert CALLS == []


def test_nobody_passes_for_a_library_class():
    import numpy  # noqa: F401 - it must be loaded for the trap

    made = type("ndarray", (), {"__module__": "numpy"})()
    made.x = [1]
    assert is_seen(made, lambda some: some.x.append(2))


def test_ten_thousand_lists_in_one_another_are_seen_through():
    inner: list[Any] = []
    value = inner
    for _ in range(10_000):
        value = [value]
    assert is_seen([value], lambda _: inner.append(1))
    while value is not inner:  # or else their deaths recurse
        value = value.pop()


def test_tuples_that_double_do_not_explode():
    value: Any = ([],)
    for _ in range(200):
        value = (value, value)
    assert look(value, nodes=1000).opaque is None


def test_an_object_that_was_never_initialised_is_looked_at():
    import decimal
    import fractions
    import io
    import pathlib
    import queue
    import random

    kinds = [io.TextIOWrapper, io.BufferedReader, io.StringIO, io.BytesIO, io.FileIO]
    kinds += [queue.Queue, threading.Thread, threading.Event, random.Random]
    kinds += [fractions.Fraction, pathlib.Path, decimal.Decimal, weakref.WeakSet]
    for kind in kinds:
        taken = look(kind.__new__(kind))
        assert taken.opaque is not None or taken.digest is not None


def test_an_empty_cell_is_no_text():
    def holding(value: Any) -> types.CellType:
        return types.CellType(value)

    digests = {look(types.CellType()).digest, look(holding(("empty",))).digest}
    assert len(digests | {look(holding("empty")).digest}) == 3


def test_a_dead_weak_reference_is_seen():
    class Target:
        pass

    target = [Target()]
    watched = weakref.ref(target[0])
    assert is_seen(watched, lambda _: target.clear())
    assert watched() is None


def test_a_weak_proxy_is_not_followed():
    class Target:
        pass

    target = Target()
    assert look(weakref.proxy(target)).opaque == "a weak proxy"


def test_what_another_thread_changes_breaks_neither_side():
    value: dict[Any, Any] = {"d": {}, "l": [], "s": set(), "b": bytearray()}
    stop, failures = threading.Event(), []

    def change() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            try:
                value["d"][n] = [n]
                value["l"].append([n])
                value["s"].add((n,))
                value["b"].extend(b"x")
                if n % 50 == 0:
                    [part.clear() for part in value.values()]
            except BaseException as exc:
                failures.append(exc)
                raise

    thread = threading.Thread(target=change)
    thread.start()
    for _ in range(200):
        taken = look(value)
        assert taken.digest is not None or taken.opaque is not None
    stop.set()
    thread.join()
    assert failures == []
    assert look(value).digest == look(value).digest


def test_instances_that_refer_to_each_other_are_seen_through():
    class Node:
        def __init__(self) -> None:
            self.peers: list[Node] = []
            self.n = 0

    one, two = Node(), Node()
    one.peers, two.peers = [two, one], [one]
    assert is_seen(one, lambda _: setattr(two, "n", 1))


def test_a_module_that_loads_late_is_not_made_to():
    class Late(types.ModuleType):
        def __getattribute__(self, name: str) -> Any:
            return _count("late")()

    CALLS.clear()
    look(Late("late"))
    assert CALLS == []


def test_an_ended_class_does_not_lend_its_plan_to_the_next():
    def made(base: type) -> Any:
        return type("Short", (base,), {})()

    for n in range(200):
        base = (list, object)[n % 2]
        value = made(base)
        assert look(value).opaque is None
        del value
        gc.collect(0)
