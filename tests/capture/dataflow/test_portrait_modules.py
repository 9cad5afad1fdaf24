"""What the user's own modules hold is seen, what libraries hold is not looked at."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest
from portrait_cases import is_seen, look

SOURCE = """
import json, os
from json import dumps

STATE = []
LIMIT = 1

def append(x):
    STATE.append(x)

def fresh():
    return 1

class Model:
    shared = {}

    def __init__(self):
        self.x = 1

    def limit(self):
        return LIMIT
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "module_of_mine.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("module_of_mine")
    sys.modules.pop("module_of_mine")


def test_a_local_module_is_walked_through(mine):
    assert is_seen(mine, lambda some: some.STATE.append(1))
    assert is_seen(mine, lambda some: setattr(some, "LIMIT", 2))
    assert is_seen(mine, lambda some: setattr(some, "fresh", some.append))
    assert is_seen(mine, lambda some: some.Model.shared.update(a=1))
    assert not look(mine).is_plain


def test_a_function_of_a_local_module_shows_the_state_that_it_sees(mine):
    assert is_seen(mine.append, lambda some: some(1))
    assert id(mine.STATE) in look(mine.append).parts
    assert look([mine.fresh]).codes == ()  # its globals are not the notebook's


def test_an_instance_of_a_local_class_shows_its_class_and_module(mine):
    value = mine.Model()
    assert is_seen(value, lambda some: setattr(some, "x", 2))
    assert is_seen(value, lambda some: some.shared.update(b=1))
    assert is_seen(value, lambda _: setattr(mine, "LIMIT", 3))


def test_a_local_module_does_not_lead_into_libraries(mine):
    taken = look(mine)
    assert taken.roots >= {"json", "os"}
    assert len(taken.parts) < 20


def test_a_module_that_is_loaded_again_is_seen(mine):
    before = look(mine).digest
    mine.STATE.append(1)
    importlib.reload(mine)
    assert look(mine).digest != before


def test_functions_made_by_exec_show_the_dict_that_they_see():
    home: dict[str, Any] = {"__name__": "nobody", "state": []}
    exec("def add(x):\n    state.append(x)\n", home)
    assert is_seen(home["add"], lambda some: some(1))
    assert look(home["add"]).codes == ()


def test_functions_of_the_notebook_are_not_followed_into_it():
    home: dict[str, Any] = {"__name__": "__main__", "state": []}
    exec("def add(x):\n    state.append(x)\n", home)
    taken = look(home["add"], namespace=home)
    assert id(home["state"]) not in taken.parts
    assert [code.co_name for code in taken.codes] == ["add"]
    home["add"](1)
    assert look(home["add"], namespace=home).digest == taken.digest


def test_a_library_wrapper_around_a_function_of_the_notebook_is_looked_into():
    import contextlib

    home: dict[str, Any] = {"__name__": "__main__", "contextlib": contextlib}
    exec("@contextlib.contextmanager\ndef opened():\n    yield\n", home)
    taken = look(home["opened"], namespace=home)
    assert [code.co_name for code in taken.codes] == ["opened"]
    assert taken.roots == {"contextlib"}


def test_the_main_module_and_the_shell_are_constants():
    from IPython.core.interactiveshell import InteractiveShell

    assert look(sys.modules["__main__"]).opaque is None
    assert look(InteractiveShell.__new__(InteractiveShell)).is_plain
    assert look(sys.__stdout__).is_plain
