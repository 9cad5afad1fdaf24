from __future__ import annotations

import pytest

from nbtrack.analysis.families import headline
from nbtrack.metric_names import goal_of, split_role
from nbtrack.records import MetricSummary


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", ("loss", "")),
        ("train_loss", ("loss", "train")),
        ("val_loss", ("loss", "val")),
        ("loss/val", ("loss", "val")),
        ("validation.acc", ("acc", "val")),
        ("Test F1", ("F1", "test")),
        ("training", ("training", "")),
        ("value_loss", ("value_loss", "")),
        ("trainable", ("trainable", "")),
        ("eval_loss", ("loss", "val")),
    ],
)
def test_a_name_is_a_family_and_a_role(name, expected):
    assert split_role(name) == expected


def _summary(name, n=3, n_nan=0):
    return MetricSummary(name, goal_of(name), n, 1.0, 2, 0.5, 1, 2.0, 2, n_nan)


def test_validation_metrics_make_the_headline_before_training_ones():
    names = ["loss", "lr", "train_acc", "val_loss", "val_acc"]

    assert headline(map(_summary, names)) == ["val_acc", "val_loss"]


def test_a_metric_without_goal_or_number_makes_no_headline():
    assert headline([_summary("lr"), _summary("loss", n=2, n_nan=2)]) == []
