"""A registered model in use: its parts, and one call that goes through them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbtrack.errors import ModelError
from nbtrack.tracking.models.signature import Signature, check

MODEL, PREPROCESSOR, SELECTOR = "model", "preprocessor", "selector"


class LoadedModel:
    """What `nbtrack.models.load` gives: `.model`, `.preprocessor`, `.selector`.

    `parts` has all of them by role, in the order in which they are used; `signature`
    says what `predict` takes.
    """

    def __init__(
        self, ref: str, parts: Mapping[str, Any], signature: Signature | None
    ) -> None:
        self.ref = ref
        self.parts = parts
        self.signature = signature

    @property
    def model(self) -> Any:
        """The model itself."""
        return self.parts.get(MODEL)

    @property
    def preprocessor(self) -> Any:
        """What comes before the model, or None."""
        return self.parts.get(PREPROCESSOR)

    @property
    def selector(self) -> Any:
        """The feature mask, or None."""
        return self.parts.get(SELECTOR)

    def predict(self, data: Any) -> Any:
        """Select, preprocess and predict, after checking the data's columns.

        Raises
        ------
        ModelError
            When a column is missing or has another type, or nothing can predict.
        """
        if self.signature is not None:
            check(self.signature, data)
            data = _in_order(data, self.signature)
        for role, part in self.parts.items():
            if role == SELECTOR:
                data = _selected(part, data)
            elif role == PREPROCESSOR:
                data = (
                    part.transform(data) if hasattr(part, "transform") else part(data)
                )
        return _predicted(self.model, data, self.ref)

    def __repr__(self) -> str:
        return f"<LoadedModel {self.ref}: {', '.join(self.parts)}>"


def _in_order(data: Any, signature: Signature) -> Any:
    """A table's columns as the model knows them; other data as it is."""
    names = [column.name for column in signature.inputs if column.name]
    if not names or not hasattr(data, "columns"):
        return data
    return data[[name for name in names if name in data.columns]]


def _selected(selector: Any, data: Any) -> Any:
    """By a mask, by indices, by names, or by what can transform."""
    if hasattr(selector, "transform"):
        return selector.transform(data)
    chosen = selector.tolist() if hasattr(selector, "tolist") else list(selector)
    if hasattr(data, "loc"):
        is_named = all(isinstance(one, str) for one in chosen)
        return data[chosen] if is_named else data.iloc[:, _places(chosen)]
    return data[:, _places(chosen)]


def _places(chosen: list[Any]) -> list[int]:
    if all(isinstance(one, bool) for one in chosen):
        return [place for place, kept in enumerate(chosen) if kept]
    return chosen


def _predicted(model: Any, data: Any, ref: str) -> Any:
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        was_training = model.training
        model.eval()
        try:
            with torch.no_grad():
                return model(data)
        finally:
            model.train(was_training)
    if hasattr(model, "predict"):
        return model.predict(_as_booster_takes(model, data))
    if callable(model):
        return model(data)
    raise ModelError(
        f"{ref} holds a {type(model).__name__}, which predicts nothing by itself. For "
        "the weights of a torch module, pass the module: load(..., into=module)."
    )


def _as_booster_takes(model: Any, data: Any) -> Any:
    import sys

    xgboost = sys.modules.get("xgboost")
    if xgboost is not None and isinstance(model, xgboost.Booster):
        return data if isinstance(data, xgboost.DMatrix) else xgboost.DMatrix(data)
    return data
