"""A change in place gives another digest, and nothing else does."""

from __future__ import annotations

import copy
import decimal
import functools
import itertools
import json
import queue
import sqlite3
import threading
import types
import weakref
from typing import Any

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from portrait_cases import (
    CHANGES,
    ITERATORS,
    ONE,
    PLAIN,
    Plain,
    counter,
    is_seen,
    look,
    memo,
)

from nbtrack.capture.dataflow.portraits import Budget, portrait


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_in_place_is_seen(case):
    make, change = CHANGES[case]
    assert is_seen(make(), change)


@pytest.mark.parametrize("case", ITERATORS)
def test_the_position_of_an_iterator_is_seen_and_kept(case):
    watched, other = ITERATORS[case](), ITERATORS[case]()
    told = []
    for _ in range(3):
        assert is_seen(watched, lambda some: told.append(repr(next(some, "end"))))
    assert [t for t in told if " at 0x" not in t] == [
        repr(item)
        for item in (next(other, "end") for _ in range(3))
        if " at 0x" not in repr(item)
    ]


def test_the_second_round_of_a_cycle_is_seen():
    watched = itertools.cycle([1, 2])
    digests = [(look(watched).digest, next(watched)) for _ in range(6)]
    assert len({digest for digest, _ in digests[2:4]}) == 2
    assert [item for _, item in digests] == [1, 2] * 3


@pytest.mark.parametrize("case", PLAIN)
def test_what_cannot_change_is_plain(case):
    taken = look(PLAIN[case])
    assert (taken.is_plain, taken.opaque, taken.parts) == (True, None, frozenset())
    assert taken.digest == look(PLAIN[case]).digest is not None


@pytest.mark.parametrize("case", CHANGES)
def test_what_can_change_is_not_plain_and_has_parts(case):
    value = CHANGES[case][0]()
    taken = look(value)
    if case == "coroutine":
        value.close()
    assert not taken.is_plain
    assert taken.parts


def test_aliases_share_parts():
    inner = [1]
    one, two = {"a": inner}, ([inner],)
    assert look(one).parts & look(two).parts == {id(inner)}
    assert not look([1]).parts & look([1]).parts - {id(inner)}


def test_an_alias_through_a_closure_is_seen():
    shared: list[int] = []
    assert look(lambda: shared, namespace=globals()).parts >= {id(shared)}
    cell = counter()
    assert look(cell).parts & look([cell.__closure__]).parts


def test_results_in_a_cache_are_looked_at_and_aliased():
    for cached in (memo(4), memo(None)):
        result = cached(1)
        assert id(result) in look(cached).parts
        assert is_seen(cached, lambda _, held=result: held.update(x=5))


def test_a_view_and_its_bytes_are_aliases():
    held = bytearray(b"abc")
    assert id(held) in look(memoryview(held)).parts


def test_codes_of_the_notebook_are_found_wherever_they_hang():
    def f() -> None: ...

    async def g() -> None: ...

    class Holder:
        def method(self) -> None: ...

        @property
        def told(self) -> None: ...

        @functools.cached_property
        def kept(self) -> None: ...

    def numbers() -> Any:
        yield 1

    def names(value: Any) -> set[str]:
        return {code.co_name for code in look(value, namespace=globals()).codes}

    assert names([f]) == names({"a": f}) == names(functools.partial(f)) == {"f"}
    assert names(g) == {"g"}
    assert names(Holder) == names(Holder()) == {"method", "told", "kept"}
    assert "method" in names(Holder().method)
    assert names(types.SimpleNamespace(call=f)) == {"f"}
    assert names(functools.wraps(f)(lambda: 1)) == {"<lambda>", "f"}
    assert names(functools.lru_cache(f)) == {"f"}
    assert names(map(f, [])) == {"f"}
    assert names(threading.Timer(1, f)) == {"f"}
    assert names(lambda x=f: x) == {"<lambda>", "f"}
    assert names(numbers()) == {"numbers"}
    assert names(json.dumps) == set()


def test_roots_name_the_libraries_that_are_reached():
    assert look([decimal.Decimal(1), ONE]).roots == {"decimal", "fractions"}
    assert look({"a": json}).roots == {"json"}
    assert look([1, "a"]).roots == frozenset()


def test_what_lies_elsewhere_is_opaque_and_says_what_it_is(tmp_path):
    with sqlite3.connect(":memory:") as connection:
        assert look(connection).opaque == "a database connection"
        assert look([connection]).digest is None
    connection.close()
    with open(tmp_path / "log.txt", "w") as log:
        assert look(log).opaque == "an open file that is written to, or a stream"
    assert look(log).opaque is None
    assert (
        look(queue.SimpleQueue()).opaque == "a SimpleQueue, which keeps its state in C"
    )


def test_the_position_of_an_open_file_is_seen(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\nthree\n")
    with open(path) as text, open(path, "rb") as binary, open(path, "rb", 0) as raw:
        for file in (text, binary, raw):
            assert is_seen(file, lambda some: some.readline())
            assert is_seen(file, lambda some: some.close())


def test_reading_a_file_goes_on_where_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\nthree\n")
    with open(path) as text:
        lines = []
        for line in text:
            look(text)
            lines.append(line)
    assert lines == ["one\n", "two\n", "three\n"]


def test_a_generator_keeps_nothing_of_the_portrait():
    def made() -> Any:
        held = Plain()
        yield weakref.ref(held)
        del held
        yield None

    running = made()
    target = next(running)
    look(running)
    next(running)
    assert target() is None


def test_no_value_is_kept_alive():
    value = Plain()
    value.circle = value  # type: ignore[attr-defined]
    taken = look([value])
    target = weakref.ref(value)
    value.circle = None  # type: ignore[attr-defined]
    del value
    assert target() is None
    assert taken.digest is not None


LEAVES = (
    st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.booleans()
    | st.none()
    | st.binary(max_size=5)
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=20)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=5)
        | st.tuples(inner, inner)
        | st.sets(
            st.integers() | st.text(max_size=2) | st.tuples(st.integers()), max_size=9
        )
    ),
    max_leaves=60,
)


@settings(deadline=None, max_examples=examples(60))
@given(value=NESTED)
def test_a_deep_copy_has_the_same_digest(value):
    assert look(copy.deepcopy(value)).digest == look(value).digest is not None


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every list and dict inside, with each index or key."""
    found, todo = [], [value]
    while todo:
        one = todo.pop()
        if isinstance(one, list | dict):
            keys = list(range(len(one))) if isinstance(one, list) else list(one)
            found += [(one, key) for key in keys]
            todo += [one[key] for key in keys]
        elif isinstance(one, tuple):
            todo += one
    return found


@settings(deadline=None, max_examples=examples(60))
@given(value=NESTED.filter(_places), leaf=LEAVES, data=st.data())
def test_any_leaf_that_changes_is_seen(value, leaf, data):
    holder, key = data.draw(st.sampled_from(_places(value)))
    before, was = look(value).digest, holder[key]
    holder[key] = leaf
    is_same = type(was) is type(leaf) and repr(was) == repr(leaf)
    assert (look(value).digest == before) == is_same


def test_over_the_budget_is_opaque_with_what_was_seen():
    inner = [1]
    value = [inner, counter(), *([i] for i in range(100))]
    taken = look(value, nodes=10)
    assert (taken.digest, taken.opaque) == (None, "over the budget")
    assert id(inner) in taken.parts
    assert [code.co_name for code in taken.codes] == ["count"]
    assert look(bytearray(1000), n_bytes=100).opaque == "over the budget"
    assert look(["a" * 600] * 50, n_bytes=100).opaque == "over the budget"
    assert look(list(range(100_000)), nodes=100).opaque == "over the budget"


def test_the_budget_is_spent_by_nodes_and_bytes():
    budget = Budget(100, 1000)
    portrait([[1], bytearray(10)], namespace={}, budget=budget)
    assert (budget.nodes, budget.bytes, budget.exhausted) == (97, 990, False)
    budget.spend(nodes=98)
    assert budget.exhausted
