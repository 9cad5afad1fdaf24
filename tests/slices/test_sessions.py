"""The corpus of tricky sessions: slices are right, small, and never falsely proven."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Sequence

import pytest
from slices import peers
from slices.brute_force import same_series, smallest
from slices.corpus import GROUP_OF, GROUPS, Session, Truths, notebook, sessions
from slices.evaluation import (
    PLAY_CELLS,
    Verdict,
    differs,
    judge,
    size_over_minimum,
)
from slices.farm import Job, run_jobs
from slices.tables import failures, provable, table

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("torch", "sklearn")),
    reason="the sessions use torch and scikit-learn",
)

RIGHT_AT_LEAST = 0.98
SIZE_AT_MOST = 1.05
PROVEN, HOPELESS = ("magic_cd", "rng_unseeded_numpy"), "time_now"
ALL = sessions()
TRUTHS = Truths.read().by_name


def one_of_each_group() -> list[Session]:
    """What the default suite has time for; all are judged under `fuzz`."""
    by_group: dict[str, list[Session]] = {}
    for session in random.Random(0).sample(ALL, len(ALL)):
        if session.provable == "yes":
            by_group.setdefault(GROUP_OF[session.kind], []).append(session)
    return [found[0] for found in by_group.values()]


def show(text: str) -> None:
    print(f"\n{text}")


def check_right(found: Sequence[Verdict]) -> None:
    asked = provable(found)
    show(failures(found, TRUTHS))
    assert sum(v.right for v in asked) >= RIGHT_AT_LEAST * len(asked)


def check_size(found: Sequence[Verdict]) -> None:
    asked = provable(found)
    size = size_over_minimum(asked, TRUTHS)
    assert size is not None
    assert size <= SIZE_AT_MOST


def test_the_corpus_has_every_trap_and_the_truth_of_each():
    kinds = {session.kind for session in ALL}
    assert {kind for kinds in GROUPS.values() for kind in kinds} == kinds
    assert len(ALL) >= 72
    unknown = [s.name for s in ALL if s.provable == "yes" and s.name not in TRUTHS]
    assert not unknown
    for name, truth in TRUTHS.items():
        if truth.minimal is not None:
            session = next(s for s in ALL if s.name == name)
            assert truth.minimal[-1] == len(session.cells)


def test_the_notebook_is_its_last_executions_in_its_own_order():
    session = next(s for s in ALL if s.name == "out_of_order")
    assert notebook(session) == [2, 5, 4, 6]


def test_the_smallest_subset_is_found_whatever_undoes_what():
    def right(positions):
        # 2 and 3 undo each other; 1 and 9 are needed; 4 to 8 do nothing
        return {1, 9} <= set(positions) and (2 in positions) == (3 in positions)

    assert smallest([1, 2, 3, 9], right) == ([1, 9], True)
    assert smallest([1, 2, 3, 4, 5, 6, 7, 8, 9], right) == ([1, 9], True)


def test_a_replay_that_differs_by_a_bit_or_lacks_a_point_is_no_replay():
    recorded, counts = {"loss": {0: 0.5, 1: 0.1}}, {"loss": 2}
    assert differs(recorded, counts, {"loss": [0.5, 0.1]}) == ""
    assert "loss[1]" in differs(recorded, counts, {"loss": [0.5, 0.1 + 2e-17]})
    assert "points" in differs(recorded, counts, {"loss": [0.5]})
    assert "nothing to compare" in differs(recorded, counts, {"acc": [0.5, 0.1]})


@pytest.fixture(scope="module")
def sample() -> list[Verdict]:
    """Judged at once: the process that the sessions are forked from takes a while."""
    wanted = {s.name for s in one_of_each_group()} | set(PROVEN) | {HOPELESS}
    found = [s for s in ALL if s.name in wanted]
    return judge(found, prove=[*PROVEN, HOPELESS])


@pytest.mark.reproduce
@pytest.mark.timeout(300)
def test_slices_of_a_sample_of_every_group_are_right(sample):
    check_right(sample)


@pytest.mark.timeout(300)
def test_a_proof_says_proven_of_what_replays_and_unproven_of_what_cannot(sample):
    outcomes = {v.session.name: v.outcome for v in sample if v.outcome is not None}
    assert outcomes == dict.fromkeys(PROVEN, "PROVEN") | {HOPELESS: "UNPROVEN"}
    assert not any(v.falsely_verified for v in sample)


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
def test_all_slices_are_right_and_none_is_falsely_proven():
    found = judge(ALL, prove={s.name for s in ALL}, record_s=300)
    show(table({"nbtrack": found}, TRUTHS))
    assert [v.session.name for v in found if v.falsely_verified] == []
    check_right(found)
    asked = provable(found)
    left = [v.session.name for v in asked if not v.right_after_ladder]
    assert left == []
    never = [v for v in found if v.session.provable == "no"]
    assert {v.outcome for v in never} == {"UNPROVEN"}


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.xfail(strict=True, reason="1.07: the grain is a value, not a part of it")
def test_slices_are_hardly_larger_than_they_must_be():
    check_size(judge(ALL))


@pytest.mark.fuzz
@pytest.mark.timeout(600)
def test_the_truth_of_a_sample_is_found_again_by_brute_force():
    from slices.brute_force import truth_of

    small = [s for s in ALL if s.provable == "yes" and len(s.cells) <= 6]
    for session in random.Random(4).sample(small, 5):

        def play(positions, session=session, **how):
            given = {"session": session, "positions": positions, **how}
            return run_jobs([Job(0, PLAY_CELLS, given)])[0].value

        found = truth_of(session, play)
        known = TRUTHS[session.name]
        assert len(found["minimal"] or []) == len(known.minimal or []), session.name


@pytest.mark.peers
@pytest.mark.timeout(3600)
def test_slices_are_right_more_often_than_those_of_others():
    ours = judge(ALL)
    methods = {"nbtrack": ours}
    kept = {
        "Run-All": {s.name: peers.run_all(s) for s in ALL},
        "may-mutate": {s.name: peers.static_may_mutate(s) for s in ALL},
    }
    if python := peers.ipyflow_python():
        kept["ipyflow"] = ipyflow_slices(python)
    for name, slices in kept.items():
        methods[name] = judged_like(ours, slices, stop=name == "Run-All")
    show(table(methods, TRUTHS))
    right = {n: sum(v.right for v in provable(f)) for n, f in methods.items()}
    assert right["nbtrack"] == max(right.values())


def ipyflow_slices(python: str) -> dict[str, list[int]]:
    function = "slices.peers.ipyflow_slice"
    jobs = [Job(s.name, function, {"session": s}) for s in ALL]
    answers = run_jobs(jobs, python=python)
    # Where it fails to answer it keeps the tracked cell alone.
    return {s.name: answers[s.name].value or [len(s.cells)] for s in ALL}


def judged_like(
    ours: Sequence[Verdict], kept: dict[str, list[int]], *, stop: bool
) -> list[Verdict]:
    """The verdicts on what a peer keeps, by the metrics that our runs recorded."""
    jobs = []
    for verdict in ours:
        session = verdict.session
        given = {"session": session, "positions": kept[session.name], "stop": stop}
        jobs.append(Job(session.name, PLAY_CELLS, given, timeout_s=20))
    answers = run_jobs(jobs)
    return [
        peer_verdict(verdict, kept[verdict.session.name], answers[verdict.session.name])
        for verdict in ours
    ]


def peer_verdict(ours: Verdict, kept: list[int], answer) -> Verdict:
    why, recorded = answer.error or "", ours.recorded
    if not recorded:
        why = "not recorded"
    elif answer.value is not None:
        got = answer.value
        why = differs(recorded["series"], recorded["counts"], got["series"])
        if new := sorted(set(got["raised"]) - set(recorded["raised"])):
            why = f"cells {new} raise"
    return Verdict(ours.session, right=not why, kept=kept, why=why)


def test_series_are_the_same_to_the_bit_and_nan_equals_itself():
    nan = float("nan")
    assert same_series({"a": [nan, 1.0]}, {"a": [nan, 1.0]})
    assert not same_series({"a": [1.0]}, {"a": [1.0, 1.0]})
