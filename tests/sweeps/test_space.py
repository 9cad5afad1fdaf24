"""What a space says, and what is said where it says nothing."""

from __future__ import annotations

import pytest

from nbtrack.errors import OptionError
from nbtrack.sweeps.condition import parse_condition
from nbtrack.sweeps.space import parse_axis, parse_space

optuna = pytest.importorskip("optuna")


def labels(text, **names):
    return [choice.label for choice in parse_axis("x", text, names).choices]


def test_numbers_keep_their_types_and_words_are_text():
    found = labels("[32, .5, True, None, adam, 'a b']")
    assert found == [32, 0.5, True, None, "adam", "a b"]
    assert [type(label) for label in found[:3]] == [int, float, bool]


def test_one_and_true_and_one_point_zero_are_three_values():
    assert labels("[1, True, 1.0, 1]") == [1, "True", "1.0"]


def test_an_expression_in_a_list_is_written_into_the_cell_as_it_was_typed():
    [relu, sizes] = parse_axis("act", "[nn.ReLU, (64, 32)]").choices
    assert (relu.label, relu.code) == ("nn.ReLU", "nn.ReLU")
    assert (sizes.label, sizes.code, sizes.value) == ("(64, 32)", "(64, 32)", (64, 32))


def test_names_of_the_notebook_stand_in_ranges_and_for_lists():
    axis = parse_axis("lr", "log(low, 10 * low)", {"low": 0.01})
    assert (axis.low, axis.high, axis.log) == (0.01, 0.1, True)
    assert labels("sizes", sizes=[8, 16]) == [8, 16]
    assert labels("range(2, 8, 2)") == [2, 4, 6]


def test_numpy_arrays_are_lists_of_plain_numbers():
    numpy = pytest.importorskip("numpy")
    [axis] = parse_space({"x": numpy.array([1, 2])}).axes
    assert [type(choice.label) for choice in axis.choices] == [int, int]


def test_distributions_of_optuna_are_taken():
    space = parse_space(
        {
            "lr": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
            "n": optuna.distributions.IntDistribution(2, 8, step=2),
            "opt": optuna.distributions.CategoricalDistribution(["adam", "sgd"]),
        }
    )
    lr, n, opt = space.axes
    assert (lr.kind, lr.log, n.kind, n.grid()) == ("float", True, "int", [2, 4, 6, 8])
    assert [choice.label for choice in opt.choices] == ["adam", "sgd"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("log(1e-1, 1e-4)", "is inverted: 0.1 is above 0.0001"),
        ("uniform(1, 1)", "is empty: both ends are 1"),
        ("[]", "is empty"),
        ("log(0, 1)", "begins above 0"),
        ("int(1, 2.5)", "whole numbers"),
        ("step(0, 1)", "has no step"),
        ("step(0, 1, 2)", "the step is 2"),
        ("log(1, 10, step=2)", "has no step; n=5"),
        ("uniform(0, 1e999)", "finite"),
        ("unifrom(0, 1)", "Did you mean uniform?"),
        ("0.1", "says no values: write x=log"),
        ("log(1", "says no values"),
        ("uniform(0, 1) if opt = 3", "cannot be read"),
        ("uniform(0, 1) if opt == f()", "may only compare; it has Call"),
        ("uniform(0, 1) if opz == 3", "Did you mean opt?"),
    ],
)
def test_a_slip_is_said_with_the_value_and_the_way_out(text, said):
    with pytest.raises(OptionError, match=r"x|condition") as raised:
        parse_axis("x", text, known=["opt"])
    assert said in str(raised.value)


def test_an_empty_space_and_a_bad_name_are_refused():
    with pytest.raises(OptionError, match="The space is empty"):
        parse_space({})
    with pytest.raises(OptionError, match="is no name"):
        parse_space({"l r": [1]})


def test_the_grid_has_each_combination_once_and_leaves_out_what_is_not_there():
    space = parse_space(
        {"opt": ["adam", "sgd"], "m": "[0, .9] if opt == 'sgd'", "n": "int(1, 2)"}
    )
    grid = space.grid()
    assert len(grid) == 2 + 2 * 2
    assert {"opt": "adam", "n": 1} in grid
    assert {"opt": "sgd", "m": 0.9, "n": 2} in grid


def test_a_grid_of_a_range_without_steps_is_refused_with_the_way_out():
    with pytest.raises(OptionError, match="n=5"):
        parse_space({"lr": "log(1e-4, 1e-1)"}).grid()
    assert len(parse_space({"lr": "log(1e-4, 1e-1, 4)"}).grid()) == 4
    with pytest.raises(OptionError, match="more than 100,000 points"):
        parse_space({"a": "int(1, 99999)", "b": "int(1, 99999)"}).grid()


def test_steps_meet_both_ends_in_spite_of_rounding():
    assert parse_axis("x", "step(0, 0.3, 0.1)").grid() == [0.0, 0.1, 0.2, 0.3]


def test_conditions_may_ask_for_dotted_names_and_never_run_anything():
    condition = parse_condition("config.opt in ('sgd', 'lars')", ["config.opt"])
    assert condition.holds({"config.opt": "lars"})
    assert not condition.holds({})
    assert not parse_condition("n > 3", ["n"]).holds({"n": "a text"})
    with pytest.raises(OptionError, match="may only compare"):
        parse_condition("__import__('os')", ["n"])
