"""Every link of a document points at something: a file, a heading, a test."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from doc_pages import DOCUMENTS, ROOT, markdown_of, named, prose_of

_LINK = re.compile(r"(?<!\\)\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_BARE = re.compile(r"\bhttp://[^\s)>`\"']+")
_TITLE = re.compile(r"^#{1,6} +(.+?)(?: +#+)?$", re.MULTILINE)
_TARGET = re.compile(r"^\(([\w-]+)\)=$", re.MULTILINE)  # of MyST
_CODE = re.compile(r"(`+)(?:.*?[^`])?\1(?!`)", re.DOTALL)
_TEST = re.compile(r"\[`?(test_\w+)`?\]\(([^)#\s]+\.py)\)")
_HERE = re.compile(r"^(?:/|~|file:|[A-Za-z]:[\\/])")
# Addresses that stand for one's own server in an example.
_LOCAL = re.compile(r"http://(?:localhost|127\.0\.0\.1|host|[\w.-]+\.lab)(?=[:/]|$)")


class Link(NamedTuple):
    """One link: where it stands and where it leads."""

    document: Path
    target: str

    def __str__(self) -> str:
        return f"{named(self.document)}: {self.target}"


def links_of(document: Path, text: str) -> list[Link]:
    """What it links to; what stands in code is no link."""
    prose = _CODE.sub("", prose_of(text))
    targets = [*_LINK.findall(prose), *_REFERENCE.findall(prose)]
    return [Link(document, target) for target in targets]


def slug_of(title: str) -> str:
    """The anchor of a heading, as code hosts make it.

    >>> slug_of("What is `kept`, where?"), slug_of("A [link](x.md) → there")
    ('what-is-kept-where', 'a-link--there')
    """
    shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")


@cache
def anchors_of(document: Path) -> frozenset[str]:
    """All places in a document that a link can name; the second of a name is `-1`."""
    prose = prose_of(markdown_of(document))
    found = set(_TARGET.findall(prose))
    for title in _TITLE.findall(prose):
        slug, n = slug_of(title), 0
        while (slug if n == 0 else f"{slug}-{n}") in found:
            n += 1
        found.add(slug if n == 0 else f"{slug}-{n}")
    return frozenset(found)


def trouble_of(link: Link) -> str | None:
    """What is wrong with a link; None where nothing is. No network is asked."""
    if re.match(r"[a-z][a-z0-9+.-]*:", link.target, re.IGNORECASE):
        plain = link.target.startswith("http:") and not _LOCAL.match(link.target)
        return "is not https" if plain or _HERE.match(link.target) else None
    if _HERE.match(link.target):
        return "is a place on one machine"
    path, _, anchor = link.target.partition("#")
    file = (link.document.parent / path).resolve() if path else link.document
    if not file.is_relative_to(ROOT) or not file.exists():
        return "is not there"
    if anchor and file.suffix in {".md", ".ipynb"} and anchor not in anchors_of(file):
        return f"has no heading #{anchor}"
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_points_at_something(document):
    links = links_of(document, markdown_of(document))
    found = {str(link): trouble for link in links if (trouble := trouble_of(link))}
    assert found == {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_no_address_is_plain_http_but_ones_own(document):
    addresses = _BARE.findall(markdown_of(document))
    assert [a for a in addresses if not _LOCAL.match(a)] == []


def test_a_test_that_is_linked_stands_in_that_file():
    linked = [
        (name, (document.parent / path).resolve())
        for document in DOCUMENTS
        for name, path in _TEST.findall(markdown_of(document))
    ]
    assert linked
    missing = [
        (name, named(file))
        for name, file in linked
        if not re.search(rf"^def {name}\(", file.read_text("utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_links_that_lead_nowhere_are_told(tmp_path):
    page = ROOT / "notebooks" / "page.md"
    text = (
        "[a](gone.md) [b](../README.md#five-lines) [c](../README.md#gone) [d](/etc/x)\n"
        "[e](http://example.org) [f](http://localhost:8888/lab) `[g](code.md)`\n"
        "![h](i.png)\n"
        "[j](../../elsewhere.md)\n\n[k]: ~/notes.md\n"
    )
    troubles = {link.target: trouble_of(link) for link in links_of(page, text)}
    fine = {target for target, trouble in troubles.items() if trouble is None}
    assert fine == {"../README.md#five-lines", "http://localhost:8888/lab"}
    assert len(troubles) == 9


def test_anchors_are_those_that_code_hosts_make():
    assert slug_of("Does it slow my loop?") == "does-it-slow-my-loop"
    assert slug_of("`%%track`, and what then?") == "track-and-what-then"
    assert "what-is-kept-where" in anchors_of(ROOT / "README.md")
