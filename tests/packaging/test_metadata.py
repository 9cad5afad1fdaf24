"""What an index shows of nbtrack, read from the built wheel."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

import nbtrack

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^)\s]+)\)")
CORE_MAX = 9
# Optional, whoever wants it: torch alone may be 5.5 GB.
NEVER_CORE = {
    "torch",
    "torchvision",
    "plotly",
    "jupyterlab",
    "jupyter-server",
    "optuna",
}


@pytest.fixture
def told(wheel):
    """The metadata, each field checked by the rules of packages."""
    from packaging.metadata import Metadata

    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        return Metadata.from_email(archive.read(name), validate=True)


def test_the_lock_file_names_no_registry():
    lock = json.loads((ROOT / "labextension/package-lock.json").read_text())
    assert [p for p in lock["packages"].values() if "resolved" in p] == []


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_metadata_are_complete_and_valid(told):
    assert told.name == "nbtrack"
    assert str(told.version) == nbtrack.__version__
    assert told.license_expression == "BSD-3-Clause"
    assert told.license_files == ["LICENSE"]
    assert str(told.requires_python) == ">=3.11"
    assert told.summary
    assert told.keywords
    assert "Typing :: Typed" in told.classifiers
    # None exists yet, and an address that leads nowhere is worse than none.
    assert not told.project_urls
    assert not told.home_page


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_core_dependencies_are_few_and_bounded_below_alone(told):
    core = [one for one in told.requires_dist if one.marker is None]
    assert 0 < len(core) <= CORE_MAX
    assert {one.name for one in core} & NEVER_CORE == set()
    for one in told.requires_dist:
        assert all(bound.operator in {">=", "=="} for bound in one.specifier), one
    for one in core:
        assert [bound.operator for bound in one.specifier] == [">="], one


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_long_description_is_readme_without_links_that_lead_nowhere(told):
    from markdown_it import MarkdownIt

    assert told.description_content_type == "text/markdown"
    shown = MarkdownIt().enable("table").parse(told.description)
    tokens = [token for block in shown for token in (block, *(block.children or ()))]
    places = [token.attrGet("href") or token.attrGet("src") for token in tokens]
    relative = [p for p in places if p and not re.match(r"[a-z]+:|#", str(p))]
    assert relative == []
    for picture, text, _ in LINK.findall(README):
        assert picture or text in told.description
    headings = [line for line in README.splitlines() if line.startswith("## ")]
    assert [h for h in headings if h not in told.description] == []
