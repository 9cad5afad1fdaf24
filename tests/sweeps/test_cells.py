"""`%%sweep` over a cell in the kernel: replaced values, trials that are independent."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

import nbtrack
from nbtrack.tracking.session import process_session

pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("plain_surroundings", "studies", "without_torch")

TRAIN = """\
lr, bs = 0.1, 32  # as it was
for epoch in range(3):
    loss = lr * bs / (epoch + 1)
"""


def points(run):
    curve = nbtrack.open().curve(run, "loss")
    return list(curve.values)


def test_the_literals_are_replaced_and_each_trial_is_a_run(swept):
    found = swept("lr=[.5, .25] bs=[8, 16] --sampler grid --metric loss:min", TRAIN)
    assert found.rows[0].labels == {"lr": 0.5, "bs": 8}
    assert found.best.labels == {"lr": 0.25, "bs": 8}
    last = nbtrack.open().run(found.rows[-1].run)
    assert last.name == "sweep-1 #3"
    assert last.tags == {"sweep": "sweep-1", "trial": "3"}
    assert last.source.splitlines()[1] == "lr, bs = 0.25, 16  # as it was"
    assert (last.params["lr"].value, last.params["bs"].value) == (0.25, 16)
    assert points(last.id) == [4.0, 2.0, 4 / 3]


def test_a_run_of_a_trial_has_a_slice_that_gives_its_numbers(ip, swept):
    ip.run_cell("scale = 2\nunused = 3")
    found = swept("lr=[.5, .25] --sampler grid --metric loss:min",
                  "lr = 1\nfor i in range(2):\n    loss = lr * scale + i")  # fmt: skip
    script = nbtrack.slice(found.rows[0].run).source
    assert "lr = 0.5" in script
    assert "scale = 2" in script


def test_the_names_of_the_notebook_mean_what_they_meant(ip, swept):
    ip.run_cell("lr = 'mine'\nloss = 'mine'", store_history=True)
    swept("lr=[1, 2] --sampler grid --metric loss:min",
          "lr = 0\nfor i in range(2):\n    loss = lr\nnew = 1")  # fmt: skip
    assert (ip.user_ns["lr"], ip.user_ns["loss"]) == ("mine", "mine")
    assert "new" not in ip.user_ns
    assert process_session().executed.origin_of("lr").startswith("[")
    assert nbtrack.slice("lr").source.count("mine") == 2


def test_a_name_that_is_only_read_is_set_above_the_cell(ip, swept):
    ip.run_cell("rate = 0.1\ndef train():\n    return rate * 2")
    found = swept("rate=[1, 2] --sampler grid --metric loss:min",
                  "for i in range(2):\n    loss = train()")  # fmt: skip
    assert [row.value for row in found.rows] == [2, 4]
    last = nbtrack.open().run(found.rows[-1].run)
    assert last.source.splitlines()[1] == "rate = 2"
    assert ip.user_ns["rate"] == 0.1


def test_trials_with_the_same_values_are_the_same_bit_for_bit(ip, swept):
    numpy = pytest.importorskip("numpy")
    ip.run_cell("import random, numpy as np\nrng = np.random.default_rng(5)")
    cell = (
        "lr, x = 1, 0\nfor i in range(4):\n"
        "    loss = random.random() + np.random.rand() + rng.normal() * lr"
    )
    found = swept("x=[0, 1] lr=[1, 2] --sampler grid --metric loss:min", cell)
    one, two, again, _ = (points(row.run) for row in found.rows)
    assert numpy.array(one).tobytes() == numpy.array(again).tobytes()
    assert one != two


def test_a_cell_that_has_changed_what_it_reads_does_not_run_in_the_kernel(ip, swept):
    """Seen in this session: no trial runs on the user's own model."""
    ip.run_cell("model = [1.0]")
    cell = (
        "lr = .5\nfor i in range(2):\n"
        "    model[0] -= lr * model[0]\n    loss = model[0]"
    )
    ip.run_cell(f"%%track --no-live\n{cell}")
    before = list(ip.user_ns["model"])
    found = swept("lr=[.25] --sampler grid --metric loss:min", cell)
    assert ip.user_ns["model"] == before
    assert [points(row.run)[0] for row in found.rows] == [0.1875]
    assert "a fresh process for each trial, with model as it is now" in found.notes[0]


def test_it_is_refused_where_what_it_changes_cannot_be_made_again(ip, swept, runs):
    ip.user_ns["model"] = [1.0]  # no cell made it
    cell = "lr = .5\nfor i in range(2):\n    model[0] -= lr\n    loss = model[0]"
    with pytest.raises(UsageError, match="reads model, and nobody has seen"):
        swept("lr=[.5, .25] --sampler grid --metric loss:min", cell)
    assert ip.user_ns["model"] == [1.0]
    assert runs() == []


def test_what_a_trial_leaves_in_a_file_is_noticed_by_the_next(swept):
    cell = ("import os, json\nlr = 1\nstart = 0\nif os.path.exists('ck.json'):\n"
            "    with open('ck.json') as file: start = json.load(file)\n"
            "for i in range(2):\n    loss = start + lr\n"
            "with open('ck.json', 'w') as file: json.dump(loss, file)")  # fmt: skip
    with pytest.raises(UsageError, match=r"Trial 1 left .*ck\.json changed"):
        swept("lr=[1, 2] --sampler grid --metric loss:min", cell)


def test_a_file_that_a_trial_writes_and_reads_again_is_its_own(swept):
    cell = ("import json\nlr = 1\nfor i in range(2):\n    loss = i + lr\n"
            "    with open('best.json', 'w') as file: json.dump(loss, file)\n"
            "with open('best.json') as file: final = json.load(file)")  # fmt: skip
    found = swept("lr=[1, 2] --sampler grid --metric loss:min", cell)
    assert [row.value for row in found.rows] == [1, 2]


def test_folder_and_environment_are_put_back(swept, tmp_path):
    import os

    here = os.getcwd()
    cell = (
        f"import os\nlr = 1\nos.chdir({str(tmp_path)!r})\n"
        "os.environ['SWEPT'] = 'yes'\nfor i in range(2):\n    loss = lr"
    )
    swept("lr=[1, 2] --sampler grid --metric loss:min", cell)
    assert os.getcwd() == here
    assert "SWEPT" not in os.environ


def test_pruned_trials_end_in_the_cell_and_keep_no_further_checkpoint(swept, runs):
    cell = "q = 1\nfor i in range(8):\n    loss = q + 1 / (i + 1)\ndone = True"
    line = "q=[0,.1,.2,.15,.05,7,8] --sampler grid --metric loss:min --prune"
    found = swept(line, cell)
    pruned = [run for run in runs() if run.status == "pruned"]
    assert {run.params["q"].value for run in pruned} == {7, 8}
    assert all(run.metrics["loss"].n < 8 for run in pruned)
    assert not any(run.checkpoints for run in pruned)
    assert found.best.labels == {"q": 0}


def test_what_trials_print_goes_to_their_runs_alone(swept, runs, capsys):
    cell = "lr = 0\nfor i in range(2):\n    loss = lr\nprint('lr is', lr)"
    found = swept("lr=[1, 2] --sampler grid --metric loss:min", cell)
    assert capsys.readouterr().out == ""
    assert "lr is 1" in nbtrack.logs(found.rows[0].run)


def test_options_of_track_go_to_every_trial(swept, runs):
    swept("lr=[1, 2] --sampler grid --metric loss:min -t 'data: mnist' -g folds "
          "--notes 'a b' --watch extra", "lr = 0\nfor i in range(2):\n    loss = lr\n"
          "    extra = lr + i")  # fmt: skip
    for run in runs():
        assert (run.tags["data"], run.group, run.notes) == ("mnist", "folds", "a b")
        assert "extra" in run.metrics


def test_it_stands_above_a_tracked_cell_as_well(swept, runs):
    cell = "%%track base -t mine\nlr = 0\nfor i in range(2):\n    loss = lr"
    swept("lr=[1] --sampler grid --metric loss:min", cell)
    [run] = runs()
    assert (run.name, "mine" in run.tags) == ("sweep-1 #0", True)


def test_the_metric_is_told_by_the_names_of_the_cell(swept):
    cell = "lr = 1\nfor i in range(2):\n    loss = lr\n    val_loss = -lr"
    assert swept("lr=[1, 2] --sampler grid", cell).aim.text == "val_loss:min"


def test_a_condition_stands_in_the_line_as_it_is_said(swept):
    cell = "opt, m = 'sgd', 0\nfor i in range(2):\n    loss = m"
    line = "opt=[adam, sgd] m=[.5, .9] if opt == 'sgd' --sampler grid --metric loss:min"
    found = swept(line, cell)
    assert [row.labels for row in found.rows] == [
        {"opt": "adam"},
        {"opt": "sgd", "m": 0.5},
        {"opt": "sgd", "m": 0.9},
    ]
    assert found.rows[0].value == 0  # as the cell has it


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("lrr=[1]", TRAIN, "never uses 'lrr'. Did you mean lr?"),
        ("lr=log(1,0)", TRAIN, "lr=log(1,0) is inverted"),
        ("lr", TRAIN, "lr is no value of a name"),
        ("lr=[1] lr=[2]", TRAIN, "'lr' is given twice"),
        ("lr=[1] --n many", TRAIN, "--n needs a whole number"),
        ("lr=[1] --smapler grid", TRAIN, "Unknown option --smapler"),
        ("lr=[1] --prune=soon", TRAIN, "Unknown pruner 'soon'"),
        ("lr=[1]", TRAIN + "x = input('? ')", "asks for input()"),
        ("lr=[1] --metric loss", "lr = = 2", "is no Python"),
        ("lr=[1]", "lr = 2", "What is to be small or large?"),
        ("lr=[1] --metric speed", TRAIN, "cannot be told by its name"),
        ("lr=[1] --off everythin", TRAIN, "everythin"),
    ],
)
def test_what_can_be_known_is_said_before_the_first_trial(
    swept, runs, line, cell, said
):
    with pytest.raises(UsageError) as raised:
        swept(line, cell)
    assert said in str(raised.value)
    assert runs() == []


def test_without_optuna_the_extra_is_named(swept, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"nbtrack\[sweeps\]"):
        swept("lr=[1] --metric loss:min", TRAIN)


def test_ctrl_c_ends_the_sweep_and_it_goes_on_later(ip, swept, runs):
    ip.run_cell("import signal, os\nkill_at = 2")
    cell = ("lr = 1\nfor i in range(2):\n    loss = lr\n"
            "if lr == kill_at:\n    signal.raise_signal(signal.SIGINT)")  # fmt: skip
    line = "lr=[1, 2, 3] --sampler grid --metric loss:min"
    with pytest.raises(KeyboardInterrupt):
        swept(line, cell)
    assert [run.status for run in runs()] == ["finished", "stopped"]
    ip.run_cell("kill_at = 0")
    rest = swept(f"{line} --resume last", cell)
    done = [row.labels["lr"] for row in rest.rows if row.status == "finished"]
    assert sorted(done) == [1, 2, 3]


def test_hostile_text_in_values_is_text(swept, runs):
    evil = "</script><img src=x onerror=alert(1)>'; drop table runs; --"
    found = swept(f"name=[{evil!r}] --sampler grid --metric loss:min",
                  "name = 'a'\nfor i in range(2):\n    loss = len(name)")  # fmt: skip
    assert runs()[0].params["name"].value == evil
    assert found.best.value == len(evil)
