"""What the file says of the interface: all of it, and what is answered fits."""

from __future__ import annotations

import copy
import json
import re
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, Phase, given, settings
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
# These let go of what the others ask for.
LAST = ["delete /nbtrack/jobs/{job}", "post /nbtrack/jobs"]
OPERATIONS.sort(key=LAST.__contains__)
FEW, MANY = 6, 500
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


OF_RUNS = ("run", "runs", "selected", "pinned", "baseline", "ids", "a", "b")


def with_known(told, known, name=""):
    """What is asked with, among the ids that there are; else all but hits nothing."""
    if isinstance(told, list):
        return [with_known(each, known, name) for each in told]
    if not isinstance(told, dict):
        return told
    is_text = told.get("type") in ("string", ["string", "null"])
    if is_text and "enum" not in told and name in known:
        return {"enum": known[name]}
    name = told["name"] if "schema" in told and "in" in told else name
    return {
        key: value
        if key == "responses"
        else with_known(value, known, name if key in ("items", "schema") else key)
        for key, value in told.items()
    }


@pytest.fixture(scope="module")
def known(server, filled):
    """What can be named by what parts of a question, and what is not there."""

    import requests

    def said(path, **body):
        how = {"headers": server.headers, "json": body, "timeout": 60}
        return requests.post(f"{server.url}/nbtrack/{path}", **how).json()

    job = said("jobs", kind="script", run=filled.runs[-1])["job"]
    token = said("compare", messages=[{"type": "hello"}])["conversation"]
    runs = [*filled.runs, "0" * 13]
    return {
        **dict.fromkeys(OF_RUNS, runs),
        "digest": [*filled.digests, "0" * 64],
        "job": [job, "0" * 16],
        "store": [filled.id],
        "stores": [filled.id, "0" * 16],
        "conversation": [token, "0" * 16, None],
        "name": ["fraud", "base", "\N{GRINNING FACE}\0"],
        "version": ["1.0.0", "latest"],
        "metric": ["loss", "acc <b>", ""],
        "x": ["step", "time", "relative", "i", "loss", ""],
        "sort": ["loss", "-best.loss", "name", "nothing"],
        "group": ["params.lr", "name", "nothing", ""],
        "query": ["loss < 1", "name == 'base'", "((", "lr in", "\0", "status"],
        "source": ["x = 1", "%%track\nloss = 1", "\0", "password = 'hunter2'"],
    }


@pytest.fixture(scope="module")
def operations(filled, known):
    """What can be asked, by its name in the file."""
    import schemathesis  # 0.6 s, which not every process of tests needs

    told = copy.deepcopy(WRITTEN)
    del told["security"]  # the token comes with each request
    told["paths"] = with_known(told["paths"], known)
    parts = told["components"]
    parts["parameters"] = with_known(parts["parameters"], known)
    for name in ("CompareState", "ToKernel"):
        parts["schemas"][name] = with_known(parts["schemas"][name], known)
    for path, ids in (("sparks", filled.runs), ("cells", filled.cells)):
        [asked] = told["paths"][f"/nbtrack/{path}"]["get"]["parameters"]
        asked["schema"] = {"enum": [*ids, ",".join(ids), "0" * 13]}
    schema = schemathesis.openapi.from_dict(told)
    found = [result.ok() for result in schema.get_all_operations()]
    return {f"{each.method.lower()} {each.path}": each for each in found}


def checks():
    """What is held of every answer."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    return [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
    ]


def hold(server, operation, n, *, mode, **how):
    """Ask `n` times at random; each answer fits, and none is an error of the server."""
    held = checks()

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
        case.validate_response(answer, checks=held)

    asked()


def modes(operation):
    """As the file says, and not so, where there is something that can be wrong."""
    from schemathesis import GenerationMode

    parts = (operation.path_parameters, operation.query, operation.body)
    is_open = any(len(part) for part in parts)
    return [GenerationMode.POSITIVE, *[GenerationMode.NEGATIVE] * is_open]


@pytest.mark.parametrize("name", OPERATIONS)
def test_s02_what_is_asked_at_random_is_answered_as_the_file_says(
    server, operations, name
):
    operation = operations[name]
    for mode in modes(operation):
        hold(server, operation, FEW, mode=mode, derandomize=True)


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", OPERATIONS)
def test_s02_what_is_asked_500_times_is_answered_as_the_file_says(
    server, operations, name
):
    operation = operations[name]
    for mode in modes(operation):
        hold(server, operation, MANY, mode=mode)
