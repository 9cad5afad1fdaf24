"""A slice is proven by an equal result in a fresh process, and by nothing else."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from slices.proving import Notebook, proofs_left

import nbtrack
from nbtrack.records import FlowRecord
from nbtrack.slices.claim import Proof
from nbtrack.slices.prove import keep_proof, proof_kept

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch, plain_surroundings):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Notebook(shell, folder)


LOOP = (
    "%%track base -p lr=.1 --no-live\nfor epoch in range(3):\n    loss = x * lr + epoch"
)


def test_the_right_cells_prove_and_wrong_ones_say_where_they_diverge(notebook):
    notebook.run("x = 2", "lr = .5", "x = 3", LOOP)
    claim = notebook.claim()

    proven = notebook.attempt(claim, 1, 2, 3)
    assert (proven.proven, proven.n_cells, proven.seqs) == (True, 3, (1, 2, 3))
    wrong = notebook.attempt(claim, 0, 1, 3)
    assert wrong.reason == "loss at step 0 is 1.5, in the replay 1.0"
    missing = notebook.attempt(claim, 1, 3)
    assert missing.reason == "cell 4 · exec 4: NameError: name 'x' is not defined"
    assert proofs_left() == []
    # Nothing of it stands in the user's store or folder.
    assert len(claim.store.runs()) == 1
    assert os.listdir(notebook.folder) == []


def test_no_file_that_the_session_wrote_is_there(notebook):
    """A dropped cell's file, by a relative path, an absolute one, and through C."""
    path = notebook.folder / "made.csv"
    array = notebook.folder / "made.npy"
    notebook.run(
        "from pathlib import Path\n"
        "Path('made.csv').write_text('4')\nPath('here.csv').write_text('5')",
        f"import numpy as np; np.save({str(array)!r}, np.ones(3))",
        f"from pathlib import Path; a = int(Path({str(path)!r}).read_text())",
        "from pathlib import Path; b = int(Path('here.csv').read_text())",
        "import os; c = os.path.exists('made.csv') + "
        f"os.path.exists({str(path)!r}) + len(os.listdir({str(notebook.folder)!r}))",
        f"a = np.load({str(array)!r}).sum()",
        "%%track t --no-live\nfor i in range(2):\n    loss = 1.0 * i",
    )
    made = {f"@file:{notebook.folder / n}": "set" for n in ("made.csv", "here.csv")}
    claim = notebook.claim(
        {
            0: FlowRecord(writes=made),
            1: FlowRecord(writes={f"@file:{array}": "set"}),
            2: FlowRecord(reads=(f"@file:{path}",)),
        }
    )
    absolute = notebook.attempt(claim, 2, 6)
    assert "PermissionError" in absolute.reason
    assert "which the session wrote" in absolute.reason
    assert "FileNotFoundError" in notebook.attempt(claim, 3, 6).reason
    assert "PermissionError" in notebook.attempt(claim, 4, 6).reason
    assert "numpy" not in (loaded := notebook.attempt(claim, 5, 6).reason), loaded
    assert loaded
    # The same with nothing known of what was written: what is new may be the session's.
    unknown = notebook.claim(dict.fromkeys(range(7)))
    assert "changed since the session began" in notebook.attempt(unknown, 2, 6).reason
    assert notebook.attempt(unknown, 3, 6).reason
    # And the cell that writes it makes it whole.
    assert notebook.attempt(claim, 0, 3, 6).proven


def test_no_module_on_disk_that_a_cell_wrote_is_imported(notebook, monkeypatch):
    monkeypatch.syspath_prepend(str(notebook.folder))
    notebook.run(
        "from pathlib import Path; Path('made_module.py').write_text('x = 3')",
        "from made_module import x",
        "%%track t --no-live\nfor i in range(2):\n    loss = x * i",
    )
    notebook.environment["PYTHONPATH"] = str(notebook.folder)
    path = notebook.folder / "made_module.py"
    claim = notebook.claim({0: FlowRecord(writes={f"@file:{path}": "set"})})
    assert "ModuleNotFoundError" in notebook.attempt(claim, 1, 2).reason
    assert notebook.attempt(claim, 0, 1, 2).proven
    by_hand = notebook.claim(dict.fromkeys(range(3)))
    assert "ModuleNotFoundError" in notebook.attempt(by_hand, 1, 2).reason


def test_what_cells_did_to_the_process_is_not_inherited(notebook):
    """Environment, working folder, random state, settings of libraries, the store."""
    store = os.environ["NBTRACK_STORE"]
    notebook.run(
        "import os, random, decimal\nos.environ['MADE_BY_A_CELL'] = '3'",
        "random.seed(1)",
        "decimal.getcontext().prec = 5",
        "import os; x = int(os.environ['MADE_BY_A_CELL'])",
        "import random; x = random.random()",
        "import decimal; x = float(decimal.Decimal(1) / 3)",
        "import nbtrack, os; x = 1.0 + (os.environ['NBTRACK_STORE'] == "
        f"{store!r}) + len(nbtrack.open().runs())",
        "%%track t --no-live\nfor i in range(2):\n    loss = x * i",
    )
    claim = notebook.claim()
    run = claim.run
    assert "KeyError: 'MADE_BY_A_CELL'" in notebook.attempt(claim, 3, 7).reason
    assert notebook.attempt(claim, 0, 3, 7).reason  # the metric is that of x of cell 6
    assert run.metrics["loss"].last == 2.0
    assert notebook.attempt(claim, 6, 7).reason.startswith("loss at step 1 is 2.0")
    for keep in ([4, 7], [5, 7]):
        assert "loss at step 1" in notebook.attempt(claim, *keep).reason


def test_a_server_or_shared_memory_of_the_session_does_not_answer(notebook):
    notebook.run(
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "port = server.getsockname()[1]",
        "from multiprocessing import shared_memory\n"
        "block = shared_memory.SharedMemory(f'nbt_{port}', create=True, size=8)\n"
        "block.buf[0] = 3",
    )
    port = notebook.shell.user_ns["port"]
    notebook.run(
        f"import socket; at = ('127.0.0.1', {port})\n"
        "socket.create_connection(at, 2).close(); x = 1",
        "from multiprocessing import shared_memory\n"
        f"again = shared_memory.SharedMemory('nbt_{port}'); x = again.buf[0]",
        "%%track t --no-live\nfor i in range(2):\n    loss = x * i",
    )
    claim = notebook.claim()
    try:
        assert notebook.attempt(claim, 2, 4).reason.partition(": ")[2]
        assert "PermissionError" in notebook.attempt(claim, 3, 4).reason
    finally:
        notebook.run("server.close(); again.close(); block.close(); block.unlink()")


def test_the_files_of_the_user_are_read_and_never_written(notebook):
    source = notebook.folder / "data" / "in.csv"
    source.parent.mkdir()
    source.write_text("1\n2\n")
    os.utime(source, (1, 1))
    elsewhere = notebook.folder.parent / "elsewhere.txt"
    notebook.run(
        "from pathlib import Path; x = len(Path('data/in.csv').read_text())",
        "pass  # Path('data/in.csv').write_text('3')",
        f"pass  # Path({str(elsewhere)!r}).write_text('3')",
        "pass  # import os; os.remove('data/in.csv')",
        "%%track t --no-live\nfor i in range(2):\n    loss = 2 * i",
    )
    claim = uncommented(notebook.claim({0: FlowRecord(reads=(f"@file:{source}",))}))
    assert notebook.attempt(claim, 0, 1, 3, 4).proven
    assert source.read_text() == "1\n2\n"
    refused = notebook.attempt(claim, 0, 2, 4)
    assert f"writes {elsewhere}: run it yourself, or allow_writes" in refused.reason
    assert not elsewhere.exists()


def test_a_changed_input_is_named_and_nothing_is_run(notebook):
    source = notebook.folder / "in.csv"
    source.write_text("1\n2\n")
    notebook.run(
        "from pathlib import Path; x = len(Path('in.csv').read_text())",
        "%%track t --no-live\nfor i in range(2):\n    loss = x * i",
    )
    claim = notebook.claim({0: FlowRecord(reads=(f"@file:{source}",))})
    assert notebook.attempt(claim, 0, 1).proven
    time.sleep(0.02)
    source.write_text("1\n2\n3")
    assert notebook.attempt(claim, 0, 1).reason == "the input in.csv changed since"
    source.unlink()
    assert notebook.attempt(claim, 0, 1).reason == "the input in.csv is gone"


def test_nothing_outlives_an_attempt(notebook, tmp_path):
    leave = (
        "import subprocess, os, sys, time, threading\n"
        "flags = dict(start_new_session=True)\n"
        "a = subprocess.Popen(['sleep', '300'], **flags)\n"
        "b = subprocess.Popen(['sleep', '301'])\n"
        "threading.Thread(target=time.sleep, args=(300,)).start()"
    )
    notebook.run(
        "import time",
        "pass",
        "%%track t --no-live\nfor i in range(2):\n    loss = 2 * i",
    )
    claim = notebook.claim()
    cells = list(claim.cells)
    cells[1] = replace(cells[1], source=leave)
    cells[0] = replace(cells[0], source="while True: pass")
    claim = replace(claim, cells=tuple(cells))
    assert notebook.attempt(claim, 1, 2).proven
    slow = notebook.attempt(claim, 1, 0, 2, timeout_s=3)
    assert slow.reason == "it was not done after 3 s"
    assert not _processes_called(b"sleep\x00300\x00", b"sleep\x00301\x00")
    assert proofs_left() == []


def test_input_and_a_crash_are_said_and_a_caught_error_goes_on(notebook):
    notebook.run(
        "x = 1",
        "pass  # x = int(input())",
        "pass  # import os; os.kill(os.getpid(), 11)",
        "pass  # try: 1 / 0\n#except Exception: pass\nx = 1",
        "%%track t --no-live\nfor i in range(2):\n    loss = x * i",
    )
    claim = uncommented(notebook.claim())
    assert "EOFError" in notebook.attempt(claim, 1, 4).reason
    assert notebook.attempt(claim, 2, 4).reason == "its process was killed by SIGSEGV"
    assert notebook.attempt(claim, 3, 4).proven


def test_a_proof_is_kept_with_its_run(notebook):
    notebook.run("x = 1", "%%track t --no-live\nfor i in range(2):\n    loss = x * i")
    run = nbtrack.open().runs()[0].id
    assert proof_kept(nbtrack.open(), run) is None
    proof = Proof("PROVEN", "slice", "", n_cells=5, n_session=31)
    keep_proof(nbtrack.open(), run, proof)
    facts = nbtrack.open().facts(run)
    assert facts["slice.proof"].value == "PROVEN"
    assert (facts["slice.proof.rung"].value, facts["slice.proof.cells"].value) == (
        "slice",
        5,
    )
    assert proof_kept(nbtrack.open(), run) == "proven by the slice (5 of 31 cells)"


def uncommented(claim):
    """What the session only had as a comment, a script of it does."""
    cells = tuple(
        replace(c, source=c.source.removeprefix("pass  # ").replace("\n#", "\n"))
        for c in claim.cells
    )
    return replace(claim, cells=cells)


def _processes_called(*lines: bytes) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() in lines:
                found.append(path.parent.name)
        except OSError:
            continue
    return found
