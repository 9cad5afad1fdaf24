"""Environments as values: grouped, and compared."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.analysis import environment_view
from nbtrack.analysis.environment_view import (
    Environment,
    compare,
    diff_environment,
    environment,
    environment_of,
)
from nbtrack.errors import RunNotFoundError
from nbtrack.records import Fact


def test_a_runs_environment_is_grouped(store_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    with nbtrack.start("base"):
        pass
    found = environment()
    assert found["python"]["version"].startswith("3.")
    assert found["env"]["TZ"] == "UTC"
    assert found["packages"]["ipython"]
    assert "container.kind" in {**found.facts, **found.missing}
    assert list(found)[-1] == "packages"
    assert len(found) == len(list(found))
    assert "python.version = 3." in repr(found)


def test_two_runs_are_compared(store_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with nbtrack.start("a") as run:
        pass
    run.record()
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setenv("TZ", "UTC")
    with nbtrack.start("b"):
        pass
    found = diff_environment("a", "b")
    assert found.facts == {"env.OMP_NUM_THREADS": ("1", None), "env.TZ": (None, "UTC")}
    assert (found.added, found.removed, found.changed) == ({}, {}, {})
    assert not diff_environment("a", "a")


def test_a_run_is_compared_with_now(store_path, monkeypatch):
    with nbtrack.start("a"):
        pass
    assert repr(diff_environment("a")) == "the same environment"
    with_more = environment("now")
    more = {**with_more.packages, "extra": "9"}
    more["ipython"], numpy = "0.1", more.pop("numpy")
    changed = Environment(with_more.groups, more, with_more.missing)
    monkeypatch.setattr(environment_view, "_of_this_process", lambda: changed)
    found = diff_environment("a")
    assert found.added == {"extra": "9"}
    assert found.removed == {"numpy": numpy}
    assert found.changed == {"ipython": (with_more.packages["ipython"], "0.1")}
    assert f"- numpy {numpy}" in repr(found)


def test_what_only_one_was_asked_is_no_difference():
    first = environment_of([Fact("numerics.torch.threads", 2)], "")
    second = environment_of([Fact("seed.torch", 3)], "")
    assert not compare(first, second)


def test_a_value_against_a_missing_one_is_a_difference():
    first = environment_of([Fact("gpu.0.name", "Some GPU")], "")
    second = environment_of([Fact("gpu.0.name", missing="no driver")], "")
    assert compare(first, second).facts == {"gpu.0.name": ("Some GPU", None)}
    assert repr(compare(first, second)) == "gpu.0.name: Some GPU -> not known"


def test_hostile_text_is_shown_as_escapes():
    found = environment_of([Fact("container.image", "x\x1b[31m\nroot")], "")
    assert repr(found).splitlines()[0] == "container.image = x\\x1b[31m\\nroot"


def test_a_long_diff_is_cut():
    many = "\n".join(f"p{n}==1" for n in range(100))
    assert repr(compare(environment_of([], ""), environment_of([], many))).endswith(
        "… and 60 more"
    )


def test_an_unknown_run_is_an_error(store_path):
    with nbtrack.start("a"):
        pass
    with pytest.raises(RunNotFoundError):
        environment("nothing")
