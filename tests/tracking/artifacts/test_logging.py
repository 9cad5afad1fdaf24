"""Versions of artifacts: by content, with words, aliases, an end, or only if better."""

import json
import math
import os
from datetime import timedelta

import numpy as np
import pytest

import nbtrack
from nbtrack.errors import ArtifactError, ArtifactNotFoundError, OptionError
from nbtrack.tracking.artifacts import api

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mlp.pt"
    path.write_bytes(b"first")
    return path


def test_a_second_log_is_v1_and_the_same_bytes_are_the_same_version(run, file):
    first = run.log_artifact(file)
    file.write_bytes(b"second")
    second = run.log_artifact(str(file), "mlp")
    file.write_bytes(b"first")
    again = run.log_artifact("mlp.pt")
    refs = [first.ref, second.ref, again.ref]
    assert refs == ["mlp:v0", "mlp:v1", "mlp:v0"]
    assert [r.type for r in run.store.artifact_versions()] == ["checkpoint"] * 2
    assert repr(first) == "<LoggedArtifact 'mlp' mlp:v0>"


def test_everything_that_is_said_of_a_version_is_kept_and_can_be_edited(run, file):
    run.log(val_loss=0.5, step=7)
    logged = run.log_artifact(
        file, "net", type="model", aliases=["reviewed", "small one"], ttl="30d",
        metadata={"rows": np.int64(3), "split": ("a", "b")}, tags=["draft", "by: me"],
        description="by hand",
    )  # fmt: skip
    found = logged.record()
    assert (found.type, found.description, found.run) == ("model", "by hand", run.id)
    assert found.aliases == ("best", "latest", "reviewed", "small one")
    assert found.metadata == {"rows": 3, "split": ["a", "b"]}
    assert found.tags == {"draft": None, "by": "me"}
    assert (found.step, found.metrics["val_loss"]) == (7, 0.5)
    days = nbtrack.artifacts.list("net")[["expires_at", "created_at"]]
    assert (days.expires_at - days.created_at).dt.days.tolist() in ([29], [30])
    edited = api.edit(
        "net:v0", description="again", metadata={"rows": None, "n": 1}, untag="draft",
        tags={"by": "you"}, ttl=False,
    )  # fmt: skip
    assert edited.metadata == {"split": ["a", "b"], "n": 1}
    assert (edited.tags, edited.expires_at) == ({"by": "you"}, None)
    assert edited.description == "again"
    what = [event.what for event in run.store.artifact_events(name="net")]
    assert what.count("version") == 1
    assert what[-1] == "edited"


def test_secrets_do_not_come_into_the_store(run, file):
    token = "hf_abcdefghijklmnopqrstuvwx"
    found = run.log_artifact(
        file, metadata={"login": {"password": "hunter2"}, "at": token},
        description=f"with {token}", tags=[token],
    ).record()  # fmt: skip
    assert token not in repr(found)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"x": {"y": [object()]}}, r"metadata\['x'\]\['y'\]\[0\] is a object"),
        ({"x": "a" * (1 << 20)}, "at most 1.0 MiB"),
        (["x"], "metadata is a list"),
        ({"x": np.zeros(3)}, "ndarray, which JSON cannot hold"),
    ],
)
def test_metadata_that_cannot_be_kept_is_named(run, file, metadata, named):
    with pytest.raises(ArtifactError, match=named):
        run.log_artifact(file, metadata=metadata)
    assert run.store.artifact_versions() == []


def test_metadata_within_itself_is_refused_and_numbers_without_json_are_text(run, file):
    loop = {}
    loop["loop"] = loop
    with pytest.raises(ArtifactError, match="nested too deeply"):
        run.log_artifact(file, metadata=loop)
    found = run.log_artifact(file, metadata={"x": math.nan, "y": {3, 1}}).record()
    assert found.metadata == {"x": "nan", "y": [1, 3]}


@pytest.mark.parametrize("alias", ["latest", "v3", "a:b", "a/b", " ", "x" * 200])
def test_aliases_that_could_be_taken_for_something_else_are_refused(run, file, alias):
    with pytest.raises(ArtifactError, match=r"[Aa]lias"):
        run.log_artifact(file, aliases=alias)
    assert run.log_artifact(file, aliases=["dev2", "v3-rc"]).record().aliases[0] == (
        "dev2"
    )
    with pytest.raises(ArtifactError, match=r"[Aa]lias"):
        api.alias("mlp", alias)


def test_best_follows_the_metric_and_is_set_by_hand_only_without_one(run, file, capsys):
    assert "best" in run.log_artifact(file, aliases="best").record().aliases
    run.log(val_loss=0.3)
    other = run.log_artifact({"a": 1}, "other", aliases="best")
    assert other.remarks == (
        "the alias 'best' follows 'val_loss': it was not set by hand",
    )
    assert "follows 'val_loss'" in capsys.readouterr().err
    run.log(val_loss=0.4)
    run.log_artifact({"a": 2}, "other", aliases="best")
    assert api.find("other:best").version == 0
    run.log(val_loss=0.2)
    run.log_artifact({"a": 3}, "other")
    assert api.find("other:best").version == 2
    with pytest.raises(ArtifactError, match="follows 'val_loss'"):
        api.alias("other:v0", "best")


def test_best_by_another_metric_with_its_goal(run, file):
    for size, speed in ((1, 9.0), (2, 7.0)):
        run.log(val_loss=size, ms=speed)
        run.log_artifact({"n": size}, "net", best_by="ms", goal="min")
    assert api.find("net:best").version == 1
    api.edit("net", best_by="val_loss")
    assert api.find("net:best").version == 0


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"goal": "small"}, "neither 'min' nor 'max'"),
        ({"goal": "min"}, "needs best_by"),
        ({"best_by": "wiggle"}, "does not say whether"),
        ({"ttl": "soon"}, "ttl 'soon'"),
        ({"ttl": -3}, "ttl -3"),
        ({"ttl": timedelta(0)}, "no length of time"),
        ({"ttl": math.inf}, "no length of time"),
        ({"ttl": True}, "ttl True"),
        ({"ttl": "3 months"}, "ttl '3 months'"),
    ],
)
def test_options_that_make_no_sense_are_named(run, file, asked, named):
    with pytest.raises(OptionError, match=named):
        run.log_artifact(file, **asked)


def test_only_if_better_copies_nothing_that_is_not(run, file):
    kept = []
    for n, loss in enumerate([0.5, 0.4, 0.4, math.nan, 0.45, 0.3]):
        run.log(val_loss=loss)
        file.write_bytes(b"weights %d" % n)
        kept.append(run.log_artifact(file, only_if_better=True))
    assert [each.is_kept for each in kept] == [True, True, False, False, False, True]
    assert kept[2].why == "val_loss 0.4 is not better than 0.4 of mlp:v1"
    assert kept[3].why == "val_loss is NaN"
    assert (kept[2].ref, kept[2].version) == (None, None)
    with pytest.raises(ArtifactNotFoundError, match="is not better"):
        kept[2].record()
    assert api.find("mlp:best").ref == "mlp:v2"
    whole = [p for p in (run.store.path / "blobs").rglob("*") if p.is_file()]
    assert len(whole) == 3


def test_only_if_better_needs_a_metric_that_tells(run, file):
    with pytest.raises(ArtifactError, match="no metric says"):
        run.log_artifact(file, only_if_better=True)
    run.log(val_loss=0.1)
    with pytest.raises(ArtifactError, match=r"'acc' was not logged .*val_loss"):
        run.log_artifact(file, only_if_better=True, best_by="acc")
    assert run.log_artifact(file, only_if_better=True, metrics={"acc": 0.9}).is_kept


def test_step_and_metrics_by_hand_stand_for_those_of_the_moment(run, file):
    run.log(val_loss=0.5)
    found = run.log_artifact(file, step=3.0, metrics={"val": {"acc": np.float32(1)}})
    assert (found.record().step, found.record().metrics) == (3, {"val.acc": 1.0})
    with pytest.raises(ArtifactError, match="not a number"):
        run.log_artifact(file, metrics={"acc": "high"})
    with pytest.raises(ArtifactError, match="not a whole number"):
        run.log_artifact(file, step=0.5)


def test_names_are_made_safe_and_that_is_said(run, file, capsys):
    assert run.log_artifact(file, "../a/b:v1").name == "_a_b_v1"
    assert "is kept as '_a_b_v1'" in capsys.readouterr().err
    for name in (" ", 3):
        with pytest.raises(ArtifactError, match="name is a text"):
            run.log_artifact(file, name)


def test_the_type_is_guessed_from_what_is_in_it(run, tmp_path, file):
    for name in ("a.csv", "b.csv"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).write_text(name)
    found = [run.log_artifact(x).record() for x in ("data", "mlp.pt")]
    assert [(r.name, r.type) for r in found] == [
        ("data", "dataset"),
        ("mlp", "checkpoint"),
    ]


def test_the_copy_is_of_no_account_as_an_input_of_the_run(run, tmp_path, file):
    """Else a file that is logged would be made from itself."""
    from nbtrack.capture.opened_files import ReadLog

    os.utime(file, (1, 1))
    log = ReadLog()
    log.start()
    run.log_artifact(file)
    log.stop()
    assert log.paths_read == []


def test_a_finished_run_keeps_nothing_and_says_so(run, file, capsys):
    run.finish()
    logged = run.log_artifact(file)
    assert (logged.is_kept, logged.why) == (False, "the run is finished")
    assert "Start a new run" in capsys.readouterr().err
    assert json.dumps(logged.ref) == "null"


def test_the_type_of_a_name_is_that_of_its_first_version(run, capsys):
    run.log_artifact({"n": 1}, "net", type="model")
    run.store.journal.flush(5)
    logged = run.log_artifact({"n": 2}, "net", type="dataset")
    assert (logged.ref, logged.record().type) == ("net:v1", "model")
    assert "net' is of type 'model'" in capsys.readouterr().err
