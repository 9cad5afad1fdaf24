"""`wandb.sklearn`: what a model of scikit-learn is worth, logged at once to the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbtrack.compat.wandb import plot
from nbtrack.compat.wandb.desk import run_for


def plot_confusion_matrix(
    y_true: Any = None,
    y_pred: Any = None,
    labels: Sequence[str] | None = None,
    true_labels: Any = None,
    pred_labels: Any = None,
    normalize: bool = False,
) -> None:
    """Log how often each class was taken for which, as `confusion_matrix`."""
    chart = plot.confusion_matrix(y_true=y_true, preds=y_pred, class_names=labels)
    run_for("sklearn.plot_confusion_matrix").log({"confusion_matrix": chart})


def plot_roc(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    plot_micro: bool = True,
    plot_macro: bool = True,
    classes_to_plot: Any = None,
) -> None:
    """Log a ROC curve for each class, as `roc`."""
    chart = plot.roc_curve(y_true, y_probas, labels)
    run_for("sklearn.plot_roc").log({"roc": chart})


def plot_precision_recall(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    plot_micro: bool = True,
    classes_to_plot: Any = None,
) -> None:
    """Log precision against recall for each class, as `precision_recall`."""
    chart = plot.pr_curve(y_true, y_probas, labels)
    run_for("sklearn.plot_precision_recall").log({"precision_recall": chart})


def plot_feature_importances(
    model: Any = None,
    feature_names: Sequence[str] | None = None,
    title: str = "Feature Importance",
    max_num_features: int = 50,
) -> None:
    """Log how much each feature mattered to a fitted estimator."""
    run = run_for("sklearn.plot_feature_importances")
    run.live.log_importance(model, feature_names, name="feature_importances")


def plot_classifier(
    model: Any,
    X_train: Any,
    X_test: Any,
    y_train: Any,
    y_test: Any,
    y_pred: Any,
    y_probas: Any,
    labels: Sequence[str],
    is_binary: bool = False,
    model_name: str = "Classifier",
    feature_names: Sequence[str] | None = None,
    log_learning_curve: bool = False,
) -> None:
    """Log its importances, confusion matrix, ROC and precision-recall curves."""
    if hasattr(model, "feature_importances_") or hasattr(model, "coef_"):
        plot_feature_importances(model, feature_names)
    plot_confusion_matrix(y_test, y_pred, labels)
    plot_roc(y_test, y_probas, labels)
    plot_precision_recall(y_test, y_probas, labels)
