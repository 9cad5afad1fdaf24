"""What `verify` says of a bundle, and the script without nbtrack says the same."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from bundles.made import DATA, as_json, inputs_json, made_bundle, members

import nbtrack
from nbtrack.bundles.archive.reading import open_bundle
from nbtrack.bundles.archive.writing import write_bundle
from nbtrack.bundles.environment_state import environment_state
from nbtrack.bundles.standalone import verify as standalone

SCRIPT = Path(standalone.__file__)


def run_script(path, cwd):
    """Without the site's packages, as somebody runs it who has only Python."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(path)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def packages(**versions):
    rows = [
        {"name": name, "version": version, "group": "run"}
        for name, version in versions.items()
    ]
    return {"python": platform.python_version(), "packages": rows}


@pytest.fixture
def bundle(tmp_path):
    return made_bundle(tmp_path)


@pytest.fixture
def folder(bundle, tmp_path):
    with open_bundle(bundle) as opened:
        return opened.extract(tmp_path / "unpacked")


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_bundle_that_nobody_touched_is_intact(bundle):
    found = nbtrack.verify(bundle)
    assert (found.state, found.run, found.proof) == ("INTACT", "base", "UNPROVEN")
    assert (found.tampered, found.missing, found.extra) == ((), (), ())


def test_a_flipped_byte_of_a_member_is_tampered(bundle):
    flip(bundle, bundle.read_bytes().index(DATA) + 3)
    found = nbtrack.verify(bundle)
    assert (found.state, found.tampered) == ("TAMPERED", ("data/files/train.csv",))
    assert dict(found.data)["train.csv"] == "CHANGED"
    assert found.run == "base"


def test_a_manifest_that_was_changed_is_not_believed(folder):
    (folder / "manifest.json").write_bytes(as_json({"run": {"name": "\x1b[31m"}}))
    found = nbtrack.verify(folder)
    assert (found.state, found.run, found.proof) == ("TAMPERED", "", "")
    assert found.tampered == ("manifest.json",)


def test_a_file_that_was_added_is_tampering(folder):
    (folder / "run/numpy.py").write_text("raise SystemExit")
    found = nbtrack.verify(folder)
    assert (found.state, found.extra) == ("TAMPERED", ("run/numpy.py",))


def test_a_file_that_is_missing_leaves_it_incomplete(folder):
    (folder / "data/files/train.csv").unlink()
    found = nbtrack.verify(folder)
    assert (found.state, found.missing) == ("INCOMPLETE", ("data/files/train.csv",))
    assert dict(found.data)["train.csv"] == "MISSING"


def test_data_is_looked_for_where_the_cell_had_it(tmp_path, bundle, monkeypatch):
    monkeypatch.chdir(tmp_path)
    states = {"train.csv": "PRESENT", "test.csv": "MISSING", "patients.csv": "PRIVATE"}
    assert dict(nbtrack.verify(bundle).data) == states
    Path("test.csv").write_bytes(DATA)
    assert dict(nbtrack.verify(bundle).data)["test.csv"] == "PRESENT"
    Path("test.csv").write_bytes(DATA.replace(b"4", b"5"))
    assert dict(nbtrack.verify(bundle).data)["test.csv"] == "CHANGED"


def test_data_with_an_address_can_be_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inputs = inputs_json()
    inputs["files"][1]["url"] = "https://example.org/test.csv"
    path = made_bundle(tmp_path, **{"data/inputs.json": as_json(inputs)})
    assert dict(nbtrack.verify(path).data)["test.csv"] == "FETCHABLE"


def test_a_device_that_stands_for_data_is_not_read(tmp_path):
    inputs = inputs_json()
    inputs["files"][1] |= {"path": "/dev/zero", "size_bytes": 0}
    path = made_bundle(tmp_path, **{"data/inputs.json": as_json(inputs)})
    assert dict(nbtrack.verify(path).data)["/dev/zero"] == "MISSING"


def test_the_same_versions_are_the_exact_environment():
    click = importlib.metadata.version("click")
    assert environment_state(packages(click=click)) == ("EXACT", ())


def test_other_versions_are_named():
    state, why = environment_state(packages(click="0.1"))
    assert state == "COMPATIBLE"
    assert "the run had 0.1" in why[0]


def test_a_package_that_is_not_here_is_named():
    state, why = environment_state(packages(click="0.1", nosuchpackage="1.0"))
    assert (state, why[0]) == ("MISSING", "nosuchpackage 1.0 is not installed")


def test_another_python_is_missing():
    state, why = environment_state({"python": "3.2.1", "packages": []})
    assert state == "MISSING"
    assert "the run had 3.2.1" in why[0]


def test_what_the_bundle_chose_is_made_visible(tmp_path):
    path = made_bundle(tmp_path, run={"name": "a\x1b[31mred"})
    assert "a\\x1b[31mred: INTACT" in repr(nbtrack.verify(path))


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_the_script_without_nbtrack_says_the_same(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("test.csv").write_bytes(DATA)
    path = made_bundle(tmp_path, **{"env/packages.json": as_json(packages())})
    if kind == "folder":
        with open_bundle(path) as opened:
            path = opened.extract(tmp_path / "out")
    said = run_script(path, tmp_path)
    assert said.stdout.splitlines() == nbtrack.verify(path).lines()
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("had", [{"python": "3.2.1"}, {"python": "3.11.99"}, {}])
def test_the_script_compares_the_environment_in_the_same_way(had):
    click = importlib.metadata.version("click")
    told = packages(click=click, nosuchpackage="1.0", numpy="0.1") | had
    state, why = environment_state(told)
    assert standalone.environment(told) == [state, *why]


@pytest.mark.parametrize("change", ["tampered", "missing", "extra"])
def test_the_script_names_what_was_changed(change, folder, tmp_path):
    member = folder / "results/metrics.jsonl"
    if change == "tampered":
        member.write_text("{}")
    elif change == "missing":
        member.unlink()
    else:
        member.with_name("more").write_text("")
    said = run_script(folder, tmp_path)
    lines = nbtrack.verify(folder).lines()
    assert said.returncode == 1
    assert said.stdout.splitlines()[:2] == lines[:2]


def test_the_script_refuses_what_is_no_bundle(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK no zip")
    said = run_script(tmp_path / "a.zip", tmp_path)
    assert (said.returncode, said.stderr) == (2, "")


def test_the_script_runs_in_a_folder_without_being_told(folder, tmp_path):
    (folder / "verify.py").write_bytes(SCRIPT.read_bytes())
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (1, "")  # another verify.py than listed
    assert "tampered: verify.py" in said.stdout


def test_the_script_is_short_and_needs_no_newer_python():
    source = SCRIPT.read_text("utf-8")
    assert len(source.splitlines()) <= 200
    tree = ast.parse(source, feature_version=(3, 9))
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call)
             and isinstance(n.func, ast.Name)}  # fmt: skip
    assert not calls & {"eval", "exec", "compile", "__import__"}
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import)
                for a in n.names}  # fmt: skip
    assert imported <= sys.stdlib_module_names - {"pickle", "subprocess", "socket"}


def test_the_id_is_that_of_the_list(bundle, folder):
    listing = (folder / "MANIFEST.sha256").read_bytes()
    assert nbtrack.verify(bundle).bundle_id == hashlib.sha256(listing).hexdigest()
    assert listing.decode().splitlines() == sorted(
        (
            f"{hashlib.sha256(content).hexdigest()}  {len(content)}  {name}"
            for name, content in members().items()
        ),
        key=lambda line: line.split("  ", 2)[2],
    )


def test_a_member_of_many_zeros_is_intact(tmp_path):
    given = members() | {"data/files/zeros.npy": bytes(1 << 20)}
    write_bundle(tmp_path / "zeros.nbt.zip", given)
    assert nbtrack.verify(tmp_path / "zeros.nbt.zip").is_intact
    assert run_script(tmp_path / "zeros.nbt.zip", tmp_path).returncode == 0
