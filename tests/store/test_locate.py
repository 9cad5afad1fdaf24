"""Where the store is found, where it is born, and how private it is."""

from __future__ import annotations

import os
import stat

import pytest

from nbtrack.errors import StoreError
from nbtrack.store import Store, find_store
from nbtrack.store.locate import store_folder


def test_the_nearest_store_upward_is_found(tmp_path):
    (tmp_path / ".nbtrack").mkdir()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_store(deep) == tmp_path / ".nbtrack"


def test_a_notebook_file_stands_for_its_folder(tmp_path):
    (tmp_path / ".nbtrack").mkdir()
    notebook = tmp_path / "train.ipynb"
    notebook.write_text("{}")
    assert find_store(notebook) == tmp_path / ".nbtrack"


def test_the_search_stops_at_the_repository_root(tmp_path):
    (tmp_path / ".nbtrack").mkdir()
    repository = tmp_path / "project"
    (repository / ".git").mkdir(parents=True)
    (repository / "src").mkdir()
    assert find_store(repository / "src") is None


def test_a_store_in_the_repository_root_itself_is_found(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".nbtrack").mkdir()
    (tmp_path / "src").mkdir()
    assert find_store(tmp_path / "src") == tmp_path / ".nbtrack"


def test_the_search_stops_at_home(tmp_path, monkeypatch):
    (tmp_path / ".nbtrack").mkdir()
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    assert find_store(home / "work") is None


def test_the_environment_names_a_store(tmp_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_STORE", str(tmp_path / "elsewhere"))
    assert find_store(tmp_path) == tmp_path / "elsewhere" / ".nbtrack"


def test_a_store_may_be_named_by_its_folder_its_parent_or_its_database(tmp_path):
    folder = tmp_path / ".nbtrack"
    for named in (folder, tmp_path, folder / "nbtrack.db"):
        assert store_folder(named) == folder


def test_s11_a_new_store_is_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        with Store.open(tmp_path) as store:
            store.journal.emit({"kind": "run_started", "run": "r"})
            assert store.journal.flush()
            modes = {
                path: stat.S_IMODE(path.stat().st_mode)
                for path in (store.path, *store.path.rglob("*"))
            }
            folders = {path: path.is_dir() for path in modes}
    finally:
        os.umask(before)
    assert {mode for path, mode in modes.items() if folders[path]} == {0o700}
    assert {mode for path, mode in modes.items() if not folders[path]} == {0o600}


def test_git_ignores_the_store(tmp_path):
    with Store.open(tmp_path) as store:
        assert (store.path / ".gitignore").read_text() == "*\n"


def test_s11_a_store_linked_by_somebody_else_is_refused(tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root can make a link of another user")
    Store.open(tmp_path / "real").close()
    link = tmp_path / ".nbtrack"
    link.symlink_to(tmp_path / "real" / ".nbtrack")
    os.lchown(link, 65534, 65534)
    with pytest.raises(StoreError, match="symbolic link owned by user 65534"):
        Store.open(link)


def test_ones_own_link_is_followed(tmp_path):
    Store.open(tmp_path / "real").close()
    link = tmp_path / ".nbtrack"
    link.symlink_to(tmp_path / "real" / ".nbtrack")
    with Store.open(link) as store:
        assert store.path == tmp_path / "real" / ".nbtrack"


def test_no_store_and_none_wanted_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="There is no store at"):
        Store.open(tmp_path, create=False)
    assert not (tmp_path / ".nbtrack").exists()


def test_who_named_no_store_is_told_how_to(tmp_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    with pytest.raises(StoreError, match=r"nbtrack run make one.*--store"):
        Store.open(near=tmp_path, create=False)
    monkeypatch.setenv("NBTRACK_STORE", str(tmp_path / "typo"))
    with pytest.raises(StoreError, match="NBTRACK_STORE names that place"):
        Store.open(near=tmp_path, create=False)


def test_a_place_that_cannot_hold_a_store_names_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="NBTRACK_STORE"):
        Store.open(tmp_path / "file" / ".nbtrack")
