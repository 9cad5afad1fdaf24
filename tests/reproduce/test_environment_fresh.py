"""Real environments from real wheels, and how they compare with what was recorded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from bundles.small_wheels import listed, package, set_pip, write_wheel

from nbtrack.bundles.environment.compared import compare_environment
from nbtrack.bundles.environment.fresh import NOTE, _found, fresh_environment
from nbtrack.bundles.environment.interpreter import interpreter_for
from nbtrack.bundles.environment.inventory import inventory_of
from nbtrack.bundles.environment.needed import needed_packages
from nbtrack.errors import EnvironmentBlockedError

pytestmark = pytest.mark.reproduce
HERE = ".".join(map(str, sys.version_info[:3]))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    scripts = ["run-alpha"]
    write_wheel(folder, "alpha", "1.0", requires=["beta>=1", "gone"], scripts=scripts)
    write_wheel(folder, "beta", "2.0+cpu")
    write_wheel(folder, "beta", "3.0")
    return folder


@pytest.fixture(scope="module")
def locked(wheels):
    """Both packages, with their hashes."""
    alpha = wheels / "alpha-1.0-py3-none-any.whl"
    beta = wheels / "beta-2.0+cpu-py3-none-any.whl"
    return listed(package("alpha", "1.0", alpha), package("beta", "2.0+cpu", beta))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _pip(monkeypatch, cache):
    set_pip(monkeypatch, cache)


@pytest.fixture(scope="module")
def made(wheels, locked, cache):
    """The environment that the tests of this file look at."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_pip(monkeypatch, cache)
        return fresh_environment(locked, find_links=[wheels])


def said_by(python: Path, code: str) -> str:
    return subprocess.check_output([python, "-c", code], text=True).strip()


def folder_of(environment) -> Path:
    return environment.python.parents[1]


def recorded(environment, packages, **versions: str) -> dict:
    """The packages with the digests that the environment has, some versions other."""
    there = inventory_of(environment.python)["packages"]
    told = [
        {
            **each,
            "record_sha256": there[each["name"]]["record_sha256"],
            "version": versions.get(each["name"], each["version"]),
        }
        for each in packages["packages"]
    ]
    return {**packages, "packages": told}


def test_it_has_exactly_these_packages(made):
    assert made.made
    assert made.installed == ("alpha==1.0", "beta==2.0+cpu")
    assert said_by(made.python, "import alpha, beta; print(beta.version)") == "2.0+cpu"
    find = "import importlib.util as u; print(u.find_spec('pip'), u.find_spec('numpy'))"
    assert said_by(made.python, find) == "None None"
    assert (made.python.parent / "run-alpha").exists()


def test_an_environment_without_packages_is_one_too():
    first, again = fresh_environment(listed()), fresh_environment(listed())
    assert (first.made, again.made, again.installed) == (True, False, ())
    shutil.rmtree(folder_of(again))


def test_nobody_else_can_look_into_the_cache(made, cache):
    assert (cache / "nbtrack").stat().st_mode & 0o077 == 0


def test_the_second_time_it_is_there_already(made, wheels, locked):
    again = fresh_environment(locked, find_links=[wheels])
    assert (again.made, again.python, again.key) == (False, made.python, made.key)
    assert again.installed == made.installed
    # Nor are the wheels needed any more.
    assert not fresh_environment(locked).made


def test_a_half_built_one_is_made_anew(made, wheels, locked):
    (folder_of(made) / NOTE).unlink()
    assert fresh_environment(locked, find_links=[wheels]).made


def test_a_damaged_one_is_made_anew(made, wheels, locked):
    [module] = folder_of(made).glob("lib/*/site-packages/alpha.py")
    module.write_text("")
    assert fresh_environment(locked, find_links=[wheels]).made
    assert "version" in module.read_text()


def test_one_with_a_further_package_is_made_anew(made, wheels, locked):
    library = next(folder_of(made).glob("lib/*/site-packages"))
    info = library / "further-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: further\nVersion: 1\n")
    assert fresh_environment(locked, find_links=[wheels]).made
    assert not info.exists()


def test_one_whose_python_is_gone_is_made_anew(made, wheels, locked):
    made.python.unlink()
    assert fresh_environment(locked, find_links=[wheels]).made


def test_two_processes_wait_for_each_other(made, wheels, locked):
    shutil.rmtree(folder_of(made))
    code = (
        "import json, sys\n"
        "from nbtrack.bundles.environment.fresh import fresh_environment\n"
        "packages, folder = json.loads(sys.argv[1]), sys.argv[2]\n"
        "print(fresh_environment(packages, find_links=[folder]).made)"
    )
    asked = [sys.executable, "-c", code, json.dumps(locked), str(wheels)]
    both = [subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    said = sorted(process.communicate()[0].strip() for process in both)
    assert said == ["False", "True"]


def test_a_wheel_that_is_not_what_its_hash_says_is_refused(wheels, locked, cache):
    alpha, beta = locked["packages"]
    wrong = {**alpha, "wheel": {**alpha["wheel"], "sha256": "0" * 64}}
    with pytest.raises(EnvironmentBlockedError, match="HASHES") as caught:
        fresh_environment(listed(wrong, beta), find_links=[wheels])
    assert "for want of alpha==1.0." in str(caught.value)
    left = (cache / "nbtrack/environments").glob("*/")
    assert all((folder / NOTE).exists() for folder in left)


def test_a_hash_is_checked_also_beside_a_package_that_has_none(wheels, locked):
    alpha, beta = locked["packages"]
    wrong = {**alpha, "wheel": {**alpha["wheel"], "sha256": "0" * 64}}
    with pytest.raises(EnvironmentBlockedError, match=r"alpha==1\.0"):
        fresh_environment(listed(wrong, {**beta, "wheel": None}), find_links=[wheels])


def test_packages_that_cannot_be_had_are_all_named_with_the_ways_out(wheels, locked):
    gone = [package("gone", "1"), package("lost", "2+cu130")]
    with pytest.raises(EnvironmentBlockedError) as caught:
        fresh_environment(listed(*gone, *locked["packages"]), find_links=[wheels])
    text = str(caught.value)
    assert "for want of gone==1, lost==2+cu130." in text
    assert "ERROR: No matching distribution found for gone==1" in text
    assert "--find-links DIR" in text
    assert "--env current" in text


def test_a_local_version_needs_the_folder_of_its_wheel(locked):
    beta = {**locked["packages"][1], "wheel": None}
    with pytest.raises(EnvironmentBlockedError, match=r"beta==2\.0\+cpu"):
        fresh_environment(listed(beta, package("other", "1")))


def test_offline_no_index_is_asked(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    monkeypatch.setenv("NBTRACK_OFFLINE", "1")
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.setblocking(False)
        address = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        monkeypatch.setenv("PIP_INDEX_URL", address)
        with pytest.raises(EnvironmentBlockedError, match="NBTRACK_OFFLINE is set"):
            fresh_environment(listed(package("gone", "1")))
        with pytest.raises(BlockingIOError):
            index.accept()  # nobody has called


def test_a_cache_that_cannot_be_written_is_told(monkeypatch, locked):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    with pytest.raises(EnvironmentBlockedError, match="XDG_CACHE_HOME"):
        fresh_environment(locked)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"there": {}}'])
def test_an_odd_note_counts_for_nothing(made, text):
    note = folder_of(made) / NOTE
    kept = note.read_text()
    note.write_text(text)
    assert _found(folder_of(made)) is None
    note.write_text(kept)
    assert _found(folder_of(made)) == made.installed


@pytest.mark.parametrize("kind", ["editable", "vcs"])
def test_what_no_index_has_is_blocked_without_a_folder(kind):
    mine = package("mine", "0.1", source={"type": kind, "commit": "ab12"})
    with pytest.raises(EnvironmentBlockedError, match=rf"mine==0\.1 \({kind}\)"):
        fresh_environment(listed(mine))


def test_what_no_index_has_is_taken_from_the_folder(wheels):
    mine = package("beta", "3.0", source={"type": "editable", "commit": "ab12"})
    environment = fresh_environment(listed(mine), find_links=[wheels])
    assert environment.installed == ("beta==3.0",)
    shutil.rmtree(folder_of(environment))


@pytest.mark.parametrize("name", ["-e .", "a @ file:///x", "a\n--index-url=x", "../a"])
def test_a_name_that_is_more_to_pip_is_refused(name):
    with pytest.raises(EnvironmentBlockedError, match="cannot be had"):
        fresh_environment(listed(package(name, "1")))


def test_nbtrack_is_left_to_the_caller(made, wheels, locked):
    own = package("nbtrack", "0.1.0", source={"type": "editable"}, group="tracker")
    with_own = listed(own, *locked["packages"])
    environment = fresh_environment(with_own, find_links=[wheels])
    assert environment.key == made.key
    assert compare_environment(with_own, environment.python).state == "EXACT"


def test_another_python_is_looked_for_and_not_made_up(monkeypatch, tmp_path):
    with pytest.raises(EnvironmentBlockedError, match=r"no python2\.9 on the PATH"):
        fresh_environment(listed(python="2.9.1"))
    fake = tmp_path / "python2.9"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(EnvironmentBlockedError, match="does not run as one"):
        interpreter_for("2.9.1")
    fake.write_text("#!/bin/sh\necho cpython 2 9 3\n")
    assert interpreter_for("2.9.1") == fake


@pytest.mark.parametrize("version", ["", "3", "../../bin/sh", "3.11\n.1", "x.y"])
def test_a_version_that_is_none_is_refused(version):
    with pytest.raises(EnvironmentBlockedError, match="which Python"):
        interpreter_for(version)


def test_ctrl_c_ends_pip_and_leaves_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    code = (
        "import json, sys\n"
        "from nbtrack.bundles.environment.fresh import fresh_environment\n"
        "fresh_environment(json.loads(sys.argv[1]))"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        monkeypatch.setenv("PIP_INDEX_URL", address)
        asked = [sys.executable, "-c", code, json.dumps(listed(package("a", "1")))]
        process = subprocess.Popen(asked, stderr=subprocess.PIPE, text=True)
        connection, _ = silent.accept()  # pip waits for its answer
        [made] = (tmp_path / "nbtrack/environments").glob("*/")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert "KeyboardInterrupt" in said
        with connection:
            while connection.recv(4096):  # until pip is gone
                pass
    assert not made.exists()


def test_the_same_packages_are_exact(made, locked):
    found = compare_environment(recorded(made, locked), made.python)
    assert (found.state, found.differences) == ("EXACT", ())
    assert found.python_recorded == found.python_found == f"cpython {HERE}"


def test_another_version_is_compatible(made, locked, wheels):
    environment = fresh_environment(
        listed(locked["packages"][0], package("beta", "3.0")), find_links=[wheels]
    )
    found = compare_environment(recorded(made, locked), environment.python)
    assert found.state == "COMPATIBLE"
    assert [each.line for each in found.differences] == [
        "beta: 2.0+cpu recorded, 3.0 here"
    ]
    shutil.rmtree(folder_of(environment))


def test_other_contents_of_the_same_version_are_compatible(made, locked, tmp_path):
    write_wheel(tmp_path, "beta", "2.0+cpu", code="version = 'mine'\n")
    alpha, beta = locked["packages"]
    write_wheel(tmp_path, "alpha", "1.0", requires=["beta>=1", "gone"])
    loose = listed({**alpha, "wheel": None}, {**beta, "wheel": None})
    environment = fresh_environment(loose, find_links=[tmp_path])
    found = compare_environment(recorded(made, locked), environment.python)
    kinds = {each.name: each.kind for each in found.differences}
    assert found.state == "COMPATIBLE"
    assert kinds["beta"] == "contents"
    shutil.rmtree(folder_of(environment))


def test_another_patch_of_python_is_compatible_and_another_minor_is_not(made, locked):
    minor = ".".join(HERE.split(".")[:2])
    other = compare_environment({**locked, "python": f"{minor}.99"}, made.python)
    assert (other.state, other.differences) == ("COMPATIBLE", ())
    assert compare_environment({**locked, "python": "2.7.1"}).state == "MISSING"


def test_a_package_that_is_not_there_is_missing(made, locked):
    more = listed(*locked["packages"], package("gone", "1"))
    found = compare_environment(more, made.python)
    assert (found.state, found.missing) == ("MISSING", ("gone",))


def test_this_python_is_compared_where_none_is_named():
    packages = needed_packages({"click", "packaging"})
    assert compare_environment(packages).state == "EXACT"


def test_a_python_that_does_not_run_is_blocked(locked):
    with pytest.raises(EnvironmentBlockedError, match="does not say"):
        compare_environment(locked, Path("/nowhere/python"))
