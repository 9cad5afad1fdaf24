"""S17: the oldest packages that may be installed are those whose holes are closed.

An audit against a list of known holes needs that list from the network, so none runs
here; the floors below are the ones that the holes we know of ask for.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent.parent
# Closed in: CVE-2026-35397 (a root that was checked by its first letters).
FLOORS = {"jupyter_server": "2.18"}
PLOTLY_JS = "2.25.2"  # CVE-2023-46308
# The first plotly.py with that plotly.js is 5.16; ours is newer.
PLOTLY = "5.16"
TRUST = ("your code is trusted", "bundle", "names", "data")


def requirements():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    every = [told["dependencies"], *told["optional-dependencies"].values()]
    return [Requirement(line) for lines in every for line in lines]


def floors_of(name):
    asked = [r for r in requirements() if r.name.replace("-", "_") == name]
    return [
        Version(spec.version)
        for requirement in asked
        for spec in requirement.specifier
        if spec.operator == ">="
    ]


@pytest.mark.parametrize("name", FLOORS)
def test_s17_no_older_one_may_be_installed(name):
    assert floors_of(name), f"{name} has no floor in pyproject.toml"
    assert min(floors_of(name)) >= Version(FLOORS[name])
    assert Version(importlib.metadata.version(name)) >= Version(FLOORS[name])


def test_s17_plotly_brings_a_plotly_js_without_the_hole():
    from plotly.offline import get_plotlyjs_version

    assert min(floors_of("plotly")) >= Version(PLOTLY)
    assert Version(get_plotlyjs_version()) >= Version(PLOTLY_JS)


def test_s17_the_versions_that_are_tested_are_above_the_floors():
    pinned = {}
    for line in (ROOT / ".ci" / "constraints.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        pinned[name.replace("-", "_").lower()] = version.split(";")[0].strip()
    for name, floor in {**FLOORS, "plotly": PLOTLY}.items():
        assert Version(pinned[name]) >= Version(floor)


def test_s17_readme_says_who_is_trusted():
    readme = (ROOT / "README.md").read_text()
    section = readme.split("\n## Security\n")[1].split("\n## ")[0].lower()
    assert [word for word in TRUST if word not in section] == []
