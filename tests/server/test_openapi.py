"""What the file says of the interface: all of it, and what is answered fits."""

from __future__ import annotations

import copy
import json
import re
from importlib.resources import files

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from server.real_server import filled_store, real_server
from tornado.web import RequestHandler

from nbtrack.server.handlers import ROUTES

WRITTEN = json.loads(files("nbtrack.server").joinpath("openapi.json").read_text())
OPERATIONS = [
    f"{method} {path}"
    for path, item in WRITTEN["paths"].items()
    for method in item
    if method != "parameters"
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW, MANY = 10, 500
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def methods_of(handler):
    """Those that a handler has of its own; of `prepare` that refuses all, none."""
    return [
        method
        for method in METHODS
        if getattr(handler, method) is not getattr(RequestHandler, method)
        and "nbtrack" in getattr(handler, method).__module__
    ]


def test_every_route_and_method_is_in_the_file_and_no_other():
    def form(path):
        return re.sub(r"\(.*?\)|\{.*?\}", "*", path)

    have = {(form(r), m) for r, handler in ROUTES for m in methods_of(handler)}
    told = {(form(path), method) for method, path in map(str.split, OPERATIONS)}
    assert told == have


def test_the_patterns_in_the_file_are_those_of_the_routes():
    parameters = WRITTEN["components"]["parameters"]
    for route, handler in ROUTES:
        groups = re.findall(r"\((.*?)\)", route)
        for path in WRITTEN["paths"]:
            names = re.findall(r"\{(.*?)\}", path)
            if methods_of(handler) and re.sub(r"\{.*?\}", "*", path) == re.sub(
                r"\(.*?\)", "*", route
            ):
                told = [parameters[name]["schema"]["pattern"] for name in names]
                assert told == [f"^{group}$" for group in groups]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    with filled_store(tmp_path_factory.mktemp("notebooks")) as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory, filled):
    home = tmp_path_factory.mktemp("home")
    with real_server(home, filled.path.parent, filled.path) as running:
        yield running


# Properties and parameters that stand for runs, metrics and models, as plain texts.
OF_RUNS = {"run", "runs", "selected", "pinned", "baseline", "ids"}


def with_known(told, known, name=""):
    """The same with the ids that there are among those that could be."""
    if isinstance(told, list):
        return [with_known(each, known, name) for each in told]
    if not isinstance(told, dict):
        return told
    there = known.get(told.get("pattern", name if told == {"type": "string"} else ""))
    if there:
        return {"anyOf": [{"enum": there}, told]}
    name = told["name"] if "schema" in told and "in" in told else name
    return {
        key: with_known(value, known, name if key in ("items", "schema") else key)
        for key, value in told.items()
    }


@pytest.fixture(scope="module")
def operations(filled):
    """What can be asked, by its name in the file."""
    parameters = WRITTEN["components"]["parameters"]
    patterns = {name: one["schema"]["pattern"] for name, one in parameters.items()}
    known = {
        patterns["run"]: filled.runs,
        patterns["digest"]: filled.digests,
        patterns["job"]: [filled.id],
        **dict.fromkeys(OF_RUNS, filled.runs),
        "name": ["fraud"],
        "version": ["1.0.0"],
        "metric": ["loss", "acc <b>"],
    }
    told = with_known(copy.deepcopy(WRITTEN), known)
    del told["security"]  # the token comes with each request
    for path, many in (("sparks", filled.runs), ("cells", filled.cells)):
        [asked] = told["paths"][f"/nbtrack/{path}"]["get"]["parameters"]
        asked["schema"] = {"anyOf": [{"const": ",".join(many)}, asked["schema"]]}
    schema = schemathesis.openapi.from_dict(told)
    found = [result.ok() for result in schema.get_all_operations()]
    return {f"{each.method.lower()} {each.path}": each for each in found}


def hold(server, operation, n, *, mode, **how):
    """Ask `n` times at random; each answer fits, and none is an error of the server."""

    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        **how,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case):
        answer = case.call(base_url=server.url, headers=server.headers)
        case.validate_response(answer, checks=CHECKS)

    asked()


def modes(operation):
    """As the file says, and not so, where there is something that can be wrong."""
    parts = (operation.path_parameters, operation.query, operation.body)
    is_open = any(len(part) for part in parts)
    return [GenerationMode.POSITIVE, *[GenerationMode.NEGATIVE] * is_open]


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_asked_at_random_is_answered_as_the_file_says(server, operations, name):
    operation = operations[name]
    for mode in modes(operation):
        hold(server, operation, FEW, mode=mode, derandomize=True)


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_asked_often_is_answered_as_the_file_says(server, operations, name):
    operation = operations[name]
    for mode in modes(operation):
        hold(server, operation, MANY, mode=mode)
