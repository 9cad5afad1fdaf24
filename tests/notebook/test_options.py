"""The line of `%%track`: what it says, and how slips in it are answered."""

from __future__ import annotations

import pytest

from nbtrack.errors import OptionError
from nbtrack.notebook.options import parse_options
from nbtrack.tracked.options import evaluate_params


def test_every_option_is_read():
    options = parse_options(
        "base -p lr=.1 -p betas=(0.9, 0.99) -t first -t 'data: mnist' -g folds "
        "-m val_loss:min --watch loss acc --no-live --no-watch --notes 'two words' "
        "--seed 7 --experiment digits"
    )
    assert options.name == "base"
    assert options.params == {"lr": ".1", "betas": "(0.9, 0.99)"}
    assert options.tags == ("first", "data: mnist")
    assert options.group == "folds"
    assert options.goals == {"val_loss": "min"}
    assert options.watch == ("loss", "acc")
    assert (options.live, options.zero_edit) == (False, False)
    assert (options.notes, options.seed) == ("two words", 7)
    assert options.experiment == "digits"


def test_an_empty_line_means_the_defaults():
    options = parse_options("")
    assert options.name is None
    assert options.live
    assert options.zero_edit
    assert options.params == {}


def test_long_forms_take_their_value_after_an_equals_sign():
    options = parse_options("--group=folds --tag=a --param=lr=0.1 '--notes=a b'")
    assert (options.group, options.tags) == ("folds", ("a",))
    assert options.params == {"lr": "0.1"}


def test_watch_takes_words_commas_and_repeats():
    assert parse_options("--watch a b").watch == ("a", "b")
    assert parse_options("--watch a,b --watch c -t x").watch == ("a", "b", "c")


def test_a_comment_after_the_options_is_ignored():
    assert parse_options("base # second try").name == "base"
    assert parse_options("-t '#1'").tags == ("#1",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--tga x", "Did you mean --tag?"),
        ("--frobnicate", "Known: "),
        ("-g a -g b", "-g was given twice"),
        ("--group a -g b", "-g was given twice"),
        ("-p lr=1 -p lr=2", "'lr' was given twice"),
        ("-p lr", "write -p lr=0.1"),
        ("-p =3", "write -p lr=0.1"),
        ("-p lr=", "write -p lr=0.1"),
        ("-p 3x=1", "write -p lr=0.1"),
        ("-p", "needs a value"),
        ("-p -t x", "needs a value"),
        ("base second", "Two names: base and second"),
        ("lr=.1", "write -p lr=.1"),
        ("base lr=.1", "write -p lr=.1"),
        ("-m val_loss", "-m val_loss:min"),
        ("-m val_loss:low", "-m val_loss:min"),
        ("-m a:min -m a:max", "'a' was given twice"),
        ("--seed x", "'x'"),
        ("--seed -1", "'-1'"),
        ("--seed 99999999999", "99999999999"),
        ("--no-live=1", "takes no value"),
        ("--no-live --no-live", "given twice"),
        ("--alert high", "'loss > 10'"),
        ("--notes 'open", "Unclosed quote"),
        ("-p a=(1", "Unclosed bracket"),
    ],
)
def test_a_slip_is_answered_in_one_line(line, says):
    with pytest.raises(OptionError) as caught:
        parse_options(line)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_alerts_are_asked_for_one_by_one_and_go_to_the_trials_of_a_sweep():
    from nbtrack.notebook.sweep_magic import asked_of

    line = "--alert 'loss > 10' --alert \"stalled  10m\" --alert finished"
    assert parse_options(line).alerts == ("loss > 10", "stalled 10m", "finished")
    asked = asked_of("lr=[1]", "loss = lr", {}, line)
    assert parse_options(" ".join(asked.options)).alerts[0] == "loss > 10"


def test_params_are_python_values_with_their_types():
    typed = {"lr": ".1", "n": "3", "opt": "'adam'", "f": "None", "d": "{'a': [1, 2]}"}
    assert evaluate_params(typed, {}) == {
        "lr": 0.1,
        "n": 3,
        "opt": "adam",
        "f": None,
        "d": {"a": [1, 2]},
    }


def test_params_may_use_the_users_names():
    assert evaluate_params({"lr": "base * 2"}, {"base": 0.5}) == {"lr": 1.0}


@pytest.mark.parametrize("word", ["adam", "resnet-18", "mnist/raw", "v1.2b"])
def test_a_bare_word_that_is_no_variable_is_text(word):
    assert evaluate_params({"opt": word}, {"lr": 1}) == {"opt": word}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("learning_rat", "Did you mean learning_rate?"),
        ("1 +", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("learning_rate.x", "AttributeError"),
        ("nothing[3]", "NameError"),
    ],
)
def test_a_bad_param_names_the_text_and_the_way_out(text, says):
    with pytest.raises(OptionError, match=r"Bad -p lr=") as caught:
        evaluate_params({"lr": text}, {"learning_rate": 0.1})
    assert says in str(caught.value)
    assert "Text wants quotes" in str(caught.value)
