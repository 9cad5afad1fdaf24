"""How the server finds stores: of sessions, by its settings, from the registry."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from server.filled import started

from nbtrack.server import found
from nbtrack.server.found import Finder, Session, shown_path

pytest_plugins = ["pytest_jupyter.jupyter_server"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    monkeypatch.setenv("NBTRACK_REGISTRY", str(tmp_path / "registry"))
    monkeypatch.setattr(found, "REGISTRY_S", 0.0)
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def made(folder):
    """A store that is not noted in the registry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBTRACK_REGISTRY", "off")
        with started(folder) as store:
            return store.path


def test_each_store_says_how_it_was_found_and_what_is_worked_with_comes_first(root):
    of_session, named = made(root / "a"), made(root / "b")
    with started(root / "c") as noted:
        pass
    stores = Finder(root, [str(root / "b")]).find([Session("a/n.ipynb", "k")])
    assert [(one.path, one.found_by) for one in stores] == [
        (of_session, "session"),
        (named, "setting"),
        (noted.path, "registry"),
    ]


def test_the_id_is_that_of_the_resolved_path(root):
    path = made(root / "a")
    (root / "link").symlink_to(root / "a")
    (one,) = Finder(root, [str(root / "link")]).find([])
    assert one.id == hashlib.sha256(str(path).encode()).hexdigest()[:16]


def test_a_store_that_is_found_twice_is_there_once(root):
    made(root / "a")
    sessions = [Session("a/n.ipynb", "k1"), Session("a/m.ipynb", "k2")]
    (one,) = Finder(root, [str(root / "a"), str(root / "a/.nbtrack")]).find(sessions)
    assert one.found_by == "session"


def test_names_are_short_and_tell_stores_apart(root):
    for folder in ("x/a", "y/a", "b"):
        made(root / folder)
    stores = Finder(root, [str(root / f) for f in ("x/a", "y/a", "b")]).find([])
    assert [one.name for one in stores] == ["x/a", "y/a", "root/b"]


def test_the_store_of_the_environment_is_meant_wherever_a_notebook_stands(
    root, monkeypatch
):
    made(root / "a")
    monkeypatch.setenv("NBTRACK_STORE", str(made(root / "b")))
    (one,) = Finder(root).find([Session("a/n.ipynb", "k")])
    assert (one.path, one.found_by) == (root / "b/.nbtrack", "setting")


def test_a_store_that_is_named_and_not_there_yet_is_none(root):
    assert Finder(root, [str(root / "later"), "~nobody-here/x"]).find([]) == []


def test_a_store_that_went_is_no_longer_found(root):
    with started(root / "a") as store:
        pass
    finder = Finder(root)
    assert len(finder.find([])) == 1
    shutil.rmtree(store.path)
    assert finder.find([]) == []


@pytest.mark.parametrize(
    "notebook", ["a\0b.ipynb", "../../x.ipynb", "/etc/x.ipynb", ""]
)
def test_a_session_at_an_odd_place_is_survived(root, notebook):
    made(root.parent)  # one that only a way out of the root would lead to
    (root / ".git").mkdir()  # and the search upward stops here
    assert Finder(root).find([Session(notebook, "k")]) == []


def test_no_tree_is_walked(root):
    made(root / "deep" / "er")
    assert Finder(root).find([Session("n.ipynb", "k")]) == []


def test_the_home_folder_is_shown_as_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert shown_path(tmp_path / "a/.nbtrack") == "~/a/.nbtrack"
    assert shown_path(Path(f"{tmp_path}x/a")) == f"{tmp_path}x/a"


def test_a_path_that_is_no_text_is_shown_with_escapes():
    assert shown_path(Path(os.fsdecode(b"/a\xff\n"))) == "/a\\udcff\\n"


@pytest.fixture
def jp_argv(tmp_path):
    return [f"--NbtrackServer.stores={tmp_path / 'named'}"]


async def test_stores_of_the_servers_configuration_are_shown(
    ask, tmp_path, monkeypatch
):
    monkeypatch.delenv("NBTRACK_STORE")
    made(tmp_path / "named")
    (row,) = (await ask("stores"))["stores"]
    assert (row["name"], row["found_by"], row["state"]) == ("named", "setting", "ok")
