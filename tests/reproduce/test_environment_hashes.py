"""Hashes of wheels, by the real pip from a folder of wheels."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
from pathlib import Path

import pytest
from bundles.small_wheels import listed, package, set_pip, write_wheel

from nbtrack.bundles.environment import pip_call
from nbtrack.bundles.environment.hashes import with_hashes
from nbtrack.bundles.environment.pip_call import PipAnswer, call_pip
from nbtrack.bundles.environment.wheel_cache import remember, remembered

pytestmark = pytest.mark.reproduce


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A folder of wheels that pip's settings name."""
    set_pip(monkeypatch, tmp_path / "cache")
    folder = tmp_path / "wheels"
    write_wheel(folder, "alpha", "1.0", requires=["nowhere"])
    write_wheel(folder, "beta", "2.0+cpu")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


ALPHA, BETA = package("alpha", "1.0"), package("beta", "2.0+cpu")


def hashes(found) -> dict[str, str | None]:
    return {p["name"]: p["wheel"] and p["wheel"]["sha256"] for p in found["packages"]}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_wheels_get_their_name_and_hash_and_no_path(wheels):
    told = []
    found = with_hashes(listed(ALPHA, BETA), tell=told.append)
    alpha, beta = sorted(wheels.iterdir())
    assert hashes(found) == {"alpha": sha256(alpha), "beta": sha256(beta)}
    assert [p["wheel"]["file"] for p in found["packages"]] == [alpha.name, beta.name]
    assert str(wheels) not in json.dumps(found)
    assert told == []


def test_what_was_found_is_remembered_in_a_file_of_ones_own(wheels, tmp_path):
    first = with_hashes(listed(ALPHA))
    for wheel in wheels.iterdir():
        wheel.unlink()
    assert with_hashes(listed(ALPHA)) == first
    assert with_hashes(listed(ALPHA), offline=True) == first
    file = tmp_path / "cache/nbtrack/wheels.json"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_package_that_is_nowhere_does_not_take_the_others_hashes(wheels):
    told = []
    gone = package("gone", "1"), package("gone-too", "2")
    found = hashes(with_hashes(listed(gone[0], ALPHA, gone[1]), tell=told.append))
    assert found["alpha"] is not None
    assert (found["gone"], found["gone-too"]) == (None, None)
    assert told == [
        "The package index has no wheel for this Python of gone==1, gone-too==2."
    ]


def test_another_version_is_not_taken_for_it(wheels):
    assert hashes(with_hashes(listed(package("alpha", "1.1")))) == {"alpha": None}


def test_nobody_is_asked_where_that_is_switched_off(wheels, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFFLINE", "1")
    told = []
    assert hashes(with_hashes(listed(ALPHA), tell=told.append)) == {"alpha": None}
    assert len(told) == 1
    assert "NBTRACK_OFFLINE" in told[0]


def test_what_has_a_hash_or_is_on_no_index_is_left_as_it_is(wheels, tmp_path):
    known = package("alpha", "1.0", write_wheel(tmp_path, "alpha", "1.0", code="#"))
    mine = package("beta", "2.0+cpu", source={"type": "editable"})
    packages = listed(known, mine)
    assert with_hashes(packages) == packages


def test_a_run_of_another_python_has_no_wheels_here(wheels):
    told = []
    packages = listed(ALPHA, python="2.7.18")
    assert with_hashes(packages, tell=told.append) == packages
    assert len(told) == 1


def test_a_name_that_is_an_option_is_not_passed_on(wheels):
    odd = package("--index-url=http://127.0.0.1:9/", "1")
    found = hashes(with_hashes(listed(odd, ALPHA)))
    assert found[odd["name"]] is None
    assert found["alpha"] is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": {"file": 1}}'])
def test_a_damaged_memory_is_an_empty_one(wheels, tmp_path, text):
    file = tmp_path / "cache/nbtrack/wheels.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert remembered() == {}
    wheel = {"file": "a.whl", "sha256": "0" * 64, "url": None}
    remember({"a==1": wheel})
    assert remembered() == {"a==1": wheel}


def test_a_cache_that_cannot_be_written_costs_only_the_memory(wheels, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert hashes(with_hashes(listed(ALPHA)))["alpha"] is not None


def test_an_index_that_never_answers_is_not_waited_for(wheels, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        monkeypatch.setenv("PIP_INDEX_URL", address)
        monkeypatch.setenv("PIP_NO_INDEX", "0")
        told = []
        found = with_hashes(listed(ALPHA), timeout_s=1, tell=told.append)
    assert hashes(found) == {"alpha": None}
    assert told == ["Wheels could not be asked for: pip took longer than 1 s."]


def test_a_python_without_pip_uses_the_one_that_comes_with_python(wheels, monkeypatch):
    real = pip_call.find_spec
    without = lambda name: None if name == "pip" else real(name)  # noqa: E731
    monkeypatch.setattr(pip_call, "find_spec", without)
    pip_call._bundled_pip.cache_clear()
    try:
        assert hashes(with_hashes(listed(ALPHA)))["alpha"] is not None
    finally:
        pip_call._bundled_pip.cache_clear()


def test_pip_is_called_without_the_path_and_the_places_of_the_caller(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PIP_TARGET", "/nowhere")
    told = pip_call.calm_environment()
    assert {"PYTHONPATH", "PIP_TARGET"}.isdisjoint(told)
    assert call_pip(["--version"], timeout_s=60) == PipAnswer()


def test_a_program_that_is_not_there_is_an_answer(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    failure = call_pip(["--version"], timeout_s=60).failure
    assert failure is not None
    assert failure.startswith("pip cannot be run")
