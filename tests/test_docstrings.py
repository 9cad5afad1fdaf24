"""Every example in a docstring runs, in a store of its own."""

from __future__ import annotations

import builtins
import doctest
import importlib
from pathlib import Path

import pytest

import nbtrack
from nbtrack.tracking.autolog import HOOKED

ROOT = Path(nbtrack.__file__).parents[1]
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "nbtrack").rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)
CALLBACKS = "nbtrack.tracking.callbacks."
# Their examples show what else is left alone here: half a second of each run, in a
# process full of tests.
OF_THE_SURROUNDINGS = {
    f"nbtrack.analysis.{name}_view" for name in ("code", "environment", "system")
}
FRAMEWORKS = {n for n, told in HOOKED.items() if told.callback is not None}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of_a_module_run(name, tmp_path, monkeypatch, capsys, request):
    if name not in OF_THE_SURROUNDINGS:
        request.getfixturevalue("plain_surroundings")
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
