"""What a value becomes on its way into a run, and that it comes back."""

import dataclasses
import enum
import json
import math
import pathlib
import types
from collections import namedtuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.capture.values import (
    MAX_TEXT,
    NotRecordedError,
    decode,
    encode,
    flatten,
    flatten_one,
    key_text,
    path_of,
    unflatten,
)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
keys = st.text(max_size=8) | st.integers() | st.booleans() | st.none()
# Equal keys of other types (1, True) would fall together in any dict.
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (
            a == b and math.copysign(1, a) == math.copysign(1, b)
        )
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def strict(value):
    return json.loads(json.dumps(value, allow_nan=False))


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), trees, max_size=4))
def test_nested_values_round_trip_with_types_through_strict_json(tree):
    assert same(unflatten(strict(flatten(tree))), tree)


@given(keys)
def test_any_key_survives_in_a_dotted_name(key):
    expected = key if not isinstance(key, str) else decode(encode(key))
    assert path_of(f"a.{key_text(key)}.b") == ("a", expected, "b")


def test_typed_nested_params_of_the_field_guide():
    tree = {"opt": {"lr": 1e-3, "b": [0.9, 0.99]}}
    assert flatten(tree) == {"opt.lr": 0.001, "opt.b": [0.9, 0.99]}
    assert unflatten(flatten(tree)) == tree


@pytest.mark.parametrize(
    "value",
    [
        -0.0,
        2**63,
        -(2**80),
        2**53 + 1,
        1.0,
        True,
        "1",
        "",
        "True",
        math.inf,
        [],
        {},
        [[]],
    ],
)
def test_hard_values_come_back_as_they_were(value):
    assert same(unflatten(strict(flatten({"x": value})))["x"], value)


def test_keys_that_look_typed_stay_text():
    tree = {"w": {0: 1, "0": 2, "a.b": 3, "it's": 4, "": 5, "$float": 6, "x\n": 7}}
    flat = flatten(tree)
    assert list(flat)[:3] == ["w.0", "w.'0'", "w.'a.b'"]
    assert unflatten(strict(flat)) == tree


def test_described_object_keeps_its_own_value_beside_its_parts():
    assert unflatten({"opt": "Adam", "opt.lr": 0.1}) == {"opt": {"": "Adam", "lr": 0.1}}


def test_config_like_objects_are_taken_apart():
    @dataclasses.dataclass
    class Data:
        lr: float = 0.1
        sub: dict = dataclasses.field(default_factory=lambda: {"a": 1})

    pair = namedtuple("pair", "x y")
    assert flatten({"c": Data()}) == {"c.lr": 0.1, "c.sub.a": 1}
    assert flatten({"c": types.SimpleNamespace(n=1)}) == {"c.n": 1}
    assert flatten({"c": pair(1, 2)}) == {"c.x": 1, "c.y": 2}


def test_values_of_libraries_become_plain():
    import numpy as np

    class Mode(enum.Enum):
        FAST = 1

    assert encode(np.float64(0.5)) == 0.5
    assert type(encode(np.float64(0.5))) is float
    assert encode(np.int64(3)) == 3
    assert encode(np.bool_(True)) is True
    assert encode(np.array(2.0)) == 2.0
    assert encode(np.dtype("float32")) == "float32"
    assert encode(Mode.FAST) == "Mode.FAST"
    assert encode(pathlib.Path("a/b")) == "a/b"
    assert encode({1, 3, 2}) == [1, 2, 3]


def test_values_of_torch_become_plain():
    torch = pytest.importorskip("torch")

    assert encode(torch.tensor(2)) == 2
    assert encode(torch.float32) == "torch.float32"
    assert encode(torch.nn.ReLU) == "ReLU"


def test_values_without_a_plain_form_are_refused_by_kind():
    import numpy as np

    for value, kind in ((print, "function"), (object(), "object"), (1j, "complex")):
        with pytest.raises(NotRecordedError, match=kind):
            encode(value)
    with pytest.raises(NotRecordedError, match="ndarray"):
        encode(np.zeros(3))
    with pytest.raises(NotRecordedError, match="an int of"):
        encode(1 << 100_000)


def test_what_is_left_out_is_told_once_each():
    told = []
    flat = flatten(
        {"c": {"lr": 0.1, "f": print, "deep": {"g": object()}}}, tell=told.append
    )
    assert flat == {"c.lr": 0.1}
    assert told == ["c.f not recorded (function)", "c.deep.g not recorded (object)"]


def test_cycles_and_depth_end_with_a_notice():
    told = []
    loop = {"a": 1}
    loop["self"] = loop
    deep = current = {}
    for _ in range(100):
        current["d"] = current = {}
    flat = flatten({"loop": loop, "deep": deep}, tell=told.append)
    assert flat == {"loop.a": 1}
    assert len(told) == 2
    assert all("nested too deep" in line for line in told)


def test_long_values_are_cut_and_told():
    told = []
    (leaf,) = flatten_one("text", "x" * (MAX_TEXT + 1), tell=told.append)
    assert len(leaf[1]) == MAX_TEXT
    assert len(flatten_one("many", [1] * 1000, tell=told.append)[0][1]) == 500
    assert told == [
        "text: 10000 of 10001 characters kept",
        "many: 500 of 1000 values kept",
    ]


def test_lone_surrogates_become_storable():
    assert encode("a\ud800") == "a\\ud800"


def test_a_name_that_is_no_dotted_name_stays_one_key():
    assert path_of("it's") == ("it's",)
    assert path_of("a.'open") == ("a.'open",)
