"""What is wrong with a file or folder is an error that names it; nothing is kept."""

import os
import socket
import threading

import pytest

from nbtrack.errors import ArtifactError
from nbtrack.tracking.artifacts import api, folders

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "data"
    (made / "sub").mkdir(parents=True)
    (made / ".hidden").write_text("h")
    (made / "sub" / "ä b.txt").write_text("b")
    return made


def test_a_folder_is_kept_with_relative_names_hidden_files_and_links(run, folder):
    outside = folder.parent / "outside.txt"
    outside.write_text("o")
    (folder / "link").symlink_to(outside)
    (folder / "sub2").symlink_to(folder / "sub")
    run.log_artifact(folder)
    assert api.files("data")["path"].tolist() == [
        ".hidden", "link", "sub/ä b.txt", "sub2/ä b.txt",
    ]  # fmt: skip
    used = run.use_artifact("data")
    assert (used / "link").read_text() == "o"
    assert not (used / "link").is_symlink()


def test_the_same_folder_elsewhere_is_the_same_version(run, folder):
    first = run.log_artifact(folder)
    moved = folder.rename(folder.parent / "moved")
    assert run.log_artifact(moved, "data").ref == first.ref
    (moved / ".hidden").rename(moved / "seen")
    assert run.log_artifact(moved, "data").ref == "data:v1"


def test_a_missing_file_is_named(run, folder):
    with pytest.raises(FileNotFoundError, match=r"no file .*nothing\.pt"):
        run.log_artifact("nothing.pt")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        run.log_artifact("file:///nothing/at/all.csv")


def test_a_loop_of_links_is_refused(run, folder):
    (folder / "sub" / "up").symlink_to(folder)
    with pytest.raises(ArtifactError, match=r"sub/up leads back .*loop of links"):
        run.log_artifact(folder)
    (folder / "sub" / "up").unlink()
    (folder / "itself").symlink_to("itself")
    with pytest.raises(ArtifactError, match="itself leads nowhere"):
        run.log_artifact(folder)


def test_links_that_lead_nowhere_pipes_and_sockets_are_refused(run, folder):
    (folder / "gone").symlink_to("nowhere")
    with pytest.raises(ArtifactError, match="gone leads nowhere"):
        run.log_artifact(folder)
    (folder / "gone").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(ArtifactError, match="pipe is a pipe"):
        run.log_artifact(folder)
    (folder / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("data/s")
        with pytest.raises(ArtifactError, match="is a socket"):
            run.log_artifact(folder)
    with pytest.raises(ArtifactError, match="is a device"):
        run.log_artifact("/dev/null")
    assert run.store.artifact_versions() == []


def test_a_file_that_cannot_be_read_is_named(run, folder, monkeypatch):
    real = os.open

    def refuse(path, *how, **more):
        if os.fsdecode(path).startswith(str(folder)):
            raise PermissionError(13, "Permission denied")
        return real(path, *how, **more)  # for the threads of the store

    # The tests may run as root, who can read everything.
    monkeypatch.setattr(folders.os, "open", refuse)
    with pytest.raises(ArtifactError, match=r"\.hidden cannot be read: Permission"):
        run.log_artifact(folder)


@pytest.mark.parametrize("name", ["a\nb", "a\\b", b"a\xff"])
def test_names_that_no_other_system_can_write_are_refused(run, folder, name):
    with open(os.path.join(os.fsencode(folder), os.fsencode(name)), "w"):
        pass
    with pytest.raises(ArtifactError, match="Rename it"):
        run.log_artifact(folder)


def test_an_empty_folder_is_refused_and_the_store_is_left_out(run, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="holds no files"):
        run.log_artifact("empty")
    run.log_artifact(tmp_path, "all")
    names = api.files("all")["path"].tolist()
    assert names == ["data/.hidden", "data/sub/ä b.txt"]


def test_names_that_are_one_elsewhere_are_kept_and_said(run, folder, capsys):
    (folder / "A.txt").write_text("1")
    (folder / "a.txt").write_text("2")
    logged = run.log_artifact(folder)
    assert logged.is_kept
    assert "A.txt = a.txt" in logged.remarks[0]
    assert "A.txt = a.txt" in capsys.readouterr().err


def test_a_file_that_changes_while_it_is_read_is_named_and_not_kept(run, folder):
    large = folder / "large.bin"
    large.write_bytes(os.urandom(8 << 20))
    stop = threading.Event()

    def write():
        while not stop.is_set():
            with large.open("r+b") as file:
                file.write(os.urandom(64))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(ArtifactError, match=r"large\.bin changed while it was"):
            run.log_artifact(folder)
    finally:
        stop.set()
        writer.join()
    assert run.store.artifact_versions() == []
    assert run.log_artifact(folder).ref == "data:v0"


def test_many_files_are_one_version(run, folder):
    for n in range(2_000):
        (folder / f"{n:04}").write_bytes(b"%d" % n)
    assert run.log_artifact(folder).record().n_files == 2_002
    assert api.verify("data").n_files == 2_002
