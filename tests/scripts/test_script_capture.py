"""What is recorded of a script that nobody edited."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing

import pytest
from cli_calls import call
from scripts_folder import COMMAND

import nbtrack

pytestmark = pytest.mark.reproduce

SCRIPT = """
import sys
import numpy as np
from settings import arguments

SIZE = 16
password = "hunter2-hunter2"


def evaluate(weights):
    return float(np.abs(weights).mean())


def main():
    args = arguments()
    np.random.seed(args.seed)
    data = np.loadtxt("data.csv", delimiter=",")
    weights = np.random.randn(SIZE)
    for epoch in range(args.epochs):
        weights *= 1 - args.lr
        loss = float((weights ** 2).mean() + data.mean())
        val_loss = evaluate(weights)
        print("epoch", epoch)
    print("warned", file=sys.stderr)
    np.save("weights.npy", weights)


if __name__ == "__main__":
    main()
"""
SETTINGS = """
import argparse


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--layers", type=int, nargs="*", default=[64, 32])
    parser.add_argument("--name", default=None)
    parser.add_argument("--api-key", default="")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()
"""
KEY = "sk-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7d"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
HOSTILE = "evil\x1b[31m\u202e'; drop table runs; --\n<b>"


@pytest.fixture
def project(folder):
    folder.write("train.py", SCRIPT)
    folder.write("settings.py", SETTINGS)
    folder.write("data.csv", "1,2\n3,4\n")
    os.utime(folder.path / "data.csv", (1, 1))
    return folder


def test_all_that_a_cell_would_capture_is_there(project):
    said = project.tracked("train.py", "--lr", "0.5", "--name", HOSTILE,
                           "--api-key", KEY)  # fmt: skip
    assert (said.code, said.out) == (0, "epoch 0\nepoch 1\nepoch 2\n")
    [run] = project.runs()
    assert (run.name, run.experiment, run.status) == ("train", "train", "finished")
    params = {p.name: (p.value, p.origin) for p in run.params.values()}
    told = {"lr": 0.5, "epochs": 3, "layers": [64, 32], "verbose": False, "seed": 7}
    assert {n: params[n] for n in told} == {n: (v, "option") for n, v in told.items()}
    assert params["name"] == (HOSTILE, "option")
    assert params["SIZE"] == (16, "literal")
    assert params["api_key"] == ("[redacted]", "option")
    assert {n: m.n for n, m in run.metrics.items()} == {"loss": 3, "val_loss": 3}
    [checkpoint] = run.checkpoints
    assert (checkpoint.name, set(checkpoint.metrics)) == ("weights", {*run.metrics})
    [read] = project.inputs(run.id)
    assert (read.name, len(read.digest)) == ("data.csv", 64)
    texts = project.texts(run.id)
    assert texts["stdout", "stdout"] == said.out
    assert texts["stderr", "stderr"] == "warned\n"
    assert "def evaluate" in texts["script", "train.py"]
    assert "def arguments" in texts["module", "settings.py"]
    facts = project.facts(run.id)
    assert facts["rng.unseeded"].value == []
    assert facts["python.version"].value
    assert run.grade == "A"
    assert "params " in said.ours[-1]
    assert "watched loss, val_loss · 1 checkpoint" in said.ours[-1]


@pytest.mark.usefixtures("plain_surroundings")
def test_the_command_line_is_not_kept_nor_any_secret_in_it(project, store_path):
    words = ["--name", f"https://ada:{TOKEN}@example.org", "--api-key", KEY]
    assert project.tracked("train.py", *words, "--lr", "0.123450").code == 0
    kept = b"".join(f.read_bytes() for f in store_path.rglob("*") if f.is_file())
    assert project.runs()[0].params["lr"].value == 0.12345
    for word in (KEY, TOKEN, "--api-key", "0.123450", "hunter2-hunter2"):
        in_source = SETTINGS.count(word)  # names of options stand in the source
        assert kept.count(word.encode()) <= 2 * in_source, word


@pytest.mark.usefixtures("plain_surroundings")
def test_the_options_are_those_of_a_cell(folder):
    folder.write(
        "s.py", "for i in range(3):\n    loss = 1.0\n    wheel = i\n    f1 = i"
    )
    folder.write("pkg.py", "import sys\nassert sys.argv[1:] == ['--name', 'x']\n")
    said = folder.tracked(
        "--name", "base", "-e", "digits", "-p", "lr=.1", "-p", "opt=adam",
        "-t", "first", "-t", "data: mnist", "-g", "folds", "--notes", "two words",
        "--metric", "wheel:max", "-w", "wheel", "--seed", "3", "s.py",
    )  # fmt: skip
    assert said.code == 0
    [run] = folder.runs()
    assert (run.name, run.experiment, run.group) == ("base", "digits", "folds")
    assert (run.tags, run.notes) == ({"first": None, "data": "mnist"}, "two words")
    options = {n: p.value for n, p in run.params.items() if p.origin == "option"}
    assert options == {"lr": 0.1, "opt": "adam", "seed": 3}
    assert set(run.metrics) == {"loss", "wheel", "f1"}
    assert run.metrics["wheel"].goal == "max"
    assert folder.tracked("--no-watch", "-m", "pkg", "--name", "x").code == 0
    assert folder.runs()[0].name == "pkg"
    assert folder.tracked("--resume", "base", "s.py").code == 0
    assert folder.runs()[-1].metrics["loss"].n == 6


@pytest.mark.usefixtures("plain_surroundings")
def test_json_is_the_last_line_of_stderr_and_the_store_can_be_named(folder):
    folder.write("s.py", "import sys\nprint('own')\nacc = 1\nsys.exit(3)\n")
    said = folder.tracked("--json", "--store", "elsewhere", "s.py")
    told = json.loads(said.err.splitlines()[-1])
    assert (said.code, said.out) == (3, "own\n")
    assert (told["status"], told["name"]) == ("failed", "s")
    assert told["store"] == str(folder.path / "elsewhere" / ".nbtrack")
    assert nbtrack.open(told["store"]).run(told["id"]).status == "failed"


@pytest.mark.usefixtures("plain_surroundings")
def test_a_run_that_found_the_store_locked_waits_and_says_so(folder, store_path):
    folder.write("s.py", "for n in range(3):\n    loss = 1.0 / (n + 1)\n")
    folder.tracked("s.py")
    database = sqlite3.connect(store_path / "nbtrack.db", isolation_level=None)
    with closing(database):
        database.execute("begin immediate")
        said = folder.tracked("--name", "late", "s.py")
        database.execute("rollback")
    assert said.code == 0
    assert "run late · waits in the journal until the store takes it" in said.err
    assert "There is no run" not in said.err
    assert {run.name: run.metrics["loss"].n for run in folder.runs()} == {
        "s": 3, "late": 3
    }  # fmt: skip


@pytest.mark.parametrize("called", [["s.py"], ["-m", "s"]])
def test_to_ask_a_script_for_its_help_is_no_run(folder, called):
    folder.write("s.py", "import argparse\nargparse.ArgumentParser().parse_args()\n")
    asked, plain = folder.tracked(*called, "--help"), folder.plainly(*called, "--help")
    assert (asked.code, asked.out, asked.err) == (0, plain.out, "")
    assert folder.runs() == []


def test_the_page_of_a_script_speaks_of_no_kernel(folder):
    folder.write("s.py", "loss = 1.0\n")
    folder.tracked("s.py")
    said = call("show", "last").stdout
    assert "A  a fresh process that runs the script would do the same" in said
    assert "kernel" not in said.partition("Code\n")[0]


@pytest.mark.usefixtures("plain_surroundings")
def test_its_line_tells_the_alerts_that_no_panel_shows(folder):
    folder.write(
        "s.py", "for n in range(3):\n    loss = [1.0, 20.0, float('nan')][n]\n"
    )
    said = folder.tracked("--alert", "loss > 10", "s.py")
    line = said.err.splitlines()[-1]
    assert line.endswith("· alerts: loss is NaN @ step 2, loss > 10 @ step 1")
    told = json.loads(folder.tracked("--json", "s.py").err.splitlines()[-1])
    assert told["alerts"] == ["loss is NaN @ step 2"]


@pytest.mark.usefixtures("plain_surroundings")
def test_what_ended_a_script_is_kept(folder):
    folder.write(
        "s.py", "import os\ndef f():\n    loss = 1 / 0\n\nos.chdir('/')\nf()\n"
    )
    folder.tracked("s.py")
    [run] = folder.runs()
    assert run.error.splitlines()[1].endswith('s.py", line 6, in <module>')
    assert run.error.splitlines()[-1] == "ZeroDivisionError: division by zero"
    facts = folder.facts(run.id)
    assert (facts["error.line"].value, facts["error.type"].value) == (
        3, "ZeroDivisionError")  # fmt: skip


TORCH = """
    import torch
    from torch import nn

    def main(batch=8):
        torch.manual_seed(0)
        model = nn.Linear(4, 1)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for epoch in range(2):
            loss = model(torch.randn(batch, 4)).pow(2).mean()
            loss.backward()
            optimizer.step()
        torch.save(model.state_dict(), "model.pt")

    main()
    """


def test_the_objects_within_main_are_described(folder):
    folder.write("t.py", TORCH)
    said = folder.tracked("t.py")
    assert said.code == 0, said.err
    [run] = folder.runs()
    values = {name: param.value for name, param in run.params.items()}
    assert values["model"] == "Linear"
    assert values["optimizer.lr"] == 3e-3
    assert (values["batch"], values["seed"]) == (8, 0)
    assert [c.name for c in run.checkpoints] == ["model"]
    facts = folder.facts(run.id)
    assert facts["rng.unseeded"].value == []  # that NumPy is imported draws nothing
    assert facts["rng.drawn_from"].value == ["torch"]
    assert facts["numerics.torch.cpu_capability"].value  # not of a half imported one
    assert run.grade == "A"


@pytest.mark.usefixtures("plain_surroundings")
def test_what_main_deletes_is_gone_though_it_was_looked_at(folder):
    folder.write(
        "s.py",
        """
        import weakref

        class Big: pass

        def main():
            big, loss = Big(), 0.5
            seen = weakref.ref(big)
            for i in range(2):
                loss = loss / 2
            del big
            print(seen() is None)

        main()
        """,
    )
    assert folder.tracked("s.py").out == "True\n"
    assert folder.runs()[0].metrics["loss"].n == 2


@pytest.mark.usefixtures("plain_surroundings")
def test_a_nested_run_and_logged_values_work_as_in_a_cell(folder):
    folder.write(
        "s.py",
        """
        import nbtrack
        for i in range(2):
            nbtrack.log(score=i)
        with nbtrack.start("fold") as fold:
            fold.log(loss=1.0)
        """,
    )
    assert folder.tracked("s.py").own == ""
    inner, outer = folder.runs()
    assert (inner.parent, outer.metrics["score"].n) == (outer.id, 2)


def test_unseeded_numbers_of_a_script_lower_its_grade(folder):
    folder.write("s.py", "import random\nloss = random.random()\nprint(loss)\n")
    said = folder.tracked("s.py")
    [run] = folder.runs()
    assert folder.facts(run.id)["rng.unseeded"].value == ["random"]
    assert run.grade == "B"
    assert "grade B: [1] draws random numbers (random) unseeded" in said.ours[-1]


def test_what_libraries_draw_while_they_are_imported_is_no_unseeded_number(folder):
    folder.write("s.py", "import rich.style\nloss = 1.0\n")  # it draws its ids
    said = folder.tracked("s.py")
    [run] = folder.runs()
    assert folder.facts(run.id)["rng.drawn_from"].value == ["random"]
    assert folder.facts(run.id)["rng.unseeded"].value == []
    assert (run.grade, "unseeded" in said.err) == ("A", False)


@pytest.mark.usefixtures("plain_surroundings")
def test_stop_from_the_sidebar_reaches_a_script(folder, store_path):
    text = "import time\nfor i in range(9999):\n    loss = 1 / (i + 1)\n"
    folder.write("loop.py", f"{text}    print(i, flush=True)\n    time.sleep(0.01)\n")
    process = folder.start(*COMMAND, "loop.py")
    process.stdout.readline()
    with nbtrack.open(store_path) as store:
        store.control(store.runs()[0].id, "stop", by="the sidebar")
    _, err = process.communicate(timeout=60)
    [run] = folder.runs()
    assert (run.status, run.reason) == ("stopped", "Stop pressed (the sidebar)")
    lines = [line for line in err.splitlines() if line[:9] != "nbtrack: "]
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{folder.path}/loop.py", line 3, in <module>'
    assert lines[-1].startswith("nbtrack.errors.RunStopped")


@pytest.mark.usefixtures("plain_surroundings")
def test_of_processes_that_train_together_the_first_one_records(folder, monkeypatch):
    folder.write("s.py", "for i in range(3):\n    loss = 1.0\nprint(loss)\n")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, n_lines in (("0", 1), ("1", 0)):
        monkeypatch.setenv("RANK", rank)
        said = folder.tracked("s.py")
        lines = [line for line in said.ours if "new store" not in line]
        assert (said.code, said.out, said.own) == (0, "1.0\n", "")
        assert len(lines) == n_lines
    [run] = folder.runs()
    assert run.metrics["loss"].n == 3
