"""Exact distributions, where they came from, and which of them are loaded."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from nbtrack.capture import packages as module
from nbtrack.capture.packages import Installed, Packages, packages, parse_lines


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder on the path, with distributions of the test's own."""
    folder = tmp_path / "place" / "site-packages"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def distribution(place: Path, name: str, version: str, **files: str) -> Path:
    folder = place / f"{name}-{version}.dist-info"
    folder.mkdir()
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (folder / "METADATA").write_text(head + "\nName: not this one\n")
    for file, text in files.items():
        (folder / file).write_text(text)
    return folder


def origin(**told) -> dict[str, str]:
    return {"direct_url.json": json.dumps(told)}


def found(name: str) -> Installed:
    return {about.name: about for about in Packages().installed()}[name]


def test_all_of_them_are_there_with_their_exact_versions():
    told = {about.name: about.version for about in Packages().installed()}
    expected: dict[str, str] = {}
    for dist in metadata.distributions():
        expected.setdefault(module._normalised(dist.metadata["Name"]), dist.version)
    assert told == expected
    assert len(told) > 50


def test_an_editable_install_is_marked_with_its_folder_and_commit(place, tmp_path):
    project = tmp_path / "my project"
    project.mkdir()
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for args in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *args], cwd=project, check=True)
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=project, text=True)
    url = project.as_uri()
    told = origin(url=url, dir_info={"editable": True})
    distribution(place, "My_Project", "0.1", **told)
    about = found("my-project")
    assert (about.is_editable, about.commit) == (True, head.strip())
    assert about.line == f"-e {project}  # my-project==0.1, commit {head.strip()}"


def test_an_editable_install_whose_folder_is_gone_stays_marked(place, tmp_path):
    url = (tmp_path / "gone").as_uri()
    distribution(place, "gone", "1", **origin(url=url, dir_info={"editable": True}))
    assert found("gone").line == f"-e {tmp_path / 'gone'}  # gone==1"


def test_a_source_folder_on_the_path_counts_as_editable(tmp_path, monkeypatch):
    info = tmp_path / "old.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Name: old\nVersion: 0.3\n")
    (info / "SOURCES.txt").write_text("setup.py\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert found("old").line == f"-e {tmp_path}  # old==0.3"


def test_addresses_are_kept_without_what_logs_in(place):
    vcs = {"vcs": "git", "commit_id": "ab" * 20}
    url = "https://ada:hunter2@example.org/x.git?token=s3cr3t"
    distribution(place, "fromgit", "1", **origin(url=url, vcs_info=vcs))
    sums = {"hashes": {"sha256": "cd" * 32}}
    url = "https://t0k3n@example.org/w-2-py3-none-any.whl"
    distribution(place, "fromfile", "2", **origin(url=url, archive_info=sums))
    assert found("fromgit").line == (
        f"fromgit @ git+https://example.org/x.git@{'ab' * 20}  # ==1"
    )
    assert found("fromfile").line == (
        f"fromfile @ https://example.org/w-2-py3-none-any.whl#sha256={'cd' * 32}  # ==2"
    )


def test_the_home_folder_is_not_named(place, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    url = (tmp_path / "mine").as_uri()
    distribution(place, "mine", "1", **origin(url=url, dir_info={"editable": True}))
    assert found("mine").line == "-e ~/mine  # mine==1"


@pytest.mark.parametrize("broken", ["gone", "empty", "binary", "no version", "folder"])
def test_a_damaged_distribution_is_named_and_the_others_are_kept(place, broken):
    folder = distribution(place, "torn", "1")
    distribution(place, "whole", "2")
    file = folder / "METADATA"
    file.unlink()
    if broken == "folder":
        file.mkdir()
    elif broken != "gone":
        texts = {"empty": b"", "binary": b"\xff\xfe\x00Na", "no version": b"Name: torn"}
        file.write_bytes(texts[broken])
    assert found("torn").line == "# torn: its metadata cannot be read"
    assert found("whole").line == "whole==2"


def test_a_damaged_origin_leaves_name_and_version(place):
    distribution(place, "odd", "1", **{"direct_url.json": "{not json"})
    assert found("odd").line == "odd==1"


def test_of_two_of_a_name_the_one_that_is_imported_counts(place):
    distribution(place, "numpy", "0.0.1")
    assert found("numpy").version == "0.0.1"


def test_what_is_installed_in_the_session_is_seen_the_next_time(place, tmp_path):
    listed = Packages()
    assert "tiny" not in {about.name for about in listed.installed()}
    wheel = tmp_path / "tiny-1.5-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "")
        file.writestr("tiny-1.5.dist-info/METADATA", "Name: tiny\nVersion: 1.5\n")
        wheel_text = "Wheel-Version: 1.0\nTag: py3-none-any\n"
        file.writestr("tiny-1.5.dist-info/WHEEL", wheel_text)
        file.writestr("tiny-1.5.dist-info/RECORD", "tiny.py,,\n")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    pip += ["--disable-pip-version-check", "--target", str(place), str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True)
    if "No module named pip" in done.stderr:
        pytest.skip("there is no pip here")
    assert done.returncode == 0, done.stderr
    about = {about.name: about for about in listed.installed()}["tiny"]
    assert about.line.startswith(f"tiny @ {wheel.as_uri()}")
    assert about.line.endswith("  # ==1.5")


def test_loaded_ones_are_found_by_their_modules(place):
    distribution(place, "Other-Name", "1", **{"top_level.txt": "imported_as\n"})
    record = "by_record/__init__.py,,\nsingle.py,,\n"
    distribution(place, "recorded", "2", RECORD=record)
    listed = Packages()
    loaded = listed.loaded({"imported_as.sub", "json", "numpy.linalg"})
    assert [about.name for about in loaded] == ["numpy", "other-name"]
    assert [a.name for a in listed.loaded({"single"})] == ["recorded"]
    assert [a.name for a in listed.loaded({"by_record"})] == ["recorded"]


def test_lines_are_read_back():
    every = [
        Installed("numpy", "2.1.0"),
        Installed("mine", "0.1", "~/a b", is_editable=True, commit="ab12"),
        Installed("other", "0.1", "~/o", is_editable=True),
        Installed("w", "2", "file:///w.whl#sha256=ab"),
        Installed("torn", "?", problem="its metadata cannot be read"),
    ]
    text = "\n".join([*(about.line for about in every), "", "# a remark"])
    assert list(parse_lines(text).values()) == every


def test_a_second_look_costs_next_to_nothing():
    packages.installed()
    started = time.perf_counter()
    packages.installed()
    assert time.perf_counter() - started < 0.01


def test_a_save_in_a_folder_on_the_path_has_the_others_not_read_again(
    place, tmp_path, monkeypatch
):
    distribution(place, "there", "1")
    here = tmp_path / "notebooks"
    here.mkdir()
    monkeypatch.syspath_prepend(str(here))
    listed = Packages()
    before = listed.installed()
    read: list[Path] = []
    real = module._read
    monkeypatch.setattr(module, "_read", lambda at: read.append(at._path) or real(at))
    distribution(here, "added", "2")
    assert len(listed.installed()) == len(before) + 1
    assert [path.parent for path in read] == [here]
