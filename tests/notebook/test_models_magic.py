"""`%models` in a real shell: tables, a version's page, changes, slips."""

from __future__ import annotations

import pandas as pd
import pytest
from IPython.core.error import UsageError

import nbtrack
from nbtrack.errors import ModelError, ModelNotFoundError, OptionError
from nbtrack.notebook.models_magic import models_magic

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m"


@pytest.fixture(autouse=True)
def _nothing_captured(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


@pytest.fixture
def registered():
    """Three versions, each from a run; the second one is in production."""
    for n, loss in enumerate((0.5, 0.2, 0.4)):
        with nbtrack.start(f"run-{n}") as run:
            run.log(loss=loss)
            run.log_artifact({"n": n}, "net", type="model")
        frame = pd.DataFrame({"age": [1], "sum": [0.5]})
        nbtrack.models.register(run, "fraud", data=(frame, [1.0]), by="ada")
    for line in ("approve fraud@1.1.0 fine", "promote fraud@1.1.0 staging try it",
                 "promote fraud@1.1.0 production 'go'"):  # fmt: skip
        models_magic(line)


def test_the_models_their_versions_and_what_happened_are_tables(registered):
    nbtrack.models.register({"w": 1}, "other")
    every = models_magic("")
    assert [line.split() for line in repr(every).splitlines()] == [
        ["name", "n", "versions", "latest", "production"],
        ["fraud", "3", "1.2.0", "1.1.0"],
        ["other", "1", "1.0.0"],
    ]
    one = models_magic("fraud")
    assert one.df["stage"].tolist() == ["development", "production", "development"]
    assert "1.1.0    production" in repr(one)
    happened = models_magic("events fraud")
    assert happened.df["why"].tolist()[-3:] == ["fine", "try it", "go"]
    assert len(happened) == 6


def test_a_version_is_shown_with_its_signature_and_history(registered):
    for line in ("show fraud@production", "fraud@1.1.0"):
        text = repr(models_magic(line))
        assert text.splitlines()[0] == "fraud@1.1.0 · production"
        assert "nbtrack.models.load('fraud@1.1.0')" in text
        assert "input  age  int[n]" in text
        assert "output  float[n]" in text
        assert "staging → production" in text
    assert "approve(...) is needed" in repr(models_magic("fraud@1.0.0"))


def test_one_metric_is_compared_over_the_versions(registered):
    found = models_magic("compare fraud loss")
    assert found.df["is_best"].tolist() == [False, True, False]
    assert found.df["is_worst"].tolist() == [True, False, False]
    assert models_magic("compare fraud loss --goal max").df["is_best"].tolist()[0]
    with pytest.raises(OptionError, match="min or max"):
        models_magic("compare fraud loss --goal up")


def test_a_version_is_promoted_and_rolled_back_by_words(registered, shell, capsys):
    shell.run_cell("%load_ext nbtrack")
    for line in ("approve fraud@1.2.0 looked at it", "alias fraud@1.2.0 champion",
                 "promote fraud@champion production better --force",
                 "rollback fraud 'too slow'", "note fraud@1.0.0 the first one",
                 "unalias fraud champion"):  # fmt: skip
        shell.run_line_magic("models", line)
    said = capsys.readouterr().out
    assert "fraud@1.2.0 is in production now" in said
    assert "fraud@1.1.0 is back in production" in said
    assert "fraud@champion is fraud@1.2.0 now" in said
    kept = nbtrack.models.versions("fraud").set_index("version")
    assert kept["stage"].tolist() == ["development", "production", "archived"]
    assert kept.at["1.0.0", "notes"] == "the first one"
    models_magic("rollback fraud back again --to 1.2.0")
    assert nbtrack.models.find("fraud@production").version == "1.2.0"
    with pytest.raises(UsageError, match="not approved"):
        shell.run_line_magic("models", "promote fraud@1.0.0 production now --force")


def test_a_card_is_shown_as_markdown(registered):
    card = models_magic("card fraud@production")
    assert card._repr_markdown_() == nbtrack.models.card("fraud@1.1.0") == str(card)


def test_text_of_people_is_shown_as_text():
    made = nbtrack.models.register({"w": 1}, "toy", notes=HOSTILE, by=HOSTILE)
    nbtrack.models.edit("toy", description=HOSTILE)
    nbtrack.models.approve(made.ref, note=HOSTILE)
    for line in ("", "toy", "toy@1.0.0", "events toy"):
        shown = models_magic(line)
        assert "<img" not in shown._repr_html_(), line
        assert "\x1b" not in repr(shown) + shown._repr_html_(), line


def test_slips_are_named(registered):
    for line, said in (
        ("promote fraud@1.0.0 staging", "Write %models promote NAME@VERSION STAGE WHY"),
        ("rollback fraud", "Write %models rollback NAME WHY"),
        ("show fraud other", "Write %models show NAME@VERSION"),
        ("fraud other", "takes one model"),
        ("fraud --force", "--force goes with %models promote"),
        ("promote fraud@1.0.0 staging x --to 1.0.0", "--to goes with %models rollback"),
        ("--forse", "Did you mean --force"),
    ):
        with pytest.raises(OptionError, match=said):
            models_magic(line)
    with pytest.raises(ModelNotFoundError, match="Did you mean fraud"):
        models_magic("frau")
    with pytest.raises(ModelError, match="Did you mean staging"):
        models_magic("promote fraud@1.0.0 stagin why")


def test_an_empty_registry_says_how_to_begin(store):
    assert "nbtrack.models.register" in repr(models_magic(""))
    assert models_magic("")._repr_html_().startswith("<div>no models yet")
