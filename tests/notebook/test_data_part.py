"""What a tracked cell reads is known by content, and what changed stands under it."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from nbtrack.tracking import data_reading
from nbtrack.tracking.data_worker import data_worker

pytestmark = pytest.mark.usefixtures("plain_surroundings")

OLD = 1_000_000_000


class Notebook:
    """A shell that shows its lines to the test, in a folder of its own."""

    def __init__(self, shell, shown):
        self.shell, self.shown = shell, shown
        shell.run_cell("%load_ext nbtrack")

    def run(self, code):
        self.shown.clear()
        done = self.shell.run_cell(code, store_history=True)
        assert data_worker.settle(20)
        return done

    @property
    def line(self):
        return next((t for t in reversed(self.shown) if t.startswith("run ")), "")

    def inputs(self, run="last"):
        import nbtrack

        store = nbtrack.open()
        return {r.name: r for r in store.inputs(_settled(store).run(run).id)}

    def notices(self, run="last"):
        import nbtrack

        store = _settled(nbtrack.open())
        return store.notices(store.run(run).id)


def _settled(store):
    store.journal.flush(5)
    return store


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch):
    shown = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nbtrack.notebook.tracked_cell.show_line", shown.append)
    monkeypatch.setattr("nbtrack.tracked.data_part.WAIT_S", 20)  # a busy machine
    return Notebook(shell, shown)


def test_a_value_in_row_10001_of_a_frame_changes_the_digest(notebook):
    notebook.shell.user_ns["train_df"] = pd.DataFrame(
        {"x": np.arange(20_000.0), "y": ["a", "b"] * 10_000}
    )
    notebook.run("%%track base\nloss = train_df.x.mean()")
    notebook.run("train_df.loc[10_000, 'x'] += 1")
    notebook.run("%%track base\nloss = train_df.x.mean()")
    before, after = notebook.inputs("base"), notebook.inputs("base-2")
    assert before["train_df"].digest != after["train_df"].digest
    assert after["train_df"].n_rows == 20_000
    assert "train_df (same rows, values differ since base)" in notebook.line
    assert "train_df changed: same rows, values differ since run base" in (
        notebook.notices()
    )
    told = {c["name"]: c for c in after["train_df"].detail["columns"]}
    assert (told["y"]["unique"], told["x"]["dtype"]) == (2, "float64")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("df = pd.concat([df, df.iloc[:12]])", "+12 rows"),
        ("df = df.iloc[:-1]", "−1 row"),
        ("df = df.assign(z=1)", "+column z"),
        ("df = df.drop(columns='b')", "−column b"),
        ("df = df.astype({'a': 'float64'})", "a int64 → float64"),
    ],
)
def test_what_became_of_a_frame_is_said(notebook, change, said):
    notebook.run("import pandas as pd")
    notebook.run("df = pd.DataFrame({'a': range(100), 'b': 'x'})")
    notebook.run("%%track base\nloss = df.a.mean()")
    notebook.run(change)
    notebook.run("%%track base\nloss = df.a.mean()")
    assert f"{said} since base" in notebook.inputs()["df"].detail["drift"]
    assert f"data df ({said} since base)" in notebook.line


def test_data_that_did_not_change_is_named_without_a_word(notebook):
    notebook.run("import numpy as np; X = np.zeros((50, 3)); unused = np.ones(9)")
    for _ in range(2):
        notebook.run("%%track base\nloss = X.sum()")
    assert "· data X" in notebook.line
    assert "since" not in notebook.line
    record = notebook.inputs()["X"]
    assert (record.type, record.n_rows, record.detail["cell"]) == ("array", 50, "[1]")
    assert "unused" not in notebook.inputs()


def test_the_digest_is_of_the_start_of_the_cell(notebook):
    notebook.run("import numpy as np; X = np.zeros((50, 3)); xs = [1.5] * 100")
    notebook.run("%%track base\nX[3] = 7\nxs[5] = 0\nloss = X.sum() + sum(xs)")
    from nbtrack.capture.digests import digest_of

    found = notebook.inputs()
    assert found["X"].digest == digest_of(np.zeros((50, 3)))
    assert found["xs"].digest == digest_of([1.5] * 100)


def test_a_large_array_that_changed_while_it_was_read_has_no_digest(notebook):
    notebook.shell.user_ns["X"] = np.zeros(4_000_000)
    notebook.run("%%track base\nX[:] = 1\nX[0] = 2\nloss = 1.0")
    record = notebook.inputs()["X"]
    assert (record.digest, record.missing) == (None, data_reading.CHANGED)


def test_data_reached_through_functions_and_objects_is_an_input(notebook):
    notebook.run(
        "import numpy as np\n"
        "table = np.zeros((7, 2)); held = np.ones(5)\n"
        "def evaluate():\n    return table.sum()\n"
        "class Trainer:\n"
        "    def __init__(self): self.rows = held\n"
        "    def train(self): return self.rows.sum()\n"
        "trainer = Trainer()"
    )
    notebook.run("%%track base\nloss = evaluate() + trainer.train()")
    assert {"table", "trainer.rows"} <= notebook.inputs().keys()


def test_loaders_and_torch_data_sets_are_inputs(notebook):
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, TensorDataset

    held = TensorDataset(torch.arange(40.0).reshape(20, 2), torch.zeros(20))
    notebook.shell.user_ns["loader"] = DataLoader(held, batch_size=5)
    notebook.run("%%track base\nfor x, y in loader:\n    loss = float(x.sum())")
    record = notebook.inputs()["loader"]
    assert (record.type, record.n_rows, record.detail["batch_size"]) == (
        "dataset",
        20,
        5,
    )
    from nbtrack.capture.digests import digest_of

    assert record.digest == digest_of(held)


def test_a_data_set_of_unknown_make_has_a_reason_and_the_digests_of_its_parts(notebook):
    pytest.importorskip("torch")
    notebook.run(
        "import numpy as np\nfrom torch.utils.data import Dataset\n"
        "class Own(Dataset):\n"
        "    def __init__(self): self.rows = np.zeros(9)\n"
        "    def __getitem__(self, at): raise SystemError('asked')\n"
        "    def __len__(self): return 9\n"
        "own = Own()"
    )
    notebook.run("%%track base\nloss = len(own) / 2")
    record = notebook.inputs()["own"]
    assert record.digest is None
    assert "its items are made by its own code" in record.missing
    assert (record.n_rows, list(record.detail["parts"])) == (9, ["rows"])


# -- files --------------------------------------------------------------------------


def test_files_that_the_cell_reads_are_inputs(notebook, tmp_path):
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "train.csv"
    path.write_text("a\n1\n2\n")
    os.utime(path, (OLD, OLD))
    notebook.run("import pandas as pd")
    cell = "%%track base\nloss = pd.read_csv('data/train.csv').a.sum()"
    notebook.run(cell)
    from nbtrack.capture.digests.files import file_digest

    record = notebook.inputs()["data/train.csv"]
    assert (record.type, record.size_bytes) == ("file", 6)
    assert record.digest == file_digest(path)
    assert "read data/train.csv" in notebook.line
    path.write_text("a\n1\n3\n")
    os.utime(path, (OLD + 1, OLD + 1))
    notebook.run(cell)
    assert "data/train.csv (values differ since base)" in notebook.line


def test_a_folder_of_pictures_is_one_input(notebook, tmp_path):
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for n in range(30):
            path = tmp_path / kind / f"{n}.bin"
            path.write_bytes(b"%d" % n)
            os.utime(path, (OLD, OLD))
    notebook.run(
        "%%track base\nfrom pathlib import Path\n"
        "loss = float(sum(len(p.read_bytes()) for p in Path().glob('*/*.bin')))"
    )
    (record,) = notebook.inputs().values()
    assert (record.name, record.type, record.detail["files"]) == (".", "directory", 60)
    assert record.digest is not None


def test_a_sparse_file_of_10_gb_stalls_nothing_and_is_said(notebook, tmp_path):
    import time

    path = tmp_path / "large.bin"
    path.touch()
    os.truncate(path, 10 << 30)
    os.utime(path, (OLD, OLD))
    started = time.monotonic()
    notebook.run(
        "%%track base\nwith open('large.bin', 'rb') as f: loss = len(f.read(9))"
    )
    assert time.monotonic() - started < 5  # reading all of it takes far longer
    record = notebook.inputs()["large.bin"]
    assert (record.digest, record.size_bytes) == (None, 10 << 30)
    assert "larger than 2.0 GiB" in record.missing
    assert len(record.detail["sample_digest"]) == 64
    assert "not recorded: large.bin: 10.0 GiB" in notebook.line
    assert any("configure(data_limit=...)" in text for text in notebook.notices())


def test_a_limit_of_the_users_own_is_kept_to_and_said(notebook):
    import nbtrack

    nbtrack.configure(data_limit="1 MB")
    notebook.shell.user_ns["X"] = np.zeros(4_000_000)
    notebook.run("%%track base\nloss = X[0] + 1")
    record = notebook.inputs()["X"]
    assert record.digest is None
    assert "30.5 MiB, larger than 1.0 MiB" in record.missing
    assert (record.n_rows, record.detail["shape"]) == (4_000_000, [4_000_000])


@pytest.mark.parametrize("how", ["unlink()", "write_text('1, 2')"])
def test_a_file_that_is_gone_or_changed_after_it_was_read_says_so(
    notebook, tmp_path, how
):
    (tmp_path / "a.csv").write_text("1")
    os.utime(tmp_path / "a.csv", (OLD, OLD))
    notebook.run("from pathlib import Path; path = Path('a.csv')")
    notebook.run(f"%%track base\nloss = float(path.read_text())\npath.{how}")
    record = notebook.inputs()["a.csv"]
    assert record.digest is None
    assert "after it was opened" in record.missing


def test_files_of_the_store_and_of_python_are_no_inputs(notebook):
    notebook.run("%%track base\nimport colorsys, json\nloss = 0.5\nprint(loss)")
    assert notebook.inputs() == {}


# -- when it goes wrong -------------------------------------------------------------


class Hostile(pd.DataFrame):
    """A table that will not be looked at."""

    @property
    def shape(self):
        raise RuntimeError("no shape")

    def __len__(self):
        raise RuntimeError("no length")

    def copy(self, deep=True):
        raise RuntimeError("no copy")


def test_a_table_that_raises_at_every_look_leaves_the_cell_alone(notebook):
    notebook.shell.user_ns["bad"] = Hostile({"a": [1]})
    notebook.shell.user_ns["good"] = np.zeros(3)
    done = notebook.run("%%track base\nx = bad.columns\nloss = good.sum() + 1")
    assert done.success
    assert "bad (RuntimeError: no " in notebook.line
    assert notebook.inputs()["good"].digest is not None


def test_exotic_dtypes_are_read_or_have_a_reason(notebook):
    notebook.shell.user_ns["odd"] = pd.DataFrame({"o": [object(), {1: 2}, [3]]})
    notebook.shell.user_ns["wide"] = np.zeros(3, "V7")
    notebook.run("%%track base\nloss = float(len(odd) + len(wide))")
    found = notebook.inputs()
    assert "an object of type object" in found["odd"].missing
    assert found["odd"].n_rows == 3
    assert found["wide"].digest is not None


@pytest.mark.parametrize(
    "broken",
    [
        "nbtrack.capture.data_read.data_among",
        "nbtrack.capture.data_taking.Taker.take",
        "nbtrack.tracking.data_reading.DataReading.read",
        "nbtrack.tracking.data_reading.DataReading._all",
        "nbtrack.tracking.data_reading.drift",
        "nbtrack.capture.opened_files.ReadLog.found",
        "nbtrack.capture.file_readers.ReaderPatches.add",
    ],
)
def test_a_failure_of_ours_is_one_line_and_the_cell_goes_on(
    notebook, monkeypatch, capsys, broken
):
    def fail(*_, **__):
        raise RuntimeError("injected")

    notebook.run("import numpy as np; X = np.zeros(9)")
    notebook.run("%%track base\nloss = X.sum() + 1")
    notebook.run("X[3] = 1")
    monkeypatch.setattr(broken, fail)
    done = notebook.run("%%track base\nloss = X.sum() + 1")
    assert done.success
    assert notebook.shell.user_ns["loss"] == 2.0
    said = capsys.readouterr().err + " ".join(notebook.shown)
    assert said.count("injected") == 1
    assert notebook.line.startswith("run base-2")


@pytest.mark.parametrize(
    ("off", "expected"), [("data", {"a"}), ("files", {"X"}), ("statistics", {"X", "a"})]
)
def test_each_can_be_switched_off(notebook, tmp_path, off, expected):
    (tmp_path / "a").write_text("1")
    os.utime(tmp_path / "a", (OLD, OLD))
    notebook.run("import numpy as np; X = np.zeros(9)\nfrom pathlib import Path")
    cell = "loss = X.sum() + len(Path('a').read_text())"
    notebook.run(f"%%track base --off {off}\n{cell}")
    found = notebook.inputs()
    assert found.keys() == expected
    if off == "statistics":
        assert "mean" not in found["X"].detail
