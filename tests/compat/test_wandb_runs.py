"""The shim's runs behave as wandb's: steps, config, summary, words, what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compat.conftest import params, points

import nbtrack
from nbtrack.errors import ArtifactNotFoundError
from nbtrack.tracking.session import process_session


def only_run():
    [run] = nbtrack.open().runs()
    return run


# ---- steps


def test_values_without_commit_join_the_next_ones(wandb):
    with wandb.init() as run:
        run.log({"a": 1}, commit=False)
        run.log({"b": 2, "a": 3})
        run.log({"c": 4}, step=10)
        run.log({"d": 5})
        run.log({"e": 6}, step=20, commit=True)
        assert run.step == 21
    store = nbtrack.open()
    got = {name: points(store, only_run(), name) for name in "abcde"}
    assert got == {
        "a": [(0, 3.0)], "b": [(0, 2.0)], "c": [(10, 4.0)], "d": [(10, 5.0)],
        "e": [(20, 6.0)],
    }  # fmt: skip


def test_a_step_that_lies_behind_is_kept_and_said(wandb, capfd):
    with wandb.init() as run:
        run.log({"a": 1}, step=10)
        run.log({"a": 2}, step=4)
    assert points(nbtrack.open(), only_run(), "a") == [(4, 2.0), (10, 1.0)]
    assert "step 4 lies behind 10" in capfd.readouterr().err


def test_what_is_no_dictionary_with_texts_is_refused(wandb):
    with wandb.init() as run:
        with pytest.raises(TypeError, match="must be passed a dictionary"):
            run.log([1])
        with pytest.raises(TypeError, match="must be strings"):
            run.log({1: 1})


def test_a_finished_run_refuses_to_log(wandb):
    run = wandb.init()
    run.finish()
    run.finish()
    with pytest.raises(wandb.UsageError, match="is finished"):
        run.log({"a": 1})


# ---- config and summary


def test_a_script_changes_its_config_only_with_leave(wandb):
    run = wandb.init(config={"lr": 0.1})
    with pytest.raises(wandb.errors.ConfigError, match="allow_val_change"):
        run.config.lr = 0.2
    run.config.lr = 0.1
    run.config.update({"lr": 0.2}, allow_val_change=True)
    run.finish()
    assert params(only_run()) == {"lr": 0.2}


def test_a_config_that_is_assigned_as_a_whole_is_recorded(wandb):
    wandb.config = {"lr": 0.1}
    assert wandb.config["lr"] == 0.1
    with wandb.init() as run:
        wandb.config = {"lr": 0.2, "epochs": 3}
        wandb.config = wandb.config
        assert dict(wandb.config) == {"lr": 0.2, "epochs": 3}
        assert wandb.config is run.config
    assert params(only_run()) == {"lr": 0.2, "epochs": 3}


def test_the_current_run_is_not_lost_by_an_assignment(wandb, capfd):
    with wandb.init() as run:
        wandb.run = None
        assert wandb.run is run
    assert "wandb.run is not set: call init, finish" in capfd.readouterr().err
    assert wandb.run is None


def test_a_notebook_changes_its_config_and_begins_anew_at_will(shell, wandb):
    shell.run_cell("import nbtrack.compat.wandb as wandb")
    shell.run_cell("run = wandb.init(config={'lr': 0.1}); wandb.config.lr = 0.2")
    done = shell.run_cell("other = wandb.init(config={'lr': 0.3}); wandb.finish()")
    assert done.success
    second, first = nbtrack.open().runs()
    assert (first.status, params(first)) == ("finished", {"lr": 0.2})
    assert params(second) == {"lr": 0.3}


def test_a_script_that_begins_twice_gets_the_same_run(wandb, capfd):
    first = wandb.init()
    assert wandb.init(name="other") is first
    assert "it is given back" in capfd.readouterr().err
    beside = wandb.init(reinit="create_new")
    assert beside is not first
    assert wandb.run is first
    beside.finish()


def test_config_comes_from_a_file_and_leaves_out_what_is_excluded(wandb, tmp_path):
    pytest.importorskip("yaml")
    (tmp_path / "c.yaml").write_text("lr: {value: 0.5, desc: rate}\nseed: 1\n")
    (tmp_path / "config-defaults.yaml").write_text("seed: 7\ndepth: {value: 2}\n")
    with wandb.init(
        config="c.yaml", config_exclude_keys=["seed"], allow_val_change=True
    ) as run:
        assert dict(run.config) == {"seed": 7, "depth": 2, "lr": 0.5}


def test_the_summary_has_the_last_values_and_those_set_by_hand(wandb):
    with wandb.init() as run:
        run.log({"loss": 1, "val": {"acc": 0.5}, "name": "cat"})
        assert (run.summary["loss"], run.summary["val"]["acc"]) == (1, 0.5)
        assert run.summary.name == "cat"
        run.log({"three": np.ones(3)}, commit=False)
        run.summary["exact"] = np.float64(3)
        assert (run.summary["three"], type(run.summary["exact"])) == ([1.0] * 3, float)
        run.summary["loss"] = 0.5  # better than the last: of a metric, so no point
        run.summary.best = 7
        run.summary.part = {"a": 1}
        run.summary["part"]["a"] = 2
        assert run.summary.get("nothing", 3) == 3
        assert run.summary["loss"] == 0.5
    store = nbtrack.open()
    facts = store.facts(only_run().id)
    assert facts["summary.loss"].value == 0.5
    assert facts["summary.part"].value == {"a": 2}
    assert points(store, only_run(), "loss") == [(0, 1.0)]
    assert only_run().metrics["best"].last == 7


def test_a_value_logged_after_it_was_set_by_hand_takes_its_place(wandb):
    with wandb.init() as run:
        run.summary["loss"] = 9
        run.log({"loss": 2})
        run.log({"loss": 1})
        assert run.summary["loss"] == 1
    assert nbtrack.open().facts(only_run().id)["summary.loss"].value == 1


def test_defined_metrics_have_axes_goals_and_summaries(wandb):
    with wandb.init() as run:
        run.define_metric("epoch")
        run.define_metric("val/*", step_metric="epoch", goal="maximize")
        run.define_metric("loss", summary="min,mean")
        for epoch, loss in enumerate([3.0, 1.0, 2.0]):
            run.log({"epoch": epoch * 10, "val/score_x": loss, "loss": loss})
        assert run.summary["loss"]["min"] == 1.0
        assert run.summary["loss"]["mean"] == 2.0
        with pytest.raises(wandb.Error, match="summary op 'median'"):
            run.define_metric("x", summary="median")
        with pytest.raises(wandb.Error, match="star"):
            run.define_metric("a*b")
    store, record = nbtrack.open(), only_run()
    assert record.metrics["val/score_x"].goal == "max"
    assert list(store.curve(record.id, "val/score_x").axes["epoch"]) == [0, 10, 20]
    assert store.curve(record.id, "loss").axes == {}
    assert store.facts(record.id)["summary.loss"].value == {"min": 1.0, "mean": 2.0}


def test_an_axis_that_a_loop_of_nbtrack_counts_stays(wandb):
    with wandb.init() as run:
        run.define_metric("loss", step_metric="epoch")
        run.live.set_axis("epoch", 5)
        run.log({"epoch": 1, "loss": 2})
        assert run.live.axes_now == {"epoch": 5}
    assert list(nbtrack.open().curve(only_run().id, "loss").axes["epoch"]) == [1]


def test_secrets_are_taken_out_of_what_a_script_says(wandb, store_path):
    token = "hf_" + "a1B2c3D4e5F6g7H8i9J0k1L2"
    with wandb.init(config={"token": token}, notes=f"by {token}", tags=[token]) as run:
        run.summary["by"] = token
        run.log({"text": f"told {token}", f"loss {token}": 1})
        run.alert("Key", f"it is {token}")
    process_session().close()  # the journal is a file until then
    files = [path for path in store_path.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert [path.name for path in files if token.encode() in path.read_bytes()] == []


# ---- what begins and ends


def test_disabled_records_nothing(wandb, store_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with wandb.init(project="p", config={"a": 1}) as run:
        run.log({"loss": 1, "image": wandb.Image([[0, 1]])})
        run.log_artifact(wandb.Artifact("a", type="b"))
        run.summary["x"] = 2
        assert run.config.a == 1
        assert run.summary["x"] == 2
    assert not store_path.exists()


def test_variables_of_the_environment_say_what_init_does_not(wandb, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "of-the-environment")
    monkeypatch.setenv("WANDB_NAME", "named")
    monkeypatch.setenv("WANDB_TAGS", "a,b")
    with wandb.init(name="nearer", settings={"run_group": "g"}) as run:
        assert run.path == f"of-the-environment/{run.id}"
    record = only_run()
    assert (record.name, record.group) == ("nearer", "g")
    assert record.tags == {"a": None, "b": None}


def test_ids_are_gone_on_with_only_as_they_may(wandb):
    with pytest.raises(wandb.UsageError, match="does not exist"):
        wandb.init(id="one", resume="must")
    wandb.init(id="one").finish()
    for resume in (None, "never"):
        with pytest.raises(wandb.UsageError, match="never written over"):
            wandb.init(id="one", resume=resume)
    with wandb.init(id="one", resume="must") as run:
        assert run.resumed
    with pytest.raises(wandb.UsageError, match="Invalid run ID"):
        wandb.init(id="../one")
    with pytest.raises(wandb.UsageError, match="Did you mean never"):
        wandb.init(resume="nevr")


def test_auto_goes_on_with_the_run_whose_process_died(wandb, tmp_path):
    code = (
        "import os, nbtrack.compat.wandb as wandb\n"
        "wandb.init(project='p', config={'lr': 0.1}); wandb.log({'loss': 1})\n"
        "wandb.log({'loss': 0.5}); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False, timeout=60)
    with wandb.init(project="p", resume="auto") as run:
        assert (run.resumed, run.step, run.starting_step) == (True, 2, 2)
        assert (run.config.lr, run.summary["loss"]) == (0.1, 0.5)
        run.log({"loss": 0.25})
    assert points(nbtrack.open(), only_run(), "loss") == [(0, 1), (1, 0.5), (2, 0.25)]
    with wandb.init(project="p", resume="auto") as run:
        assert not run.resumed


def test_a_fork_begins_with_the_past_of_another_run(wandb):
    with wandb.init(project="p") as first:
        for step in range(5):
            first.log({"loss": step})
    with wandb.init(project="p", fork_from=f"{first.id}?_step=2") as run:
        assert run.step == 3
        run.log({"loss": 10})
    fork = nbtrack.open().run(run.id)
    assert [v for _, v in points(nbtrack.open(), fork, "loss")] == [0, 1, 2, 10]
    with pytest.raises(wandb.UsageError, match="fork_from"):
        wandb.init(resume_from=f"{first.id}?_step=2")


def test_an_exception_in_the_block_fails_the_run(wandb):
    with pytest.raises(ZeroDivisionError), wandb.init():
        1 / 0  # noqa: B018
    assert only_run().status == "failed"
    assert wandb.run is None


def test_a_run_of_a_tracked_cell_has_the_scripts_run_as_its_child(wandb):
    with nbtrack.start("outer") as outer, wandb.init() as run:
        assert nbtrack.current() is run.live
    assert nbtrack.open().run(run.id).parent == outer.id


# ---- files


def test_saved_files_are_restored_from_the_run(wandb, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("one")
    with wandb.init(project="p") as run:
        [copy] = wandb.save("out/*.txt")
        assert copy == os.path.join(run.dir, "out", "a.txt")
        (tmp_path / "out" / "a.txt").write_text("two")  # "live": the last one counts
        with pytest.raises(ValueError, match="policies"):
            wandb.save("out/a.txt", policy="soon")
    with wandb.restore("out/a.txt", run_path=run.path, root="back") as file:
        assert file.read() == "two"
    with pytest.raises(ValueError, match="not found in run"):
        wandb.restore("b.txt", run_path=run.path)
    with pytest.raises(wandb.CommError, match="not in the store"):
        wandb.restore("b.txt", run_path="e/p/nothing")
    with pytest.raises(nbtrack.NbtrackError, match="leads out"):
        wandb.restore("../b.txt", run_path=run.path)


def test_a_file_that_changes_after_it_was_added_is_kept_as_it_was(wandb, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    with wandb.init() as run:
        artifact = wandb.Artifact("data", type="dataset")
        artifact.add_file("a.txt")
        (tmp_path / "a.txt").write_text("two")
        logged = run.log_artifact(artifact)
        assert (logged.version, logged.name, logged.aliases) == (
            "v0", "data:v0", ["latest"],
        )  # fmt: skip
        assert Path(logged.file()).read_text() == "one"
        with pytest.raises(nbtrack.NbtrackError, match="cannot be changed"):
            logged.add_file("a.txt")


def test_a_path_or_an_address_is_logged_by_itself(wandb, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "w.bin").write_bytes(b"w")
    with wandb.init() as run:
        run.log_artifact("net/w.bin", type="model")
        run.log_artifact("net", name="folder", type="model", aliases="whole")
        run.log_artifact(f"file://{tmp_path}/net/w.bin", name="far", type="dataset")
        with pytest.raises(ValueError, match="file, a directory or an address"):
            run.log_artifact("nothing", type="model")
        assert Path(run.use_model("folder:whole")).read_bytes() == b"w"
        with pytest.raises(AssertionError, match="only use this method for 'model'"):
            run.use_model("far")
    store = nbtrack.open()
    assert store.artifact(f"run-{run.id}-w.bin").type == "model"
    [far] = store.artifact_files(store.artifact("far").id)
    assert (far.path, far.uri) == ("w.bin", f"file://{tmp_path}/net/w.bin")


def test_a_download_replaces_its_own_files_and_leaves_the_others(wandb, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mine.txt").write_text("mine")
    (tmp_path / "here" / "a.txt").write_text("old")
    with wandb.init() as run:
        artifact = wandb.Artifact("data", type="dataset")
        with artifact.new_file("a.txt") as file:
            file.write("new")
        run.log_artifact(artifact)
        used = run.use_artifact("entity/project/data:latest")
        assert used.download("here") == str(tmp_path / "here")
    assert (tmp_path / "here" / "a.txt").read_text() == "new"
    assert (tmp_path / "here" / "mine.txt").read_text() == "mine"
    assert used.logged_by().id == used.used_by()[0].id == run.id


def test_artifacts_that_are_not_there_or_not_so_are_refused(wandb, tmp_path):
    artifact = wandb.Artifact("data", type="dataset", metadata={"n": 1})
    with pytest.raises(wandb.errors.ArtifactNotLoggedError, match="prior to logging"):
        artifact.download()
    with pytest.raises(ValueError, match="not a file"):
        artifact.add_file("nothing.txt")
    with pytest.raises(nbtrack.NbtrackError, match="leads out"), \
            artifact.new_file("../a.txt"):  # fmt: skip
        pass
    with pytest.raises(ValueError, match="without / and :"):
        wandb.Artifact("a/b", type="dataset")
    with wandb.init() as run:
        with pytest.raises(wandb.CommError, match="no artifact 'nothing'"):
            run.use_artifact("nothing:latest")
        with pytest.raises(ArtifactNotFoundError):
            run.use_artifact("nothing:latest")
        run.log_artifact(artifact)
        with pytest.raises(ValueError, match="does not match type dataset"):
            run.use_artifact("data:latest", type="model")
        artifact.metadata["n"] = 2
        artifact.aliases.append("good")
        artifact.save()
    found = nbtrack.open().artifact("data:good")
    assert (found.metadata, found.n_files) == ({"n": 2}, 0)


# ---- words


def test_what_is_not_here_says_what_to_use(wandb):
    with pytest.raises(AttributeError, match=r"wandb\.Object3D .* wandb\.Artifact"):
        wandb.Object3D  # noqa: B018
    with pytest.raises(AttributeError, match=r"wandb\.keras .* nbtrack\.KerasCallback"):
        wandb.keras  # noqa: B018
    with wandb.init() as run, pytest.raises(AttributeError, match=r"Run\.link_model"):
        run.link_model("a")
    with pytest.raises(AttributeError, match="dir\\(wandb\\)"):
        wandb.nothing_of_the_kind  # noqa: B018


def test_what_means_nothing_here_is_said_once(wandb, capfd):
    for _ in range(2):
        wandb.init(entity="team", save_code=True, sync_tensorboard=True).finish()
    said = capfd.readouterr().err
    assert said.count("entity, save_code, sync_tensorboard mean nothing here") == 1


def test_a_slip_in_a_name_is_no_argument_that_means_nothing(wandb):
    with pytest.raises(TypeError, match=r"'projct'\. Did you mean project"):
        wandb.init(projct="p")
    assert wandb.run is None


def test_nothing_is_logged_before_init(wandb):
    with pytest.raises(wandb.Error, match=r"wandb\.init\(\) before wandb\.log\(\)"):
        wandb.log({"a": 1})
    with pytest.raises(wandb.Error, match=r"before wandb\.config\.lr"):
        wandb.config.lr  # noqa: B018
    with pytest.raises(wandb.Error, match=r"before wandb\.config\['lr'\]"):
        wandb.config["lr"] = 1
    assert wandb.run is None
    assert wandb.login(key="not-a-key")


def test_every_public_name_is_there(wandb):
    run = wandb.init()
    assert [name for name in dir(wandb) if not hasattr(wandb, name)] == []
    run.finish()


def test_an_id_is_made_for_a_run_to_go_on_with(wandb):
    wandb.require("core")
    run_id = wandb.util.generate_id()
    assert len(run_id) == 8
    for _ in range(2):
        wandb.init(id=run_id, resume="allow").finish()
    assert only_run().id == run_id


def test_alerts_are_those_of_the_run(wandb):
    with wandb.init() as run:
        run.alert("Low", "acc is 0.1", level="warn")
        with pytest.raises(ValueError, match="'LOUD' is not a valid AlertLevel"):
            run.alert("x", "y", level="loud")
    [alert] = only_run().alerts
    assert (alert.level, alert.title, alert.text) == ("warn", "Low", "acc is 0.1")


def test_lines_for_the_terminal_are_written_as_asked(wandb, capfd):
    wandb.termlog("once", repeat=False)
    wandb.termlog("once", repeat=False)
    wandb.termwarn("careful")
    wandb.termerror("wrong")
    assert capfd.readouterr().err.splitlines() == [
        "wandb: once", "wandb: WARNING careful", "wandb: ERROR wrong",
    ]  # fmt: skip
