"""Data is held as it was at the cell's start, or the record says that it was not."""

from __future__ import annotations

import array
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nbtrack.capture import data_taking
from nbtrack.capture.data_read import data_among
from nbtrack.capture.data_sizes import DataLimits, parsed_size, rows_of, size_of
from nbtrack.capture.data_statistics import statistics_of
from nbtrack.capture.data_taking import Taker
from nbtrack.capture.digests import digest_of, kind_of

LARGE = np.zeros(3_000_000)  # 24 MB: too large for a copy


def took(value):
    return Taker().take("x", value, kind_of(value))


def test_small_arrays_are_copied_and_large_ones_are_not():
    small = np.zeros(100)
    taken, large = took(small), took(LARGE)
    small[7] = 1
    assert taken.held == data_taking.COPIED
    assert digest_of(taken.value) == digest_of(np.zeros(100))
    assert large.held == data_taking.SAMPLED
    assert large.value is LARGE


def test_what_is_copied_in_one_cell_has_a_limit():
    taker = Taker()
    held = [taker.take("x", np.zeros(200_000), "array").held for _ in range(4)]
    assert held == [data_taking.COPIED] * 2 + [data_taking.SAMPLED] * 2


@pytest.mark.parametrize("rows", [10, 1_000_000])
def test_a_frame_is_shared_until_the_user_writes(rows):
    frame = pd.DataFrame({"a": np.zeros(rows), "b": "x"})
    before = digest_of(frame)
    taken = took(frame)
    frame.loc[5, "a"] = 1.0
    frame["b"] = "y"
    frame["c"] = 1
    assert taken.held == data_taking.SHARED
    assert digest_of(taken.value) == before != digest_of(frame)


@pytest.mark.parametrize(
    "value",
    [pa.table({"a": [1]}), "text", b"bytes", pd.Index([1]), np.frombuffer(b"12345678")],
    ids=["table", "text", "bytes", "index", "read-only array"],
)
def test_what_cannot_change_is_taken_as_it_is(value):
    assert took(value).held == data_taking.FIXED


def test_a_read_only_view_of_an_array_that_is_written_can_change():
    view = LARGE[:2_000_000]
    view.flags.writeable = False
    assert took(view).held == data_taking.SAMPLED


def test_small_lists_are_read_at_once_and_long_ones_are_sampled():
    assert took([1, [2.0], "a"]).digest == digest_of([1, [2.0], "a"])
    long = list(range(100_000))
    taken = took(long)
    assert taken.is_unchanged()
    long[0] = -1
    assert not taken.is_unchanged()


@pytest.mark.parametrize("change", ["first", "last", "all", "shape"])
def test_a_large_array_that_changed_is_found_out(change):
    large = np.zeros(3_000_000)
    taken = took(large)
    assert taken.is_unchanged()
    if change == "shape":
        large.shape = (1000, 3000)
    else:
        large[{"first": 0, "last": -1, "all": slice(None)}[change]] = 1
    assert not taken.is_unchanged()


def test_a_write_to_a_tensor_is_found_out_also_where_no_sample_looks():
    torch = pytest.importorskip("torch")
    large = torch.zeros(3_000_000)
    taken = took(large)
    assert taken.is_unchanged()
    large[1_234_567] = 1
    assert not taken.is_unchanged()


def test_taking_a_gigabyte_does_not_read_it(monkeypatch):
    import time

    large = np.lib.stride_tricks.as_strided(LARGE, (200, 3_000_000), (0, 8))
    started = time.perf_counter()
    assert took(large).held == data_taking.SAMPLED
    assert time.perf_counter() - started < 0.25  # reading it takes 5 s


# -- which values are data ----------------------------------------------------------


class Trainer:
    __module__ = "__main__"

    def __init__(self):
        self.rows, self.lr = np.zeros(3), 0.1


def names_of_data(**namespace):
    namespace["__name__"] = "__main__"
    return [name for name, _, _ in data_among([*namespace], namespace)]


def test_tables_arrays_and_long_lists_are_data():
    found = names_of_data(
        df=pd.DataFrame({"a": [1]}),
        X=np.zeros((3, 2)),
        xs=[0.5] * 100,
        corpus="text " * 1000,
        splits={"train": np.zeros(3), "test": np.zeros(2)},
        rows=array.array("d", [1.0] * 100),
        trainer=Trainer(),
    )
    assert found == ["df", "X", "xs", "corpus", "splits", "rows", "trainer.rows"]


def test_settings_scalars_weights_and_results_are_not():
    torch = pytest.importorskip("torch")
    found = names_of_data(
        lr=0.1,
        dims=[64, 64],
        name="base",
        seed=np.int64(3),
        zero=np.array(3.0),
        empty=[],
        losses=[0.5] * 100,
        history={"loss": [0.5] * 100},
        weights=torch.zeros(3, requires_grad=True),
        layers=[torch.nn.Linear(1, 1)] * 100,
        config={"lr": 0.1, "dims": [1, 2]},
        function=print,
        module=np,
    )
    assert found == []


def test_what_two_names_share_is_one_input():
    x = np.zeros(3)
    assert names_of_data(a=x, b=x) == ["a"]


# -- sizes and limits ---------------------------------------------------------------


def test_sizes_and_rows_are_told_without_reading():
    frame = pd.DataFrame({"a": range(10), "b": range(10)})
    assert (size_of(frame, "dataframe"), rows_of(frame, "dataframe")) == (160, 10)
    assert (size_of(np.zeros((4, 2)), "array"), rows_of(np.zeros(()), "array")) == (
        64,
        None,
    )


def test_limits_say_what_is_left_out_and_the_way_out():
    limits = DataLimits()
    assert limits.refusal(2 << 30, 0) is None
    assert "12.0 GiB, larger than 2.0 GiB: only size" in limits.refusal(12 << 30, 0)
    assert "configure(data_limit=...)" in limits.refusal(12 << 30, 0)
    assert "over 8.0 GiB of data in one run" in limits.refusal(1 << 30, 8 << 30)
    assert parsed_size("2GiB") == 2 << 30


# -- statistics ---------------------------------------------------------------------


def statistics(value):
    steps = statistics_of(value, kind_of(value))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            json.dumps(end.value, allow_nan=False)
            return end.value


def test_numbers_are_described_as_pandas_describes_them():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"f": rng.normal(1e6, 1, 300_001), "i": range(300_001)})
    frame.loc[5, "f"] = np.nan
    for told in statistics(frame)["columns"]:
        expected = frame[told["name"]].describe()
        for name in ("count", "mean", "std", "min", "max"):
            assert told[name] == pytest.approx(expected[name], rel=1e-9), name
        for name in ("25%", "50%", "75%"):
            assert told[name] == pytest.approx(expected[name], rel=0.02), name
        assert "every 4th" in told["of"]
    assert [c["nulls"] for c in statistics(frame)["columns"]] == [1, 0]


def test_text_categories_dates_and_flags_are_described():
    frame = pd.DataFrame(
        {
            "text": ["a", "b", "a", None],
            "category": pd.Categorical(["x", "x", "y", None]),
            "when": pd.to_datetime(["2020", "2021", None, "2019"], format="%Y"),
            "flag": pd.array([True, None, False, True], dtype="boolean"),
            "Int": pd.array([1, None, 3, 4], dtype="Int64"),
            "object": [object(), object(), None, 3],
            "empty": [np.nan] * 4,
        }
    )
    told = {column["name"]: column for column in statistics(frame)["columns"]}
    assert (told["text"]["unique"], told["text"]["top"], told["text"]["nulls"]) == (
        2,
        "a",
        1,
    )
    assert told["category"]["top"] == "x"
    assert told["when"]["min"].startswith("2019")
    assert (told["flag"]["true"], told["flag"]["nulls"]) == (2, 1)
    assert told["Int"]["mean"] == pytest.approx(8 / 3)
    assert told["object"]["top"] == "<object>"
    assert told["empty"] == {
        "name": "empty",
        "dtype": "float64",
        "count": 0,
        "nulls": 4,
    }


def test_infinity_and_very_wide_tables_stay_json_and_short():
    told = statistics(np.array([1.0, np.inf, -np.inf, np.nan, 3.0]))
    assert (told["infinite"], told["nulls"], told["max"]) == (2, 1, 3.0)
    wide = statistics(pd.DataFrame(np.zeros((2, 3000))))
    assert "statistics of the first 100 of 3,000 columns" in wide["left_out"]
    assert len(wide["columns"]) == 1000


def test_arrays_and_tensors_are_described():
    torch = pytest.importorskip("torch")
    images = torch.arange(300, dtype=torch.uint8).reshape(3, 10, 10) % 7
    told = statistics(images)
    assert (told["shape"], told["min"], told["max"]) == ([3, 10, 10], 0, 6)
    assert told["mean"] == pytest.approx(images.float().mean().item())
    half = statistics(torch.tensor([1.0, 2.0], dtype=torch.bfloat16))
    assert (half["mean"], half["dtype"]) == (1.5, "torch.bfloat16")
    assert statistics(torch.tensor([True, False]))["mean"] == 0.5
    assert statistics(torch.eye(2).to_sparse())["count"] == 0
    assert statistics(np.array(["a"], dtype=object))["dtype"] == "object"


def test_tables_lists_and_dicts_are_described():
    table = statistics(pa.table({"a": [1, None], "b": ["x", "y"]}))
    assert [(c["dtype"], c["nulls"]) for c in table["columns"]] == [
        ("int64", 1),
        ("string", 0),
    ]
    assert statistics([1.0, 2.0, 3.0])["mean"] == 2.0
    told = statistics({"train": np.zeros(3), "test": [1]})
    assert told["keys"] == ["train", "test"]
    assert told["types"] == {"ndarray": 1, "list": 1}
