"""The notebooks that bundles are measured on are notebooks, and varied; some play."""

from __future__ import annotations

import ast
import difflib
import itertools
import re

import pytest
from bundles.mutators import MUTATORS, NONE, mutated
from bundles.notebooks_here import MAGIC, notebook, notebooks, says_a_seed
from bundles.reproduced import all_outcomes, first_difference, table
from slices.corpus import Session

ALIKE_AT_MOST = 0.5
QUICK = ("markov_weather", "naive_bayes_words", "monte_carlo_pi")  # no large import
_MAGIC_LINE = re.compile(r"^\s*[%!].*$", re.MULTILINE)


def text_of(session: Session) -> str:
    return "\n".join(step.text for step in session.cells)


def test_there_are_many_notebooks_of_the_size_that_people_write():
    assert len(notebooks()) >= 30
    assert {s.name for s in notebooks() if not 6 <= len(s.cells) <= 15} == set()
    assert [s.name for s in notebooks() if not s.trap.endswith(".")] == []


def test_each_is_python_but_for_its_magics():
    for session in notebooks():
        for step in session.cells:
            ast.parse(_MAGIC_LINE.sub("", step.text))


def test_the_last_cell_alone_is_tracked_and_has_a_loop():
    for session in notebooks():
        tracked = [s.text.startswith(MAGIC) for s in session.cells]
        assert tracked == [False] * (len(tracked) - 1) + [True], session.name
        body = session.cells[-1].text.partition("\n")[2]
        loops = [n for n in ast.walk(ast.parse(body)) if isinstance(n, ast.For)]
        loops += [n for n in ast.walk(ast.parse(body)) if isinstance(n, ast.While)]
        assert loops, session.name


def test_no_two_are_near_copies():
    lines = {
        s.name: [line.strip() for line in text_of(s).splitlines() if line.strip()]
        for s in notebooks()
    }
    alike = []
    for one, other in itertools.combinations(lines, 2):
        found = difflib.SequenceMatcher(None, lines[one], lines[other], autojunk=False)
        if found.quick_ratio() > ALIKE_AT_MOST and found.ratio() > ALIKE_AT_MOST:
            alike.append((one, other))
    assert alike == []


def test_most_have_no_seed_and_some_have_what_lay_there_before():
    unseeded = [s for s in notebooks() if not says_a_seed(s)]
    assert len(unseeded) > len(notebooks()) / 2
    files = [name for s in notebooks() for name in s.files]
    endings = {name.rpartition(".")[2] for name in files}
    assert endings >= {"py", "json", "csv"}


def test_a_mutator_gives_the_same_session_for_the_same_draw():
    for session, name in itertools.product(notebooks(), MUTATORS):
        made = [mutated(session, name, draw=draw) for draw in (0, 1, 2, 3)]
        assert made == [mutated(session, name, draw=draw) for draw in (0, 1, 2, 3)]
        assert any(one is not None and one != session for one in made), session.name
        for one in made:
            if one is not None:
                assert one.cells[-1] == session.cells[-1]


def test_a_point_that_differs_or_is_missing_is_seen():
    def points(*values):
        return {"loss": [1, [[k, v.hex()] for k, v in enumerate(values)]]}

    assert first_difference(points(0.5, 0.1), points(0.5, 0.1)) == ""
    assert "loss[1]" in first_difference(points(0.5, 0.1), points(0.5, 0.1 + 2e-17))
    assert "1 points" in first_difference(points(0.5, 0.1), points(0.5))
    assert "one of them" in first_difference(points(0.5), {})
    assert "nothing" in first_difference({}, {})
    thinned = {"loss": [2, [[0, (0.5).hex()], [2, (0.1).hex()]]]}
    assert first_difference(thinned, points(0.5, 0.3, 0.1)) == ""
    assert "ends with" in first_difference(thinned, points(0.5, 0.3))
    assert "nothing" in first_difference(points(0.5), points(0.1), ["loss"])


@pytest.mark.timeout(100)
@pytest.mark.reproduce
def test_some_play_are_exported_and_come_out_the_same_elsewhere():
    first, *others = QUICK
    outcomes = all_outcomes([notebook(name) for name in others], (NONE,))
    outcomes += all_outcomes([notebook(first)], ("edited",))
    assert [o.is_proven and o.is_identical for o in outcomes] == [True] * 3, table(
        outcomes
    )
