"""What the real frameworks need to be imported and used without a network."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"  # read when keras is imported
os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# Warnings of the frameworks about themselves and one another; ours stay errors.
_THEIRS = (
    *("lightning", "pytorch_lightning", "lightning_fabric", "lightning_utilities"),
    *("torch", "torchmetrics", "keras", "transformers", "accelerate", "datasets"),
    *("xgboost", "lightgbm", "shap", "numba", "tensorboard", "jaxlib", "multiprocess"),
)
_schemas = []  # a library of operators lasts as long as somebody holds it


def _declare_operators_of_torchvision() -> None:
    """Let `import torchvision` succeed beside a torch that it was not built for.

    Lightning and Transformers import it where it is installed. Its compiled operators
    are then missing, and it stops at the first of them; no test here uses any.
    """
    import torch

    if importlib.util.find_spec("torchvision") is None:
        return
    if "torchvision" in str(torch.ops.__dict__) or hasattr(
        torch.ops.torchvision, "nms"
    ):
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _schemas.append(library)


def pytest_collection_modifyitems(items):
    """These warnings are let through for the tests of this folder alone."""
    for item in items:
        if item.path.parent == FOLDER:
            for name in _THEIRS:
                item.add_marker(pytest.mark.filterwarnings(f"ignore:::{name}"))


if importlib.util.find_spec("torch") is not None:
    _declare_operators_of_torchvision()


@pytest.fixture(autouse=True)
def _no_hooks_left():
    """What a test has switched on or off is so no longer."""
    yield
    from nbtrack.tracking.autolog import hooks

    hooks.forget()
