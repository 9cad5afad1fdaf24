"""Files and addresses put together by name are one version, and come back so."""

from pathlib import Path

import pytest

import nbtrack
from nbtrack.errors import ArtifactError
from nbtrack.tracking.artifacts.collected import Collected
from nbtrack.tracking.artifacts.folders import named_file
from nbtrack.tracking.artifacts.references import look_at

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "b.txt").write_text("b")
    return tmp_path


def referred(path: Path, name: str):
    [file] = look_at(f"file://{path}")
    return type(file)(name, file.digest, file.size_bytes, file.uri, file.etag)


def texts_in(folder: Path):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_files_and_references_are_one_version(run, here):
    both = Collected(
        (named_file("raw/a.txt", here / "a.txt"),),
        (referred(here / "far" / "b.txt", "kept/b.txt"),),
    )
    logged = run.log_artifact(both, "letters")
    assert (logged.record().n_files, logged.size_bytes) == (2, 1)
    got = texts_in(run.use_artifact("letters"))
    assert got == {"raw/a.txt": "a", "kept/b.txt": "b"}


def test_references_under_names_of_their_own_are_laid_out_by_them(run, here):
    names = ("one.txt", "two/b.txt")
    found = tuple(referred(here / "far" / "b.txt", name) for name in names)
    run.log_artifact(Collected((), found), "twice")
    assert texts_in(run.use_artifact("twice")) == dict.fromkeys(names, "b")


def test_one_file_in_a_folder_of_the_version_is_used(run, here):
    run.log_artifact(Collected((named_file("x/y/a.txt", here / "a.txt"),)), "deep")
    path = run.use_artifact("deep")
    assert (path.parts[-3:], path.read_text()) == (("x", "y", "a.txt"), "a")
    (here / "data" / "sub").mkdir(parents=True)
    (here / "data" / "sub" / "c.txt").write_text("c")
    run.log_artifact(here / "data")
    assert run.use_artifact("data").read_text() == "c"


def test_a_version_may_hold_nothing_but_what_is_said_of_it(run):
    logged = run.log_artifact(Collected(), "empty", metadata={"n": 1})
    assert (logged.record().n_files, logged.record().metadata) == (0, {"n": 1})
    assert texts_in(run.use_artifact("empty")) == {}


def test_what_is_no_file_is_refused_where_it_is_named(here):
    with pytest.raises(FileNotFoundError, match="no file"):
        named_file("a", here / "nothing")
    with pytest.raises(ArtifactError, match="is a folder"):
        named_file("a", here / "far")


def test_a_version_is_noted_as_used_without_a_copy(run, here):
    from nbtrack.tracking.artifacts.using import note_use, version_for

    run.log_artifact(here / "a.txt", "letter")
    _, record = version_for(run, "letter")
    note_use(run, record)
    run.record()
    uses = run.store.artifact_uses(run=run.id, role="input")
    assert [use.name for use in uses] == ["letter"]
    assert not (run.store.path / "cache" / "artifacts").exists()
    run.finish()
    note_use(run, record)  # a run that is over notes nothing
    assert len(nbtrack.open().artifact_uses(run=run.id, role="input")) == 1
