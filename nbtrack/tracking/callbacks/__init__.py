"""Callbacks for training loops, one module per framework, and the table of them.

`import nbtrack` reads the table, and offers these callbacks under their own names; so
nothing is imported here but for types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nbtrack.tracking.callbacks.huggingface import (
        TransformersCallback as TransformersCallback,
    )
    from nbtrack.tracking.callbacks.keras import KerasCallback as KerasCallback
    from nbtrack.tracking.callbacks.lightgbm import LightGBMCallback as LightGBMCallback
    from nbtrack.tracking.callbacks.lightning import (
        LightningCallback as LightningCallback,
    )
    from nbtrack.tracking.callbacks.torch import TorchCallback as TorchCallback
    from nbtrack.tracking.callbacks.xgboost import XGBoostCallback as XGBoostCallback


class Framework(NamedTuple):
    """What stands in the module of a framework, which has the framework's name."""

    callback: str | None  # None: there is a hook alone
    awaits: tuple[str, ...]  # the modules whose import its hook waits for; (): no hook


FRAMEWORKS = {
    # Parts of the package, which loads them when they are asked for.
    "huggingface": Framework(
        "TransformersCallback", ("transformers.trainer", "transformers.modeling_utils")
    ),
    "keras": Framework("KerasCallback", ("keras",)),
    "lightgbm": Framework("LightGBMCallback", ("lightgbm",)),
    "lightning": Framework(
        "LightningCallback", ("lightning.pytorch", "pytorch_lightning")
    ),
    "sklearn": Framework(None, ("sklearn",)),
    "torch": Framework("TorchCallback", ()),
    "xgboost": Framework("XGBoostCallback", ("xgboost",)),
}
HOMES = {
    framework.callback: f"{__name__}.{name}"
    for name, framework in FRAMEWORKS.items()
    if framework.callback is not None
}
