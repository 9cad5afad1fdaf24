"""A slice is proven by an equal result in a fresh process, and by nothing else."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from slices.emitting import modules_forgotten
from slices.proving import Notebook, proofs_left

import nbtrack
from nbtrack.records import FlowRecord
from nbtrack.slices import isolate
from nbtrack.slices.claim import Proof
from nbtrack.slices.prove import keep_proof, proof_kept

pytestmark = [pytest.mark.reproduce, pytest.mark.timeout(240)]


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch, plain_surroundings):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with modules_forgotten(folder):
        yield Notebook(shell, folder)


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


# Ways in which something of the session could reach a script that lacks the cell behind
# it. Each is true in the session, and must not be in a proof. HERE is the folder.
LEAKS = [
    "Path('made.csv').read_text() == '4'",
    "Path('HERE/made.csv').read_text() == '4'",
    "np.load('HERE/made.npy').sum() == 3",
    "sqlite3.connect('HERE/made.db').execute('select * from t') is not None",
    "os.path.exists('made.csv')",
    "os.path.exists('HERE/made.csv')",
    "Path('HERE/made.csv').is_file()",
    "'made.csv' in os.listdir('HERE')",
    "'made.csv' in os.listdir()",
    "any(e.name == 'made.csv' for e in os.scandir('HERE'))",
    "os.path.isdir('made_folder')",
    "__import__('made_module').x == 3",
    "Path.home().joinpath('.cache_of_mine').read_text() == '4'",
    "subprocess.check_output(['cat', 'HERE/made.csv']) == b'4'",
    "libc.open(b'HERE/made.csv', 0) > 0",
    "os.environ['MADE_BY_A_CELL'] == '3'",
    "subprocess.check_output(['printenv', 'MADE_BY_A_CELL']) == b'3\\n'",
    "'made_path' in sys.path",
    "random.random() == 0.13436424411240122",
    "decimal.getcontext().prec == 5",
    "sys.modules['json'].made == 3",
    "os.environ['NBTRACK_' + 'STORE'] == 'THE_STORE'",
    "os.path.samefile(nbtrack.open().path, 'THE_STORE')",
    "socket.create_connection(('127.0.0.1', PORT), 2).close() is None",
    "attached('nbt_PORT')[0] == 3",
]
NEED_LANDLOCK = {"subprocess.check_output(['cat', 'HERE/made.csv']) == b'4'"}
NEED_LANDLOCK |= {"libc.open(b'HERE/made.csv', 0) > 0"}

MAKE = """
import os, random, decimal, json, socket, sqlite3, sys
from pathlib import Path
from multiprocessing import shared_memory
import numpy as np
Path('made.csv').write_text('4'); np.save('HERE/made.npy', np.ones(3))
base = sqlite3.connect('HERE/made.db'); base.execute('create table t(a)'); base.close()
Path('made_module.py').write_text('x = 3'); os.mkdir('made_folder')
Path.home().joinpath('.cache_of_mine').write_text('4')
os.environ['MADE_BY_A_CELL'] = '3'; sys.path.append('made_path'); json.made = 3
decimal.getcontext().prec = 5
server = socket.create_server(('127.0.0.1', PORT))
block = shared_memory.SharedMemory('nbt_PORT', create=True, size=8); block.buf[0] = 3
random.seed(1)
"""
LOOK = """
import ctypes, decimal, os, random, socket, sqlite3, subprocess, sys, nbtrack
from pathlib import Path
from multiprocessing import shared_memory
import numpy as np
libc, blocks = ctypes.CDLL(None), []
def attached(name):
    blocks.append(shared_memory.SharedMemory(name))
    return blocks[-1].buf
def tries(*looks):
    found = []
    for look in looks:
        try:
            found.append(bool(look()))
        except Exception:
            found.append(False)
    return found
found = tries(
    {})
leaked = sum(1 << k for k, came_through in enumerate(found) if came_through)
"""
COUNT = "%%track t --no-live\nfor i in range(1):\n    loss = leaked"


@pytest.fixture
def leaky(notebook, monkeypatch):
    """A session that left all sorts of things, and a cell that looks for each."""
    home = notebook.folder.parent / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.syspath_prepend(str(notebook.folder))
    notebook.environment |= {"HOME": str(home), "PYTHONPATH": str(notebook.folder)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = {"HERE": str(notebook.folder), "PORT": str(port)}
    words["THE_STORE"] = os.environ["NBTRACK_STORE"]
    looks = ",\n    ".join(f"lambda: {leak}" for leak in LEAKS)
    cells = [MAKE, LOOK.format(looks), COUNT]
    for word, value in words.items():
        cells = [cell.replace(word, value) for cell in cells]
    notebook.run("x = 1", *cells)
    yield notebook
    notebook.run("server.close(); block.close(); block.unlink(); import sys, json")
    notebook.run("sys.path.remove('made_path'); del json.made; import os, decimal")
    notebook.run(
        "decimal.setcontext(decimal.Context()); del os.environ['MADE_BY_A_CELL']"
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_that_the_session_left_reaches_a_proof(leaky):
    found = leaky.shell.user_ns["found"]
    assert [k for k, came in zip(LEAKS, found, strict=True) if not came] == []

    here, home = leaky.folder, leaky.folder.parent / "home"
    names = ("made.csv", "made.npy", "made.db", "made_module.py")
    written = {f"@file:{here / name}": "set" for name in names}
    written |= {f"@file:{home / '.cache_of_mine'}": "set"}
    written |= {f"@folder:{here / 'made_folder'}": "set"}
    seen = leaky.attempt(leaky.claim({1: FlowRecord(writes=written)}), 2, 3)
    nobody_looked = leaky.attempt(leaky.claim(dict.fromkeys(range(4))), 2, 3)
    every = (1 << len(LEAKS)) - 1
    for tried in (seen, nobody_looked):
        came = re.fullmatch(
            rf"loss at step 0 is {every}\.0, in the replay (\d+)\.0.*", tried.reason
        )
        assert came, tried.reason
        through = [leak for k, leak in enumerate(LEAKS) if int(came[1]) >> k & 1]
        if not isolate.confine_files_is_offered():
            through = [leak for leak in through if leak not in NEED_LANDLOCK]
        assert through == []


def test_absolute_paths_lead_into_the_copy_of_the_folder(notebook):
    here, source = notebook.folder, notebook.folder / "in.csv"
    source.write_text("1")
    notebook.run(
        f"import os; from pathlib import Path; os.chdir({str(here)!r})",
        f"home = os.getcwd(); Path({str(here)!r}, 'made.csv').write_text('3')",
        f"os.system('echo 5 > {here}/shell.csv')",
        f"x = int(Path({str(here)!r}, 'made.csv').read_text())\n"
        f"y = int(Path('shell.csv').read_text())\n"
        f"y = y + int(Path({str(source)!r}).read_text())",
        "%%track t --no-live\nfor i in range(2):\n    loss = (x + y) * i; at = home",
    )
    script = [
        sys.executable,
        "-c",
        "from nbtrack.slices.isolate import *; import sys\n"
        "sys.exit(not leave_network(and_mounts=True))",
    ]
    if subprocess.run(script).returncode != 0:
        pytest.skip("this system lends no view of the files")
    source.unlink()
    (here / "made.csv").write_text("40")
    (here / "shell.csv").write_text("40")
    source.write_text("1")
    os.utime(source, (1, 1))
    written = {f"@file:{here / name}": "set" for name in ("made.csv", "shell.csv")}
    claim = notebook.claim({1: FlowRecord(writes=written)})
    claim = replace(claim, start=replace(claim.start, began_at=time.time() + 1))
    assert notebook.attempt(claim, 0, 1, 2, 3, 4).proven
    assert "FileNotFoundError" in notebook.attempt(claim, 0, 2, 3, 4).reason
    assert (here / "made.csv").read_text() == "40"


def test_a_written_module_comes_with_the_cell_that_wrote_it(notebook):
    notebook.environment["PYTHONPATH"] = ""
    notebook.run(
        "from pathlib import Path\nPath('made_module.py').write_text('x = 3')",
        "import sys; sys.path.insert(0, ''); from made_module import x",
        "%%track t --no-live\nfor i in range(2):\n    loss = x * i",
    )
    path = notebook.folder / "made_module.py"
    claim = notebook.claim({0: FlowRecord(writes={f"@file:{path}": "set"})})
    assert "ModuleNotFoundError" in notebook.attempt(claim, 1, 2).reason
    assert notebook.attempt(claim, 0, 1, 2).proven
    notebook.run("sys.path.remove('')")


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
    system = f"import os; os.system('echo 5 > {source}; rm {source}')"
    cells = [*claim.cells, replace(claim.cells[1], source=system)]
    claim = replace(claim, cells=tuple(cells))
    order = (0, 5, 1, 3, 4) if isolate.confine_files_is_offered() else (0, 1, 3, 4)
    assert notebook.attempt(claim, *order).proven
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
