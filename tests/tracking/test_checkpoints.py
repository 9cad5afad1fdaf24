"""Saved files become checkpoints: of the right content, moment and safety."""

import hashlib
import math
import os
import pickle
import stat
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from nbtrack.capture.files import watching_files
from nbtrack.errors import CheckpointError, ValueNotLoggedError
from nbtrack.tracking import checkpoint_keeper, checkpoint_load, checkpoints
from nbtrack.tracking.checkpoint_files import CopyFolder, copy_file
from nbtrack.tracking.checkpoint_keeper import CheckpointKeeper, Limits, Moment
from nbtrack.tracking.checkpoints import checkpoint_path, load_checkpoint

pytestmark = pytest.mark.usefixtures("plain_surroundings")

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept_of(run):
    checkpoints.settle(run)
    return run.record().checkpoints


def blobs_of(run):
    """Every regular file below the store that holds kept content."""
    digests = {c.digest for c in kept_of(run)}
    return {run.store.file_path(digest) for digest in digests}


# -- saved by the training ------------------------------------------------------------


def test_each_save_is_kept_with_step_and_metrics_of_its_moment(run, folder):
    with watching_files(run):
        for epoch in range(3):
            run.log(loss=1.0 - epoch / 10, val_acc=epoch / 10)
            torch.save({"epoch": epoch}, "model.pt")
    run.finish()
    kept = run.record().checkpoints
    assert [(c.name, c.type, c.version, c.step) for c in kept] == [
        ("model", "checkpoint", kept[0].version, 0),
        ("model", "checkpoint", kept[0].version + 1, 1),
        ("model", "checkpoint", kept[0].version + 2, 2),
    ]
    assert [dict(c.metrics) for c in kept] == [
        {"loss": 1.0 - epoch / 10, "val_acc": epoch / 10} for epoch in range(3)
    ]
    assert [load_checkpoint(run, step=s) for s in range(3)] == [
        {"epoch": 0},
        {"epoch": 1},
        {"epoch": 2},
    ]
    assert kept[0].path == "model.pt"


def test_the_content_is_that_of_the_save_though_overwritten_at_once(run, folder):
    with watching_files(run):
        np.save("w.npy", np.zeros(200_000))
        with open("w.npy", "r+b") as file:
            file.write(b"\xff" * 1000)
    saved, swept = kept_of(run)  # the end of the cell finds what it was changed into
    assert not np.load(run.store.file_path(saved.digest)).any()
    assert swept.digest == hashlib.sha256(Path("w.npy").read_bytes()).hexdigest()


def test_a_large_file_is_copied_in_the_background_and_waited_for(
    run, folder, monkeypatch
):
    monkeypatch.setattr(checkpoint_keeper, "COPY_AT_ONCE_BYTES", 1000)
    entered, release = threading.Event(), threading.Event()
    real = CopyFolder.copy

    def slow_copy(self, source):
        entered.set()
        assert release.wait(10)
        return real(self, source)

    monkeypatch.setattr(CopyFolder, "copy", slow_copy)
    np.save("w.npy", np.zeros(1000))
    run.file_saved(folder / "w.npy", saver="numpy.save")
    assert entered.wait(10)
    threading.Timer(0.2, release.set).start()
    checkpoints.before_save(run, folder / "w.npy")  # what a saver does before it writes
    np.save("w.npy", np.ones(1000))
    assert load_checkpoint(run)[0] == 0


def test_a_large_file_overwritten_behind_our_back_is_not_kept_and_said(
    run, folder, monkeypatch, capsys
):
    monkeypatch.setattr(checkpoint_keeper, "COPY_AT_ONCE_BYTES", 1000)
    real = CopyFolder.copy

    def copy_then_change(self, source):
        copy = real(self, source)
        source.write_bytes(b"other")
        return copy

    monkeypatch.setattr(CopyFolder, "copy", copy_then_change)
    (folder / "w.npy").write_bytes(bytes(8000))
    run.file_saved(folder / "w.npy", saver="numpy.save")
    assert kept_of(run) == ()
    assert "w.npy was overwritten while it was copied" in capsys.readouterr().err


def test_the_same_content_is_stored_once(run, folder):
    for name in ("a.pt", "b.pt"):
        Path(name).write_bytes(b"x" * 100_000)
        run.checkpoint(name)
        run.checkpoint(name)
    kept = kept_of(run)
    assert {c.name for c in kept} == {"a", "b"}
    assert len({c.digest for c in kept}) == 1
    assert [c.version for c in kept] == [kept[0].version] * len(kept)
    assert kept[0].digest == hashlib.sha256(b"x" * 100_000).hexdigest()


@pytest.mark.parametrize(
    ("name", "saver", "kind", "stem"),
    [
        ("mlp.pt", "torch.save", "checkpoint", "mlp"),
        ("best.pt.tmp", "torch.save", "checkpoint", "best"),
        ("w.npz", "numpy.savez", "checkpoint", "w"),
        ("d.parquet", "pandas.DataFrame.to_parquet", "dataset", "d"),
        ("m.onnx", "sweep", "checkpoint", "m"),
        ("a:b@c.pt", "torch.save", "checkpoint", "a_b_c"),
        ("\x1b[31mred.pt", "torch.save", "checkpoint", "\\x1b[31mred"),
    ],
)
def test_names_and_types_come_from_the_file(run, folder, name, saver, kind, stem):
    (folder / name).write_bytes(b"content")
    run.file_saved(folder / name, saver=saver)
    (kept,) = kept_of(run)
    assert (kept.name, kept.type) == (stem, kind)


def test_order_is_kept_among_small_and_large(run, folder, monkeypatch):
    monkeypatch.setattr(checkpoint_keeper, "COPY_AT_ONCE_BYTES", 5000)
    for n in range(10):
        path = folder / f"f{n}.bin"
        path.write_bytes(bytes([n]) * (10_000 if n % 2 else 10))
        run.checkpoint(path, name="m")
    kept = kept_of(run)
    assert [c.size_bytes for c in kept] == [10, 10_000] * 5
    assert [c.version for c in kept] == sorted(c.version for c in kept)


# -- explicit -------------------------------------------------------------------------


def test_a_module_an_optimizer_and_tensors_are_saved_as_state(run):
    model = torch.nn.Linear(2, 1)
    run.log(loss=0.5, step=7)
    run.checkpoint(model)
    run.checkpoint(torch.optim.Adam(model.parameters()), "opt", step=9)
    run.checkpoint({"w": torch.ones(2), "n": 1}, "raw", metrics={"acc": 0.5})
    by_name = {c.name: c for c in kept_of(run)}
    assert by_name["linear"].step == 7
    assert by_name["opt"].step == 9
    assert dict(by_name["raw"].metrics) == {"acc": 0.5}
    model.load_state_dict(load_checkpoint(run, name="linear"))
    assert load_checkpoint(run, name="raw")["w"].tolist() == [1, 1]


def test_an_estimator_is_saved_by_joblib_and_needs_trust(run):
    estimator = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    run.checkpoint(estimator)
    with pytest.raises(CheckpointError, match="trust=True"):
        load_checkpoint(run)
    back = load_checkpoint(run, trust=True)
    assert back.predict([[2.0]])[0] == pytest.approx(4.0)


def test_our_own_saving_is_not_captured_again(run, folder):
    with watching_files(run):
        run.checkpoint(torch.nn.Linear(1, 1))
        run.checkpoint(LinearRegression(), "sk")
    assert sorted(c.name for c in kept_of(run)) == ["linear", "sk"]


def test_mistakes_of_the_caller_are_named(run, folder):
    with pytest.raises(CheckpointError, match=r"missing\.pt"):
        run.checkpoint("missing.pt")
    with pytest.raises(CheckpointError, match="folder"):
        run.checkpoint(folder)
    with pytest.raises(ValueNotLoggedError, match="lambda"):
        run.checkpoint(lambda: 0)
    with pytest.raises(ValueNotLoggedError, match="lambda"):
        run.checkpoint({"w": torch.ones(1), "f": lambda: 0})
    assert kept_of(run) == ()
    assert not any((run.store.path / "tmp").iterdir())


# -- reading back ---------------------------------------------------------------------


def save_three(run):
    for step, (loss, acc) in enumerate([(0.9, 0.1), (0.4, 0.9), (0.6, 0.8)]):
        run.log(val_loss=loss, acc=acc, step=step)
        run.checkpoint({"step": step, "w": torch.tensor(float(step))}, "m")


def test_last_best_and_step_are_found(run):
    save_three(run)
    steps = {
        choice: load_checkpoint(run, choice)["step"]
        for choice in (None, "last", "best", 0, 1)
    }
    assert steps == {None: 2, "last": 2, "best": 1, 0: 0, 1: 1}
    assert load_checkpoint(run, "best", metric="acc")["step"] == 1
    run.finish()
    assert load_checkpoint(run.id, "best")["step"] == 1
    assert load_checkpoint(run.record(), "best", store=run.store)["step"] == 1
    assert load_checkpoint(run.name)["step"] == 2


def test_best_ignores_nan_and_follows_a_set_goal(run):
    run.set_goal("wibble", "max")
    for step, value in enumerate([1.0, 3.0, math.nan]):
        run.log(wibble=value, step=step)
        run.checkpoint({"step": step, "w": torch.ones(1)}, "m")
    assert load_checkpoint(run, "best", metric="wibble")["step"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": 99}, "steps 0, 1, 2"),
        ({"step": "worst"}, "last or best"),
        ({"name": "n"}, r"has \['m'\]"),
        ({"step": "best", "metric": "val_los"}, "Did you mean val_loss"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(run, arguments, message):
    save_three(run)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(run, **arguments)


def test_a_run_without_checkpoints_says_how_to_get_them(run):
    with pytest.raises(CheckpointError, match=r"run\.checkpoint"):
        load_checkpoint(run)


def test_every_safe_form_loads_without_trust(run, folder):
    tensors = {"w": torch.ones(2)}
    with watching_files(run):
        safetensors.save_file(tensors, "s.safetensors")
        torch.save(tensors, "t.pt")
        torch.save(tensors, "old.pt", _use_new_zipfile_serialization=False)
        np.save("n.npy", np.arange(3))
        np.savez("z.npz", a=np.arange(3))
    assert load_checkpoint(run, name="s")["w"].tolist() == [1, 1]
    assert load_checkpoint(run, name="t")["w"].tolist() == [1, 1]
    assert load_checkpoint(run, name="old")["w"].tolist() == [1, 1]
    assert load_checkpoint(run, name="n").tolist() == [0, 1, 2]
    assert load_checkpoint(run, name="z")["a"].tolist() == [0, 1, 2]


def test_what_others_must_read_is_given_as_a_path(run, folder):
    (folder / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n....")
    run.checkpoint("m.h5")
    path = load_checkpoint(run)
    assert path == checkpoint_path(run)
    assert path.read_bytes().startswith(b"\x89HDF")


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize(
    "save",
    [
        lambda: torch.save(Bomb(), "m.pt"),
        lambda: torch.save(Bomb(), "m.ckpt", _use_new_zipfile_serialization=False),
        lambda: joblib.dump(Bomb(), "m.joblib"),
        lambda: joblib.dump(Bomb(), "m.pkl", compress=3),
        lambda: np.save("m.npy", np.array([Bomb()], dtype=object)),
        lambda: np.savez("m.npz", a=np.array([Bomb()], dtype=object)),
        lambda: Path("m.weights").write_bytes(pickle.dumps(Bomb())),
        lambda: Path("m.safetensors").write_bytes(pickle.dumps(Bomb())),
    ],
)
def test_no_code_of_a_file_runs_without_trust(run, folder, save):
    save()
    run.checkpoint(next(folder.glob("m.*")))
    with pytest.raises(CheckpointError, match="trust=True"):
        load_checkpoint(run)
    assert not Path("exploded").exists()
    assert checkpoint_path(run).is_file()


def test_a_flipped_byte_and_a_lost_file_are_noticed_before_reading(run):
    run.checkpoint({"w": torch.ones(100)}, "m")
    path = checkpoint_path(run)
    os.chmod(path, 0o600)
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(run)
    path.unlink()
    with pytest.raises(CheckpointError, match="no longer in the store"):
        load_checkpoint(run)


# -- limits and faults ----------------------------------------------------------------


def moment(name="m"):
    return Moment(
        name=name, type="checkpoint", path=f"{name}.pt", step=1, metrics={},
        created_at="2026-01-01T00:00:00.000000Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(file_bytes=99), "larger than 99 bytes a file"),
        (Limits(run_bytes=150), "at most 150 bytes of files"),
        (Limits(free_bytes=1 << 60), "nearly full"),
        (Limits(n_names=1), "at most 1 names"),
    ],
)
def test_a_limit_is_said_once_when_hit_and_kept_in_the_run(
    run, folder, limits, words, capsys
):
    keeper = CheckpointKeeper(run.store, run.id, limits=limits)
    for n in range(4):
        (folder / f"{n}").write_bytes(bytes([n]) * 100)
        keeper.keep_file(folder / f"{n}", moment(f"m{n}"))
    assert keeper.settle(10)
    assert len(run.record().checkpoints) < 2
    said = capsys.readouterr().err
    assert said.count(words) == 1
    assert len(said.splitlines()) == 1


def test_files_are_private_whatever_the_umask(run, folder):
    before = os.umask(0)
    try:
        Path("open.pt").write_bytes(b"x" * 10)
        os.chmod("open.pt", 0o666)
        run.checkpoint("open.pt")
        run.checkpoint(torch.nn.Linear(1, 1))
        blobs = blobs_of(run)
    finally:
        os.umask(before)
    assert len(blobs) == 2
    for path in blobs:
        assert stat.S_IMODE(path.stat().st_mode) & 0o177 == 0
    assert stat.S_IMODE((run.store.path / "tmp").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "..", "a\0b", ""])
def test_no_name_leads_out_of_the_store(run, folder, name):
    run.checkpoint({"w": torch.ones(1)}, name or None)
    root = run.store.path.resolve()
    for path in blobs_of(run):
        assert path.resolve().is_relative_to(root)
    assert [p.name for p in folder.iterdir()] == [".nbtrack"]
    (kept,) = kept_of(run)
    assert not {"/", "\\", "\0"} & set(kept.name.replace("\\x00", ""))


def test_a_file_that_is_gone_or_unreadable_costs_one_line(run, folder, capsys):
    run.file_saved(folder / "gone.pt", saver="torch.save")
    assert capsys.readouterr().err == ""
    for _ in range(2):  # its first byte cannot be read: EIO
        run.file_saved(Path("/proc/self/mem"), saver="torch.save")
    said = capsys.readouterr().err
    assert said.count("mem was not kept as a checkpoint: Input/output error") == 1
    assert len(said.splitlines()) == 1
    assert kept_of(run) == ()


def run_python(code, cwd, **env):
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root), **env},
        capture_output=True,
        text=True,
        check=False,
    )


FULL_DISK = """
import os, resource
from pathlib import Path
import numpy as np, nbtrack
from nbtrack.capture.files import watching_files
from nbtrack.tracking import checkpoints
with nbtrack.start("r") as run, watching_files(run):
    np.save("large.npy", np.zeros(400_000))
    np.save("other.npy", np.ones(400_000))
    checkpoints.settle(run)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    for _ in range(2):
        run.file_saved(Path("other.npy").resolve(), saver="numpy.save")
    np.save("after.npy", np.ones(1000))
    run.log(loss=1.0)
print(sorted({c.name for c in run.record().checkpoints} - {"other"}), run.status)
print(os.listdir(run.store.path / "tmp"), np.load("other.npy").sum())
"""


def test_a_disk_that_refuses_the_copy_costs_one_line_and_leaves_nothing(tmp_path):
    done = run_python(FULL_DISK, tmp_path, NBTRACK_STORE=str(tmp_path / ".nbtrack"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['after', 'large'] finished",
        "[] 400000.0",
    ], done.stderr
    assert done.stderr.count("other.npy was not kept") == 1
    assert "Traceback" not in done.stderr


def test_a_finished_run_takes_no_more_files_and_leaves_no_thread(run, folder):
    before = set(threading.enumerate())
    run.checkpoint({"w": torch.ones(1)}, "m")
    run.finish()
    new = [t.name for t in threading.enumerate() if t not in before]
    assert not [name for name in new if name.startswith("nbtrack-files")]


FORK = """
import os, time
import numpy as np, nbtrack
from nbtrack.tracking import checkpoints
with nbtrack.start("r") as run:
    np.save("a.npy", np.ones(1000))
    run.checkpoint("a.npy")
    child = os.fork()
    if child == 0:
        started = time.monotonic()
        run.checkpoint("a.npy", "of the child")
        run.checkpoint({"a": 1}, "of the child")
        settled = checkpoints.settle(run)
        os._exit(0 if settled and time.monotonic() - started < 5 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print([c.name for c in run.record().checkpoints], os.listdir(run.store.path / "tmp"))
"""


def test_a_forked_child_keeps_nothing_and_does_not_wait(tmp_path):
    done = run_python(FORK, tmp_path, NBTRACK_STORE=str(tmp_path / ".nbtrack"))
    assert done.stdout == "['a'] []\n", done.stderr


def test_stale_copies_of_dead_processes_are_removed(run):
    stale = run.store.path / "tmp"
    stale.mkdir(exist_ok=True)
    (stale / "1-dead").write_bytes(b"x")
    os.utime(stale / "1-dead", (1, 1))
    (stale / "2-fresh").write_bytes(b"x")
    CopyFolder(run.store.path)
    assert [p.name for p in stale.iterdir()] == ["2-fresh"]


def test_a_copy_is_exact_and_never_follows_or_replaces(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_001))
    copy_file(source, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    (tmp_path / "empty").touch()
    copy_file(tmp_path / "empty", tmp_path / "empty copy")
    assert (tmp_path / "empty copy").read_bytes() == b""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for taken in ("copy", "link"):
        with pytest.raises(FileExistsError):
            copy_file(source, tmp_path / taken)
    assert not (tmp_path / "elsewhere").exists()


def test_between_file_systems_the_copy_is_made_by_hand(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    (tmp_path / "a").write_bytes(os.urandom(2_500_000))
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_the_reader_of_kept_files_can_unpickle():
    text = Path(checkpoint_load.__file__).read_text()
    assert text.count("weights_only=not trust") == 1
    assert text.count("allow_pickle=trust") == 1
    assert text.index("if not trust:") < text.index("pickle.load(file)")
