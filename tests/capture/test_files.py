"""Savers are seen, and behave as if nobody looked."""

import importlib
import inspect
import io
import json
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy

from nbtrack.capture.file_patches import patches
from nbtrack.capture.file_savers import SAVERS
from nbtrack.capture.files import FileWatch, is_hidden, watching_files
from nbtrack.guard import guard

try:
    import safetensors.torch
    import torch
except ImportError:  # large: not every environment has it
    torch = None
needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")


class Heard(list):
    """A sink that notes what it hears, with the size the file had then."""

    def file_saved(self, path: Path, *, saver: str) -> None:
        self.append((saver, path.name, path.stat().st_size))

    @property
    def names(self) -> list[tuple[str, str]]:
        return [(saver, name) for saver, name, _ in self]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def warnings(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(guard, "_warn", said.append)
    guard.failures.clear()
    return said


def bindings() -> dict[str, int]:
    modules = [joblib, joblib.numpy_pickle, np, pickle, safetensors.numpy]
    if torch is not None:
        modules += [torch, torch.serialization, safetensors.torch]
    found = {
        f"{m.__name__}.{name}": id(value)
        for m in [*modules, sys.modules["_pickle"]]
        for name, value in vars(m).items()
        if name in {"save", "dump", "savez", "savez_compressed", "save_file"}
    }
    found |= {f"DataFrame.{n}": id(v) for n, v in vars(pd.DataFrame).items()}
    return found | {"meta_path": hash(tuple(map(id, sys.meta_path)))}


SAVES = {
    "torch.save a.pt": lambda: torch.save(torch.nn.ReLU().state_dict(), "a.pt"),
    "torch.save b.pth": lambda: torch.save(obj={"a": 1}, f=Path("b.pth")),
    "safetensors.torch.save_file a.safetensors": lambda: safetensors.torch.save_file(
        {"w": torch.ones(2)}, "a.safetensors"
    ),
    "safetensors.torch.save_model m.safetensors": lambda: safetensors.torch.save_model(
        torch.nn.Linear(2, 2), "m.safetensors"
    ),
    "safetensors.numpy.save_file n.safetensors": lambda: safetensors.numpy.save_file(
        {"w": np.ones(2)}, "n.safetensors"
    ),
    "joblib.dump a.joblib": lambda: joblib.dump({"a": 1}, "a.joblib"),
    "numpy.save a.npy": lambda: np.save("a", np.ones(2)),
    "numpy.savez a.npz": lambda: np.savez("a.npz", w=np.ones(2)),
    "numpy.savez_compressed c.npz": lambda: np.savez_compressed(Path("c"), np.ones(2)),
    "pandas.DataFrame.to_parquet a.parquet": lambda: pd.DataFrame(
        {"a": [1]}
    ).to_parquet("a.parquet"),
    "pandas.DataFrame.to_pickle a.pkl": lambda: pd.DataFrame({"a": [1]}).to_pickle(
        path="a.pkl"
    ),
}


@pytest.mark.parametrize("expected", SAVES)
def test_a_saver_is_seen_once_with_the_finished_file(folder, expected):
    if "torch" in expected:
        pytest.importorskip("torch")
    heard = Heard()
    with watching_files(heard):
        SAVES[expected]()
    assert [f"{saver} {name}" for saver, name, _ in heard] == [expected]
    assert heard[0][2] == (folder / heard[0][1]).stat().st_size > 0


def test_everything_is_put_back_after_an_error_too(folder):
    before, during = bindings(), {}

    def failing_cell():
        with watching_files(Heard()):
            during.update(bindings())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing_cell()
    assert bindings() == before != during


@needs_torch
def test_signature_result_and_identity_are_those_of_the_saver(folder):
    signatures = [inspect.signature(f) for f in (torch.save, joblib.dump, np.savez)]
    original = torch.save
    with watching_files(Heard()):
        assert [
            inspect.signature(f) for f in (torch.save, joblib.dump, np.savez)
        ] == signatures
        assert joblib.dump(1, "x.joblib") == ["x.joblib"]
        assert torch.save.__doc__ == original.__doc__
        for function in (torch.save, joblib.dump, np.save, pickle.dump):
            assert pickle.loads(pickle.dumps(function)) is function


@needs_torch
def test_exceptions_of_the_saver_pass_and_nothing_is_heard(folder):
    heard = Heard()
    with watching_files(heard):
        with pytest.raises(TypeError) as caught:
            torch.save()
        with pytest.raises(RuntimeError, match="does not exist"):
            torch.save(1, "missing/folder.pt")
        with pytest.raises((pickle.PicklingError, AttributeError)):
            joblib.dump(lambda: 0, "l.joblib")
    assert "save" in str(caught.value)
    assert heard.names == []


@needs_torch
def test_buffers_are_left_alone(folder):
    heard, buffer = Heard(), io.BytesIO()
    with watching_files(heard):
        torch.save(1, buffer)
        np.save(buffer, np.ones(1))
        pickle.dump(1, buffer)
        assert pd.DataFrame({"a": [1]}).to_parquet() is not None
    assert heard == []
    assert buffer.tell() > 100


@pytest.mark.filterwarnings("ignore:.*n.pkl.*")  # Python's own, with or without us
def test_a_file_object_is_heard_of_when_it_is_closed(folder):
    heard = Heard()
    with watching_files(heard):
        with open("m.pkl", "wb") as file:
            pickle.dump(list(range(1000)), file)
            pickle.dump(2, file)
            assert heard == []
        assert file.closed
        pickle.dump(3, open("n.pkl", "wb"))  # noqa: SIM115 - the habit under test
        assert [size for _, _, size in heard] == [
            os.path.getsize("m.pkl"),
            os.path.getsize("n.pkl"),
        ]
    assert heard.names == [("pickle.dump", "m.pkl"), ("pickle.dump", "n.pkl")]


@needs_torch
def test_a_file_object_closed_after_the_run_is_an_ordinary_one(folder):
    heard = Heard()
    file = open("late.pt", "wb")  # noqa: SIM115
    with watching_files(heard):
        torch.save(1, file)
    file.close()
    assert file.closed
    assert torch.load("late.pt") == 1


def test_pickles_that_are_caches_are_not_models(folder):
    heard = Heard()
    with watching_files(heard), open("index.cache", "wb") as file:
        pickle.dump(1, file)
    assert heard == []


@needs_torch
def test_the_same_path_again_is_heard_each_time(folder):
    heard = Heard()
    with watching_files(heard):
        for epoch in range(3):
            torch.save({"epoch": epoch}, "model.pt")
    assert heard.names == [("torch.save", "model.pt")] * 3


@needs_torch
def test_names_bound_in_the_notebook_are_seen_and_given_back(folder):
    namespace: dict[str, object] = {"dump": joblib.dump, "x": 1}
    heard = Heard()
    with watching_files(heard, namespace=namespace):
        exec("from safetensors.torch import save_file", namespace)
        exec("import torch; dump(x, 'a.joblib')", namespace)
        exec("save_file({'w': torch.ones(1)}, 'a.safetensors')", namespace)
    assert [name for _, name in heard.names] == ["a.joblib", "a.safetensors"]
    assert namespace["dump"] is joblib.dump
    assert namespace["save_file"] is safetensors.torch.save_file


def test_a_twin_that_outlives_the_run_passes_through(folder):
    heard = Heard()
    with watching_files(heard):
        from joblib import dump
    dump(1, "later.joblib")
    assert heard == []
    assert joblib.load("later.joblib") == 1


@needs_torch
def test_overlapping_runs_in_any_order_leave_nothing(folder):
    before, first, second = bindings(), Heard(), Heard()
    one, two = FileWatch(first), FileWatch(second)
    one.start()
    two.start()
    torch.save(1, "inner.pt")
    one.stop()
    torch.save(2, "still.pt")
    two.stop()
    assert bindings() == before
    assert second.names == [("torch.save", "inner.pt"), ("torch.save", "still.pt")]
    assert first.names == [("sweep", "inner.pt")]


@needs_torch
def test_a_patch_put_over_ours_is_respected(folder, monkeypatch):
    watch = FileWatch(Heard())
    watch.start()
    ours = torch.save

    def theirs(*args, **kwargs):
        return ours(*args, **kwargs)

    monkeypatch.setattr(torch, "save", theirs)
    watch.stop()
    assert torch.save is theirs
    torch.save(1, "x.pt")
    monkeypatch.undo()
    torch.save = torch.serialization.save  # what monkeypatch restored is our twin


@needs_torch
def test_the_sweep_finds_what_no_saver_told(folder):
    (folder / "old.pt").write_bytes(b"old")
    (folder / "checkpoints").mkdir()
    (folder / "src").mkdir()
    heard = Heard()
    with watching_files(heard):
        (folder / "new.onnx").write_bytes(b"new")
        (folder / "checkpoints/last.ckpt").write_bytes(b"last")
        (folder / "src/not_here.pt").write_bytes(b"-")
        (folder / "notes.txt").write_bytes(b"-")
        torch.save(1, "told.pt")
    swept = [name for saver, name in heard.names if saver == "sweep"]
    assert sorted(swept) == ["last.ckpt", "new.onnx"]


@needs_torch
def test_a_save_renamed_into_place_is_told_once(folder):
    heard = Heard()
    with watching_files(heard):
        torch.save(1, "model.pt.tmp")
        os.replace("model.pt.tmp", "model.pt")
    assert heard.names == [("torch.save", "model.pt.tmp")]


def test_the_sweep_does_not_drown_in_a_huge_folder(folder, monkeypatch):
    monkeypatch.setattr("nbtrack.capture.file_sweep.MAX_ENTRIES", 5)
    for n in range(20):
        (folder / f"{n}.npy").write_bytes(b"x")
        os.utime(folder / f"{n}.npy", (1, 1))
    heard = Heard()
    with watching_files(heard):
        for n in range(10):  # other files come into view: they are not new
            (folder / f"{n}.npy").unlink()
    assert heard == []


@needs_torch
def test_a_file_removed_at_once_is_no_trouble(folder, warnings):
    heard = Heard()

    class Vanishing:
        def __fspath__(self) -> str:
            return str(folder / "gone.pt")

    def save_and_remove(*args, **kwargs):
        with open(args[1], "wb") as file:
            file.write(b"x")
        os.unlink(args[1])

    original, torch.save = torch.save, save_and_remove
    try:
        with watching_files(heard):
            torch.save(1, Vanishing())
    finally:
        torch.save = original
    assert (heard, warnings) == ([], [])


@needs_torch
def test_a_raising_sink_never_reaches_the_user_and_warns_once(folder, warnings):
    class Broken:
        def file_saved(self, path, *, saver):
            raise OSError("no space left")

        def file_saving(self, path):
            raise OSError("no space left")

    with watching_files(Broken()):
        for _ in range(3):
            torch.save({"a": 1}, "model.pt")
    assert torch.load("model.pt") == {"a": 1}
    assert len(warnings) == 1
    assert "no space left" in warnings[0]


@needs_torch
def test_paths_of_any_spelling(folder):
    heard = Heard()
    os.mkdir("sub")
    with watching_files(heard):
        joblib.dump(1, folder / "sub/../plain.pt")
        torch.save(1, "ümlaut ☃.pt")
    assert [name for _, name in heard.names] == ["plain.pt", "ümlaut ☃.pt"]


@needs_torch
def test_hidden_folders_are_not_the_users_models(folder):
    heard = Heard()
    os.mkdir(".cache")
    with watching_files(heard):
        torch.save(1, ".cache/x.pt")
    assert heard == []
    assert is_hidden(Path("/home/somebody/.cache/torch/x.pt"))


def test_saves_of_other_threads_are_heard(folder):
    heard = Heard()
    with watching_files(heard):
        threads = [
            threading.Thread(target=np.save, args=(f"t{n}", np.ones(3)))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(name for _, name in heard.names) == [f"t{n}.npy" for n in range(8)]


@needs_torch
def test_unwatched_saves_are_nobodys_business(folder):
    heard = Heard()
    with watching_files(heard, root=folder / "elsewhere"), patches.unwatched():
        torch.save(1, "own.pt")
    assert heard == []


def run_python(code: str, cwd: Path) -> str:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LATE = """
import json, sys
from nbtrack.capture.files import watching_files
class Sink:
    heard = []
    def file_saved(self, path, *, saver):
        self.heard.append([saver, path.name])
finders = list(sys.meta_path)
assert "torch" not in sys.modules and "joblib" not in sys.modules
with watching_files(Sink()):
    import torch
    from joblib import dump
    from safetensors.torch import save_file
    assert torch.__spec__.loader is torch.__loader__
    assert "exec_module" not in vars(torch.__loader__)
    for _ in range(2):
        torch.save(1, "a.pt")
    dump(1, "a.joblib")
    save_file({"w": torch.ones(1)}, "a.safetensors")
assert sys.meta_path == finders
assert not hasattr(torch.save, "__wrapped__")
print(json.dumps(Sink.heard))
"""


@needs_torch
def test_modules_imported_during_the_cell_are_seen(tmp_path):
    assert json.loads(run_python(LATE, tmp_path)) == [
        ["torch.save", "a.pt"],
        ["torch.save", "a.pt"],
        ["joblib.dump", "a.joblib"],
        ["safetensors.torch.save_file", "a.safetensors"],
    ]


def test_a_module_that_fails_to_import_fails_as_before(tmp_path, monkeypatch):
    (tmp_path / "keras.py").write_text("raise RuntimeError('broken install')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [n for n in sys.modules if n.partition(".")[0] == "keras"]:
        monkeypatch.delitem(sys.modules, name)  # another test may have the real one
    with watching_files(Heard()), pytest.raises(RuntimeError, match="broken install"):
        importlib.import_module("keras")
    assert "keras" not in sys.modules


KERAS = """
import json
from nbtrack.capture.files import watching_files
class Sink:
    heard = []
    def file_saved(self, path, *, saver):
        self.heard.append([saver, path.name])
with watching_files(Sink()):
    import keras
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.save("a.keras")
    model.compile("sgd", "mse")
    saving = [keras.callbacks.ModelCheckpoint("b.keras")]
    ones = keras.ops.ones
    model.fit(ones((4, 2)), ones((4, 1)), epochs=2, verbose=0, callbacks=saving)
print(json.dumps(Sink.heard))
"""


@pytest.mark.frameworks
def test_keras_and_its_checkpoint_callback_are_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert json.loads(run_python(KERAS, tmp_path).splitlines()[-1]) == [
        ["keras.Model.save", "a.keras"],
        ["keras.Model.save", "b.keras"],
        ["keras.Model.save", "b.keras"],
    ]


FORK = """
import os, sys
import numpy as np
from nbtrack.capture.files import watching_files
class Sink:
    def file_saved(self, path, *, saver):
        os.write(1, f"{path.name}\\n".encode())
with watching_files(Sink()):
    child = os.fork()
    if child == 0:
        np.save("child", np.ones(1))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.unlink("child.npy")
    np.save("parent", np.ones(1))
"""


def test_a_forked_child_is_silent(tmp_path):
    assert run_python(FORK, tmp_path).split() == ["parent.npy"]


def test_watching_imports_none_of_the_libraries(tmp_path):
    code = (
        "import sys; from nbtrack.capture.files import watching_files\n"
        "with watching_files(object()): pass\n"
        "print({'torch','numpy','joblib','pandas','safetensors'} & sys.modules.keys())"
    )
    assert run_python(code, tmp_path).strip() == "set()"


def test_every_row_of_the_table_names_a_real_parameter():
    for saver in SAVERS:
        if saver.module == "keras":  # not a dependency of the tests
            continue
        if "torch" in saver.module and torch is None:
            continue
        target = importlib.import_module(saver.module)
        for part in saver.attribute.split("."):
            target = getattr(target, part)
        parameters = list(inspect.signature(target).parameters)
        assert parameters[saver.position] == saver.keyword, saver.name


def test_fifty_runs_leak_nothing(folder):
    before = bindings()
    heard = Heard()
    with watching_files(heard):
        np.save("warm", np.ones(1))
    tracemalloc.start()
    for _ in range(50):
        with watching_files(Heard()):
            pass
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bindings() == before
    assert grown < 200_000
