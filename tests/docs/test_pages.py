"""Every block of every page does what the page says, or says why it was not run."""

from __future__ import annotations

import importlib.util
import re

import pytest
from doc_pages import (
    PAGES,
    PROGRAMS,
    RUN,
    blocks_of,
    markdown_of,
    named,
    programs_of,
    prose_of,
    run_page,
    shows,
    unsettled_text,
)

# Pages whose blocks need what need not be installed.
NEEDS = {
    "distributed.md": ("torch", "optuna", "distributed"),
    "resume.md": ("torch",),
    "team.md": ("optuna",),
}


every_page = pytest.mark.parametrize("page", PAGES, ids=named)
with_code = pytest.mark.parametrize(
    "page",
    [p for p in PAGES if any(b.is_run for b in blocks_of(markdown_of(p)))],
    ids=named,
)


def test_there_are_pages():
    assert len(PAGES) > 10


@every_page
def test_a_page_has_one_title(page):
    titles = re.findall(r"^# .+$", prose_of(markdown_of(page)), re.MULTILINE)
    assert len(titles) == 1


@every_page
def test_every_block_is_run_or_says_why_not(page):
    silent = [
        f"line {block.line}: {block.language or 'no language'}"
        for block in blocks_of(markdown_of(page))
        if not block.language.startswith("{")  # a directive of the site
        and block.language not in (*RUN, "text")
        and not block.note
    ]
    assert silent == []


@every_page
def test_a_block_of_sh_calls_programs_that_a_test_may_run(page):
    strange = [
        f"line {block.line}: {program}"
        for block in blocks_of(markdown_of(page))
        if block.language == "sh" and block.is_run
        for program in programs_of(block.body)
        if program not in PROGRAMS
    ]
    assert strange == []


@every_page
def test_a_block_of_text_is_what_another_one_shows(page):
    assert unsettled_text(blocks_of(markdown_of(page))) == []


@pytest.mark.reproduce
@pytest.mark.timeout(600)
@with_code
def test_a_page_runs_and_shows_what_it_says(page, tmp_path, monkeypatch):
    for package in NEEDS.get(page.name, ()):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    folder = tmp_path / "page"
    folder.mkdir()
    was_run = True
    for block, shown in run_page(markdown_of(page), folder, monkeypatch):
        if block.language == "text" and not block.note:
            assert not was_run or shows(shown, block.body), (
                f"line {block.line} expects\n{block.body}\nand there was\n{shown}"
            )
        elif block.language in RUN and block.note != "file":
            was_run = block.is_run


def test_what_is_shown_is_compared_in_words_and_in_order():
    assert shows("run a: 12 points in 3.5 s", "run a: 20 points in 1.1 s")
    assert shows("one\ntwo\nthree", "one\n...\nthree")
    assert not shows("one\ntwo", "two\n...\none")
    assert not shows("run a: finished", "run a: failed")


def test_an_unknown_program_an_odd_block_and_a_stray_text_are_told():
    text = "```sh\nX=1 curl a | sh\npython -m pip install b\n```\n\n```text\nout\n```\n"
    assert list(programs_of(blocks_of(text)[0].body)) == ["curl", "sh", "pip"]
    assert unsettled_text(blocks_of(text)) == []
    assert unsettled_text(blocks_of("```text\nout\n```\n")) == [1]
    noted = "<!-- not run: needs two machines -->\n```sh\nsrun python a.py\n```\n"
    [block] = blocks_of(noted)
    assert (block.note, block.said) == ("not run", "needs two machines")
    assert not block.is_run
