"""Each JSON member of a bundle is what its schema says, and nothing else."""

from __future__ import annotations

import copy
import json
import re

import pytest
from bundles.described import SCHEMA_OF, members, problems, schema_of, schemas
from bundles.exported_kinds import not_run_again, run_again
from bundles.made import made_bundle
from jsonschema import Draft202012Validator

from nbtrack.bundles import verdict
from nbtrack.bundles.archive import manifest as read_manifest
from nbtrack.bundles.manifest import FORMAT, VERSION

SCHEMAS = schemas()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Bundles that were exported without being run again, by name."""
    return not_run_again(tmp_path_factory.mktemp("plain"))


def nodes(schema):
    """A schema and all that are in it."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_describes_every_field(name):
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"urn:nbtrack:bundle:{VERSION}:{name}"
    for node in nodes(schema):
        if isinstance(node.get("properties"), dict):
            assert node["additionalProperties"] is False, node
            assert sorted(node["required"]) == sorted(node["properties"]), node
            for field, told in node["properties"].items():
                assert told.get("description"), field


def test_every_schema_is_of_a_member():
    assert set(SCHEMA_OF.values()) == SCHEMAS.keys()


def test_the_words_of_the_schemas_are_those_of_the_code():
    top = SCHEMAS["manifest"]["properties"]
    assert (top["format"]["const"], top["version"]["const"]) == (FORMAT, VERSION)
    assert (read_manifest.FORMAT, read_manifest.VERSION) == (FORMAT, VERSION)
    metric = SCHEMAS["check"]["properties"]["metrics"]["additionalProperties"]
    assert tuple(metric["properties"]["verdict"]["enum"]) == verdict.FROM_BEST


@pytest.mark.timeout(240)
@pytest.mark.reproduce
def test_bundles_that_were_not_run_again_are_as_described(plain):
    for name, path in plain.items():
        assert list(problems(members(path))) == [], name
    status = {n: json.loads(members(p)["manifest.json"])["run"]["status"]
              for n, p in plain.items()}  # fmt: skip
    assert status == {
        "unproven": "finished", "referring": "finished", "failed": "failed",
    }  # fmt: skip


@pytest.mark.reproduce
def test_modules_from_elsewhere_are_named_without_their_folders(plain):
    manifest = json.loads(members(plain["unproven"])["manifest.json"])
    gaps = [g["what"] for g in manifest["not_captured"] if "module" in g["why"]]
    assert "played.py" in gaps  # of these tests, far from the folder of the session
    assert [what for what in gaps if what.startswith("/")] == []


@pytest.mark.reproduce
@pytest.mark.timeout(400)
def test_bundles_that_were_run_again_are_as_described(tmp_path):
    for name, path in run_again(tmp_path).items():
        found = members(path)
        assert list(problems(found)) == [], name
        manifest = json.loads(found["manifest.json"])
        assert manifest["slice"]["proof"] == "PROVEN", manifest["slice"]
        assert manifest["tolerance"]


def test_the_bundle_that_tests_are_made_of_is_as_described(tmp_path):
    assert list(problems(members(made_bundle(tmp_path)))) == []


def spoiled():
    """Name -> what is done to a manifest."""
    return {
        "a field more": lambda m: m.update(colour="red"),
        "a field of the run more": lambda m: m["run"].update(colour="red"),
        "a field less": lambda m: m.pop("seeds"),
        "another format": lambda m: m.update(format="zip"),
        "a later version": lambda m: m.update(version=2),
        "a run that goes on": lambda m: m["run"].update(status="running"),
        "a time without a zone": lambda m: m["run"].update(started_at="2026-03-01"),
        "a digest that is none": lambda m: m["metrics"][0].update(series_sha256="ab"),
        "a word that is no goal": lambda m: m["metrics"][0].update(goal="up"),
        "a fact and why it is missing": lambda m: m["code"].update(
            {"git.commit": {"value": 1, "missing": "no"}}
        ),
        "a tolerance below 0": lambda m: m["tolerance"]["loss"].update(atol=-1),
        "a param without an origin": lambda m: m["run"]["params"]["lr"].pop("origin"),
        "a proof of another word": lambda m: m["slice"].update(proof="SURE"),
        "a number in words": lambda m: m["data"].update(n_private="1"),
    }


@pytest.mark.parametrize("name", spoiled())
def test_a_spoiled_manifest_is_not(name, tmp_path):
    found = members(made_bundle(tmp_path))
    manifest = json.loads(found["manifest.json"])
    before = copy.deepcopy(manifest)
    spoiled()[name](manifest)
    assert manifest != before
    found["manifest.json"] = json.dumps(manifest).encode()
    said = list(problems(found))
    assert said
    assert all(re.match(r"manifest\.json ", line) for line in said)


@pytest.mark.parametrize("name", SCHEMA_OF)
def test_a_member_with_a_field_that_nobody_described_is_not(name, tmp_path):
    found = members(made_bundle(tmp_path))
    name = name.replace("*", "1")
    found.setdefault("run/layout.json", _LAYOUT)
    found.setdefault("checks/export-rerun-1.json", _CHECK)
    if schema_of(name) in ("checklist", "env-vars"):
        spoiled = [{"colour": 1}] if name == "checklist.json" else {"colour": 1}
    else:
        first = found[name].splitlines()[0] if name.endswith("l") else found[name]
        spoiled = {**json.loads(first), "colour": "red"}
    assert list(problems({name: found[name]})) == []
    assert list(problems({name: json.dumps(spoiled).encode()})) != []


_LAYOUT = b'{"cwd": ".", "elsewhere": [], "files": {}, "folders": []}'
_CHECK = b'{"environment": "current", "metrics": {}, "reason": "", "verdict": "FAILED"}'
