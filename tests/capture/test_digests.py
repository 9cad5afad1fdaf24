"""Digests are of the whole content, and of nothing but the content."""

from __future__ import annotations

import datetime
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.capture.digests import NotDigestible, digest_of, kind_of
from nbtrack.capture.digests.files import file_digest, folder_digest, sample_digest

N = 20_000  # more rows than any peer looks at
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()
)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner)
    ),
    max_leaves=20,
)


def frame(n=N):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "i": rng.integers(0, 9, n),
            "f": rng.random(n),
            "text": [f"row {i}" for i in range(n)],
            "object": pd.Series(
                [i if i % 2 else str(i) for i in range(n)], dtype=object
            ),
            "category": pd.Categorical(["a", "b"] * (n // 2)),
            "when": pd.date_range("2020", periods=n, freq="h", tz="Europe/Berlin"),
            "Int": pd.array([1, None] * (n // 2), dtype="Int64"),
            "bool": pd.array([True, None] * (n // 2), dtype="boolean"),
            "arrow": pd.array(["x", None] * (n // 2), dtype=pd.ArrowDtype(pa.string())),
            "period": pd.period_range("2020", periods=n, freq="D"),
            "interval": pd.interval_range(0, n),
            "delta": pd.to_timedelta(range(n), unit="s"),
            "sparse": pd.arrays.SparseArray([0] * (n - 1) + [1]),
        }
    )


OTHER = {"i": 77, "f": 7.5, "text": "seven", "object": "7", "category": "b"}
OTHER |= {"when": pd.Timestamp("1999", tz="Europe/Berlin"), "Int": 7, "bool": False}
OTHER |= {"arrow": "seven", "period": pd.Period("1999-01-01", "D")}
OTHER |= {"interval": pd.Interval(7, 8), "delta": pd.Timedelta("7D")}


def test_one_value_in_row_10001_changes_the_digest_whatever_the_column_holds():
    table = frame()
    before = digest_of(table)
    assert set(OTHER) == set(table) - {"sparse"}
    for column, value in OTHER.items():
        changed = table.copy()
        changed.loc[10_000, column] = value
        assert str(changed.dtypes[column]) == str(table.dtypes[column]), column
        assert digest_of(changed) != before, column
    assert digest_of(table) == before


def test_names_dtypes_order_and_index_count():
    table = frame(100)
    others = [
        table.rename(columns={"i": "j"}),
        table.astype({"f": "float32"}),
        table[table.columns[::-1]],
        table.iloc[::-1],
        table.set_index("i"),
        table.drop(columns="i"),
        table.rename_axis("id"),
        table["i"],
        table[["i"]],
        table.index,
    ]
    assert len({digest_of(each) for each in [table, *others]}) == len(others) + 1


def test_a_copy_and_a_view_have_the_same_digest():
    table = frame(1000)
    assert digest_of(table.copy()) == digest_of(table)
    assert digest_of(table[:]) == digest_of(table)
    twice = pd.concat([table, table])
    assert digest_of(twice[:1000]) == digest_of(table)


def test_a_range_index_is_its_numbers():
    table = pd.DataFrame({"a": [1, 2, 3]})
    assert digest_of(table.set_axis(pd.Index([0, 1, 2]))) == digest_of(table)


def test_text_counts_the_same_in_arrow_and_in_python():
    texts = ["a", None, "ß€", ""] * 20_000
    kinds = [pd.StringDtype(held, na_value=np.nan) for held in ("python", "pyarrow")]
    python, arrow = (digest_of(pd.Series(texts, dtype=kind)) for kind in kinds)
    assert python == arrow != digest_of(pd.Series(texts, dtype=object))


def test_none_nan_and_the_text_nan_differ():
    found = {digest_of(pd.Series([v], dtype=object)) for v in (None, np.nan, "nan")}
    assert len(found) == 3


ARRAYS = {
    "fortran": lambda a: np.asfortranarray(a),
    "turned twice": lambda a: a[::-1][::-1],
    "big endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "a view of more": lambda a: np.hstack([a, a])[:, : a.shape[1]],
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "a matrix": np.matrix,
}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("how", ARRAYS)
@pytest.mark.parametrize("dtype", ["f8", "i2", "c16", "M8[s]", "U3", "?"])
def test_memory_layout_does_not_count(how, dtype):
    array = np.arange(3000 * 400).reshape(3000, 400).astype(dtype)
    assert digest_of(ARRAYS[how](array)) == digest_of(array)


def test_dtype_shape_and_every_element_count():
    array = np.arange(12.0)
    others = [array.reshape(3, 4), array.astype("f4"), array.astype("i8"), array[::-1]]
    others += [array.reshape(4, 3), array[:11], -array, np.array(3.0), array[3:4]]
    assert len({digest_of(each) for each in [array, *others]}) == len(others) + 1


def test_a_mapped_file_counts_as_the_array_that_it_holds(tmp_path):
    array = np.arange(1000.0)
    np.save(tmp_path / "a.npy", array)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert digest_of(mapped) == digest_of(array)


def test_bytes_that_stand_for_nothing_do_not_count():
    dtype = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    clean = np.zeros(4, dtype)
    dirty = np.frombuffer(b"\xff" * 16 * 4, dtype).copy()
    dirty["a"] = dirty["b"] = 0
    assert digest_of(clean) == digest_of(dirty)
    masked = [np.ma.array([1, hidden], mask=[0, 1]) for hidden in (2, 3)]
    assert digest_of(masked[0]) == digest_of(masked[1])
    assert digest_of(masked[0]) != digest_of(np.ma.array([1, 2], mask=[1, 0]))
    assert digest_of(np.longdouble([0.1, np.inf])) == digest_of(
        np.longdouble([0.1, np.inf])
    )


def test_arrays_of_objects_and_records_count_by_their_elements():
    objects = np.array([1, "a", None, [1]], dtype=object)
    assert digest_of(objects) == digest_of(np.array([1, "a", None, [1]], dtype=object))
    assert digest_of(objects) != digest_of(np.array([1, "a", None, [2]], dtype=object))
    record = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    assert digest_of(record) != digest_of(np.array([(1, 2.5)], dtype=record.dtype))


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
def test_a_sparse_matrix_counts_by_its_values(form):
    from scipy import sparse

    matrix = sparse.random(50, 40, 0.1, format="csr", random_state=0)
    held = matrix.asformat(form)
    changed = matrix.copy()
    changed.data[7] += 1
    assert digest_of(held) == digest_of(held.copy())
    assert digest_of(held) != digest_of(changed.asformat(form))


@given(DATA)
@settings(deadline=None, max_examples=examples(60))
def test_equal_values_have_equal_digests(value):
    import copy

    value = [value]
    assert digest_of(copy.deepcopy(value)) == digest_of(value)


@given(st.lists(SCALARS), st.lists(SCALARS))
@settings(deadline=None, max_examples=examples(60))
def test_unequal_values_have_unequal_digests(one, other):
    def told(values):
        return [(type(v).__name__, repr(v)) for v in values]

    assert (digest_of(one) == digest_of(other)) == (told(one) == told(other))


def test_blocks_and_their_borders_are_told_apart():
    found = [
        ["ab", "c"],
        ["a", "bc"],
        ["abc"],
        [["a"], ["b"]],
        [["a", "b"]],
        ["a", "b"],
    ]
    found += [[1, 2], [1.0, 2.0], [True, 2], [(1,), (2,)], [[1], [2]], [[1, 2]], [[]]]
    found += [[{"a": 1}], [{"b": 1}], [{"a": 1, "b": 2}], [{"a": 2, "b": 1}], {"a": 1}]
    found += [[2**70], [2**71], [np.float64(1)], [np.float32(1)], (1, 2), {1, 2}, "ab"]
    assert len({digest_of(each) for each in found}) == len(found)


def test_dicts_and_sets_have_no_order():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of([{"a": 1, "b": 2}]) == digest_of([{"b": 2, "a": 1}])
    assert digest_of({3, 1, 2}) == digest_of({2, 3, 1})


@pytest.mark.parametrize(
    "value",
    [
        [datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.date(2020, 1, 1)],
        [pd.Timestamp("2020"), pd.NaT, pd.NA, pd.Timedelta(1)],
        [np.float32(1), np.int64(2), np.str_("a")],
        {"x": np.arange(3), "table": pd.DataFrame({"a": [1]})},
        range(10),
    ],
    ids=["dates", "pandas", "numpy", "data", "range"],
)
def test_what_lists_hold_is_read_with_its_type(value):
    assert len(digest_of(value)) == 64


def test_what_is_no_data_is_refused_with_its_type():
    with pytest.raises(NotDigestible, match="an object of type object"):
        digest_of([1, object()])
    with pytest.raises(NotDigestible, match="builtin_function"):
        digest_of(print)
    circle: list = []
    circle.append(circle)
    with pytest.raises(NotDigestible, match="nested more than 32 deep"):
        digest_of(circle)


def test_a_hostile_object_is_never_asked():
    class Hostile:
        def __getattr__(self, name):
            raise SystemError(name)

        __len__ = __repr__ = __iter__ = __hash__ = __eq__ = __array__ = None

    assert kind_of(Hostile()) is None
    with pytest.raises(NotDigestible):
        digest_of([Hostile()])


SAME = """
import numpy as np, pandas as pd, sys
from nbtrack.capture.digests import digest_of
table = pd.DataFrame({"a": range(300), "b": [str(i) for i in range(300)],
                      "c": pd.Categorical(["x", "y"] * 150)})
print(digest_of(table), digest_of({"k": {3, "a", 2.5}, "l": [np.arange(4), None]}))
"""


def test_another_process_comes_to_the_same_digest():
    said = {
        subprocess.check_output(
            [sys.executable, "-c", SAME], text=True, env={"PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    }
    assert len(said) == 1


TABLE = {
    "n": [1, None, 3] * 50_000,
    "text": ["a", None, "ccc"] * 50_000,
    "list": [[1], None, [2, 3]] * 50_000,
    "flag": [True, None, False] * 50_000,
    "day": [datetime.date(2020, 1, 1), None, datetime.date(1999, 1, 1)] * 50_000,
}


def test_chunks_and_slices_of_a_table_do_not_count():
    table = pa.table({**TABLE, "row": [{"x": 1}, None, {"x": 2}] * 50_000})
    in_two = pa.concat_tables([table.slice(0, 7), table.slice(7)])
    assert in_two.column(0).num_chunks == 2
    assert digest_of(in_two) == digest_of(table)
    assert digest_of(table.slice(3, 6)) == digest_of(table.slice(0, 6))
    assert digest_of(table.slice(1, 6)) != digest_of(table.slice(0, 6))


def test_rare_types_of_arrow_are_read_too():
    table = pa.table(
        {
            "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
            "dictionary": pa.array(["u", None]).dictionary_encode(),
            "decimal": pa.array([1, None], pa.decimal128(9, 2)),
            "fixed": pa.array([[1, 2], None], pa.list_(pa.int8(), 2)),
            "binary": pa.array([b"a", None]),
            "null": pa.nulls(2),
            "view": pa.array(["a", None], pa.string_view()),
        }
    )
    assert digest_of(table) == digest_of(pa.concat_tables([table[:1], table[1:]]))
    for name in table.column_names[:-2]:
        changed = table.set_column(
            table.column_names.index(name), name, table[name].take([1, 0])
        )
        assert digest_of(changed) != digest_of(table), name


def test_a_file_has_the_digest_of_sha256sum(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 3_000_000)
    said = subprocess.check_output(["sha256sum", str(path)], text=True)
    assert file_digest(path) == said.split()[0]


def test_a_sample_of_a_file_reads_64_places_of_it(tmp_path):
    path = tmp_path / "large.bin"
    path.touch()
    import os

    os.truncate(path, 10 << 30)
    before = sample_digest(path)
    with path.open("r+b") as file:
        file.seek((10 << 30) - 3)
        file.write(b"x")
    assert sample_digest(path) != before


def test_a_folder_counts_by_names_and_contents():
    files = [("a/1.png", 3, "f" * 64), ("b.png", 4, "e" * 64)]
    assert folder_digest(files) == folder_digest(files[::-1])
    assert folder_digest(files) != folder_digest([("a/2.png", 3, "f" * 64), files[1]])


def test_reading_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        digest_of(frame(10))
