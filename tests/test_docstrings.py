"""Every example in a docstring runs, in a store of its own."""

from __future__ import annotations

import builtins
import doctest
import importlib
import pkgutil

import pytest

import nbtrack

MODULES = [
    found.name for found in pkgutil.walk_packages(nbtrack.__path__, prefix="nbtrack.")
]
CALLBACKS = "nbtrack.tracking.callbacks."
FRAMEWORKS = {"huggingface", "keras", "lightgbm", "lightning", "xgboost"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name, tmp_path, monkeypatch, capsys):
    if name.endswith((".torch", ".model_watch")):
        pytest.importorskip("torch")
    if name.startswith(CALLBACKS) and name.removeprefix(CALLBACKS) in FRAMEWORKS:
        pytest.skip("its examples need the framework: tests/frameworks runs them")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for found in doctest.DocTestFinder().find(module, name):
        # Before each, pdb asks after every file that a traceback has named.
        if found.examples:
            runner.run(found)
    result = runner.summarize(verbose=False)
    # It shows values as Python's prompt does; IPython leaves a `_` of others alone.
    builtins.__dict__.pop("_", None)
    assert not result.failed, capsys.readouterr().out
