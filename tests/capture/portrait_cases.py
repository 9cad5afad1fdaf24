"""Values of the standard library, and for each a change in place that must be seen."""

from __future__ import annotations

import argparse
import array
import collections
import contextvars
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import json
import mmap
import operator
import pathlib
import queue
import random
import re
import threading
import types
import uuid
import weakref
from typing import Any, ClassVar, NamedTuple

from nbtrack.capture.dataflow.portraits import Budget, Portrait, portrait


def look(
    value: Any,
    *,
    nodes: int = 100_000,
    n_bytes: int = 10_000_000,
    namespace: dict[str, Any] | None = None,
) -> Portrait:
    """The portrait as in a notebook in which this module, or `namespace`, stands."""
    home = globals() if namespace is None else namespace
    return portrait(value, namespace=home, budget=Budget(nodes, n_bytes))


def is_seen(value: Any, change: Any) -> bool:
    """Whether the change shows; nothing must show where nothing was changed."""
    first, second = look(value), look(value)
    assert first.opaque is None, first.opaque
    assert first == second
    change(value)
    return look(value).digest != first.digest


class Plain:
    shared: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.x = 1
        self.inner = [1]

    @property
    def doubled(self) -> int:
        return self.x * 2

    @classmethod
    def make(cls) -> Plain:
        return cls()

    @staticmethod
    def help() -> int:
        return 1


class Slotted:
    __slots__ = ("a", "b")


class Both(Slotted):
    pass


class SlottedMore(Slotted):
    __slots__ = ("__dict__", "c")


class MyList(list):
    pass


class MyDict(dict):
    pass


class MySet(set):
    pass


class MyInt(int):
    pass


class MyText(str):
    pass


class MyTuple(tuple):
    pass


class MyError(Exception):
    pass


class MyRandom(random.Random):
    pass


class Ordered(collections.OrderedDict):
    pass


@dataclasses.dataclass
class Point:
    x: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class SlottedPoint:
    x: int = 0


class Pair(NamedTuple):
    left: list[int]
    right: int


class Color(enum.Enum):
    RED = 1
    BLUE = [2]  # noqa: RUF012


class Meta(type):
    registry: ClassVar[dict[str, type]] = {}

    def __new__(mcs, name: str, bases: Any, facts: Any) -> Any:
        made = super().__new__(mcs, name, bases, facts)
        mcs.registry[name] = made
        return made


class WithMeta(metaclass=Meta):
    pass


class Registered:
    known: ClassVar[dict[str, type]] = {}

    def __init_subclass__(cls) -> None:
        Registered.known[cls.__name__] = cls


def counter() -> Any:
    n = 0

    def count() -> int:
        nonlocal n
        n += 1
        return n

    return count


def memo(maxsize: int | None = 4) -> Any:
    @functools.lru_cache(maxsize=maxsize)
    def cached(x: int) -> dict[str, int]:
        return {"x": x}

    return cached


def decorated() -> Any:
    def deco(f: Any) -> Any:
        @functools.wraps(f)
        def inner(*args: Any) -> Any:
            inner.calls += 1
            return f(*args)

        inner.calls = 0
        return inner

    @deco
    def called() -> None:
        return None

    return called


def with_default() -> Any:
    def f(x: list[int] = [], *, y: dict[str, int] = {}) -> None:  # noqa: B006
        x.append(1)
        y["a"] = len(y)

    return f


def numbers() -> Any:
    kept: list[int] = []
    for i in range(5):
        kept.append(i)
        yield i


async def waiting() -> int:
    return 1


async def async_numbers() -> Any:
    yield 1


def circle() -> list[Any]:
    made: list[Any] = [1]
    made.append(made)
    return made


def put(key: Any, value: Any) -> Any:
    return lambda target: operator.setitem(target, key, value)


def attribute(name: str, value: Any) -> Any:
    return lambda target: setattr(target, name, value)


def mapped(n: int) -> Any:
    made = mmap.mmap(-1, n)
    made.write(b"x" * n)
    made.seek(0)
    return made


def fresh_class() -> Any:
    class Fresh:
        shared: ClassVar[list[int]] = []

        def method(self) -> int:
            return 1

    return Fresh


def fresh_instance() -> Any:
    return fresh_class()()


def module_of_ones_own() -> Any:
    made = types.ModuleType("made_by_hand")
    made.state = {"a": [1]}
    return made


def simple_queue() -> Any:
    made: queue.Queue[int] = queue.Queue()
    made.put(1)
    return made


def weak_values() -> Any:
    made: Any = weakref.WeakValueDictionary()
    made["held"] = held = Plain()
    made.keep = held  # type: ignore[attr-defined]
    return made


ONE = fractions.Fraction(1, 3)
CODE = counter().__code__.replace()
PLACES: dict[str, list[Any]] = {"a": [1]}

CHANGES: dict[str, tuple[Any, Any]] = {
    "list item": (lambda: [1, 2], put(0, 9)),
    "list append": (lambda: [1, 2], lambda v: v.append(2)),
    "list swap": (lambda: [1, 2], lambda v: v.reverse()),
    "list emptied": (lambda: [1], list.clear),
    "list of many": (lambda: list(range(1000)), put(500, -1)),
    "list swap of many": (lambda: list(range(1000)), lambda v: v.reverse()),
    "-1 to -2": (lambda: [-1], put(0, -2)),
    "0 to the modulus": (lambda: [0] * 100, put(7, 2**61 - 1)),
    "1 to True": (lambda: [1], put(0, True)),
    "1 to 1.0": (lambda: [1] * 100, put(3, 1.0)),
    "0.0 to -0.0": (lambda: [0.0], put(0, -0.0)),
    "0.0 to nan": (lambda: [0.0], put(0, float("nan"))),
    "text to bytes": (lambda: ["a"], put(0, b"a")),
    "None to Ellipsis": (lambda: [None], put(0, ...)),
    "a long text": (lambda: ["a" * 5000], put(0, "a" * 4999 + "b")),
    "tuples of many": (lambda: [("a", i) for i in range(100)], put(50, ("b", 50))),
    "a split of tuples": (
        lambda: [(1, 2), (3,)] * 20,
        lambda v: v.__setitem__(slice(0, 2), [(1,), (2, 3)]),
    ),
    "tuple in list of tuples": (lambda: [(1, [2])] * 3, lambda v: v[0][1].append(1)),
    "dict value": (lambda: {"a": 1}, put("a", 2)),
    "dict value nested": (lambda: {"a": [1]}, lambda v: v["a"].append(1)),
    "dict key": (lambda: {1: "a"}, lambda v: v.__setitem__(True, v.pop(1))),
    "dict order": (lambda: {"a": 1, "b": 2}, lambda v: v.update(a=v.pop("a"))),
    "dict keys and values": (lambda: {"a": "b"}, lambda v: v.update({v.pop("a"): "a"})),
    "dict with keys of tuples": (lambda: {(1, 2): [3]}, lambda v: v[1, 2].append(4)),
    "dict of many": (lambda: {str(i): float(i) for i in range(99)}, put("5", 5)),
    "set": (lambda: {1, 2}, lambda v: v.add(3)),
    "set of tuples": (lambda: {(1, 2)}, lambda v: v.add((2, 1))),
    "set of objects": (lambda: {Plain()}, lambda v: setattr(next(iter(v)), "x", 2)),
    "deque": (lambda: collections.deque([1, 2]), lambda v: v.rotate(1)),
    "OrderedDict": (
        lambda: collections.OrderedDict(a=1, b=2),
        lambda v: v.move_to_end("a"),
    ),
    "a subclass of OrderedDict": (
        lambda: Ordered(a=1, b=2),
        lambda v: v.move_to_end("a"),
    ),
    "defaultdict": (lambda: collections.defaultdict(list), lambda v: v["a"]),
    "default_factory": (
        lambda: collections.defaultdict(list),
        attribute("default_factory", set),
    ),
    "Counter": (lambda: collections.Counter("aab"), lambda v: v.update("a")),
    "ChainMap": (lambda: collections.ChainMap({}, {"a": 1}), put("a", 2)),
    "UserDict": (lambda: collections.UserDict(a=1), put("a", 2)),
    "bytearray": (lambda: bytearray(b"abc"), put(0, 0)),
    "memoryview": (lambda: memoryview(bytearray(b"abc")), put(0, 0)),
    "array": (lambda: array.array("d", [1.0, 2.0]), put(0, -1.0)),
    "mmap": (lambda: mapped(10), put(3, 1)),
    "mmap position": (lambda: mapped(10), lambda v: v.read(1)),
    "nested": (
        lambda: [{"a": ([1, {"b": [2]}],)}],
        lambda v: v[0]["a"][0][1]["b"].pop(),
    ),
    "circle": (circle, put(0, 2)),
    "sharing": (lambda: [[1], [1]], lambda v: v.__setitem__(1, v[0])),
    "attribute": (Plain, attribute("x", 2)),
    "new attribute": (Plain, attribute("y", 2)),
    "deleted attribute": (Plain, lambda v: delattr(v, "x")),
    "attribute nested": (Plain, lambda v: v.inner.append(2)),
    "slot": (Slotted, attribute("a", 1)),
    "slot deleted": (
        lambda: (made := Slotted(), setattr(made, "a", 1))[0],
        lambda v: delattr(v, "a"),
    ),
    "one slot, not the other": (
        lambda: (made := Slotted(), setattr(made, "a", 1))[0],
        lambda v: (setattr(v, "b", v.a), delattr(v, "a")),
    ),
    "slot of a base": (Both, attribute("a", 1)),
    "attribute beside a slot": (Both, attribute("z", 1)),
    "slots and attributes": (SlottedMore, attribute("z", 1)),
    "other class": (
        lambda: type("A", (Plain,), {"__module__": __name__})(),
        attribute("__class__", type("B", (Plain,), {"__module__": __name__, "k": 1})),
    ),
    "list subclass": (lambda: MyList([1]), lambda v: v.append(2)),
    "list subclass attribute": (lambda: MyList([1]), attribute("a", 2)),
    "dict subclass": (lambda: MyDict(a=1), put("b", 2)),
    "set subclass": (lambda: MySet([1]), lambda v: v.add(2)),
    "int subclass": (lambda: MyInt(3), attribute("unit", "m")),
    "text subclass": (lambda: MyText("a"), attribute("unit", "m")),
    "tuple subclass": (lambda: MyTuple(([],)), lambda v: v[0].append(1)),
    "error": (lambda: ValueError([1]), lambda v: v.args[0].append(1)),
    "error of one's own": (lambda: MyError(1), attribute("note", 1)),
    "OSError": (lambda: OSError(1, "x"), attribute("note", 1)),
    "dataclass": (Point, attribute("x", 5)),
    "dataclass nested": (Point, lambda v: v.tags.append("a")),
    "dataclass with slots": (SlottedPoint, attribute("x", 5)),
    "namedtuple": (lambda: Pair([1], 2), lambda v: v.left.append(1)),
    "made namedtuple": (
        lambda: collections.namedtuple("Made", "a")([1]),
        lambda v: v.a.append(1),
    ),
    "enum": (lambda: Color.BLUE, lambda v: v.value.append(1)),
    "class attribute": (fresh_class, attribute("k", 1)),
    "class attribute in place": (fresh_class, lambda v: v.shared.append(1)),
    "method": (fresh_class, attribute("method", lambda self: 2)),
    "method of an instance": (
        fresh_instance,
        lambda v: setattr(type(v), "method", lambda self: 2),
    ),
    "class attribute of an instance": (fresh_instance, lambda v: v.shared.append(1)),
    "class registry": (
        lambda: Registered,
        lambda v: type("New", (Registered,), {}),
    ),
    "metaclass registry": (lambda: WithMeta, lambda v: Meta("New", (), {})),
    "closure counter": (counter, lambda v: v()),
    "attribute of a function": (decorated, lambda v: v()),
    "default of a function": (with_default, lambda v: v()),
    "keyword default": (with_default, lambda v: v([])),
    "code of a function": (
        counter,
        attribute("__code__", CODE),
    ),
    "lru_cache": (memo, lambda v: v(1)),
    "partial": (lambda: functools.partial(max, [1]), lambda v: v.args[0].append(1)),
    "partial keywords": (
        lambda: functools.partial(max, key=len),
        lambda v: v.keywords.clear(),
    ),
    "partial attribute": (lambda: functools.partial(max), attribute("a", 1)),
    "bound method": (lambda: Plain().__init__, lambda v: v.__self__.inner.append(1)),
    "bound built-in": (lambda: [].append, lambda v: v(1)),
    "method wrapper": (lambda: [].__len__, lambda v: v.__self__.append(1)),
    "function in a list": (lambda: [counter()], lambda v: v[0]()),
    "property": (lambda: property(counter()), lambda v: v.fget()),
    "staticmethod": (lambda: staticmethod(counter()), lambda v: v()),
    "generator": (numbers, next),
    "generator closed": (numbers, lambda v: v.close()),
    "generator expression": (lambda: (i for i in [1, 2]), next),
    "coroutine": (waiting, lambda v: v.close()),
    "list of a generator": (
        lambda: (made := numbers(), next(made))[0],
        lambda v: v.gi_frame.f_locals["kept"].append(1),
    ),
    "text in memory": (lambda: io.StringIO("abc"), lambda v: v.write("x")),
    "position of text in memory": (lambda: io.StringIO("abc"), lambda v: v.read(1)),
    "bytes in memory": (lambda: io.BytesIO(b"abc"), lambda v: v.read(1)),
    "bytes in memory written": (
        lambda: io.BytesIO(b"abc"),
        lambda v: (v.write(b"x"), v.seek(0)),
    ),
    "bytes in memory closed": (lambda: io.BytesIO(b"abc"), lambda v: v.close()),
    "random": (lambda: random.Random(1), lambda v: v.random()),
    "random gauss": (lambda: random.Random(1), lambda v: v.gauss(0, 1)),
    "random of one's own": (lambda: MyRandom(1), lambda v: v.random()),
    "lock": (threading.Lock, lambda v: v.acquire()),
    "rlock": (threading.RLock, lambda v: v.acquire()),
    "event": (threading.Event, lambda v: v.set()),
    "semaphore": (threading.Semaphore, lambda v: v.acquire()),
    "queue": (simple_queue, lambda v: v.get()),
    "weak values": (weak_values, lambda v: v.__dict__.pop("keep")),
    "weak reference": (
        lambda: weakref.ref(Plain),
        lambda v: setattr(v(), "extra", len(vars(v()))),
    ),
    "namespace": (lambda: types.SimpleNamespace(a=1), attribute("a", 2)),
    "arguments": (lambda: argparse.Namespace(a=1), attribute("a", 2)),
    "mapping view": (
        lambda: types.MappingProxyType(PLACES),
        lambda v: PLACES["a"].append(1),
    ),
    "decimal context": (lambda: decimal.Context(), attribute("prec", 3)),
    "context variable": (
        lambda: contextvars.ContextVar("test", default=1),
        lambda v: v.set(2),
    ),
    "module of one's own": (module_of_ones_own, lambda v: v.state["a"].append(1)),
    "slice": (lambda: slice([1], 2), lambda v: v.start.append(1)),
    "hash": (lambda: __import__("hashlib").sha256(), lambda v: v.update(b"x")),
}

ITERATORS: dict[str, Any] = {
    "list": lambda: iter([1, 2, 3, 4]),
    "tuple": lambda: iter((1, 2, 3, 4)),
    "text": lambda: iter("abcd"),
    "other text": lambda: iter("äößü"),
    "bytes": lambda: iter(b"abcd"),
    "bytearray": lambda: iter(bytearray(b"abcd")),
    "range": lambda: iter(range(4)),
    "long range": lambda: iter(range(1 << 70, (1 << 70) + 4)),
    "dict": lambda: iter({1: 1, 2: 2, 3: 3}),
    "values": lambda: iter({1: 1, 2: 2, 3: 3}.values()),
    "items": lambda: iter({1: 1, 2: 2, 3: 3}.items()),
    "set": lambda: iter({1, 2, 3}),
    "deque": lambda: iter(collections.deque([1, 2, 3])),
    "reversed list": lambda: reversed([1, 2, 3]),
    "reversed dict": lambda: reversed({1: 1, 2: 2, 3: 3}),
    "reversed range": lambda: reversed(range(3)),
    "reversed tuple": lambda: reversed((1, 2, 3)),
    "enumerate": lambda: enumerate([1, 2, 3]),
    "zip": lambda: zip([1, 2, 3], "abc", strict=True),
    "map": lambda: map(str, [1, 2, 3]),
    "filter": lambda: filter(None, [1, 2, 3]),
    "sentinel": lambda: iter([1, 2, 3].pop, 0),
    "count": lambda: itertools.count(),
    "count by": lambda: itertools.count(1, 0.5),
    "cycle": lambda: itertools.cycle([1, 2, 3]),
    "repeat": lambda: itertools.repeat("a", 3),
    "chain": lambda: itertools.chain([1, 2], [3]),
    "chain of": lambda: itertools.chain.from_iterable([[1, 2], [3]]),
    "islice": lambda: itertools.islice([1, 2, 3], 3),
    "accumulate": lambda: itertools.accumulate([1, 2, 3]),
    "product": lambda: itertools.product([1, 2], [3, 4]),
    "permutations": lambda: itertools.permutations([1, 2, 3]),
    "combinations": lambda: itertools.combinations([1, 2, 3], 2),
    "combinations again": lambda: itertools.combinations_with_replacement([1, 2], 2),
    "compress": lambda: itertools.compress([1, 2, 3], [1, 1, 1]),
    "starmap": lambda: itertools.starmap(max, [(1, 2), (3, 4), (5, 6)]),
    "dropwhile": lambda: itertools.dropwhile(bool, [0, 1, 2]),
    "takewhile": lambda: itertools.takewhile(bool, [1, 2, 3]),
    "filterfalse": lambda: itertools.filterfalse(bool, [0, 0, 0]),
    "zip_longest": lambda: itertools.zip_longest([1, 2], [3]),
    "groupby": lambda: itertools.groupby([1, 2, 3]),
    "pairwise": lambda: itertools.pairwise([1, 2, 3, 4]),
    "tee": lambda: itertools.tee([1, 2, 3])[0],
}

PLAIN: dict[str, Any] = {
    "number": 3,
    "long text": "a" * 100_000_000,
    "tuple": (1, ("a", None, frozenset({1, (2, 3)}))),
    "empty tuple": (),
    "range": range(3),
    "slice": slice(1, 2),
    "decimal": decimal.Decimal("1.0"),
    "fraction": fractions.Fraction(1, 3),
    "datetime": datetime.datetime.now(datetime.UTC),
    "date": datetime.date(2020, 1, 1),
    "time": datetime.time(1),
    "timedelta": datetime.timedelta(1),
    "path": pathlib.Path("a"),
    "uuid": uuid.UUID(int=3),
    "pattern": re.compile("a"),
    "match": re.match("a", "a"),
    "library": json,
    "built-in module": itertools,
    "built-in function": len,
    "library function": json.dumps,
    "library class": json.JSONDecoder,
    "built-in class": dict,
    "method of a class": str.upper,
    "itemgetter": operator.itemgetter(1),
    "NotImplemented": NotImplemented,
    "object": object(),
    "typing": dict[str, int],
    "union": int | None,
    "any": Any,
}
