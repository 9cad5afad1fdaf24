"""S6: importing and verifying a bundle runs nothing of it and connects nowhere."""

from __future__ import annotations

import ast
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from bundles.made import made_bundle

import nbtrack.bundles
from nbtrack.bundles.archive.reading import open_bundle

ROOM = Path(nbtrack.bundles.__file__).parent
READERS = sorted(
    file
    for part in ("archive", "importing", "standalone")
    for file in (ROOM / part).rglob("*.py")
) + [ROOM / f"{name}.py" for name in ("verify", "data_state", "environment_state")]
FORBIDDEN_MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal",
    "shelve", "yaml", "torch", "subprocess", "socket", "urllib", "http", "requests",
    "sqlite3", "tarfile", "runpy", "importlib.util", "code", "ctypes",
}  # fmt: skip
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "Popen"}

_WATCHED = """
import json, sys
said, is_on = [], False
WATCHED = (
    "pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn",
    "os.fork", "socket.connect", "socket.getaddrinfo", "socket.bind", "marshal.loads",
    "exec", "compile", "import", "urllib.Request", "ctypes.dlopen",
)

def hook(event, args):
    if is_on and event in WATCHED:
        said.append([event, repr(args)[:200]])

sys.addaudithook(hook)
"""
_IMPORTING = """
import nbtrack
from nbtrack.store import Store

other, bundle, folder = sys.argv[1:]
with Store.open(folder + "/other") as store:
    nbtrack.import_bundle(other, store=store)  # loads what this needs of nbtrack
nbtrack.verify(other)
with Store.open(folder + "/store") as store:
    is_on = True
    run = nbtrack.import_bundle(bundle, store=store)
    nbtrack.verify(bundle)
    is_on = False
    kept = [run.id, len(run.checkpoints), len(store.cells(run.id))]
print(json.dumps([kept, said]))
"""
_FIRST_IMPORT = """
import nbtrack
from nbtrack.store import Store

is_on = True
nbtrack.verify(sys.argv[2])
with Store.open(sys.argv[3] + "/store") as store:
    nbtrack.import_bundle(sys.argv[2], store=store)
is_on = False
modules = ("exec", "compile", "import", "marshal.loads")  # loading nbtrack itself
named = sys.argv[2].removesuffix("base.nbt.zip")
odd = [event for event in said if event[0] not in modules or named in event[1]]
print(json.dumps([None, odd]))
"""


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture
def trapped(tmp_path):
    """A bundle in which every member that could be run or unpickled leaves a trace."""
    trap = tmp_path / "trap"
    code = f"open({str(trap)!r}, 'w').close()\n".encode()
    names = (
        "run/run.py", "run/nbtrack_shim.py", "run/local_modules/numpy.py",
        "run/local_modules/sitecustomize.py", "verify.py", "run/conftest.py",
    )  # fmt: skip
    members = dict.fromkeys(names, code)
    members["run/values/x.pickle"] = pickle.dumps(Trap(trap))
    members["rng/2-python.bin"] = pickle.dumps(Trap(trap))
    return made_bundle(tmp_path, **members), trap


def watched(script, *arguments):
    command = [sys.executable, "-c", _WATCHED + script, *map(str, arguments)]
    return json.loads(subprocess.check_output(command, cwd=arguments[-1]))


def test_s06_importing_runs_nothing_and_connects_nowhere(trapped, tmp_path):
    bundle, trap = trapped
    (tmp_path / "a").mkdir()
    other = made_bundle(tmp_path / "a", run={"id": "0" * 13})
    kept, said = watched(_IMPORTING, other, bundle, tmp_path)
    assert kept == ["06avvsg7n6e69", 1, 2]
    assert said == []
    assert not trap.exists()


def test_s06_nor_does_the_first_import_of_a_process(trapped, tmp_path):
    bundle, trap = trapped
    _, odd = watched(_FIRST_IMPORT, "", bundle, tmp_path)
    assert odd == []
    assert not trap.exists()


def test_s06_the_script_without_nbtrack_runs_nothing(trapped, tmp_path):
    bundle, trap = trapped
    with open_bundle(bundle) as opened:
        folder = opened.extract(tmp_path / "out")
    script = ROOM / "standalone/verify.py"
    for path in (bundle, folder):
        command = [sys.executable, "-I", "-S", str(script), str(path)]
        said = subprocess.run(command, cwd=folder / "run", capture_output=True)
        assert (said.returncode, said.stderr) == (0, b"")
    assert not trap.exists()


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def called(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found = node.func
            yield getattr(found, "id", None) or getattr(found, "attr", "")


@pytest.mark.parametrize("file", READERS, ids=lambda f: f.relative_to(ROOM).as_posix())
def test_s06_what_reads_bundles_knows_no_way_to_run_them(file):
    tree = ast.parse(file.read_text("utf-8"))
    modules = set(imported(tree))
    roots = {name.split(".")[0] for name in modules} | modules
    assert roots & FORBIDDEN_MODULES == set()
    names = set(called(tree))
    assert {n for n in names if n != "compile"} & FORBIDDEN_CALLS == set()
    # `re.compile` is the one that may be: what it makes cannot run.
    plain = {n.func.id for n in ast.walk(tree)
             if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    assert "compile" not in plain
