"""FEATURES, group F: the registry's versions, stages, approvals, rollback, parts."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nbtrack
from nbtrack.errors import ArtifactNotFoundError, ModelError, ModelNotFoundError
from nbtrack.store.models import NewModel

models = nbtrack.models
FRAME = pd.DataFrame({"age": [1, 2, 3, 4], "sum": [1.0, 2.0, 3.0, 4.5]})


@pytest.fixture(autouse=True)
def _own_store(store_path, plain_surroundings):
    """Every test has a store of its own."""


def registered(name="fraud", n=1, **options):
    """Versions of a model; each holds its own number."""
    made = None
    for _ in range(n):
        known = nbtrack.open().model_versions(name)
        made = models.register({"n": len(known)}, name, **options)
    return made


def in_production(ref, *, note="go"):
    models.approve(ref, note="looked at it")
    models.promote(ref, "staging", note="try")
    return models.promote(ref, "production", note=note)


def stages(name="fraud"):
    return dict(models.versions(name)[["version", "stage"]].values.tolist())


# -- registered models + versions --------------------------------------------------


def test_a_model_is_registered_from_a_run_an_artifact_or_an_object():
    with nbtrack.start("base") as run:
        for loss in (0.5, 0.2, 0.4):
            run.log(loss=loss)
            run.log_artifact({"w": loss}, "net", type="model", metrics={"loss": loss})
    by_run = models.register("base", "fraud")
    by_ref = models.register("net:v0", "fraud")
    by_object = models.register({"w": 9}, "fraud")
    assert [v.version for v in (by_run, by_ref, by_object)] == [
        "1.0.0",
        "1.1.0",
        "1.2.0",
    ]
    assert models.load("fraud@1.0.0").model == {"w": 0.2}  # the best, not the last
    assert models.load("fraud@1.1.0").model == {"w": 0.5}
    assert (by_run.run, by_object.run) == (run.id, None)


def test_a_checkpoint_of_a_run_is_registered_where_it_logged_no_model():
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(2, 1)
    with nbtrack.start("base") as run:
        run.checkpoint(layer, "net")
    models.register(run, "fraud", data=torch.zeros(2, 2))
    other = torch.nn.Linear(2, 1)
    found = models.load("fraud", into=other)
    assert found.model is other
    assert torch.equal(
        found.predict(torch.ones(2, 2)), layer(torch.ones(2, 2)).detach()
    )


def test_a_model_does_not_become_a_version_of_a_data_set_of_its_name():
    with nbtrack.start() as run:
        run.log_artifact(FRAME, "fraud")
    made = registered()
    [kept] = nbtrack.open().artifact_versions(ids=[made.artifact])
    assert (kept.ref, kept.type) == ("fraud-model:v0", "model")
    assert len(nbtrack.open().artifact_versions(name="fraud")) == 1


@pytest.mark.parametrize("what", ["nothing", "net:v9", None])
def test_nothing_to_register_is_an_error_that_says_so(what):
    with nbtrack.start("empty") as run:
        run.log_artifact({"w": 1}, "net")
    with pytest.raises(nbtrack.NbtrackError):
        models.register(what, "fraud")
    with pytest.raises(ModelError, match="no model and no checkpoint"):
        models.register("empty", "fraud")


# -- SemVer ------------------------------------------------------------------------


def test_minor_goes_from_1_0_0_to_1_1_0_and_a_candidate_is_reset_by_a_bump():
    assert registered().version == "1.0.0"
    assert registered(bump="minor").version == "1.1.0"
    assert registered(bump="patch").version == "1.1.1"
    assert registered(pre="rc").version == "1.2.0-rc.1"
    assert registered(pre="rc").version == "1.2.0-rc.2"
    assert registered(bump="major", pre="rc").version == "2.0.0-rc.1"
    assert registered(bump="minor").version == "1.2.0"
    assert registered(bump="major").version == "2.0.0"


def test_a_version_of_ones_own_is_taken_once():
    assert registered(version="0.3.0").version == "0.3.0"
    with pytest.raises(ModelError, match=r"fraud@0\.3\.0 is registered already"):
        registered(version="0.3.0")
    with pytest.raises(ModelError, match="no version"):
        registered(version="three")
    assert models.find("fraud").version == "0.3.0"


# -- stages, notes, approval -------------------------------------------------------


def test_promotion_needs_a_note_and_keeps_who_when_and_why():
    registered()
    with pytest.raises(ModelError, match="needs a note"):
        models.promote("fraud@1.0.0", "staging", note="  ")
    models.promote("fraud@1.0.0", "staging", note="beats the old one", by="ada")
    last = models.events("fraud").iloc[-1]
    assert (last["what"], last["by"], last["why"]) == (
        "promoted",
        "ada",
        "beats the old one",
    )
    assert (last["from_stage"], last["to_stage"]) == ("development", "staging")
    assert last["at"].tzinfo is not None


def test_production_is_refused_until_approve_is_recorded():
    registered()
    models.promote("fraud@1.0.0", "staging", note="try")
    for force in (False, True):
        with pytest.raises(ModelError, match=r"approve\('fraud@1\.0\.0'"):
            models.promote("fraud@1.0.0", "production", note="go", force=force)
    models.approve("fraud@1.0.0", note="looked at 100 mistakes", by="bob")
    assert models.promote("fraud@1.0.0", "production", note="go").stage == "production"
    assert models.find("fraud@production").approved_by == "bob"


def test_an_approval_is_of_one_version_only():
    registered(n=2)
    in_production("fraud@1.0.0")
    models.promote("fraud@1.1.0", "staging", note="try")
    with pytest.raises(ModelError, match="not approved"):
        models.promote("fraud@1.1.0", "production", note="go")


def test_ways_past_staging_and_out_of_the_archive_need_force():
    registered()
    models.approve("fraud", note="fine")
    with pytest.raises(ModelError, match="staging first"):
        models.promote("fraud", "production", note="go")
    assert models.promote("fraud", "production", note="go", force=True)
    with pytest.raises(ModelError, match="already"):
        models.promote("fraud", "production", note="again")
    with pytest.raises(ModelError, match="Did you mean production"):
        models.promote("fraud", "prodution", note="typo")


def test_a_candidate_does_not_go_to_production():
    registered(pre="rc")
    models.approve("fraud", note="fine")
    models.promote("fraud", "staging", note="try")
    with pytest.raises(ModelError, match=r"Register the release 1\.0\.0"):
        models.promote("fraud", "production", note="go")


# -- one in production, rollback ---------------------------------------------------


def test_exactly_one_version_is_in_production_after_a_promotion():
    registered(n=2)
    in_production("fraud@1.0.0")
    in_production("fraud@1.1.0")
    assert stages() == {"1.0.0": "archived", "1.1.0": "production"}


def test_a_rollback_leaves_one_version_in_production_and_logs_both_events():
    # The sample code that this was asked for with leaves two.
    registered(n=3)
    for ref in ("fraud@1.0.0", "fraud@1.1.0", "fraud@1.2.0"):
        in_production(ref)
    assert models.rollback("fraud", note="slow", by="eve").ref == "fraud@1.1.0"
    assert list(stages().values()).count("production") == 1
    last = models.events("fraud")[["what", "version", "by", "why"]].values.tolist()[-2:]
    assert last == [
        ["rolled back", "1.2.0", "eve", "slow"], ["restored", "1.1.0", "eve", "slow"],
    ]  # fmt: skip
    # Twice goes further back, and not to the version that was just given up.
    assert models.rollback("fraud", note="worse").ref == "fraud@1.0.0"
    assert stages() == {"1.0.0": "production", "1.1.0": "archived", "1.2.0": "archived"}


def test_a_rollback_goes_to_the_version_that_is_named():
    registered(n=3)
    for ref in ("fraud@1.0.0", "fraud@1.1.0"):
        in_production(ref)
    with pytest.raises(ModelError, match="never in production"):
        models.rollback("fraud", to="1.2.0", note="no")
    with pytest.raises(ModelError, match="already"):
        models.rollback("fraud", to="1.1.0", note="no")
    assert models.rollback("fraud", to="1.0.0", note="yes").version == "1.0.0"


def test_there_is_nothing_to_roll_back_to():
    registered()
    with pytest.raises(ModelError, match="nothing to roll back"):
        models.rollback("fraud", note="x")
    in_production("fraud")
    with pytest.raises(ModelError, match="first version in production"):
        models.rollback("fraud", note="x")
    with pytest.raises(ModelNotFoundError):
        models.rollback("frauds", note="x")


PROMOTE = """
import sys
import nbtrack
from nbtrack.store import Store

with Store.open(sys.argv[1]) as store:
    for ref in sys.argv[2:] * 5:
        try:
            nbtrack.models.promote(
                ref, "production", note="race", force=True, store=store
            )
        except nbtrack.NbtrackError:
            continue
"""


def test_two_processes_that_promote_at_once_leave_one_in_production(store_path):
    registered(n=4)
    refs = [f"fraud@1.{n}.0" for n in range(4)]
    for ref in refs:
        models.approve(ref, note="fine")
    command = [sys.executable, "-c", PROMOTE, str(store_path)]
    both = [subprocess.Popen([*command, *some]) for some in (refs[:2], refs[2:])]
    assert [process.wait(60) for process in both] == [0, 0]
    assert list(stages().values()).count("production") == 1
    moves = models.events("fraud")
    ins = (moves["to_stage"] == "production").sum()
    outs = (moves["from_stage"] == "production").sum()
    assert ins - outs == 1


# -- signature ---------------------------------------------------------------------


def test_a_dropped_input_column_refuses_a_minor_bump():
    registered(data=FRAME)
    with pytest.raises(ModelError, match=r"input 'sum' is gone.*bump=\"major\""):
        registered(data=FRAME[["age"]])
    with pytest.raises(ModelError, match="is gone"):
        registered(version="1.0.5", data=FRAME[["age"]])
    assert registered(data=FRAME.assign(age=[0.5] * 4)).version == "1.1.0"
    assert registered(bump="major", data=FRAME[["age"]]).version == "2.0.0"


def test_a_repair_of_an_older_major_is_held_against_that_major():
    registered(data=FRAME)
    registered(bump="major", data=FRAME[["age"]])
    assert registered(version="1.0.1", data=FRAME).version == "1.0.1"
    with pytest.raises(ModelError, match=r"fraud@1\.0\.2 would break.*fraud@1\.0\.1"):
        registered(version="1.0.2", data=FRAME[["age"]])
    assert models.find("fraud").version == "2.0.0"


# -- parts -------------------------------------------------------------------------


def test_a_model_is_its_preprocessor_its_feature_mask_and_itself():
    linear = pytest.importorskip("sklearn.linear_model")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    pytest.importorskip("skops")
    raw = np.random.default_rng(0).normal(size=(40, 3))
    target = raw[:, 0] - raw[:, 2]
    mask = np.array([True, False, True])
    scaler = preprocessing.StandardScaler().fit(raw[:, mask])
    fitted = linear.LinearRegression().fit(scaler.transform(raw[:, mask]), target)
    made = models.register(
        fitted, "prices", parts={"selector": mask, "preprocessor": scaler},
        data=(raw, target),
    )  # fmt: skip
    assert [part["role"] for part in made.parts] == [
        "selector",
        "preprocessor",
        "model",
    ]
    assert {part["format"] for part in made.parts} == {"npy", "skops"}
    loaded = models.load("prices")
    expected = fitted.predict(scaler.transform(raw[:, mask]))
    assert np.array_equal(loaded.predict(raw), expected)
    assert loaded.selector.tolist() == mask.tolist()
    with pytest.raises(ModelError, match="does not fit"):
        loaded.predict(raw[:, :2])


def test_columns_go_in_in_the_order_that_the_model_knows():
    linear = pytest.importorskip("sklearn.linear_model")
    pytest.importorskip("skops")
    fitted = linear.LinearRegression().fit(FRAME, [1.0, 2.0, 3.0, 4.0])
    models.register(fitted, "fraud", data=FRAME)
    turned = FRAME[["sum", "age"]].assign(more="x")
    loaded = models.load("fraud")
    assert np.allclose(loaded.predict(turned), fitted.predict(FRAME))


class Stranger:
    """A pickle that would run code."""

    def __reduce__(self):
        return Path.touch, (Path("was-run"),)


def test_a_pickle_is_refused_without_trust_and_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Stranger()))
    with nbtrack.start() as run:
        run.log_artifact(path, "net", type="model")
    models.register("net", "fraud")
    with pytest.raises(ModelError, match="trust=True"):
        models.load("fraud")
    assert not Path("was-run").exists()
    models.load("fraud", trust=True)
    assert Path("was-run").exists()


def test_an_unknown_type_is_named_by_skops_and_needs_trust():
    pytest.importorskip("skops")
    pipeline = pytest.importorskip("sklearn.preprocessing")
    made = pipeline.FunctionTransformer(np.loadtxt)
    models.register(made, "fraud")
    with pytest.raises(ModelError, match="numpy"):
        models.load("fraud")
    assert models.load("fraud", trust=True).model.func is np.loadtxt


def test_a_torch_module_is_kept_as_safetensors_and_filled_into_another():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5))
    example = torch.ones(4, 3)
    made = models.register(net, "fraud", data=(example, net.eval()(example)))
    assert made.parts[0]["format"] == "safetensors"
    with pytest.raises(ModelError, match="into=module"):
        models.load("fraud").predict(example)
    other = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5))
    assert torch.equal(models.load("fraud", into=other).predict(example), net(example))
    with pytest.raises(ModelError, match="does not fit the model"):
        models.load("fraud", into=torch.nn.Linear(2, 2))


def test_an_onnx_file_is_kept_as_it_is(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x08\x07 not really a graph")
    models.register(None, "fraud", parts={"model": path})
    loaded = models.load("fraud")
    assert loaded.model.read_bytes() == path.read_bytes()
    assert loaded.model.suffix == ".onnx"


# -- loading by name, aliases, events, protection ----------------------------------


def test_a_version_is_loaded_by_number_stage_or_alias():
    registered(n=3)
    in_production("fraud@1.1.0")
    models.alias("fraud@1.0.0", "champion")
    refs = ("fraud@1.2.0", "fraud@production", "fraud@champion", "fraud")
    assert [models.load(ref).model["n"] for ref in refs] == [2, 1, 0, 2]
    with pytest.raises(ModelNotFoundError, match=r"There are 1\.2\.0"):
        models.load("fraud@9.9.9")
    with pytest.raises(ModelNotFoundError, match="Did you mean fraud"):
        models.load("frad")
    with pytest.raises(ModelNotFoundError, match="is in staging"):
        models.load("fraud@staging")
    for bad in ("1.0.0", "production", "a b", "latest", ""):
        with pytest.raises(ModelError, match="cannot be told"):
            models.alias("fraud", bad)


def test_a_run_that_loads_a_model_has_used_it():
    registered()
    with nbtrack.start("serving") as run:
        models.load("fraud")
    [use] = nbtrack.open().artifact_uses(run=run.id)
    assert (use.role, use.path) == ("input", "fraud@1.0.0")


def test_what_is_registered_is_never_deleted_and_what_is_deleted_keeps_its_events():
    made = registered()
    store = nbtrack.open()
    assert store.give_up([made.artifact], why="deleted") == []
    models.promote("fraud@1.0.0", "staging", note="try")
    with pytest.raises(ModelError, match="archive it first"):
        models.delete("fraud@1.0.0", note="x")
    models.promote("fraud@1.0.0", "archived", note="old")
    models.delete("fraud@1.0.0", note="a mistake")
    assert [e.version for e in store.model_events("fraud")] == ["1.0.0"] * 4
    assert len(store.give_up([made.artifact], why="deleted")) == 1


def test_secrets_in_notes_are_not_kept():
    registered()
    key = "sk-" + "a1B2c3D4" * 6
    models.approve("fraud", note=f"tried with {key}")
    assert key not in models.events("fraud")["why"].iloc[-1]


def test_best_and_worst_compare_one_metric_over_the_versions():
    # The sample code that this was asked for with compares metrics of one run.
    for n, (loss, acc) in enumerate([(0.5, 0.7), (0.3, 0.6), (0.4, 0.9)]):
        with nbtrack.start(f"run-{n}") as run:
            run.log(loss=loss, acc=acc)
            logged = run.log_artifact({"n": n}, "net", type="model")
        models.register(logged.ref, "fraud")
    by_loss = models.compare("fraud", "loss").set_index("version")
    by_acc = models.compare("fraud", "acc").set_index("version")
    assert by_loss["loss"].tolist() == [0.5, 0.3, 0.4]
    assert by_loss["is_best"].tolist() == [False, True, False]
    assert by_acc["is_best"].tolist() == [False, False, True]
    assert by_loss["is_worst"].tolist() == [True, False, False]
    assert by_acc["is_worst"].tolist() == [False, True, False]
    with pytest.raises(ModelError, match="Did you mean loss"):
        models.compare("fraud", "los")


def test_a_version_without_a_number_is_neither_best_nor_worst():
    for n, loss in enumerate([float("nan"), 0.3, 0.4, None]):
        with nbtrack.start(f"run-{n}") as run:
            run.log({"other": 1.0} if loss is None else {"loss": loss})
            logged = run.log_artifact({"n": n}, "net", type="model")
        models.register(logged.ref, "fraud")
    found = models.compare("fraud", "loss")
    assert found["is_best"].tolist() == [False, True, False, False]
    assert found["is_worst"].tolist() == [False, False, True, False]
    with pytest.raises(ModelError, match="pass goal"):
        models.compare("fraud", "other")
    assert models.compare("fraud", "other", goal="max")["is_best"].tolist()[-1]


def test_the_number_of_a_deleted_version_is_never_given_to_another():
    registered(n=2)
    models.delete("fraud@1.1.0", note="a mistake")
    with pytest.raises(ModelError, match=r"fraud@1\.1\.0 was there, and deleted"):
        registered(version="1.1.0")
    assert registered().version == "1.2.0"
    models.delete("fraud@1.2.0", note="again")
    assert registered(pre="rc").version == "1.3.0-rc.1"


def test_files_that_were_given_up_meanwhile_are_not_registered():
    with nbtrack.start() as run:
        run.log_artifact({"w": 1}, "net", type="model")
    store = nbtrack.open()
    kept = store.artifact("net")
    store.give_up([kept.id], why="deleted")
    with pytest.raises(nbtrack.NbtrackError, match="gone"):
        models.register("net:v0", "fraud")
    with pytest.raises(ModelError, match="gone"):  # between the look and the entry
        store.register_model(NewModel("fraud", kept.id), lambda *_: "1.0.0", by="")
    assert store.model_names() == []


def test_the_path_of_a_file_is_registered_as_text_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.onnx").write_bytes(b"graph")
    assert models.register("net.onnx", "fraud").parts[0]["format"] == "onnx"
    assert models.load("fraud").model.read_bytes() == b"graph"
    with pytest.raises(nbtrack.NbtrackError, match="no artifact"):
        models.register("x" * 5000, "fraud")


def test_notes_and_the_description_are_edited_and_logged():
    registered(n=2)
    models.edit("fraud@1.0.0", notes="for Bergen", by="ada")
    models.edit("fraud", description="tells fraud", by="bob")
    assert models.find("fraud@1.0.0").notes == "for Bergen"
    assert models.list()["description"].tolist() == ["tells fraud"]
    last = models.events("fraud")[["what", "why", "by"]].values.tolist()[-2:]
    assert last == [["edited", "notes", "ada"], ["edited", "description", "bob"]]
    with pytest.raises(ModelError, match="changes nothing"):
        models.edit("fraud")


def test_the_files_of_a_model_are_used_and_traced_by_its_own_name():
    made = in_production(registered(n=2).ref)
    with nbtrack.start("reader") as run:
        path = run.use_artifact("fraud@production")
        with pytest.raises(ArtifactNotFoundError, match="production"):
            run.use_artifact("fraud@prodution")
    [edge] = nbtrack.open().artifact_uses(role="input")
    assert (edge.run_name, edge.version_id) == ("reader", made.artifact)
    assert path.is_relative_to(nbtrack.open().path)
    for ref in (made.ref, "fraud@production"):
        [user] = nbtrack.lineage(ref).used_by(ref)
        assert user.label == "reader"
