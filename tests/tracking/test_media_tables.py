"""Tables are read back equal, with pyarrow and without it."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.tracking.media import tables
from nbtrack.tracking.media.columns import from_columns, is_exact, to_columns

TEXTS = st.text(max_size=8)
COLUMNS = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint8": st.integers(0, 255),
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "bool": st.booleans(),
    "str": st.none() | TEXTS,
    "object": st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | TEXTS
    | st.lists(st.integers(0, 9), max_size=2),
    "Int64": st.none() | st.integers(-(2**63), 2**63 - 1),
    "boolean": st.none() | st.booleans(),
    "Float64": st.none() | st.floats(allow_nan=False),
    "category": st.sampled_from(["a", "b", "c"]),
    "datetime64[us]": st.none()
    | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
    "timedelta64[us]": st.timedeltas(timedelta(-9999), timedelta(9999)),
}


@st.composite
def frames(draw):
    n_rows = draw(st.integers(0, 5))
    kinds = draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=4))
    series = [
        pd.Series(
            draw(st.lists(COLUMNS[kind], min_size=n_rows, max_size=n_rows)),
            dtype="object",
        ).astype(kind)
        for kind in kinds
    ]
    frame = pd.DataFrame(dict(enumerate(series)), index=range(n_rows))
    names = draw(
        st.lists(TEXTS | st.integers(0, 99), min_size=len(kinds), max_size=len(kinds))
    )
    frame.columns = pd.Index(names, dtype=None if names else "object")
    if draw(st.booleans()):
        frame.index = pd.Index(draw(st.permutations(list("abcde")[:n_rows])), name="i")
    return frame


def through(content):
    """The frame in what is kept, by way of JSON."""
    if content.body is not None:
        return tables.read_parquet(content.body)
    return from_columns(json.loads(json.dumps(content.main["table"])))


def same(one, other):
    pd.testing.assert_frame_equal(one, other, check_exact=True, check_names=True)


@settings(max_examples=examples(30), deadline=None)
@given(frames())
def test_any_table_is_read_back_equal(frame):
    same(through(tables.snapshot_of(frame).encode()), frame)


@settings(max_examples=examples(30), deadline=None)
@given(frames())
def test_any_table_is_read_back_equal_without_pyarrow(frame):
    document = json.loads(json.dumps(to_columns(frame)))
    same(from_columns(document), frame)
    assert is_exact(document)


SPECIAL = {
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int64")}),
    "two of a name": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "numbers as names": pd.DataFrame([[1, 2]], columns=[0, 1]),
    "levels": pd.DataFrame(
        [[1, 2]],
        columns=pd.MultiIndex.from_tuples([("a", 0), ("a", 1)], names=["x", None]),
        index=pd.MultiIndex.from_tuples([("r", 1.5)], names=["k", "v"]),
    ),
    "times with a zone": pd.DataFrame(
        {"at": pd.to_datetime(["2026-03-29 01:30", None]).tz_localize("Europe/Berlin")}
    ),
    "ordered": pd.DataFrame({"a": pd.Categorical([3, 1], [1, 2, 3], ordered=True)}),
    "dates": pd.DataFrame({"a": [date(2026, 1, 2), None], "b": [b"\x00\xff", b""]}),
    "mixed": pd.DataFrame({"a": [1, "two", None, 3.5, (4, 5), {"six": [7]}]}),
    "texts of pandas": pd.DataFrame({"a": pd.array(["x", None], dtype="string")}),
    "minus zero": pd.DataFrame({"a": [-0.0, float("nan"), float("-inf")]}),
    "grouped": pd.DataFrame({"g": ["a", "b", "a"], "v": [1, 2, 3]}).groupby("g").sum(),
    "described": pd.DataFrame({"v": [1.0, 2.0]}).describe(),
}


@pytest.mark.parametrize("case", SPECIAL)
def test_special_tables_are_read_back_equal_both_ways(case):
    frame = SPECIAL[case]
    same(through(tables.snapshot_of(frame).encode()), frame)
    same(from_columns(json.loads(json.dumps(to_columns(frame)))), frame)


def test_what_json_has_no_word_for_is_kept_as_its_text_and_that_is_said():
    content = tables.snapshot_of(pd.DataFrame({"a": [object(), 1]})).encode()
    assert content.data["inexact"] is True
    assert through(content)["a"][0].startswith("<object object")


@pytest.mark.parametrize(
    "table",
    [
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        {"a": [1, 2], "b": ["x", "y"]},
        pa.table({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
    ],
    ids=lambda table: type(table).__name__,
)
def test_rows_columns_and_frames_of_other_libraries_are_tables(table):
    found = through(tables.snapshot_of(table).encode())
    assert found.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_rows_without_names_take_those_that_are_given():
    found = through(tables.snapshot_of([[1, 2], [3, 4]], ["a", "b"]).encode())
    assert found.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    found = through(tables.snapshot_of(np.eye(2), ["a", "b"]).encode())
    assert found.to_dict("list") == {"a": [1.0, 0.0], "b": [0.0, 1.0]}


def test_a_table_that_is_too_large_is_refused_with_a_way_out(run, monkeypatch, capsys):
    monkeypatch.setattr(tables, "FILE_BYTES_MAX", 1000)
    run.log_table(pd.DataFrame({"a": range(1000)}), "large")
    said = capsys.readouterr().err
    assert "table 'large' was not kept: a table of 1000 rows has" in said
    assert "df.sample" in said


def test_secrets_in_cells_are_taken_out_and_counted():
    secret = "hf_" + "a1B2c3D4e5F6g7H8i9J0"
    frame = pd.DataFrame({"a": [f"token {secret}", "plain"], "b": [[secret], [1]]})
    content = tables.snapshot_of(frame).encode()
    assert content.data["n_redacted"] == 2
    found = through(content)
    assert found["a"].tolist() == ["token [redacted]", "plain"]
    assert secret in frame["a"][0]  # the user's own stays as it is
