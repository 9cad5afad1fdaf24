"""Registered models go to a remote and come back with all their events."""

import json

import pytest

import nbtrack
from nbtrack.errors import ModelNotFoundError, RemoteError
from nbtrack.store import Store
from nbtrack.tracking.remotes.pull import pull
from nbtrack.tracking.remotes.push import push


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "remote"


@pytest.fixture
def other(tmp_path):
    with Store.open(tmp_path / "other") as opened:
        yield opened


def in_production(ref):
    nbtrack.models.approve(ref, note="looked at it", by="ada")
    nbtrack.models.promote(ref, "staging", note="try", by="ada")
    nbtrack.models.promote(ref, "production", note="go", by="ada")


def told(store, name="fraud"):
    events = store.model_events(name)
    return [(e.version, e.what, e.from_stage, e.to_stage, e.by, e.why) for e in events]


def test_a_model_goes_with_its_stages_and_all_its_events(folder, store, other):
    for n in range(3):
        nbtrack.models.register({"n": n}, "fraud", by="ada")
    in_production("fraud@1.0.0")
    in_production("fraud@1.1.0")
    nbtrack.models.alias("fraud@1.0.0", "champion")
    nbtrack.models.delete("fraud@1.2.0", note="a mistake")
    sent = push(folder, "fraud@production")
    assert sent.models == ("fraud",)
    assert len(sent.versions) == 2
    assert push(folder).models == ()
    assert pull(folder, "fraud@", store=other).models == ("fraud",)
    assert nbtrack.models.load("fraud@production", store=other).model == {"n": 1}
    assert nbtrack.models.find("fraud@champion", store=other).version == "1.0.0"
    assert told(other) == told(store)
    assert pull(folder, store=other).models == ()
    # The side that is behind follows.
    nbtrack.models.rollback("fraud", note="worse", store=other)
    assert push(folder, store=other).models == ("fraud",)
    assert pull(folder).models == ("fraud",)
    assert nbtrack.models.find("fraud@production").version == "1.0.0"
    assert told(store) == told(other)
    # Two that went different ways are left alone.
    nbtrack.models.edit("fraud@1.0.0", notes="here")
    nbtrack.models.edit("fraud@1.0.0", notes="there", store=other)
    assert push(folder).models == ("fraud",)
    before = told(other)
    for done in (push(folder, store=other), pull(folder, store=other)):
        assert done.models == ()
        assert "in different ways" in done.notices[0]
    assert told(other) == before


def test_a_model_that_is_not_sound_is_refused(folder, store, other):
    for n in range(2):
        nbtrack.models.register({"n": n}, "fraud", by="ada")
    push(folder)
    [path] = folder.glob("models/*.json")
    good = json.loads(path.read_bytes())

    def changed(change):
        body = json.loads(json.dumps(good))
        change(body["model"])
        path.write_text(json.dumps(body))

    for change in (
        lambda m: [v.__setitem__("stage", "production") for v in m["versions"]],
        lambda m: m["versions"][0].__setitem__("stage", "owned"),
        lambda m: m["versions"][0].__setitem__("version", "1"),
        lambda m: m["versions"][0].__setitem__("parts", "{}"),
        lambda m: m["versions"][0].__setitem__("digest", "../x"),
        lambda m: m.__setitem__("aliases", {"a": "9.9.9"}),
        lambda m: m.__setitem__("name", "../x"),
        lambda m: m["events"][0].__setitem__("detail", "[" * 100_000),
        lambda m: m["events"][0].pop("by"),
    ):
        changed(change)
        with pytest.raises(RemoteError, match="is damaged"):
            pull(folder, store=other)
        assert other.model_names() == []
    path.write_text(json.dumps(good))
    assert pull(folder, store=other).models == ("fraud",)
    with pytest.raises(ModelNotFoundError):
        pull(folder, "frau@", store=other)
    with pytest.raises(ModelNotFoundError):
        push(folder, "frau@")
