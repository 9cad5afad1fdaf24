"""Signatures are inferred from data, and tell what breaks who uses a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbtrack.errors import ModelError
from nbtrack.tracking.models.signature import (
    Column,
    Signature,
    check,
    compare,
    infer,
    signature_of,
)

FRAME = pd.DataFrame(
    {"age": [1, 2], "sum": [0.5, None], "who": ["a", "b"], "ok": [True, False],
     "at": pd.to_datetime(["2026-01-01", "2026-01-02"])}
)  # fmt: skip


def shown(data):
    return [str(column) for column in infer(data)]


def test_a_table_has_a_column_each_and_missing_values_make_it_optional():
    assert shown(FRAME) == [
        "age int[n]", "sum float[n] optional", "who text[n]", "ok bool[n]",
        "at time[n]",
    ]  # fmt: skip


def test_arrays_tensors_series_columns_and_rows_are_examples_too():
    assert shown(np.zeros((5, 28, 28), np.uint8)) == ["int[n×28×28]"]
    assert shown(FRAME["age"]) == ["age int[n]"]
    assert shown({"x": np.zeros((2, 3)), "y": np.array(["a"])}) == [
        "x float[n×3]", "y text[n]",
    ]  # fmt: skip
    assert shown([{"a": 1, "b": "x"}, {"a": 2.5}]) == [
        "a float[n]",
        "b text[n] optional",
    ]
    assert shown([[1, 2], [3, 4]]) == ["int[n×2]"]
    torch = pytest.importorskip("torch")
    assert shown(torch.zeros(4, 2, dtype=torch.bfloat16)) == ["float[n×2]"]


def test_an_estimator_says_what_it_was_fitted_on():
    linear = pytest.importorskip("sklearn.linear_model")
    fitted = linear.LinearRegression().fit(FRAME[["age"]], [1, 2])
    assert signature_of(model=fitted).inputs == (Column("age", "any"),)
    bare = linear.LinearRegression().fit(np.zeros((3, 4)), np.zeros(3))
    assert signature_of(model=bare).inputs == (Column("", "float", (None, 4)),)


def test_a_signature_survives_json():
    told = signature_of(FRAME, np.zeros((2, 10)))
    assert Signature.from_json(told.to_json()) == told


OLD = Signature((Column("age", "int"), Column("sum", "float")), (Column("", "float"),))


@pytest.mark.parametrize(
    ("inputs", "kind", "reason"),
    [
        ((Column("age", "int"), Column("sum", "float")), "same", None),
        ((Column("sum", "float"), Column("age", "int")), "compatible", None),
        ((Column("age", "float"), Column("sum", "float")), "compatible", "'age' was"),
        ((*OLD.inputs, Column("x", "int", optional=True)), "compatible", "'x' is new"),
        ((*OLD.inputs, Column("x", "int")), "breaking", "'x' is new and required"),
        ((Column("age", "int"),), "breaking", "input 'sum' is gone"),
        ((Column("years", "int"), Column("sum", "float")), "breaking", "'age' is gone"),
        ((Column("age", "text"), Column("sum", "float")), "breaking", "'age' was"),
        ((Column("age", "int", (None, 2)), Column("sum", "float")), "breaking", "was"),
    ],
)
def test_what_breaks_who_feeds_the_model(inputs, kind, reason):
    found = compare(OLD, Signature(inputs, OLD.outputs))
    assert found.kind == kind
    assert reason is None or any(reason in each for each in found.reasons)


def test_what_breaks_who_reads_its_outputs():
    wide = Signature(OLD.inputs, (Column("", "float", (None, 2)),))
    assert compare(OLD, wide).kind == "breaking"
    more = Signature(OLD.inputs, (*OLD.outputs, Column("p", "float")))
    assert compare(OLD, more).kind == "compatible"
    assert compare(more, OLD).reasons == ("output 'p' is gone",)


def test_data_is_checked_before_it_is_predicted_on():
    told = signature_of(FRAME[["age", "sum"]])
    check(told, FRAME)
    check(told, FRAME[["age"]])  # `sum` may be missing
    with pytest.raises(ModelError, match="input 'age' is missing"):
        check(told, FRAME[["sum"]])
    with pytest.raises(ModelError, match=r"It takes float\[n×3\]"):
        check(signature_of(np.zeros((2, 3))), np.zeros((2, 4)))


@pytest.mark.parametrize("data", ["text", 5, None, [], object()])
def test_what_is_no_example_is_refused(data):
    with pytest.raises(ModelError, match="no example of data"):
        infer(data)
