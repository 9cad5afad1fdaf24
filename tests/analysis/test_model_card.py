"""FEATURES, group F: the model card has what the store knows, and marks the rest."""

from __future__ import annotations

import pandas as pd
import pytest

import nbtrack
from nbtrack.analysis.model_card import TO_BE_WRITTEN, plain

FRAME = pd.DataFrame({"age": [1, 2], "sum": [0.5, 1.5]})


@pytest.fixture
def card(store_path, plain_surroundings):
    for seed, loss in enumerate((0.30, 0.32, 0.28)):
        with nbtrack.start(
            "base", params={"lr": 0.1, "seed": seed}, group="seeds", off="environment"
        ) as run:
            run.log_input(FRAME, "train")
            run.log(val_loss=loss, step=7)
            logged = run.log_artifact({"w": seed}, "net", type="model")
        run.record()
    nbtrack.models.register(
        logged.ref, "fraud", data=FRAME, notes="the first", by="ada"
    )
    nbtrack.models.approve("fraud", note="looked at <b>all</b> | mistakes", by="bob")
    return nbtrack.models.card("fraud@1.0.0")


def test_a_card_has_config_metrics_with_ci_data_and_history(card):
    assert card.startswith("# fraud\n\nthe first\n")
    assert "| lr | 0.1 | call |" in card
    group = [0.30, 0.32, 0.28]
    assert plain(str(nbtrack.mean_ci(group))) in card
    assert "| val\\_loss | 0.28 | 7 |" in card
    [told] = nbtrack.open().inputs(nbtrack.open().run("base").id)
    assert f"| train | dataframe | 2 | {told.digest[:16]} |" in card
    assert "| input | age | int | n |" in card
    assert "approved" in card
    assert "bob" in card


def test_limits_and_ethics_are_marked_as_to_be_written(card):
    for title in ("Intended use", "Limits", "Ethical considerations"):
        assert f"## {title}\n\n{TO_BE_WRITTEN}" in card


def test_hostile_text_stays_text(card):
    assert "<b>" not in card.replace("\\<", "")
    assert "looked at \\<b\\>all\\</b\\> \\| mistakes" in card
    assert plain("\x1b[31m[x](javascript:a)") == (
        "\\\\x1b\\[31m\\[x\\]\\(javascript\\:a\\)"
    )


def test_a_model_without_a_run_says_what_is_not_known(store_path):
    nbtrack.models.register({"w": 1}, "toy")
    card = nbtrack.models.card("toy")
    assert "| Run | not known |" in card
    assert "No run of this model logged metrics." in card
