"""Which distributions a run needs, where they are from, and one digest for each."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest
from bundles.small_wheels import unpack, write_wheel
from packaging.requirements import Requirement

import nbtrack
from nbtrack.bundles.environment.closure import closure
from nbtrack.bundles.environment.contents import contents_digest, is_whole
from nbtrack.bundles.environment.needed import (
    CORE,
    needed_packages,
    recorded_packages,
)
from nbtrack.bundles.environment.sources import public_url, source_of, wheel_of
from nbtrack.capture.packages import Installed, Packages, packages
from nbtrack.errors import MissingExtraError

SHA = "5" * 64


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder on the path: alpha needs beta, and gamma where somebody wants more."""
    folder = tmp_path / "site-packages"
    wheels = tmp_path / "wheels"
    needs = ["beta>=1", "gamma; extra == 'more'", "gone; python_version < '3'"]
    unpack(write_wheel(wheels, "alpha", "1.0", requires=needs), folder)
    unpack(write_wheel(wheels, "beta", "2.0"), folder)
    unpack(write_wheel(wheels, "gamma", "3.0", requires=["alpha[more]"]), folder)
    unpack(write_wheel(wheels, "delta", "4.0", requires=["alpha[more]"]), folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def run_group(found) -> dict[str, dict]:
    return {p["name"]: p for p in found["packages"] if p["group"] == "run"}


def kept_text() -> str:
    return "".join(f"{about.line}\n" for about in Packages().installed())


def test_what_a_loaded_package_requires_is_needed_too(place):
    found = run_group(needed_packages({"alpha", "json"}, Packages()))
    assert {name: p["loaded"] for name, p in found.items()} == {
        "alpha": True,
        "beta": False,
    }
    assert found["alpha"]["requires"] == ["beta"]


def test_an_extra_is_needed_where_it_is_asked_for(place):
    found = run_group(needed_packages({"delta"}, Packages()))
    assert sorted(found) == ["alpha", "beta", "delta", "gamma"]


def test_without_packaging_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.utils", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[bundles\]"):
        needed_packages({"click"})


def test_packages_that_require_each_other_end():
    lines = {"a": ["b"], "b": ["a[x]"]}
    assert closure(["a"], lines.__getitem__) == {"a": ["b"], "b": ["a"]}


def test_a_requirement_that_nobody_can_read_is_passed_over():
    lines = {"a": ["b", ">>> nonsense", "c; nonsense == 1"], "b": []}
    assert closure(["a"], lines.__getitem__) == {"a": ["b"], "b": []}


def test_the_tracker_needs_what_pyproject_says():
    text = (Path(nbtrack.__file__).parents[1] / "pyproject.toml").read_text("utf-8")
    told = tomllib.loads(text)["project"]["dependencies"]
    assert sorted(CORE) == sorted(Requirement(line).name for line in told)


def test_the_tracker_has_a_group_of_its_own_and_is_not_listed_itself(place):
    found = needed_packages({"alpha"}, Packages())["packages"]
    groups = {p["name"]: p["group"] for p in found}
    assert {groups[name] for name in ("psutil", "sqlite-utils", "numpy")} == {"tracker"}
    assert "nbtrack" not in groups


def test_nbtrack_is_listed_where_the_cells_load_it(place):
    unpack(write_wheel(place.parent, "nbtrack", "0.1.0", requires=["beta"]), place)
    found = needed_packages({"nbtrack", "alpha"}, Packages())["packages"]
    own = {p["name"]: p for p in found}["nbtrack"]
    assert (own["group"], own["loaded"], own["requires"]) == ("tracker", True, ["beta"])


def test_what_the_run_and_the_tracker_need_is_the_runs():
    found = run_group(needed_packages({"numpy"}))
    assert found["numpy"]["loaded"]


def test_equal_installs_have_equal_digests(place):
    before = contents_digest("alpha")
    info = place / "alpha-1.0.dist-info"
    with (info / "RECORD").open("a") as record:
        record.write("alpha-1.0.dist-info/INSTALLER,sha256=x,4\n")
        record.write("alpha-1.0.dist-info/direct_url.json,sha256=y,4\n")
        record.write("__pycache__/alpha.cpython-311.pyc,,\n")
        record.write("../../../bin/alpha,sha256=z,4\n")
    assert before is not None
    assert contents_digest("alpha") == before


def test_other_contents_of_the_same_version_have_another_digest(place):
    before = contents_digest("beta")
    unpack(write_wheel(place.parent, "beta", "2.0", code="x = 2\n"), place)
    assert contents_digest("beta") != before


def test_a_file_that_is_gone_or_was_cut_is_noticed(place):
    assert is_whole("alpha")
    (place / "alpha.py").write_text("")
    assert not is_whole("alpha")
    (place / "alpha.py").unlink()
    assert not is_whole("alpha")


def test_an_editable_package_has_no_digest_and_no_path(place, tmp_path):
    url = (tmp_path / "mine").as_uri()
    told = {"url": url, "dir_info": {"editable": True}}
    (place / "beta-2.0.dist-info/direct_url.json").write_text(json.dumps(told))
    found = run_group(needed_packages({"beta"}, Packages()))["beta"]
    assert found["record_sha256"] is None
    assert found["source"]["type"] == "editable"
    assert str(tmp_path) not in json.dumps(found)


def test_a_wheel_on_disk_is_known_by_its_name_and_hash(place, tmp_path):
    wheel = tmp_path / "my wheels" / "beta-2.0-py3-none-any.whl"
    told = {"url": wheel.as_uri(), "archive_info": {"hashes": {"sha256": SHA}}}
    (place / "beta-2.0.dist-info/direct_url.json").write_text(json.dumps(told))
    found = run_group(needed_packages({"beta"}, Packages()))["beta"]
    assert found["wheel"] == {"file": wheel.name, "sha256": SHA, "url": None}
    assert found["source"]["type"] == "archive"
    assert str(tmp_path) not in json.dumps(found)


def test_a_commit_is_told_with_its_repository():
    about = Installed("a", "1", url="git+ssh://git@example.org/a.git@v@ab12cd")
    told = source_of(about)
    assert told["url"] == "git+ssh://git@example.org/a.git@v"
    assert (told["type"], told["commit"]) == ("vcs", "ab12cd")


def test_a_repository_on_this_disk_is_not_told():
    about = Installed("a", "1", url="git+file:///home/ada/a@ab12cd")
    assert source_of(about)["url"] is None


@pytest.mark.parametrize(
    "url",
    [
        *("~/a.whl", "/srv/a.whl", "file:///srv/a.whl", "http://localhost:3141/a.whl"),
        *("http://127.0.0.1/a.whl", "http://[::1]/a.whl", "http://[bad/a.whl"),
    ],
)
def test_places_of_this_machine_are_not_told(url):
    assert public_url(url) is None
    told = wheel_of(Installed("a", "1", url=f"{url}#sha256={SHA}"))
    assert told == {"file": "a.whl", "sha256": SHA, "url": None}


def test_logins_are_taken_out_of_addresses():
    assert public_url("https://u:pw@example.org/a.whl") == "https://example.org/a.whl"


def test_a_recorded_run_in_the_same_environment_is_described_the_same(place):
    here = Packages()
    found = recorded_packages(kept_text(), ["alpha"], installed=here)
    assert found == needed_packages({"alpha"}, here)
    assert run_group(found)["alpha"]["record_sha256"] is not None


def test_of_a_recorded_run_nothing_is_guessed(place):
    told = []
    text = kept_text().replace("alpha==1.0", "alpha==0.9")
    found = recorded_packages(text, ["Alpha", "beta"], tell=told.append)
    run = run_group(found)
    assert {n: (p["version"], p["requires"]) for n, p in run.items()} == {
        "alpha": ("0.9", []),
        "beta": ("2.0", []),
    }
    assert run["beta"]["record_sha256"] is None
    assert told == [
        "What these require is not known, as other versions are installed here: alpha."
    ]


def test_what_the_recorded_run_did_not_have_is_not_listed_for_it(place):
    text = "alpha==1.0\n"
    assert sorted(run_group(recorded_packages(text, ["alpha", "delta"]))) == ["alpha"]


def test_the_recorded_python_counts(place):
    recorded = {"python": "2.7.18", "platform": "win_amd64", "implementation": None}
    found = recorded_packages(kept_text(), ["alpha"], recorded=recorded)
    assert (found["python"], found["platform"]) == ("2.7.18", "win_amd64")
    assert found["packages"][0]["requires"] == ["beta", "gone"]


def test_the_list_is_the_same_each_time(place):
    one = needed_packages({"alpha"}, Packages())
    assert one == needed_packages({"alpha"}, Packages())
    names = [p["name"] for p in one["packages"]]
    assert names == sorted(names)
    assert {about.name for about in packages.installed()} >= {"psutil", "click"}
