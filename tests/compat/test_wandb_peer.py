"""The same scripts run with the real wandb, and record the same numbers there."""

from __future__ import annotations

import math
import sysconfig
from pathlib import Path

import pytest
from compat.conftest import SCRIPTS
from interop.peer_environment import json_from, python_with, run

from nbtrack.capture.values import unflatten
from nbtrack.compat.wandb import __version__ as followed

pytestmark = pytest.mark.peers

ALL = sorted(SCRIPTS.glob("*.py"))
# Sweeps and `use_artifact` need a server, and so do the steps of a run that goes on.
OFFLINE = [path.stem for path in ALL if path.stem != "sweep_agent"]
COMPARED = [name for name in OFFLINE if name != "resumed"]
RUNNER = (Path(__file__).parent / "real_wandb.py").read_text("utf-8")
SITE = sysconfig.get_paths()["purelib"]  # for torch, scikit-learn, matplotlib


class Real:
    """The real wandb, offline, in a folder of its own."""

    def __init__(self, python: Path, folder: Path) -> None:
        folder.mkdir()
        self._call = (python, RUNNER, folder, SITE)
        self._around = {
            "WANDB_MODE": "offline", "WANDB_SILENT": "true", "HOME": str(folder),
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip

    def play(self, script: Path):
        """Run a script to its end; what its runs recorded."""
        python, *words = self._call
        run(python, "-c", *words, script, **self._around)
        return json_from(*self._call, **self._around)

    def misfits(self, *scripts: Path):
        """The calls that do not fit its signatures."""
        return json_from(*self._call, *scripts, **self._around)


@pytest.fixture
def real(tmp_path):
    return Real(python_with(f"wandb=={followed}"), tmp_path / "real")


def numbers_of(store, run, names):
    """As the other side has them: name -> value, by step."""
    steps: dict[str, dict[str, float]] = {}
    for name in names:
        curve = store.curve(run.id, name)
        for step, value in zip(curve.steps, curve.values, strict=True):
            steps.setdefault(str(step), {})[name] = value
    return steps


def with_floats(steps):
    kept = {
        step: {name: float(value) for name, value in row.items()}
        for step, row in steps.items()
        if row
    }
    return {
        step: {name: "nan" if math.isnan(v) else v for name, v in row.items()}
        for step, row in kept.items()
    }


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", OFFLINE)
def test_a_script_is_valid_and_records_the_same_numbers(name, real, play):
    theirs = real.play(SCRIPTS / f"{name}.py")
    assert theirs
    if name not in COMPARED:
        return
    store = play(name)
    ours = store.runs()[::-1]
    assert len(theirs) == len(ours)
    for their, our in zip(theirs, ours, strict=True):
        known = {metric for row in their["steps"].values() for metric in row}
        assert known <= our.metrics.keys()
        assert with_floats(numbers_of(store, our, known)) == with_floats(their["steps"])
        params = {name: param.value for name, param in our.params.items()}
        assert unflatten(params) == their["config"]


@pytest.mark.timeout(900)
def test_every_call_of_the_scripts_fits_the_real_signatures(real):
    assert real.misfits(*ALL) == []
