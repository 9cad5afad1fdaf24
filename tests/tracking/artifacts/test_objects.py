"""Objects are kept in forms that load without running code, the same each time."""

import json

import numpy as np
import pandas as pd
import pytest

from nbtrack.errors import ArtifactError
from nbtrack.tracking.artifacts import objects

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def used(run, what, name="x"):
    logged = run.log_artifact(what, name)
    again = run.log_artifact(what, name)
    assert logged.ref == again.ref
    return logged.record().type, run.use_artifact(logged.ref)


def test_a_frame_is_parquet(run):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    kind, path = used(run, frame)
    assert (kind, path.name) == ("dataset", "x.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)


def test_a_frame_is_csv_without_pyarrow(run, monkeypatch):
    find = objects.importlib.util.find_spec
    monkeypatch.setattr(
        objects.importlib.util,
        "find_spec",
        lambda n: None if n == "pyarrow" else find(n),
    )
    kind, path = used(run, pd.DataFrame({"a": [1]}))
    assert (kind, path.read_text()) == ("dataset", ",a\n0,1\n")


def test_arrays_are_npz_whatever_their_names(run):
    arrays = {"file": np.arange(3), "a/b": np.eye(2, order="F")}
    kind, path = used(run, arrays)
    assert (kind, path.name) == ("dataset", "x.npz")
    with np.load(path) as found:
        assert {name: found[name].tolist() for name in found} == {
            name: array.tolist() for name, array in arrays.items()
        }
    _, path = used(run, np.ones(2), "one")
    with np.load(path) as found:
        assert found["array"].tolist() == [1, 1]


def test_json_values_are_json(run):
    value = {"classes": ["Hund", "Käse"], "n": 3, "none": None}
    kind, path = used(run, value)
    assert (kind, json.loads(path.read_text())) == ("file", value)


def test_torch_objects_are_safetensors_and_else_pt(run):
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    net = torch.nn.Linear(2, 1)
    kind, path = used(run, net, "net")
    assert (kind, path.name) == ("model", "net.safetensors")
    assert torch.equal(safetensors.load_file(path)["weight"], net.weight)
    _, path = used(run, net.weight.t(), "tensor")
    assert torch.equal(safetensors.load_file(path)["tensor"], net.weight.t())
    optimizer = torch.optim.Adam(net.parameters())
    _, path = used(run, optimizer, "adam")
    assert torch.load(path, weights_only=True)["param_groups"][0]["lr"] == 1e-3
    tied = torch.nn.ModuleList([net, net])  # safetensors refuses shared memory
    _, path = used(run, tied, "tied")
    assert path.suffix == ".pt"


def test_an_estimator_is_joblib_and_that_takes_trust(run):
    joblib = pytest.importorskip("joblib")
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit([[0], [1]], [0, 1])
    logged = run.log_artifact(model)
    assert (logged.name, logged.record().type) == ("linearregression", "model")
    assert "trust=True" in logged.remarks[0]
    path = run.use_artifact(logged.ref)
    assert joblib.load(path).coef_.tolist() == model.coef_.tolist()


class Odd:
    pass


@pytest.mark.parametrize(
    ("what", "named"),
    [
        (Odd(), "A Odd cannot be kept as it is. Save it to a file"),
        (b"bytes", "A bytes cannot be kept"),
        (42, "A int cannot be kept"),
        ({1: 2}, "A dict cannot be kept"),
        ([{"a": {1, 2}}], "A list cannot be kept"),
        (np.array([Odd()], dtype=object), "holds Python objects"),
        (pd.DataFrame({"a": [1, "x", Odd()]}), "cannot be kept as .parquet"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_form_is_refused_with_the_way_out(run, what, named):
    with pytest.raises(ArtifactError, match=named):
        run.log_artifact(what, "x")
    assert run.store.artifact_versions() == []
    assert list(run.store.path.glob("tmp/*")) == []
