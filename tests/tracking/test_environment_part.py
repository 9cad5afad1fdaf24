"""The environment of a run: in the background, once, and nothing of other variables."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import nbtrack
from nbtrack.capture import machine, packages
from nbtrack.capture.packages import parse_lines
from nbtrack.tracking import environment_part


def facts_of(run) -> dict:
    run.record()  # waits for the background
    return run.store.facts(run.id)


def test_a_run_knows_its_environment(store_path):
    with nbtrack.start() as run:
        pass
    facts = facts_of(run)
    rooms = {name.partition(".")[0] for name in facts}
    assert {"python", "os", "cpu", "ram", "gpu", "container"} <= rooms
    assert facts["python.version"].value.startswith("3.")
    text = run.store.texts(run.id, "packages")[0]
    listed = parse_lines(text.body)
    assert listed["ipython"].version
    assert any(about.is_editable for about in listed.values()) == ("\n-e " in text.body)
    for fact in facts.values():
        assert fact.value is not None or fact.missing, fact


def test_what_the_run_changes_itself_is_told_with_what_it_was(store_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    with nbtrack.start() as run:
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        monkeypatch.setenv("TZ", "Asia/Tokyo")
    facts = facts_of(run)
    assert facts["env.OMP_NUM_THREADS"].value == "3"
    assert facts["env.TZ"].value == "Asia/Tokyo"
    assert facts["env.TZ.at_start"].value == "UTC"
    assert "env.OMP_NUM_THREADS.at_start" not in facts


def test_200_other_variables_are_nowhere_in_the_store(
    store_path, monkeypatch, tmp_path
):
    # Put together here: the text of this very module is kept with the run.
    name, value = "_".join(("CANARY", "NAME")), "-".join(("canary", "value"))
    monkeypatch.chdir(tmp_path)
    for n in range(200):
        monkeypatch.setenv(f"{name}_{n}", f"{value}-{n}")
    with nbtrack.start() as run:
        run.log(loss=1.0)
    facts_of(run)
    run.store.close()
    files = [file for file in store_path.rglob("*") if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes().lower()
        assert name.lower().encode() not in content, file
        assert value.encode() not in content, file


def test_it_can_be_switched_off(store_path):
    with nbtrack.start(off="environment") as run:
        pass
    rooms = {name.partition(".")[0] for name in facts_of(run)}
    assert not rooms & {"python", "os", "cpu", "gpu", "env", "numerics"}
    assert run.store.texts(run.id, "packages") == []


def test_machine_and_packages_are_read_once(store_path, monkeypatch):
    with nbtrack.start() as run:
        pass
    facts_of(run)
    calls: list[str] = []
    monkeypatch.setattr(machine, "machine_facts", lambda: calls.append("machine") or [])
    monkeypatch.setattr(packages, "_read", lambda place: calls.append("read"))
    for _ in range(2):
        with nbtrack.start() as run:
            pass
        assert "cpu.logical" in facts_of(run)
    assert calls == []


@pytest.mark.parametrize("broken", ["settings", "constants"])
def test_trouble_costs_one_line_and_nothing_of_the_run(
    store_path, monkeypatch, capsys, broken
):
    def fail():
        raise RuntimeError("no threads")

    monkeypatch.setattr(environment_part.numerics, broken, fail)
    for _ in range(2):
        with nbtrack.start() as run:
            run.log(loss=1.0)
        assert run.record().metrics["loss"].last == 1.0
    said = capsys.readouterr().err
    assert said.count("environment failed and was left out: RuntimeError") == 1


def test_the_thread_of_the_training_hardly_notices(store_path):
    with nbtrack.start() as run:
        pass
    facts_of(run)
    part = environment_part.EnvironmentPart()
    with nbtrack.start() as run:
        taken = []
        for _ in range(5):
            started = time.perf_counter()
            part.begin(run)
            taken.append(time.perf_counter() - started)
    assert min(taken) < 0.005  # it takes 0.1 ms


SCRIPT = """
import nbtrack
with nbtrack.start() as run:
    import yaml
run.record()
facts = run.store.facts(run.id)
print([line for line in facts["python.loaded"].value if "yaml" in line.lower()])
print("argv-canary" in str(list(facts.values())))
"""


def test_the_distributions_that_a_run_loaded_are_listed(store_path):
    pytest.importorskip("yaml")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, "argv-canary"], capture_output=True, text=True
    )
    loaded, canary = ran.stdout.splitlines()
    assert loaded.lower().startswith("['pyyaml==")
    assert canary == "False"
    for file in store_path.rglob("*"):
        assert not file.is_file() or b"argv-canary" not in file.read_bytes()
