"""Files that a cell reads are seen however they are read; code and caches are not."""

from __future__ import annotations

import os
import pickle
import threading

import numpy as np
import pandas as pd
import pytest

from nbtrack.capture.file_groups import grouped, shown_path
from nbtrack.capture.file_readers import READERS, reader_patches
from nbtrack.capture.opened_files import ReadLog, is_data_file

OLD = 1_000_000_000  # seconds: long before any cell


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(path, write):
    write(path)
    os.utime(path, (OLD, OLD))
    return path


def names_read(read, namespace=None):
    """The names of the files that are found to be read by `read()`."""
    log = ReadLog()
    reader_patches.add(log, {} if namespace is None else namespace)
    log.start()
    try:
        read()
    finally:
        log.stop()
        reader_patches.remove(log)
    return [path.name for path, _ in log.found()]


TABLE = pd.DataFrame({"a": [1.0, 2.0]})


def torch_file(path):
    import torch

    torch.save({"w": torch.ones(2)}, path)


def safetensors_file(path):
    from safetensors.numpy import save_file

    save_file({"w": np.ones(2)}, path)


def h5_file(path):
    import h5py

    with h5py.File(path, "w") as file:
        file["x"] = [1]


def load_safetensors(path):
    import safetensors.numpy

    safetensors.numpy.load_file(path)


def load_torch(path):
    import torch

    torch.load(path, weights_only=True)


def load_h5(path):
    import h5py

    h5py.File(path, "r").close()


def arrow(module, function):
    def read(path):
        import importlib

        getattr(importlib.import_module(module), function)(path)

    return read


def joblib_file(path):
    import joblib

    joblib.dump([1], path)


def load_joblib(path):
    import joblib

    joblib.load(path)


WAYS = {
    "open": (TABLE.to_csv, lambda p: open(p).close()),
    "pathlib": (TABLE.to_csv, lambda p: p.read_text()),
    "pandas csv": (TABLE.to_csv, pd.read_csv),
    "pandas csv pyarrow": (TABLE.to_csv, lambda p: pd.read_csv(p, engine="pyarrow")),
    "pandas parquet": (TABLE.to_parquet, lambda p: pd.read_parquet(p)),
    "pandas pickle": (TABLE.to_pickle, pd.read_pickle),
    "numpy": (lambda p: np.save(p, np.ones(2)), np.load),
    "numpy mapped": (lambda p: np.save(p, np.ones(2)), lambda p: np.load(p, "r")),
    "numpy text": (lambda p: np.savetxt(p, np.ones(2)), lambda p: np.loadtxt(p)),
    "numpy from file": (lambda p: np.ones(2).tofile(p), np.fromfile),
    "torch": (torch_file, load_torch),
    "safetensors": (safetensors_file, load_safetensors),
    "h5py": (h5_file, load_h5),
    "joblib": (joblib_file, load_joblib),
    "pyarrow parquet": (TABLE.to_parquet, arrow("pyarrow.parquet", "read_table")),
    "pyarrow ParquetFile": (TABLE.to_parquet, arrow("pyarrow.parquet", "ParquetFile")),
    "pyarrow csv": (TABLE.to_csv, arrow("pyarrow.csv", "read_csv")),
    "pyarrow feather": (TABLE.to_feather, arrow("pyarrow.feather", "read_table")),
}


OPTIONAL = {"polars", "torch"}  # what the tests may run without


@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_seen_however_it_is_read(folder, way):
    if way == "torch":
        pytest.importorskip("torch")
    write, read = WAYS[way]
    path = made(folder / "data.npy", write)
    assert names_read(lambda: read(path)) == ["data.npy"]


def test_readers_are_put_back_and_found_where_the_notebook_bound_them(folder):
    import pyarrow.parquet
    from safetensors.numpy import load_file

    path = made(folder / "w.safetensors", safetensors_file)
    namespace = {"load_file": load_file}
    seen = names_read(lambda: namespace["load_file"](path), namespace)
    assert seen == ["w.safetensors"]
    assert namespace["load_file"] is load_file
    assert pyarrow.parquet.read_table.__module__ == "pyarrow.parquet.core"
    assert not hasattr(pd.read_parquet, "__wrapped__")


def test_open_is_what_it_was_when_the_last_one_stops_listening(folder):
    import builtins
    import io

    was = builtins.open
    logs = [ReadLog(), ReadLog()]
    for log in logs:
        log.start()
    assert builtins.open is io.open is not was
    assert pickle.loads(pickle.dumps(open)) is open
    for log in logs:
        log.stop()
    assert builtins.open is io.open is was


def test_what_replaced_open_meanwhile_stays(folder, monkeypatch):
    import builtins

    def own(*args, **kwargs):
        return was(*args, **kwargs)

    was = builtins.open
    log = ReadLog()
    log.start()
    monkeypatch.setattr(builtins, "open", own)
    log.stop()
    assert builtins.open is own


def test_a_missing_file_is_told_as_without_us(folder):
    log = ReadLog()
    log.start()
    try:
        with pytest.raises(FileNotFoundError) as raised:
            open("none.csv")  # noqa: SIM115
    finally:
        log.stop()
    assert raised.value.filename == "none.csv"
    names = [entry.name for entry in raised.traceback]
    assert names == ["test_a_missing_file_is_told_as_without_us"]


def test_a_reader_that_fails_shows_no_frame_of_ours(folder):
    def read():
        with pytest.raises(FileNotFoundError) as raised:
            pd.read_parquet(folder / "none.parquet")
        files = [str(entry.path) for entry in raised.traceback]
        assert not [file for file in files if "file_readers" in file]
        assert len(files) > 2

    names_read(read)


def test_a_reader_gives_what_it_gave_and_raises_what_it_raised(folder):
    path = made(folder / "a.parquet", TABLE.to_parquet)
    log = ReadLog()
    reader_patches.add(log, {})
    try:
        assert pd.read_parquet(path).equals(TABLE)
        with pytest.raises(FileNotFoundError):
            pd.read_parquet(folder / "none.parquet")
    finally:
        reader_patches.remove(log)
    assert [path.name for path, _ in log.found()] == ["a.parquet"]


def test_every_reader_names_something_that_is_there():
    import importlib.util

    for reader in READERS:
        parts = reader.module.split(".")  # safetensors.torch needs torch
        if None in map(importlib.util.find_spec, {parts[0], parts[-1]} & OPTIONAL):
            continue
        owner = importlib.import_module(reader.module)
        for part in reader.attribute.split("."):
            owner = getattr(owner, part)
        assert callable(owner), reader


def test_what_the_cell_wrote_itself_is_no_input(folder):
    made(folder / "in.csv", TABLE.to_csv)

    def read():
        TABLE.to_csv("out.csv")
        TABLE.to_parquet("out.parquet")  # raises no event when it is written
        pd.read_csv("out.csv")
        pd.read_parquet("out.parquet")
        pd.read_csv("in.csv")
        TABLE.to_csv("in.csv")

    assert names_read(read) == ["in.csv"]


def test_what_the_cell_writes_at_once_is_not_older_than_the_cell(folder):
    # 200 times, as the clocks differ only within a tick of the kernel.
    for n in range(200):
        log = ReadLog()
        (folder / f"{n}.bin").touch()  # without a word to the log, as savers in C do
        log.reading(str(folder / f"{n}.bin"))
        assert list(log.found()) == []


def test_a_file_that_is_not_there_is_no_input(folder):
    def read():
        with pytest.raises(FileNotFoundError):
            open("none.csv")  # noqa: SIM115

    assert names_read(read) == []


def test_files_read_by_threads_are_seen_and_ours_are_not(folder):
    made(folder / "a.csv", TABLE.to_csv)
    made(folder / "b.csv", TABLE.to_csv)

    def read():
        for name, path in (("loader", "a.csv"), ("nbtrack-data", "b.csv")):
            thread = threading.Thread(target=pd.read_csv, args=(path,), name=name)
            thread.start()
            thread.join()

    assert names_read(read) == ["a.csv"]


@pytest.mark.parametrize(
    "name",
    [
        "/home/a/project/train.csv",
        "/home/a/.keras/datasets/mnist.npz",
        "/home/a/.cache/huggingface/hub/models/x.safetensors",
        "/data/images/1.png",
    ],
)
def test_data_is_told_by_its_path(name):
    assert is_data_file(name)


@pytest.mark.parametrize(
    "name",
    [
        "/proc/meminfo",
        "/sys/fs/cgroup/cpu.max",
        "/etc/hosts",
        "/usr/share/zoneinfo/UTC",
        "/home/a/project/model.py",
        "/home/a/project/train.ipynb",
        "/home/a/project/.env",
        "/home/a/.config/matplotlib/matplotlibrc",
        "/home/a/fonts/DejaVu.ttf",
        os.__file__.replace("os.py", "data.json"),
        pd.__file__.replace("__init__.py", "data.csv"),
    ],
)
def test_code_system_files_and_secrets_are_no_data(name):
    assert not is_data_file(name)


def test_a_failure_of_ours_leaves_open_as_it_was(folder, monkeypatch, capsys):
    made(folder / "a.csv", TABLE.to_csv)

    def fail(*_):
        raise RuntimeError("injected")

    monkeypatch.setattr(ReadLog, "opened", fail)
    log = ReadLog()
    log.start()
    try:
        assert pd.read_csv("a.csv").shape == (2, 2)
    finally:
        log.stop()
    said = capsys.readouterr().err
    assert said.count("the log of files read failed") == 1


def test_nothing_is_heard_when_nobody_listens(folder):
    made(folder / "a.csv", TABLE.to_csv)
    log = ReadLog()
    log.start()
    log.stop()
    pd.read_csv("a.csv")
    assert list(log.found()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_worker_notes_nothing(folder):
    made(folder / "a.csv", TABLE.to_csv)
    log = ReadLog()
    log.start()
    try:
        child = os.fork()
        if not child:
            open("a.csv").close()
            os._exit(len(log._read))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        log.stop()


def test_thousands_of_pictures_are_one_folder(tmp_path):
    stamp = (0, 10, 0)
    pictures = [
        (tmp_path / "train" / kind / f"{n}.png", stamp)
        for kind in ("cat", "dog")
        for n in range(500)
    ]
    found = grouped([*pictures, (tmp_path / "labels.csv", stamp)])
    assert [g.path.name for g in found] == ["labels.csv", "train"]
    assert found[1].is_folder
    assert len(found[1].files) == 1000


def test_paths_are_shown_from_the_notebook_or_from_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    here = tmp_path / "me" / "a" / "b" / "c"
    assert shown_path(here / "x.csv", here) == "x.csv"
    assert shown_path(here.parent / "x.csv", here) == "../x.csv"
    assert shown_path(tmp_path / "me" / "x.csv", here) == "~/x.csv"
