"""Local modules are listed, hashed, and kept where they are not committed."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import time
from pathlib import Path

import pytest
from repositories import git, new_repository, write

from nbtrack.capture import modules
from nbtrack.capture.committed import Commits
from nbtrack.capture.modules import ModuleWatch

TESTS = str(Path(__file__).parents[1])
BEFORE, AFTER = "def f():\n    return 1\n", "def f():\n    return 2  # edited\n"


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory, monkeypatch: pytest.MonkeyPatch):
    """A folder from which modules are imported; none of them stays.

    What tests before imported from their own folders is no part of this project.
    """
    elsewhere = str(tmp_path_factory.getbasetemp())
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(elsewhere):
            monkeypatch.delitem(sys.modules, name)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    libraries = modules._libraries() | {TESTS}  # the tests' own are not looked at
    monkeypatch.setattr(modules, "_libraries", lambda: libraries)
    before = set(sys.modules)
    yield folder
    for name in [n for n in set(sys.modules) - before if "_nb" in n or n == "mine"]:
        del sys.modules[name]


def seen(watch: ModuleWatch, project: Path) -> dict:
    return {text.name: text for text in watch.look(project)}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_committed_module_is_its_digest_and_an_edited_one_its_text(project):
    new_repository(project, {"mine/a_nb.py": BEFORE, "mine/b_nb.py": BEFORE})
    write(project, {"mine/b_nb.py": AFTER, "mine/c_nb.py": "x = 1\n"})
    write(project, {"mine/d_nb.py": "never imported\n"})
    for name in ("mine.a_nb", "mine.b_nb", "mine.c_nb"):
        importlib.import_module(name)
    texts = seen(ModuleWatch(), project)
    assert sorted(texts) == ["mine/a_nb.py", "mine/b_nb.py", "mine/c_nb.py"]
    assert texts["mine/a_nb.py"].body is None
    assert texts["mine/a_nb.py"].missing is None
    assert texts["mine/a_nb.py"].digest == sha256(BEFORE)
    assert (texts["mine/b_nb.py"].body, texts["mine/b_nb.py"].missing) == (AFTER, None)
    assert texts["mine/c_nb.py"].body == "x = 1\n"


def test_a_change_that_git_was_told_to_ignore_is_seen(project):
    new_repository(project, {"hid_nb.py": BEFORE})
    git(project, "update-index", "--assume-unchanged", "hid_nb.py")
    write(project, {"hid_nb.py": AFTER})
    importlib.import_module("hid_nb")
    assert seen(ModuleWatch(), project)["hid_nb.py"].body == AFTER


def test_without_a_repository_every_text_is_kept(project):
    write(project, {"notebooks/x": "", "alone_nb.py": "# coding: latin-1\n# gr\xfcn\n"})
    (project / "alone_nb.py").write_bytes(b"# coding: latin-1\n# gr\xfcn\r\n")
    importlib.import_module("alone_nb")
    texts = seen(ModuleWatch(), project / "notebooks")
    assert texts["../alone_nb.py"].body == "# coding: latin-1\n# grün\r\n"
    raw = (project / "alone_nb.py").read_bytes()
    assert texts["../alone_nb.py"].digest == hashlib.sha256(raw).hexdigest()


def test_libraries_and_this_package_are_nobody_s_own(project):
    write(project, {"env/lib/site-packages/lib_nb.py": "x = 1\n"})
    sys.path.append(str(project / "env/lib/site-packages"))
    try:
        importlib.import_module("lib_nb")
    finally:
        sys.path.pop()
    names = [text.name for text in ModuleWatch().look(project)]
    assert not [n for n in names if "lib_nb" in n or "nbtrack/" in n or "json" in n]


def test_what_an_editor_brings_along_is_not_the_project_s(project, tmp_path):
    write(tmp_path, {".editor/ext/debug_nb.py": "x = 1\n"})
    sys.path.append(str(tmp_path / ".editor/ext"))
    try:
        importlib.import_module("debug_nb")
    finally:
        sys.path.pop()
    assert seen(ModuleWatch(), project) == {}


def test_a_module_edited_after_its_import_is_kept_as_it_ran_and_as_it_is(project):
    write(project, {"ran_nb.py": BEFORE})
    module = importlib.import_module("ran_nb")
    watch = ModuleWatch()
    watch.look(project)
    write(project, {"ran_nb.py": AFTER})
    texts = seen(watch, project)
    assert texts["ran_nb.py"].body == BEFORE
    assert texts["ran_nb.py (on disk)"].body == AFTER
    assert "not what ran" in texts["ran_nb.py (on disk)"].missing
    importlib.reload(module)
    texts = seen(watch, project)
    assert (list(texts), texts["ran_nb.py"].body) == (["ran_nb.py"], AFTER)
    assert texts["ran_nb.py"].missing is None


def test_an_edit_between_import_and_the_first_look_is_said(project):
    write(project, {"late_nb.py": BEFORE})
    importlib.import_module("late_nb")
    write(project, {"late_nb.py": AFTER})
    text = seen(ModuleWatch(), project)["late_nb.py"]
    assert text.body == AFTER
    assert text.missing == "edited after its import: what ran is not known"


@pytest.mark.parametrize("mode", ["2", "3"])
def test_a_module_that_autoreload_patched_is_what_it_is_now(project, shell, mode):
    write(project, {"auto_nb.py": BEFORE})
    shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", mode)
    shell.run_cell("import auto_nb")
    shell.run_cell("0")  # here it learns the text that it compares with
    watch = ModuleWatch()
    watch.look(project)
    write(project, {"auto_nb.py": AFTER})
    os.utime(project / "auto_nb.py", (2e9, 2e9))
    shell.run_cell("x = auto_nb.f()")
    assert shell.user_ns["x"] == 2
    for looking in (watch, ModuleWatch()):
        texts = seen(looking, project)
        assert list(texts) == ["auto_nb.py"]
        assert (texts["auto_nb.py"].body, texts["auto_nb.py"].missing) == (AFTER, None)
    shell.run_line_magic("autoreload", "0")


def test_a_module_whose_file_is_gone_is_what_it_was(project):
    write(project, {"gone_nb.py": BEFORE, "never_nb.py": BEFORE})
    importlib.import_module("gone_nb")
    watch = ModuleWatch()
    watch.look(project)
    importlib.import_module("never_nb")
    for name in ("gone_nb.py", "never_nb.py"):
        (project / name).unlink()
    texts = seen(watch, project)
    assert texts["gone_nb.py"].body == BEFORE
    assert "cannot be read" in texts["gone_nb.py"].missing
    assert texts["never_nb.py"].digest is None
    assert "cannot be read" in texts["never_nb.py"].missing


def test_limits_are_said(project, monkeypatch):
    write(project, {f"cap{n}_nb.py": "# " + "x" * 50 * n for n in range(1, 5)})
    for n in range(1, 5):
        importlib.import_module(f"cap{n}_nb")
    monkeypatch.setattr(modules, "N_MAX", 3)
    monkeypatch.setattr(modules, "TEXT_MAX_BYTES", 120)
    monkeypatch.setattr(modules, "TEXTS_MAX_BYTES", 100)
    texts = seen(ModuleWatch(), project)
    assert texts["cap1_nb.py"].body is not None
    assert "of local modules" in texts["cap2_nb.py"].missing
    assert "more than 120 bytes" in texts["cap3_nb.py"].missing
    assert len(texts["cap3_nb.py"].digest) == 64
    assert texts["…"].missing == "1 more local modules: only 3 are listed"


def test_odd_entries_of_sys_modules_are_left_alone(project, monkeypatch):
    class Raising:
        __slots__ = ()

        def __getattr__(self, name):
            raise RuntimeError("no")

    write(project, {"lazy_nb.py": "raise SystemExit('loaded')\n"})
    path = project / "lazy_nb.py"
    spec = importlib.util.spec_from_file_location("lazy_nb", path)
    loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "lazy_nb", lazy)
    loader.exec_module(lazy)
    monkeypatch.setitem(sys.modules, "raising_nb", Raising())
    monkeypatch.setitem(sys.modules, "none_nb", None)
    assert "lazy_nb.py" in seen(ModuleWatch(), project)


def test_a_second_look_is_cheap(project):
    for n in range(40):
        write(project, {f"many{n}_nb.py": "x = 1\n" * 500})
        importlib.import_module(f"many{n}_nb")
    watch = ModuleWatch()
    watch.look(project)

    def cost() -> float:
        began = time.perf_counter()
        watch.look(project)
        return time.perf_counter() - began

    assert min(cost() for _ in range(5)) < 0.03


def test_each_repository_is_asked_once_per_commit(project, monkeypatch):
    new_repository(project, {"one_nb.py": BEFORE, "two_nb.py": BEFORE})
    asked, commits = [], Commits()
    from nbtrack.capture import committed

    ask = committed.ask_git
    monkeypatch.setattr(committed, "ask_git", lambda *a: asked.append(a) or ask(*a))
    paths = [os.path.realpath(project / n) for n in ("one_nb.py", "two_nb.py")]
    commits.learn(paths)
    commits.learn(paths)
    assert commits.holds(paths[0], BEFORE.encode())
    assert not commits.holds(paths[0], AFTER.encode())
    assert len(asked) == 1
    write(project, {"one_nb.py": AFTER})
    git(project, "commit", "--quiet", "-am", "second")
    commits.learn(paths)
    assert commits.holds(paths[0], AFTER.encode())
