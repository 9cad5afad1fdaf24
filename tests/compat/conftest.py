"""Whole scripts of wandb, run here against the shim, each in a folder of its own."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
SHIM = "import nbtrack.compat.wandb as wandb"


@pytest.fixture
def wandb(store_path, tmp_path, monkeypatch, plain_surroundings, request):
    """The shim, with nothing that an earlier test left; as in a script or a shell."""
    import nbtrack.compat.wandb as shim
    from nbtrack.compat.wandb.desk import desk

    if "shell" not in request.fixturenames and "IPython" in sys.modules:
        sys.modules["IPython"].InteractiveShell.clear_instance()
    monkeypatch.chdir(tmp_path)
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_NAME", "WANDB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    yield shim
    desk.close()
    desk.trial = desk.early_config = None


@pytest.fixture
def play(wandb, tmp_path):
    """Run a script with only its import changed; the store that it leaves."""

    def played(name: str):
        import nbtrack

        source = (SCRIPTS / f"{name}.py").read_text("utf-8")
        lines = source.splitlines()
        assert lines.count("import wandb") == 1
        script = tmp_path / f"{name}.py"
        script.write_text(source.replace("\nimport wandb\n", f"\n{SHIM}\n"), "utf-8")
        runpy.run_path(str(script), run_name="__main__")
        return nbtrack.open()

    return played


def points(store, run, metric):
    """Steps and values of a metric."""
    curve = store.curve(run.id, metric)
    return list(zip(curve.steps, curve.values, strict=True))


def params(run):
    """The params of a run as plain values."""
    return {name: param.value for name, param in run.params.items()}
