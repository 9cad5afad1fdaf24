"""One line switches every hook on, one switches it off, and nothing is imported."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.tracking import autolog as autolog_module
from nbtrack.tracking.autolog import FRAMEWORKS, MODULES, Hooks, autolog, hooks
from nbtrack.tracking.callbacks import fit_run, fits, model_size, patching
from nbtrack.tracking.settings import FEATURES

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _as_before():
    """No framework is on or off for the tests that come after."""
    yield
    hooks.forget()
    assert sys.meta_path.count(hooks._late) == 0


class Fake:
    """Stands for the hook of a framework."""

    def __init__(self, *, broken: bool = False) -> None:
        self.is_on = False
        self.broken = broken

    def install(self) -> None:
        self.is_on = True
        if self.broken:
            raise RuntimeError("no luck")

    def remove(self) -> None:
        self.is_on = False


@pytest.fixture
def fake(monkeypatch):
    """Hooks into `nbtrack_fake`, which can be imported."""
    hook = Fake()
    own = Hooks()
    monkeypatch.setattr(autolog_module, "FRAMEWORKS", {"fake": __name__})
    monkeypatch.setattr(autolog_module, "MODULES", {"fake": ("nbtrack_fake",)})
    monkeypatch.setitem(own._made, "fake", hook)
    monkeypatch.setattr(autolog_module, "find_spec", lambda name: True)
    yield own, hook
    own.forget()


@pytest.fixture
def importable(tmp_path, monkeypatch):
    (tmp_path / "nbtrack_fake.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("nbtrack_fake", None)


@pytest.mark.parametrize("module", [fits, model_size, patching, autolog_module])
def test_the_docstring_examples_run(module, monkeypatch):
    monkeypatch.setattr(nbtrack, "autolog", autolog, raising=False)
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


def test_one_line_names_what_is_on():
    assert autolog() == sorted(FRAMEWORKS)
    assert autolog("keras", off=True) == sorted(FRAMEWORKS.keys() - {"keras"})
    assert autolog(off=True) == []
    assert autolog("keras") == ["keras"]


def test_an_unknown_framework_is_named_with_the_way_out():
    with pytest.raises(OptionError, match=r"'sklaern'.*Did you mean sklearn\?.*keras"):
        autolog("sklearn", "sklaern")
    assert autolog("keras") == ["keras"]  # and none of the others


def test_no_framework_is_imported_by_us():
    names = {module.partition(".")[0] for names in MODULES.values() for module in names}
    code = (
        "import sys; from nbtrack.tracking.autolog import autolog; autolog(); "
        f"print(*({names!r} & sys.modules.keys()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert (said.returncode, said.stdout.strip(), said.stderr) == (0, "", "")


def test_what_is_imported_later_is_hooked_then(fake, importable):
    own, hook = fake
    own.switch(["fake"], off=False)
    assert not hook.is_on
    module = importlib.import_module("nbtrack_fake")
    assert (hook.is_on, module.x) == (True, 1)
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    assert "exec_module" not in vars(module.__loader__)
    own.switch(["fake"], off=True)
    assert not hook.is_on


def test_two_finders_of_a_kind_both_hear(fake, importable):
    own, hook = fake
    other, heard = Hooks(), []
    other._late._loaded = heard.append
    other._late.await_modules(frozenset({"nbtrack_fake"}))
    own.switch(["fake"], off=False)
    importlib.import_module("nbtrack_fake")
    other._late.await_modules(frozenset())
    assert hook.is_on
    assert set(heard) == {"nbtrack_fake"}


def test_a_cell_within_a_cell_leaves_the_hooks_to_the_outer_one(fake, monkeypatch):
    own, hook = fake
    monkeypatch.setitem(sys.modules, "nbtrack_fake", sys)
    own.open_cell()
    own.open_cell()
    own.close_cell()
    assert hook.is_on
    own.close_cell()
    assert not hook.is_on


def test_what_is_switched_off_is_off_in_cells_too(fake, monkeypatch):
    own, hook = fake
    monkeypatch.setitem(sys.modules, "nbtrack_fake", sys)
    own.switch(["fake"], off=True)
    own.open_cell()
    assert not hook.is_on
    own.switch(["fake"], off=False)
    own.close_cell()
    assert hook.is_on


def test_a_hook_that_fails_is_one_line_and_is_taken_away(fake, monkeypatch, capfd):
    own, hook = fake
    hook.broken = True
    monkeypatch.setitem(sys.modules, "nbtrack_fake", sys)
    for _ in range(3):
        own.open_cell()
        own.close_cell()
    assert not hook.is_on
    assert capfd.readouterr().err.count("no luck") == 1
    assert guard.is_off("the hook into fake")


def test_a_fit_outside_of_every_run_is_a_run(store_path):
    linear = pytest.importorskip("sklearn.linear_model")
    autolog("sklearn")
    linear.Ridge(alpha=2.0).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="inconsistent"):
        linear.Ridge().fit([[0.0], [1.0]], [0, 1, 2])
    assert nbtrack.current() is None
    table = nbtrack.runs().set_index("name")
    assert table["status"].to_dict() == {"Ridge": "finished", "Ridge-2": "failed"}
    assert table.loc["Ridge", "params.Ridge.alpha"] == 2.0
    assert table.loc["Ridge", "metrics.perf/fit_s"] > 0


def test_a_store_that_is_told_not_to_look_gets_no_metrics(store_path):
    linear = pytest.importorskip("sklearn.linear_model")
    nbtrack.configure(off="autolog")
    autolog("sklearn")
    linear.Ridge().fit([[0.0], [1.0]], [0, 1])
    assert len(nbtrack.runs()) == 0


def test_a_run_for_a_fit_that_cannot_begin_changes_nothing(
    store_path, monkeypatch, capfd
):
    linear = pytest.importorskip("sklearn.linear_model")
    store_path.write_text("not a folder")
    autolog("sklearn")
    assert linear.Ridge().fit([[0.0], [1.0]], [0, 1]).n_features_in_ == 1
    assert capfd.readouterr().err.count("left out") == 1


def test_hooks_and_settings_know_the_same_word():
    assert fit_run.SETTING in FEATURES
    assert FRAMEWORKS.keys() == MODULES.keys()
