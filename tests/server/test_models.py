"""Registered models by REST: what there is, and moving a version to another stage."""

from __future__ import annotations

import json

import pytest

import nbtrack
from nbtrack.store.registry import store_id

pytest_plugins = ["pytest_jupyter.jupyter_server"]
pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def registered(store_path):
    with nbtrack.start("base") as run:
        first = nbtrack.models.register({"weights": [1]}, "fraud")
        nbtrack.models.register({"weights": [2]}, "fraud")
    assert run.store.journal.flush()
    nbtrack.models.alias(first.ref, "champion")
    return store_id(run.store.path)


@pytest.fixture
def promote():
    """The body of a promotion."""

    def promote(store, version="1.0.0", stage="staging", **more):
        body = {"store": store, "name": "fraud", "version": version}
        body |= {"stage": stage, "note": "it is better", **more}
        return {"method": "POST", "body": json.dumps(body)}

    return promote


async def test_models_are_listed_with_their_versions(ask, registered):
    [model] = (await ask("models"))["models"]
    assert (model["store"], model["name"]) == (registered, "fraud")
    first, second = model["versions"]
    assert (first["version"], first["stage"]) == ("1.0.0", "development")
    assert first["aliases"] == ["champion"]
    assert second.keys() == {"version", "stage", "aliases", "run", "created_at"}
    assert first["run"] == nbtrack.open().run("base").id


async def test_without_a_store_there_are_no_models(ask, store_path):
    assert await ask("models") == {"models": []}


async def test_a_version_is_promoted_and_who_did_it_is_kept(ask, registered, promote):
    made = await ask("models", "promote", **promote(registered))
    assert (made["version"], made["stage"]) == ("1.0.0", "staging")
    store = nbtrack.open()
    assert store.model("fraud@1.0.0").stage == "staging"
    event = store.model_events("fraud")[-1]
    assert (event.by, event.why) == ("JupyterLab", "it is better")
    assert (event.from_stage, event.to_stage) == ("development", "staging")


async def test_what_the_registry_refuses_comes_in_its_words(
    ask, refused, registered, promote
):
    code, error = await refused(
        "models", "promote", **promote(registered, stage="production")
    )
    assert code == 409
    assert "not approved for production" in error["message"]
    code, error = await refused("models", "promote", **promote(registered, note="  "))
    assert code == 409
    assert "Say why" in error["message"]
    nbtrack.models.approve("fraud@1.0.0", note="fine")
    await ask("models", "promote", **promote(registered))
    code, error = await refused("models", "promote", **promote(registered))
    assert (code, error["message"]) == (409, "fraud@1.0.0 is in staging already.")
    made = await ask("models", "promote", **promote(registered, stage="production"))
    assert made["stage"] == "production"


@pytest.mark.parametrize("version", ["latest", "champion", "9.9.9", "", "1.0.0@x"])
async def test_a_version_is_named_by_its_number_alone(
    refused, registered, promote, version
):
    code, _ = await refused("models", "promote", **promote(registered, version))
    assert code == 404


async def test_an_unknown_store_is_not_found(refused, registered, promote):
    code, _ = await refused("models", "promote", **promote("0" * 16))
    assert code == 404


@pytest.mark.parametrize(
    "change",
    [{"stage": "live"}, {"store": "../x"}, {"note": None}, {"name": 1}, {"more": "x"}],
)
async def test_what_is_no_promotion_is_refused(refused, registered, promote, change):
    how = promote(registered)
    how["body"] = json.dumps({**json.loads(how["body"]), **change})
    code, error = await refused("models", "promote", **how)
    assert code == 400
    assert set(error) == {"message", "reason"}
