"""Artifacts in the tables: versions, aliases, uses, events, what is given up."""

from __future__ import annotations

import pytest

from nbtrack.errors import ArtifactError, ArtifactNotFoundError
from nbtrack.records import ArtifactFile, manifest_digest
from nbtrack.store import Store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / ".nbtrack") as opened:
        yield opened


def begin(store, run, **fields):
    store.journal.emit({"kind": "run_started", "run": run, "name": run, **fields})


def log(store, name, digest, *, run=None, **fields):
    """One file of this digest (a letter) as a version of an artifact."""
    event = {
        "kind": "artifact", "run": run, "name": name, "type": "model",
        "files": [["m.pt", digest * 64, 10, None, None]], **fields,
    }  # fmt: skip
    if run is None:
        return store.keep_artifact(event)
    store.journal.emit(event)
    assert store.journal.flush()
    return None


def test_versions_count_from_v0_and_the_same_bytes_are_the_same_version(store):
    numbers = [log(store, "mlp", letter).version for letter in "aba"]
    assert numbers == [0, 1, 0]
    assert log(store, "other", "b").version == 0


def test_a_run_that_logs_a_version_again_is_one_more_use_of_it(store):
    begin(store, "r1")
    begin(store, "r2")
    log(store, "mlp", "a", run="r1", step=1)
    log(store, "mlp", "a", run="r1", step=1, metrics={"loss": 0.5})
    log(store, "mlp", "a", run="r2", step=7)
    uses = store.artifact_uses()
    assert [(u.run, u.step, dict(u.metrics)) for u in uses] == [
        ("r1", 1, {"loss": 0.5}), ("r2", 7, {}),
    ]  # fmt: skip
    assert store.artifact("mlp").run == "r1"
    assert [v.ref for v in store.artifact_versions(run="r2")] == ["mlp:v0"]


def test_a_reference_is_a_name_a_number_or_an_alias(store):
    for letter in "ab":
        log(store, "mlp", letter)
    store.set_alias("mlp:v0", "prod", by="ada")
    assert store.artifact("mlp").ref == store.artifact("mlp:latest").ref == "mlp:v1"
    assert store.artifact("mlp:prod").ref == "mlp:v0"
    assert store.artifact("mlp:v0").aliases == ("prod",)


@pytest.mark.parametrize(
    ("ref", "says"),
    [("mpl", "Did you mean mlp"), ("mlp:v7", "It has: latest, prod, v0"),
     ("mlp:prdo", "Did you mean prod")],
)  # fmt: skip
def test_an_unknown_reference_says_what_there_is(store, ref, says):
    log(store, "mlp", "a")
    store.set_alias("mlp", "prod")
    with pytest.raises(ArtifactNotFoundError, match=says):
        store.artifact(ref)


def test_an_empty_store_says_that_it_has_no_artifacts(store):
    with pytest.raises(ArtifactNotFoundError, match="no artifacts yet"):
        store.artifact("mlp")


def test_best_follows_the_metric_and_stays_where_a_version_is_worse(store):
    begin(store, "r")
    for letter, loss in zip("abcd", (0.5, 0.3, 0.4, float("nan")), strict=True):
        log(store, "mlp", letter, run="r", metrics={"val_loss": loss, "acc": 0.1})
    found = store.artifact("mlp:best")
    assert (found.ref, found.metric) == ("mlp:v1", "val_loss")
    moves = [e.version for e in store.artifact_events() if e.detail == "best"]
    assert moves == [0, 1]


def test_best_goes_by_the_metric_and_goal_that_were_said(store):
    begin(store, "r")
    for letter, score in zip("abc", (1.0, 3.0, 3.0), strict=True):
        log(store, "mlp", letter, run="r", metric="odd", goal="max",
            metrics={"odd": score, "loss": score})  # fmt: skip
    assert store.artifact("mlp:best").ref == "mlp:v1"
    store.edit_artifact("mlp", metric="loss", goal="min")
    assert store.artifact("mlp:best").ref == "mlp:v0"


def test_best_by_a_goal_that_the_run_gave_to_a_metric(store):
    begin(store, "r")
    store.journal.emit(
        {
            "kind": "metric",
            "run": "r",
            "name": "margin_loss",
            "series": 1,
            "goal": "max",
        }
    )
    for letter, score in zip("ab", (1.0, 2.0), strict=True):
        log(store, "mlp", letter, run="r", metrics={"margin_loss": score})
    assert store.artifact("mlp:best").ref == "mlp:v1"


def test_without_metrics_there_is_no_best_and_it_can_be_set_by_hand(store):
    log(store, "ds", "a")
    log(store, "ds", "b")
    with pytest.raises(ArtifactNotFoundError):
        store.artifact("ds:best")
    store.set_alias("ds:v0", "best")
    log(store, "ds", "c")
    assert store.artifact("ds:best").ref == "ds:v0"


@pytest.mark.parametrize("alias", ["latest", "v3", "", " ", "a:b", "a/b", "\x1b[1m"])
def test_aliases_that_would_be_ambiguous_are_refused(store, alias):
    log(store, "mlp", "a")
    with pytest.raises(ArtifactError):
        store.set_alias("mlp", alias)


def test_best_cannot_be_set_by_hand_where_it_follows_a_metric(store):
    begin(store, "r")
    log(store, "mlp", "a", run="r", metrics={"loss": 1.0})
    with pytest.raises(ArtifactError, match="follows 'loss'"):
        store.set_alias("mlp", "best")


def test_an_alias_is_dropped_and_moved_and_both_are_written_down(store):
    log(store, "mlp", "a")
    log(store, "mlp", "b")
    store.set_alias("mlp:v0", "prod", by="ada")
    store.set_alias("mlp:v1", "prod", by="bob")
    store.set_alias("mlp:v1", "prod", by="bob")
    store.drop_alias("mlp", "prod", by="eve")
    said = [(e.what, e.version, e.by) for e in store.artifact_events(name="mlp")
            if e.detail == "prod"]  # fmt: skip
    assert said == [("alias", 0, "ada"), ("alias", 1, "bob"), ("unalias", 1, "eve")]


def test_texts_metadata_tags_and_end_can_be_changed_afterwards(store):
    log(store, "ds", "a", description="raw", metadata={"rows": 5, "by": "x"},
        tags={"data": "mnist"}, expires_at=0.0)  # fmt: skip
    changed = store.edit_artifact(
        "ds", description="clean", metadata={"rows": 4, "by": None},
        tags={"new": None}, untag=["data"], expires_at=False,
    )  # fmt: skip
    assert (changed.description, dict(changed.metadata)) == ("clean", {"rows": 4})
    assert (dict(changed.tags), changed.expires_at) == ({"new": None}, None)


def test_a_version_given_up_stays_listed_and_latest_and_best_move(store):
    begin(store, "r")
    for letter, loss in zip("abc", (0.5, 0.1, 0.2), strict=True):
        log(store, "mlp", letter, run="r", metrics={"loss": loss})
    given = store.give_up([v.id for v in store.artifact_versions()][1:], why="pruned")
    assert [v.ref for v in given] == ["mlp:v1", "mlp:v2"]
    assert (
        store.artifact("mlp:latest").ref == store.artifact("mlp:best").ref == "mlp:v0"
    )
    gone = store.artifact_versions(gone=True)
    assert [(v.version, v.gone_why) for v in gone] == [(1, "pruned"), (2, "pruned")]
    assert [c.gone_why for c in store.run("r").checkpoints] == [
        None,
        "pruned",
        "pruned",
    ]


def test_logging_the_bytes_of_a_version_given_up_revives_it(store):
    log(store, "mlp", "a")
    store.give_up([store.artifact("mlp").id], why="deleted", by="ada")
    with pytest.raises(ArtifactNotFoundError, match="given up"):
        store.artifact("mlp")
    assert log(store, "mlp", "a").gone_at is None
    assert store.artifact("mlp").version == 0
    what = [e.what for e in store.artifact_events()]
    assert what == ["version", "alias", "deleted", "revived", "alias"]


def test_aliased_and_registered_versions_are_spared(store):
    for letter in "abc":
        log(store, "mlp", letter)
    store.set_alias("mlp:v0", "prod")
    with store._writing() as database:
        execute = database.connection.execute
        execute("insert into models values (1, 'fraud', '', '2026', 'ada')")
        execute(
            "insert into model_versions(model, version, artifact_version, created_at,"
            " created_by) values (1, '1.0.0', ?, '2026', 'ada')",
            (store.artifact("mlp:v1").id,),
        )
    ids = [v.id for v in store.artifact_versions()]
    assert [v.version for v in store.give_up(ids, why="deleted")] == [2]
    assert list(store.protected_versions(ids, why="deleted").values()) == [
        "it has the alias 'prod'", "it is registered as fraud@1.0.0",
    ]  # fmt: skip


def test_pruning_spares_what_another_run_uses(store):
    begin(store, "r1")
    begin(store, "r2")
    log(store, "mlp", "a", run="r1")
    store.journal.emit(
        {"kind": "artifact_used", "run": "r2", "name": "mlp", "version": 0}
    )
    [version] = store.artifact_versions() or [None]
    assert store.give_up([version.id], why="pruned") == []
    assert len(store.give_up([version.id], why="expired")) == 1


def test_reading_is_an_input_edge(store):
    begin(store, "r1")
    begin(store, "r2")
    log(store, "ds", "a", run="r1")
    used = {"kind": "artifact_used", "run": "r2", "name": "ds", "version": 0}
    store.journal.emit(used)
    store.journal.emit({**used, "version": 5})  # unknown: put aside, nothing stops
    assert store.journal.flush()
    version = store.artifact("ds").id
    assert [(u.run, u.role) for u in store.artifact_uses(version=version)] == [
        ("r1", "output"), ("r2", "input"),
    ]  # fmt: skip
    assert len(store.artifact_uses(run="r2", role="input")) == 1
    assert store.run("r2").checkpoints == ()


def test_files_and_references_of_a_version_are_listed_by_path(store):
    files = [
        ["b/x.csv", "b" * 64, 5, None, None],
        ["a.csv", None, 7, "s3://bucket/a.csv", "etag"],
    ]
    found = log(store, "ds", "a", files=files)
    assert (found.n_files, found.size_bytes) == (2, 5)
    assert store.artifact_files(found.id) == [
        ArtifactFile("a.csv", None, 7, "s3://bucket/a.csv", "etag"),
        ArtifactFile("b/x.csv", "b" * 64, 5),
    ]
    assert [v.ref for v in store.artifact_with_file("b" * 64)] == ["ds:v0"]


def test_the_digest_of_a_manifest_depends_on_what_is_in_it_alone():
    one, two = ArtifactFile("a", "d1", 1), ArtifactFile("b", "d2", 1)
    assert manifest_digest([one, two]) == manifest_digest([two, one])
    assert manifest_digest([one]) == "d1"
    moved = ArtifactFile("c", "d2", 1)
    assert manifest_digest([one, two]) != manifest_digest([one, moved])
    remote = ArtifactFile("a", None, 1, "s3://b/a", "e1")
    later = ArtifactFile("a", None, 1, "s3://b/a", "e2")
    assert manifest_digest([remote]) != manifest_digest([later])


def test_events_after_one_are_asked_for(store):
    log(store, "mlp", "a")
    seen = store.last_artifact_event()
    assert store.artifact_events(after=seen) == []
    log(store, "mlp", "b")
    assert [e.what for e in store.artifact_events(after=seen)] == ["version", "alias"]
