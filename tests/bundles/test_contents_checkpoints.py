"""Checkpoints in a bundle: safetensors, bit for bit, and nothing that could run."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from bundles.tracked_runs import tracked

import nbtrack
from nbtrack.analysis.tensor_files import UnseenError
from nbtrack.bundles.contents.checkpoints import checkpoint_members, tensor_digests
from nbtrack.bundles.contents.tensor_bytes import digests_of_file
from nbtrack.tracking.checkpoints import settle

pytestmark = pytest.mark.usefixtures("plain_surroundings")
torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    with tracked(tmp_path_factory.mktemp("trained")) as found:
        yield found


@pytest.fixture
def saved(run, tmp_path):
    """Keep a file with a run, and give what a bundle has of it."""

    def save(name, write):
        path = tmp_path / name
        write(path)
        run.checkpoint(path)
        members, entries = members_of(run)
        return members, entries[-1]

    return save


def members_of(run):
    settle(run)
    return checkpoint_members(run.store, run.record())


def unpacked(body):
    from safetensors.torch import load

    return load(body)


def test_every_checkpoint_of_a_training_is_there_bit_for_bit(trained):
    store, record = trained
    members, entries = checkpoint_members(store, record)
    assert [(e["name"], e["version"]) for e in entries] == [
        *(("net", nth) for nth in range(4)),
        ("scaler", 0),
    ]
    for entry, kept in zip(entries[:4], record.checkpoints, strict=False):
        assert entry["sha256"] == kept.digest
        was = torch.load(store.file_path(kept.digest), weights_only=True)
        now = unpacked(members[entry["member"]])
        assert now.keys() == {"half", "model.weight", "model.bias"}
        assert now["half"].dtype is torch.bfloat16
        assert torch.equal(now["half"], was["half"])
        assert torch.equal(now["model.weight"], was["model"]["weight"])


def test_a_checkpoint_tells_its_step_and_metrics_without_nan(trained):
    entry = checkpoint_members(*trained)[1][2]
    assert entry["step"] == 2
    assert entry["metrics"]["val_loss"] is None
    assert entry["metrics"]["train_loss"] > 0


def test_tensors_are_told_by_type_shape_and_digest(trained):
    store, record = trained
    entry = checkpoint_members(store, record)[1][-1]
    assert entry["tensors"]["mean"]["dtype"] == "float64"
    assert entry["tensors"]["mean"]["shape"] == [2]
    assert entry["why"] == "without names: safetensors has no such type"
    assert entry["tensors"]["names"]["sha256"] is not None
    assert tensor_digests(store, record.checkpoints[-1]) == entry["tensors"]


def test_the_bytes_are_the_same_each_time(trained):
    assert checkpoint_members(*trained) == checkpoint_members(*trained)


def test_the_order_in_which_tensors_were_saved_makes_no_difference(saved):
    one = {"b": np.arange(3), "a": np.float32([1])}
    first, entry = saved("one.npz", lambda path: np.savez(path, **one))
    swapped = dict(reversed(one.items()))
    second, other = saved("two.npz", lambda path: np.savez(path, **swapped))
    assert first[entry["member"]] == second[other["member"]]
    assert entry["tensors"] == other["tensors"]


def test_the_payload_of_a_nan_survives(saved):
    odd = np.array([0x7FF8DEADBEEF0001, 0x8000000000000000], "u8").view("f8")
    members, entry = saved("odd.npy", lambda path: np.save(path, odd))
    now = unpacked(members[entry["member"]])["array"]
    assert now.numpy().tobytes() == odd.tobytes()


@pytest.mark.parametrize(
    "dtype", ["float16", "float8_e4m3fn", "float8_e5m2", "bool", "complex64", "uint8"]
)
def test_types_of_torch_survive(saved, dtype):
    kind = getattr(torch, dtype)
    tensor = torch.tensor([[1.0, 0.0, 1.5]]).to(kind)
    members, entry = saved("one.pt", lambda path: torch.save({"t": tensor}, path))
    now = unpacked(members[entry["member"]])["t"]
    assert now.dtype is kind
    assert torch.equal(now.view(torch.uint8), tensor.view(torch.uint8))


def test_scalars_and_empty_tensors_have_their_place(saved):
    told = {"scalar": torch.tensor(2.5), "none": torch.zeros(0, 3)}
    members, entry = saved("one.pt", lambda path: torch.save(told, path))
    now = unpacked(members[entry["member"]])
    assert now["scalar"].item() == 2.5
    assert tuple(now["none"].shape) == (0, 3)


def test_the_same_tensors_have_the_same_digests_in_any_file(tmp_path):
    from safetensors.numpy import save_file

    array = np.arange(6, dtype="f4").reshape(2, 3)
    np.savez(tmp_path / "a.npz", w=array)
    np.savez(tmp_path / "big.npz", w=array.astype(">f4"))
    np.savez(tmp_path / "turned.npz", w=np.asfortranarray(array))
    torch.save({"w": torch.tensor(array)}, tmp_path / "a.pt")
    torch.save({"w": torch.tensor(array.T.copy()).T}, tmp_path / "turned.pt")
    save_file({"w": array}, tmp_path / "a.safetensors")
    found = [digests_of_file(path) for path in sorted(tmp_path.iterdir())]
    assert len(found) == 6
    assert all(one == found[0] for one in found)


def test_a_bundles_own_file_has_the_digests_of_the_users(saved, tmp_path):
    members, entry = saved(
        "net.pt",
        lambda path: torch.save({"h": torch.ones(3, dtype=torch.bfloat16)}, path),
    )
    written = tmp_path / "again.safetensors"
    written.write_bytes(members[entry["member"]])
    assert digests_of_file(written) == entry["tensors"]


def test_a_pickle_stays_out_and_is_not_opened(saved):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (Path("sprung"),))

    def write(path):
        path.write_bytes(pickle.dumps(Trap()))

    members, entry = saved("model.pkl", write)
    assert (members, entry["member"], entry["tensors"]) == ({}, None, None)
    assert entry["why"].startswith("a pickle is not put into a bundle")
    assert len(entry["sha256"]) == 64
    assert not Path("sprung").exists()


def test_a_pickle_within_a_file_of_torch_stays_out(saved):
    members, entry = saved(
        "net.pt", lambda path: torch.save(torch.nn.Linear(1, 1), path)
    )
    assert (members, entry["member"]) == ({}, None)
    assert "model.state_dict()" in entry["why"]


def test_a_file_of_another_kind_is_named_alone(saved):
    members, entry = saved("net.onnx", lambda path: path.write_bytes(b"x"))
    assert members == {}
    assert "'.onnx'" in entry["why"]


def test_a_damaged_file_is_told(saved):
    members, entry = saved("net.safetensors", lambda path: path.write_bytes(b"x" * 20))
    assert members == {}
    assert entry["why"].startswith("it cannot be looked into")


def test_the_latest_come_first_where_there_is_not_room_for_all(trained):
    store, record = trained
    whole, _ = checkpoint_members(store, record)
    sizes = {name: len(body) for name, body in whole.items()}
    room = sizes["results/checkpoints/scaler-v0.safetensors"]
    room += sizes["results/checkpoints/net-v3.safetensors"]
    members, entries = checkpoint_members(store, record, most_bytes=room)
    assert set(members) == {
        "results/checkpoints/net-v3.safetensors",
        "results/checkpoints/scaler-v0.safetensors",
    }
    assert "more than there was room for" in entries[0]["why"]
    assert entries[0]["tensors"] == checkpoint_members(store, record)[1][0]["tensors"]


def test_what_was_deleted_is_listed_and_said_to_be_gone(run, tmp_path):
    np.save(tmp_path / "w.npy", np.zeros(1))
    run.checkpoint(tmp_path / "w.npy")
    nbtrack.log(loss=0.5)
    run.finish()
    nbtrack.artifacts.delete("w:v0")
    members, [entry] = members_of(run)
    assert members == {}
    assert entry["why"] == "its bytes are not kept any more (deleted)"


def test_names_that_leave_the_folder_do_not(run, tmp_path):
    np.save(tmp_path / "w.npy", np.zeros(1))
    for name in ("../../evil", "Net", "net", "con", "é <b>"):
        run.checkpoint(tmp_path / "w.npy", name=name)
    members, entries = members_of(run)
    assert len(members) == len(entries) == 5
    assert len({path.lower() for path in members}) == 5
    for path in members:
        assert path.startswith("results/checkpoints/")
        assert ".." not in path
        assert path.isascii()


def test_a_file_that_cannot_be_read_raises_for_who_compares_it(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"no zip")
    with pytest.raises(UnseenError):
        digests_of_file(path)


def test_a_run_without_checkpoints_has_none(run):
    nbtrack.log(loss=0.5)
    assert checkpoint_members(run.store, run.record()) == ({}, [])
