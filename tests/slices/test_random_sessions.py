"""Random sessions: whatever was executed, the slice's script gives the same values."""

from __future__ import annotations

import pytest
from slices.corpus import Session, parse
from slices.evaluation import judge, kept_fraction
from slices.random_sessions import as_text, made

pytestmark = pytest.mark.reproduce


def check_soundness(found: list[Session]) -> None:
    verdicts = [v for v in judge(found) if measured(v)]
    assert len(verdicts) > len(found) / 2  # the others died before their first value
    wrong = [v for v in verdicts if not v.right]
    for verdict in wrong:
        print(f"{verdict.why}: kept {verdict.kept}\n{as_text(verdict.session)}")
    print(f"{len(verdicts)} sessions, {kept_fraction(verdicts):.2f} of the cells kept")
    assert [v.session.name for v in wrong] == []


def measured(verdict) -> bool:
    """Whether the tracked cell came to a value before it raised, if it did."""
    return not verdict.recorded or bool(verdict.recorded["series"])


def test_a_random_session_is_the_same_for_its_seed_and_reads_as_it_is_written():
    session = made(3)
    assert session == made(3) != made(4)
    read = parse(session.name, as_text(session))
    assert [(s.text, s.id) for s in read.steps] == [
        (s.text, s.id) for s in session.steps
    ]


@pytest.mark.timeout(300)
def test_slices_of_random_sessions_replay_to_the_same_values():
    check_soundness([made(seed) for seed in range(12)])


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
def test_slices_of_many_random_sessions_replay_to_the_same_values():
    check_soundness([made(seed) for seed in range(1000, 1300)])
