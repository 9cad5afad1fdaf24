"""Two versions side by side: files, tensors of all forms, words, metrics."""

import os
import pickle
import tracemalloc

import numpy as np
import pytest

import nbtrack
from nbtrack.analysis.tensor_files import is_tensor_file
from nbtrack.tracking.artifacts import api

pytestmark = pytest.mark.usefixtures("plain_surroundings")
torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def by_name(diff):
    return {each.name: each for each in diff.tensors}


def test_files_added_removed_and_changed_with_their_sizes(run, folder):
    data = folder / "data"
    data.mkdir()
    for name in ("same", "gone", "grown"):
        (data / name).write_text(name)
    run.log_artifact(data)
    (data / "gone").unlink()
    (data / "grown").write_text("grown longer")
    (data / "new").write_text("new")
    run.log_artifact(data)
    diff = api.diff("data:v0", "data:v1")
    changes = [(f.path, f.change, f.size_a, f.size_b) for f in diff.files]
    assert changes == [
        ("gone", "removed", 4, None),
        ("grown", "changed", 5, 12),
        ("new", "added", None, 3),
    ]
    assert (diff.n_same_files, diff.is_same) == (1, False)
    assert "files 1 added, 1 removed, 1 changed, 1 the same" in repr(diff)
    same = api.diff("data:v1", "data:v1")
    assert same.is_same
    assert "have the same content" in repr(same)


def test_what_is_said_of_them_and_the_metrics_of_their_runs(store_path, folder):
    for n, loss in enumerate([0.5, 0.3]):
        with nbtrack.start(f"try {n}") as run:
            run.log(val_loss=loss)
            run.log_artifact(
                {"n": n}, "mlp", type="model", metadata={"opt": {"lr": n}, "same": 1},
                tags={"by": "me"} if n else "draft", description="d" * n,
            )  # fmt: skip
            run.log(val_loss=loss - 0.1)
    diff = api.diff("mlp:v0", "mlp:v1")
    assert [(v.part, v.name, v.a, v.b) for v in diff.values] == [
        ("metadata", "opt.lr", 0, 1),
        ("tag", "by", None, "me"),
        ("tag", "draft", "yes", None),
        ("alias", "best", None, "yes"),
        ("alias", "latest", None, "yes"),
        ("text", "description", None, "d"),
    ]
    [metric] = diff.metrics
    assert (metric.a, metric.b) == (0.5, 0.3)
    assert (metric.run_a, metric.run_b) == pytest.approx((0.4, 0.2))
    assert diff.run_names == ("try 0", "try 1")
    frame = diff.to_frame()
    assert set(frame["part"]) == {"file", "metadata", "tag", "alias", "text", "metric"}


def weights():
    return {"w": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)}


def moved(tensors):
    return {"w": tensors["w"] + 2, "b": tensors["b"]}


def save_npz(tensors, path):
    np.savez(path, **{name: each.numpy() for name, each in tensors.items()})


def save_npz_compressed(tensors, path):
    # The other order of elements, which must not matter.
    arrays = {name: np.asfortranarray(each.numpy()) for name, each in tensors.items()}
    np.savez_compressed(path, **arrays)


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("mlp.pt", torch.save),
        ("mlp.safetensors", safetensors.save_file),
        ("mlp.npz", save_npz),
        ("mlp.npz", save_npz_compressed),
    ],
)
def test_tensors_of_every_form_are_compared_by_norm(run, folder, name, save):
    save(weights(), name)
    run.log_artifact(name)
    save(moved(weights()), name)
    run.log_artifact(name)
    diff = api.diff("mlp:v0", "mlp:v1")
    w = by_name(diff)["w"]
    assert (w.change, w.shape_a, w.dtype_b) == ("changed", (2, 3), "float32")
    assert w.norm_a == pytest.approx(float(weights()["w"].norm()))
    assert w.norm_b == pytest.approx(float(moved(weights())["w"].norm()))
    assert w.change_norm == pytest.approx(24**0.5)
    assert w.max_abs_change == 2.0
    assert by_name(diff)["b"].change == "same"
    assert len(diff.to_frame().query("part == 'tensor'")) == 1


def test_shapes_types_and_names_that_changed_have_no_change_norm(run, folder):
    safetensors.save_file({"a": torch.ones(2), "b": torch.ones(3)}, "m.safetensors")
    run.log_artifact("m.safetensors")
    other = {"a": torch.ones(4), "b": torch.ones(3, dtype=torch.bfloat16)}
    safetensors.save_file({**other, "c": torch.ones(1)}, "m.safetensors")
    run.log_artifact("m.safetensors")
    found = by_name(api.diff("m:v0", "m:v1"))
    assert (found["a"].change, found["a"].change_norm) == ("changed", None)
    assert (found["b"].dtype_a, found["b"].dtype_b) == ("float32", "bfloat16")
    assert (found["b"].change, found["b"].change_norm) == ("changed", 0.0)
    assert (found["c"].change, found["c"].norm_b) == ("added", 1.0)


def test_nan_and_infinity_that_stay_are_no_change(run, folder):
    values = torch.tensor([float("nan"), float("inf"), 1.0])
    for last in (1.0, 4.0):
        torch.save({"x": values, "y": torch.tensor([last, float("nan")])}, "m.pt")
        run.log_artifact("m.pt")
    found = by_name(api.diff("m:v0", "m:v1"))
    assert found["x"].change == "same"
    assert found["y"].max_abs_change == 3.0


def test_forms_of_torch_are_looked_into_across_versions_and_names(run, folder):
    torch.save({"state": weights(), "list": [torch.ones(1)], "n": 3}, "a.pt")
    safetensors.save_file({"state.w": weights()["w"]}, "b.safetensors")
    run.log_artifact("a.pt")
    run.log_artifact("b.safetensors")
    found = by_name(api.diff("a", "b"))
    assert {name: each.change for name, each in found.items()} == {
        "state.w": "same", "state.b": "removed", "list.0": "removed",
    }  # fmt: skip


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_a_pickle_is_never_opened_and_said(run, folder):
    for n in range(2):
        (folder / "m.pt").write_bytes(pickle.dumps([n, Bomb()]))
        run.log_artifact("m.pt")
        np.save(folder / "x.npy", np.array([n, Bomb()], dtype=object))
        run.log_artifact("x.npy")
    diffs = [api.diff(f"{name}:v0", f"{name}:v1") for name in ("m", "x")]
    assert ["not unpickled" in str(d.unseen) for d in diffs] == [True, True]
    assert "not looked into" in repr(diffs[0])
    assert not (folder / "exploded").exists()


@pytest.mark.parametrize("name", ["m.safetensors", "m.npz", "m.npy", "m.pt"])
def test_what_is_no_such_file_is_said(run, folder, name):
    for content in (b"", b"\xff" * 100, b"\x08" + b"\0" * 7 + b"[1, 2, 3]"):
        (folder / name).write_bytes(content + b"1")
        run.log_artifact(name)
    for at in (1, 2):
        diff = api.diff("m:v0", f"m:v{at}")
        assert list(diff.unseen) == [name]
        assert diff.tensors == ()


def test_a_file_that_ends_too_early_is_said(run, folder):
    safetensors.save_file(weights(), "m.safetensors")
    run.log_artifact("m.safetensors")
    whole = (folder / "m.safetensors").read_bytes()
    (folder / "m.safetensors").write_bytes(whole[:-8])
    run.log_artifact("m.safetensors")
    assert "ends too early" in api.diff("m:v0", "m:v1").unseen["m.safetensors"]


def test_bytes_that_are_gone_or_elsewhere_are_said(run, folder):
    for n in range(2):
        torch.save({"x": torch.ones(n + 1)}, "m.pt")
        run.log_artifact("m.pt")
    run.log_artifact((folder / "m.pt").as_uri(), "there")
    assert api.diff("m:v1", "there").is_same  # known by its digest
    assert "only its address" in str(api.diff("m:v0", "there").unseen)
    api.delete("m:v0")
    assert "bytes of m:v0 are gone" in str(api.diff("m:v0", "m:v1").unseen)


def test_memory_is_flat_for_a_large_tensor(run, folder):
    size = 4 << 20  # 16 MiB as float32
    for n in range(2):
        tensor = torch.full((size,), float(n))
        safetensors.save_file({"x": tensor}, "m.safetensors")
        run.log_artifact("m.safetensors")
    del tensor
    api.diff("m:v0", "m:v0")
    tracemalloc.start()
    try:
        [found] = api.diff("m:v0", "m:v1").tensors
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.change_norm == pytest.approx(size**0.5)
    assert peak < 16 << 20


def test_hostile_text_stays_text_on_the_page(run, folder):
    for n in range(2):
        run.log_artifact(
            {"n": n}, "<b>x", metadata={"<script>": f"<img src=x>{n}"}, tags=f"<i>{n}"
        )
    diff = api.diff("<b>x:v0", "<b>x:v1")
    page = diff._repr_html_()
    for bad in ("<b>x", "<script", "<img", "<i>"):
        assert bad not in page
    assert "&lt;script&gt;" in page


def test_long_lists_are_cut_and_that_is_said(run, folder):
    for n in range(2):
        run.log_artifact({"n": n}, "x", metadata={f"k{i}": n for i in range(300)})
    diff = api.diff("x:v0", "x:v1")
    assert "more: <code>.to_frame()</code>" in diff._repr_html_()
    assert "more: .to_frame()" in repr(diff)
    assert len(diff.to_frame().query("part == 'metadata'")) == 300


def test_only_files_with_tensors_are_opened():
    assert [is_tensor_file(n) for n in ("a.PT", "a.npz", "a.csv")] == [
        True, True, False,
    ]  # fmt: skip
