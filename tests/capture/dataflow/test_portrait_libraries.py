"""Arrays, frames, tensors and models: what changes in them in place is seen."""

from __future__ import annotations

import functools
import operator
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sparse
from portrait_cases import is_seen, look

from nbtrack.capture.dataflow.portrait_bytes import fingerprint, in_pieces


def put(key: Any, value: Any) -> Any:
    return lambda target: operator.setitem(target, key, value)


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "a": [1, 2],
            "b": [1.0, 2.0],
            "c": ["x", "y"],
            "d": pd.Categorical(["p", "q"]),
            "e": pd.to_datetime(["2020-01-01", "2021-01-01"]),
            "f": [[1], 2],
            "g": pd.array([1, None], dtype="Int64"),
        }
    )


def field(value: Any) -> None:
    value["b"][1] = 2


def in_order(order: str) -> Any:
    return np.array(np.arange(24.0).reshape(2, 3, 4), order=order)  # type: ignore[call-overload]


ARRAYS: dict[str, tuple[Any, Any]] = {
    "item": (lambda: np.arange(10), put(0, 5)),
    "swap": (
        lambda: np.array([1.0, 2.0] * 50),
        put([0, 1], [2, 1]),
    ),
    "last bit": (lambda: np.zeros(1000), put(999, 5e-324)),
    "sign of zero": (lambda: np.zeros(3), put(1, -0.0)),
    "0-d": (lambda: np.array(1.0), put((), 2.0)),
    "bool": (lambda: np.zeros(9, bool), put(3, True)),
    "complex": (lambda: np.zeros(3, complex), put(1, 1j)),
    "text": (lambda: np.array(["ab", "c"]), put(1, "d")),
    "long text": (
        lambda: np.array(["ab", "c"], dtype=np.dtypes.StringDType()),
        put(1, "d"),
    ),
    "dates": (lambda: np.array(["2020"], "M8[D]"), put(0, np.datetime64("2021"))),
    "fortran": (lambda: in_order("F"), put((1, 2, 3), -1)),
    "strided": (lambda: in_order("C")[:, ::2, ::-1], put((1, 1, 1), -1)),
    "transposed": (lambda: in_order("C").transpose(2, 0, 1), put((1, 1, 1), -1)),
    "objects": (
        lambda: np.array([1, [2], "a"], dtype=object),
        lambda v: v[1].append(3),
    ),
    "object": (lambda: np.array([1, [2], "a"], dtype=object), put(0, 1.0)),
    "fields": (
        lambda: np.zeros(2, [("a", "i4"), ("b", "f8")]),
        lambda v: put(1, 2)(v["b"]),
    ),
    "field of objects": (
        lambda: np.zeros(2, [("b", object)]),
        lambda v: put(1, 2)(v["b"]),
    ),
    "record": (lambda: np.zeros(2, [("a", "i4")])[0], put("a", 3)),
    "masked": (lambda: np.ma.array([1, 2], mask=[0, 1]), put(0, 3)),
    "mask": (lambda: np.ma.array([1, 2], mask=[0, 1]), put(0, np.ma.masked)),
    "read only": (lambda: np.zeros(2), lambda v: v.setflags(write=False)),
    "records": (lambda: np.rec.array([(1, 2)]), lambda v: put(0, 5)(v["f0"])),
    "generator": (lambda: np.random.default_rng(1), lambda v: v.random()),
    "generator spawn": (lambda: np.random.default_rng(1), lambda v: v.spawn(1)),
    "random state": (lambda: np.random.RandomState(1), lambda v: v.rand()),
    "random gauss": (lambda: np.random.RandomState(1), lambda v: v.standard_normal()),
    "bits": (lambda: np.random.MT19937(1), lambda v: v.random_raw()),
    "vectorize": (lambda: np.vectorize(len), lambda v: setattr(v, "otypes", "i")),
    "csr": (lambda: sparse.csr_matrix(np.eye(3)), lambda v: put(0, 5)(v.data)),
    "coo": (lambda: sparse.coo_array(np.eye(3)), lambda v: put(0, 5)(v.data)),
    "dok": (lambda: sparse.dok_array((3, 3)), put((0, 0), 5)),
    "lil": (lambda: sparse.lil_array((3, 3)), put((0, 0), 5)),
}
FRAMES: dict[str, tuple[Any, Any]] = {
    "column": (frame, put("a", [2, 2])),
    "new column": (frame, put("z", 1)),
    "cell": (frame, lambda v: v.loc.__setitem__((1, "b"), 3.0)),
    "text": (frame, lambda v: v.loc.__setitem__((1, "c"), "z")),
    "category": (frame, lambda v: v.loc.__setitem__((1, "d"), "p")),
    "date": (frame, lambda v: v.loc.__setitem__((1, "e"), pd.Timestamp("2022"))),
    "object": (frame, lambda v: v["f"][0].append(2)),
    "missing": (frame, lambda v: v.loc.__setitem__((0, "g"), pd.NA)),
    "attrs": (frame, lambda v: v.attrs.update(a=1)),
    "columns": (frame, lambda v: setattr(v, "columns", list("tuvwxyz"))),
    "index": (frame, lambda v: setattr(v, "index", [5, 6])),
    "index name": (frame, lambda v: setattr(v.index, "name", "n")),
    "deleted column": (frame, lambda v: v.pop("a")),
    "order": (frame, lambda v: v.insert(0, "b", v.pop("b"))),
    "series": (lambda: pd.Series([1, 2]), put(0, 5)),
    "series name": (lambda: pd.Series([1, 2]), lambda v: setattr(v, "name", "n")),
    "multi index": (
        lambda: pd.MultiIndex.from_product([[1, 2], ["a"]]),
        lambda v: setattr(v, "names", ["m", "n"]),
    ),
    "series of times": (
        lambda: pd.Series(pd.to_datetime(["2020"], utc=True)),
        put(0, pd.Timestamp("2021", tz="UTC")),
    ),
    "a list of times": (lambda: [pd.Timestamp("2020")], put(0, pd.Timestamp("2021"))),
}


def looked_at(value: pd.DataFrame) -> None:
    repr(value), value.describe(), value.values, value.groupby("a").b.sum()
    _ = value["a"], value.loc[0], value.T, value.index.is_unique, value.c.str.upper()
    value.merge(value, on="a")
    value.set_index("c").loc["x"]


@pytest.mark.parametrize("case", ARRAYS)
def test_a_change_of_an_array_is_seen(case):
    make, change = ARRAYS[case]
    assert is_seen(make(), change)


@pytest.mark.parametrize("case", FRAMES)
def test_a_change_of_a_frame_is_seen(case):
    make, change = FRAMES[case]
    assert is_seen(make(), change)


def test_reading_a_frame_changes_nothing():
    value = frame()
    assert not is_seen(value, looked_at)
    assert not is_seen(value, lambda some: some._consolidate_inplace())


def test_using_a_sparse_matrix_changes_nothing():
    value = sparse.csr_matrix(np.eye(3))
    assert not is_seen(value, lambda some: (some @ some, some.has_sorted_indices))


@pytest.mark.parametrize("n_bytes", [0, 1, 7, 1 << 18, (1 << 18) + 1, 1 << 20])
def test_both_fingerprints_see_each_bit_and_each_swap(n_bytes):
    for number in (fingerprint, in_pieces):
        value = bytearray(np.arange(n_bytes, dtype=np.uint8).tobytes())
        assert number(value) == number(bytes(value)) == number(np.array(value))
        seen = {number(value)}
        places = {0, n_bytes // 2, n_bytes - 1} if n_bytes else set()
        for place in places:
            value[place] ^= 1
            seen.add(number(value))
            value[place] ^= 129
            seen.add(number(value))
        assert len(seen) == 1 + 2 * len(
            {0, n_bytes // 2, n_bytes - 1} if n_bytes else ()
        )
        if n_bytes > 7:
            before = number(value)
            value[0], value[-1] = value[-1] ^ 1, value[0] ^ 1
            assert number(value) != before


def test_a_large_strided_array_is_hashed_piece_by_piece():
    value = np.zeros((3000, 1000))[:, ::2]
    assert value.nbytes > 1 << 22
    before = look(value, n_bytes=1 << 30).digest
    value[2999, 499] = 1
    assert look(value, n_bytes=1 << 30).digest != before


def test_a_view_shares_a_part_with_what_it_shows():
    value = np.arange(24.0).reshape(4, 6)
    owner = look(value).parts
    for view in (
        value[1:],
        value.T,
        value[::2, 1],
        value.reshape(-1),
        value.ravel()[2:],
    ):
        assert look(view).parts & owner
    assert not look(value.copy()).parts & owner


def test_bytes_below_an_array_are_a_part():
    held = bytearray(16)
    assert id(held) in look(np.frombuffer(held, dtype=np.uint8)).parts
    assert id(held) in look(np.frombuffer(memoryview(held), dtype="f8")).parts


def test_a_memmap_is_read_within_the_budget(tmp_path):
    value = np.memmap(tmp_path / "m", dtype="f8", mode="w+", shape=(100,))
    assert is_seen(value, put(5, 1.0))
    assert look(value, n_bytes=100).opaque == "over the budget"


def test_a_frame_shares_a_part_with_the_array_below_it():
    below = np.zeros((3, 2))
    value = pd.DataFrame(below, copy=False)
    assert look(value).parts & look(below).parts
    assert look(value).parts & look(value[0]).parts


def test_scalars_of_numpy_and_pandas_are_plain():
    values = [np.float64(1), np.int8(1), np.str_("a"), np.bool_(True), np.longdouble(1)]
    values += [np.dtype("f8"), np.sin, np.float64, np, pd.Timestamp("2020"), pd.NaT]
    values += [pd.NA, pd.Timedelta(1), pd.Period("2020"), np.datetime64("2020")]
    for value in values:
        assert look(value).is_plain, value
        assert look(value).digest == look(value).digest is not None
    assert look(np.float64(0.0)).digest != look(np.float64(-0.0)).digest
    assert look(np.int8(1)).digest != look(np.int16(1)).digest
    assert look(np.float64(1)).roots == {"numpy"}


def test_what_is_over_the_budget_is_not_hashed():
    taken = look(np.zeros(1000), n_bytes=7999)
    assert (taken.digest, taken.opaque) == (None, "over the budget")
    assert look(np.zeros(1000), n_bytes=8000).opaque is None


def test_estimators_are_seen_to_be_fitted_again():
    linear = pytest.importorskip("sklearn.linear_model")
    ensemble = pytest.importorskip("sklearn.ensemble")
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(0)
    x = rng.random((30, 3))
    y = x[:, 0] > 0.5
    for model in (
        linear.SGDClassifier(random_state=0),
        ensemble.RandomForestClassifier(3, random_state=0),
        ensemble.HistGradientBoostingClassifier(max_iter=3),
        neighbors.KNeighborsClassifier(),
    ):
        assert is_seen(model, lambda some: some.fit(x, y)), model
        assert is_seen(model, lambda some: some.fit(x[::-1], ~y)), model
        assert not is_seen(model, lambda some: some.predict(x)), model


def test_a_figure_is_opaque_and_cheap():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.subplots()
    taken = look([figure, axes], nodes=10)
    assert (taken.digest, taken.opaque) == (None, "a figure")


def test_a_frozen_table_of_pyarrow_is_plain():
    pyarrow = pytest.importorskip("pyarrow")
    assert look(pyarrow.table({"a": [1, 2]})).is_plain
    assert look(pyarrow.array([1])).is_plain


def test_no_library_is_imported_for_a_portrait():
    code = (
        "import sys\n"
        "from nbtrack.capture.dataflow.portraits import Budget, portrait\n"
        "made = type('ndarray', (), {'__module__': 'numpy'})()\n"
        "values = [made, {'a': [1]}, print, len, object()]\n"
        "portrait(values, namespace={}, budget=Budget(10**4, 10**6))\n"
        "print(*({'numpy', 'torch', 'pandas', 'pyarrow'} & sys.modules.keys()))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (said.returncode, said.stdout.strip(), said.stderr) == (0, "", "")


# ---- torch


@functools.cache
def _torch() -> Any:
    return pytest.importorskip("torch")


DTYPES = [
    *("float64", "float32", "float16", "bfloat16", "int64", "int8", "uint8", "bool"),
    *("complex64", "float8_e4m3fn"),
]


def add_one(tensor: Any) -> None:
    tensor.data.add_(1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_kind_of_tensor_is_hashed(dtype):
    torch = _torch()
    kind = getattr(torch, dtype)
    value = torch.zeros(5).to(kind)
    one = torch.ones(1).to(kind)[0]
    assert is_seen(value, lambda some: operator.setitem(some, 3, one))


def test_tensors_of_each_layout_are_hashed():
    torch = _torch()
    grid = torch.arange(24.0).reshape(4, 6)
    for value in (grid, grid.t(), grid[1:, ::2], grid[0, 0], grid.expand(2, 4, 6)[0]):
        assert is_seen(value, add_one)
    for value in (
        torch.zeros(2, requires_grad=True),
        torch.nn.Parameter(torch.zeros(2)),
    ):
        assert is_seen(value, add_one)
    assert is_seen(torch.zeros(2, dtype=torch.complex64).conj(), add_one)
    coo = torch.eye(3).to_sparse()
    assert is_seen(coo, lambda some: some._values().add_(1))
    assert look(torch.zeros(0)).opaque is None


def test_gradient_attribute_and_need_of_one_are_seen():
    torch = _torch()
    value = torch.zeros(2, requires_grad=True)
    assert is_seen(value, lambda some: (some * 2).sum().backward())
    assert is_seen(value, lambda some: some.grad.zero_())
    assert is_seen(value, lambda some: some.requires_grad_(False))
    assert is_seen(value, lambda some: setattr(some, "note", [1]))
    look((value * torch.ones(2, requires_grad=True)).sum())  # no warning of .grad


def test_tensors_that_share_memory_share_a_part():
    torch = _torch()
    value = torch.zeros(6)
    parts = look(value).parts
    array = np.zeros(6)
    for alias in (value.detach(), value[3:], value.view(2, 3), value.numpy()):
        assert look(alias).parts & parts
    assert look(torch.from_numpy(array)).parts & look(array).parts
    assert not look(value.clone()).parts & parts


def test_modules_optimizers_and_schedulers_are_seen_through():
    torch = _torch()
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)

    def step(_: Any) -> None:
        model(torch.randn(4, 3)).sum().backward()
        optimizer.step()

    assert is_seen(model, lambda some: some(torch.randn(4, 3)))  # the running mean
    assert is_seen(model, lambda some: some.eval())
    for _ in range(2):
        assert is_seen(optimizer, step)
        assert is_seen(model, step)
    assert is_seen(scheduler, lambda some: some.step())
    assert look(model).parts & look(optimizer).parts
    assert not is_seen(model, lambda some: (repr(some), list(some.parameters())))


def test_loaders_and_generators_of_torch_are_seen_through():
    torch = _torch()
    data = torch.utils.data.TensorDataset(torch.zeros(4, 2))
    rng = torch.Generator().manual_seed(1)
    loader = torch.utils.data.DataLoader(data, shuffle=True, generator=rng)
    assert is_seen(rng, lambda some: torch.rand(1, generator=some))
    assert is_seen(loader, lambda some: next(iter(some)))
    assert is_seen(loader, lambda some: some.dataset.tensors[0].add_(1))


def test_tensors_that_lie_elsewhere_are_opaque():
    torch = _torch()
    assert look(torch.zeros(3, device="meta")).opaque == "a tensor on meta"
    assert look([torch.zeros(3, device="meta")]).digest is None


def test_a_tensor_with_operations_of_its_own_runs_none_of_them():
    torch = _torch()
    ran = []

    class Own(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *args: Any, **kwargs: Any) -> Any:
            ran.append(args)
            return super().__torch_function__(*args, **kwargs)

    value = torch.zeros(3).as_subclass(Own)
    ran.clear()
    first = look(value)
    assert (ran, first.opaque) == ([], None)
    value.data.add_(1)
    assert look(value).digest != first.digest


def test_small_values_of_torch_are_plain():
    torch = _torch()
    for value in (torch.float32, torch.device("cpu"), torch.strided, torch, torch.nn):
        assert look(value).is_plain
    assert look(torch.Size([1, 2])).opaque is None


def test_using_a_model_without_training_changes_nothing():
    torch = _torch()
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3)).eval()
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)

    def use(some: Any) -> None:
        with torch.no_grad():
            model(torch.zeros(2, 3))
        repr(some), model.state_dict(), optimizer.state_dict()

    assert not is_seen(model, use)
    assert not is_seen(optimizer, use)


def test_a_mode_of_torch_is_not_asked():
    torch = _torch()
    asked = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(
            self, f: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            asked.append(f)
            return f(*args, **(kwargs or {}))

    value = [torch.zeros(3), torch.Generator()]
    before = look(value)
    with Mode():
        assert look(value) == before
    assert asked == []
    with torch.inference_mode():
        assert look(value) == before
        assert look(torch.zeros(3)).opaque is None
