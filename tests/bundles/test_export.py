"""From a notebook to a bundle, and from the bundle to a verdict: all of it real."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile

import pytest
from bundles.conftest import played_in

pytestmark = [pytest.mark.reproduce, pytest.mark.timeout(240)]
SECRET = "sk-abcdefghijklmnop1234567890"
CELLS = (
    "import numpy as np\nfrom scaling import scaled",
    "rows = np.array(open('data/rows.csv').read().split()[1:], float)",
    "never_used = 3",
    f"api_key = {SECRET!r}",
    "weights = np.random.rand(3) * len(api_key)",
    "%%track base --no-live\nimport nbtrack\nlr = 0.1\nfor epoch in range(4):\n"
    "    weights = weights - lr * scaled(rows)\n    loss = float((weights**2).sum())\n"
    "    nbtrack.log(best=loss / 2)\nnp.savez('weights.npz', w=weights)",
)
FILES = {
    "data/rows.csv": "x\n1\n2\n3\n",
    "scaling.py": "def scaled(v):\n    return v / 10\n",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A proven bundle of a run without a seed, with data, a module and a secret."""
    home = tmp_path_factory.mktemp("home")
    target = home / "base.nbt.zip"
    then = f"""
        import nbtrack
        path = nbtrack.export("base", {str(target)!r})
        again = nbtrack.export("base", "again.nbt.zip")
        answer = path.read_bytes() == again.read_bytes(), str(path)
    """
    same_bytes, path = played_in(home, *CELLS, files=FILES, then=then)
    assert same_bytes  # the same run, the same file
    assert path == str(target)
    return target


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another folder, home and store; what the redacted literal stood for is set."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NBTRACK_STORE", str(folder / ".nbtrack"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("API_KEY", SECRET)
    return folder


def member(path, name):
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def test_a_bundle_has_what_its_reader_needs_and_no_secret(bundle):
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert {
        "MANIFEST.sha256", "README.md", "checklist.json", "manifest.json",
        "preview.html", "verify.py", "run/run.py", "run/run.ipynb", "run/slice.json",
        "run/layout.json", "run/nbtrack_shim.py", "run/local_modules/scaling.py",
        "env/packages.json", "env/platform.json", "env/numerics.json",
        "env/env-vars.json", "rng/fingerprints.json", "data/inputs.json",
        "data/files/data/rows.csv", "results/metrics.jsonl", "results/expected.json",
        "checks/export-rerun-1.json", "results/checkpoints/weights-v0.safetensors",
    } <= members.keys()  # fmt: skip
    assert SECRET.encode() not in b"".join(members.values())
    assert b"never_used" not in members["run/run.py"]
    manifest = json.loads(members["manifest.json"])
    assert manifest["slice"] | {"reason": ""} == {
        "method": "slice", "n_cells": 5, "n_session": 6, "n_dropped": 1,
        "proof": "PROVEN", "reason": "", "verified_by": "checks/export-rerun-1.json",
    }  # fmt: skip
    assert manifest["needs"] == ["API_KEY"]
    assert manifest["run"]["params"]["lr"]["value"] == 0.1
    check = json.loads(members["checks/export-rerun-1.json"])
    assert check["verdict"] == "BITWISE"
    names = {p["name"]: p for p in json.loads(members["env/packages.json"])["packages"]}
    assert names["numpy"]["group"] == "run"
    assert "scikit-learn" not in names  # it is installed, and not loaded by the cells


def test_no_path_or_name_of_this_machine_is_in_a_bundle(bundle):
    import getpass
    import socket

    with zipfile.ZipFile(bundle) as archive:
        everything = b"".join(
            archive.read(name) for name in archive.namelist() if name != "verify.py"
        )
    assert f'"{socket.gethostname()}"'.encode() not in everything
    assert b"/session-" not in everything  # the folder of the notebook
    assert f"/{getpass.getuser()}/".encode() not in everything


def test_another_folder_gives_the_same_bit_for_bit(bundle, elsewhere):
    import nbtrack

    found = nbtrack.rerun(bundle, trust=True, environment="current")
    assert (found.verdict, found.is_same, found.reason) == ("BITWISE", True, "")
    assert {m.name for m in found.metrics} == {"loss", "best"}
    kept = nbtrack.open().run(found.run)
    assert dict(kept.tags) == {"rerun": found.origin, "verdict": "BITWISE"}
    assert kept.name == "rerun of base"
    assert sorted(os.listdir(elsewhere)) == [".nbtrack", "state"]  # nothing is left


def test_a_bundle_of_somebody_else_waits_for_a_word(bundle, elsewhere):
    import nbtrack

    with pytest.raises(nbtrack.BundleError, match="somebody else's code"):
        nbtrack.rerun(bundle, environment="current")
    nbtrack.rerun(bundle, trust=True, environment="current")
    assert nbtrack.rerun(bundle, environment="current").is_same  # it is remembered


def test_without_the_secret_it_is_blocked_and_says_so(bundle, elsewhere, monkeypatch):
    import nbtrack

    monkeypatch.delenv("API_KEY")
    found = nbtrack.rerun(bundle, trust=True, environment="current")
    assert (found.verdict, found.is_good) == ("BLOCKED", False)
    assert found.reason == "set API_KEY in the environment: the cells need it"


def test_what_if_sets_a_literal_and_judges_nothing(bundle, elsewhere):
    import nbtrack

    found = nbtrack.rerun(bundle, trust=True, environment="current", params={"lr": 0.5})
    assert found.verdict == "WHAT-IF"
    assert dict(found.changed) == {"lr": 0.5}
    assert nbtrack.open().run(found.run).params["lr"].value == 0.5


def test_a_tampered_bundle_is_not_run(bundle, elsewhere):
    import nbtrack

    with zipfile.ZipFile(bundle) as archive:
        archive.extractall("open")
    script = elsewhere / "open" / "run" / "run.py"
    script.write_text(script.read_text() + "\nprint('hello')\n")
    with pytest.raises(nbtrack.BundleError, match=r"run/run\.py"):
        nbtrack.rerun(elsewhere / "open", trust=True, environment="current")
    assert nbtrack.verify(elsewhere / "open").tampered == ("run/run.py",)


def played_alone(folder, *, with_nbtrack):
    """Run the script of an unpacked bundle as anybody would."""
    hide = "" if with_nbtrack else "sys.modules['nbtrack'] = None; "
    code = (
        f"import os, runpy, sys; {hide}sys.path[0] = os.path.dirname(sys.argv[1]); "
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(folder / "run" / "run.py")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_script_runs_without_nbtrack(bundle, elsewhere):
    shutil.unpack_archive(bundle, elsewhere / "open", "zip")
    found = played_alone(elsewhere / "open", with_nbtrack=False)
    assert found.returncode == 0, found.stderr
    assert "working in" in found.stdout
    for name in ("best", "loss"):  # the one is logged, the other a variable
        [line] = [x for x in found.stdout.splitlines() if x.startswith(f"{name}: ")]
        assert line.endswith("(the same)")
    header = (elsewhere / "open" / "run" / "run.py").read_text().splitlines()
    assert header[0] == "# /// script"
    assert '#   "numpy==' in "\n".join(header)
    assert os.listdir(elsewhere) == ["open"]  # it works in a folder of its own


def test_the_notebook_in_it_runs_with_its_data_and_without_nbtrack(
    bundle, elsewhere, monkeypatch
):
    import nbformat
    from nbclient import NotebookClient

    shutil.unpack_archive(bundle, elsewhere / "open", "zip")
    run = elsewhere / "open" / "run"
    notebook = nbformat.read(run / "run.ipynb", as_version=4)
    hide = "import sys; sys.modules['nbtrack'] = None"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(hide))
    told = "print(repr(loss), __import__('nbtrack').__name__)"
    notebook.cells.append(nbformat.v4.new_code_cell(told))
    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(run)}}
    )
    client.execute()
    expected = json.loads(member(bundle, "results/expected.json"))["metrics"]["loss"]
    said = notebook.cells[-1].outputs[0]["text"].split()
    assert said == [repr(expected["last"]), "nbtrack_shim"]


def test_cells_have_no_network_unless_it_is_asked_for(in_notebook, tmp_path, elsewhere):
    import nbtrack

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"4")

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    target = tmp_path / "fetched.nbt.zip"
    reason = in_notebook(
        "from urllib.request import urlopen\n"
        f"x = urlopen('http://127.0.0.1:{server.server_port}').read()",
        "%%track base --no-live\nfor epoch in range(3):\n    loss = float(x) * epoch",
        then=f"""
            from nbtrack.bundles.export import Wanted, export_as
            answer = export_as("base", {str(target)!r}, Wanted()).proof.reason
        """,
    )
    assert "no network, which a cell of it used" in reason
    asked = {"trust": True, "environment": "current"}
    without = nbtrack.rerun(target, **asked)
    assert (without.verdict, without.run) == ("FAILED", None)
    assert nbtrack.rerun(target, network=True, **asked).verdict == "BITWISE"
    server.shutdown()
    server.server_close()


def test_a_run_is_rerun_without_a_bundle(in_notebook):
    verdict, tags, status = in_notebook(
        *CELLS,
        files=FILES,
        then=f"""
            import os, nbtrack
            os.environ["API_KEY"] = {SECRET!r}
            found = nbtrack.rerun("base")
            run = nbtrack.open().run(found.run)
            origin = nbtrack.open().run("base")
            answer = found.verdict, run.tags["rerun"] == origin.id, run.status
        """,
    )
    assert (verdict, tags, status) == ("BITWISE", True, "finished")


def test_runs_that_a_cell_begins_by_itself_are_exported_too(in_notebook):
    found = in_notebook(
        "import nbtrack, numpy as np\nx = np.random.rand(5)",
        "junk = 1",
        "for size in (1, 2, 3):\n"
        "    with nbtrack.start(f'batch-{size}', params={'size': size}):\n"
        "        for epoch in nbtrack.epochs(3):\n"
        "            nbtrack.log(loss=float(x.sum()) * epoch / size)",
        then="""
            import nbtrack
            from nbtrack.bundles.export import Wanted, export_as
            answer = []
            for size in (1, 2, 3):
                made = export_as(f"batch-{size}", f"{size}.nbt.zip", Wanted())
                again = nbtrack.rerun(made.path, environment='current')
                run = nbtrack.open().run(again.run)
                answer.append(
                    (made.proof.reason, again.verdict, run.params["size"].value)
                )
        """,
    )
    proven = "2 of 3 cells give the same result"
    assert found == [(proven, "BITWISE", size) for size in (1, 2, 3)]


def test_what_cannot_be_proven_is_exported_as_unproven(in_notebook, tmp_path):
    target = tmp_path / "base.nbt.zip"
    line = in_notebook(
        "x = 1",
        "%%track base --no-live\nimport os\nfor epoch in range(3):\n"
        "    loss = int.from_bytes(os.urandom(4), 'big')",
        then=f"""
            from nbtrack.bundles.export import Wanted, export_as
            answer = export_as("base", {str(target)!r}, Wanted()).line
        """,
    )
    assert "UNPROVEN: loss at step 0 is" in line
    manifest = json.loads(member(target, "manifest.json"))
    assert (manifest["slice"]["proof"], manifest["slice"]["verified_by"]) == (
        "UNPROVEN", None,
    )  # fmt: skip


@pytest.mark.reproduce
def test_the_noise_of_repeats_is_what_a_rerun_may_be_off(
    in_notebook, tmp_path, elsewhere
):
    import nbtrack

    target = tmp_path / "noisy.nbt.zip"
    in_notebook(
        "x = 1",
        "%%track base --no-live\nimport os\nfor epoch in range(20):\n"
        "    loss = 1 + int.from_bytes(os.urandom(2), 'big') / 2**26",
        then=f"import nbtrack\nnbtrack.export('base', {str(target)!r}, repeat=3)",
    )
    found = nbtrack.rerun(target, trust=True, environment="current")
    assert found.verdict == "WITHIN-NOISE"
    assert 0 < found.metrics[0].max_difference < 2**-10
