"""Which checkpoints stay: words, ties, NaN, missing metrics, budgets."""

from __future__ import annotations

import math

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.errors import OptionError
from nbtrack.tracking.checkpoint_policy import (
    KeepPolicy,
    Saved,
    decide,
    family_of,
    keep_text,
    parse_budget,
    parse_keep,
)


def saved_with(*losses, name="mlp", size=10):
    """One save for each loss; None: nothing was logged."""
    return [
        Saved(name, f"{name}{n}", size, n, {} if loss is None else {"loss": loss})
        for n, loss in enumerate(losses)
    ]


def left(saved, keep, budget=None, goals=None):
    given_up = decide(saved, KeepPolicy(parse_keep(keep), budget), goals)
    gone = {each.saved.digest for each in given_up}
    return [each.step for each in saved if each.digest not in gone]


def test_each_word_keeps_what_it_says():
    saved = saved_with(5.0, 1.0, 4.0, 2.0, 3.0)
    assert left(saved, "best") == [1]
    assert left(saved, "last") == [4]
    assert left(saved, "top3") == [1, 3, 4]
    assert left(saved, "best,last,top2") == [1, 3, 4]
    assert left(saved, "every:2") == [0, 2, 4]
    assert left(saved, "all,best") == [0, 1, 2, 3, 4]


def test_a_goal_of_the_run_and_a_named_metric_decide():
    saved = [Saved("m", str(n), 1, n, {"loss": n, "zz": n % 3}) for n in range(5)]
    assert left(saved, "best") == [0]
    assert left(saved, "best", goals={"loss": "max"}) == [4]
    assert left(saved, "best:zz", goals={"zz": "max"}) == [2]


def test_of_equals_the_older_is_best_and_nan_is_the_worst():
    assert left(saved_with(2.0, 1.0, 1.0, math.nan), "best") == [1]
    assert left(saved_with(math.nan, 3.0), "best") == [1]
    assert left(saved_with(math.nan, math.nan), "best") == [0]


def test_nothing_goes_while_nobody_can_tell_which_is_best():
    assert left(saved_with(None, None, None), "best") == [0, 1, 2]
    assert left(saved_with(1.0, 2.0), "best:val_los") == [0, 1]
    assert left(saved_with(None, 2.0, None), "best") == [1]


def test_a_content_stays_while_one_of_its_saves_does():
    first, second = saved_with(1.0, 2.0)
    again = Saved("mlp", first.digest, 10, 2, {"loss": 3.0})
    assert (
        decide([first, second, again], KeepPolicy(parse_keep("last")))[0].saved
        == second
    )


def test_a_budget_takes_the_worst_and_then_the_oldest_but_no_best_or_last():
    saved = saved_with(5.0, 1.0, 4.0, 2.0, 3.0)
    assert left(saved, "all", budget=30) == [1, 3, 4]
    assert left(saved, "all", budget=1) == [1, 4]
    assert left(saved, "last", budget=1) == [4]
    assert left(saved_with(None, None, None), "all", budget=20) == [1, 2]
    assert [g.why for g in decide(saved, KeepPolicy(budget_bytes=40))] == ["budget"]


def test_files_that_a_framework_names_by_their_moment_are_one_thing():
    names = [f"epoch={n}-step={n * 10}-val_loss=0.{n}" for n in range(3)]
    saved = [Saved(name, name, 1, n, {}) for n, name in enumerate(names)]
    assert left(saved, "last") == [2]
    assert family_of("checkpoint-500") == family_of("checkpoint-1000")
    assert family_of("resnet18") != family_of("resnet50")
    assert family_of("fold=1-epoch=2") != family_of("fold=2-epoch=2")


@pytest.mark.parametrize(
    ("words", "hint"),
    [("bset", "Did you mean best"), ("top0", "topN"), ("every:0", "every:N"),
     ("", "empty"), ("last:loss", "unknown"), ("tpo3", "Did you mean top3")],
)  # fmt: skip
def test_an_unknown_word_says_what_there_is(words, hint):
    with pytest.raises(OptionError, match=hint):
        parse_keep(words)


def test_a_budget_is_a_size():
    assert parse_budget("5 GB") == 5 << 30
    for wrong in ("much", 0):
        with pytest.raises(OptionError):
            parse_budget(wrong)


losses = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
rules = st.lists(
    st.sampled_from(["best", "last", "top1", "top3", "every:2", "every:5"]),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(losses, min_size=1, max_size=12), rules, st.integers(1, 200))
def test_whatever_comes_what_is_asked_for_stays(values, words, budget):
    saved = saved_with(*values)
    for limit in (None, budget):
        stays = left(saved, words, budget=limit)
        assert stays, "nothing is left"
        assert stays == left([s for s in saved if s.step in stays], words, limit)
        finite = [(v, n) for n, v in enumerate(values) if v is not None and v == v]
        if finite and {"best", "top1", "top3"} & set(words):
            assert min(finite)[1] in stays
        if "last" in words:
            assert len(values) - 1 in stays
        if limit is not None and len(stays) > 2:
            assert 10 * len(stays) <= limit
    assert parse_keep(keep_text(parse_keep(words))) == parse_keep(words)
