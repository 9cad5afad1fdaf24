"""Turns what the user assigned into a float, without ever waiting for a device.

Numbers of Python, numpy and other libraries and one-element CPU tensors are converted
at once. A scalar on a device becomes `Later`: its clone, made on the device's own
stream, is read when the device is done. torch is looked up, never imported.
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Values of these are passed over in silence: a flag or a name is no failed metric.
_QUIET_TYPES = (bool, str, bytes, type(None))
# Immutable device arrays of these packages are kept as they are and read later.
_DEFERRED_PACKAGES = frozenset({"jax", "jaxlib", "tensorflow", "mlx"})


@dataclass(frozen=True, slots=True)
class Later:
    """A scalar that lives on a device; `ready()` never waits, `read()` may."""

    read: Callable[[], float]
    ready: Callable[[], bool | None]  # None: the device does not tell


@dataclass(frozen=True, slots=True)
class NotScalar:
    """Something that can be no point of a curve, and what it is; empty: keep silent."""

    what: str


Reading = float | Later | NotScalar


def read_value(value: Any) -> Reading:  # Any: whatever the user assigned
    """A float, a promise of one, or why not.

    >>> read_value(3), read_value([1, 2]), read_value("low")
    (3.0, NotScalar(what='list'), NotScalar(what=''))
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, _QUIET_TYPES) or (callable(value) and not _is_number(value)):
        return NotScalar("")
    if hasattr(type(value), "detach") and hasattr(type(value), "device"):
        return _read_tensor(value)
    if hasattr(type(value), "shape"):
        return _read_array(value)
    return _read_object(value)


def entries_of(value: Any, name: str) -> dict[Any, Any] | None:
    """The parts of a dict, a named tuple, or a tuple called `metrics`.

    >>> entries_of((0.5, 0.9), "train_metrics"), entries_of((0.5, 0.9), "losses")
    ({'0': 0.5, '1': 0.9}, None)
    """
    if isinstance(value, dict):
        return value
    if not isinstance(value, tuple):
        return None
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    if "metric" in name.lower():
        return {str(index): part for index, part in enumerate(value)}
    return None


def _is_number(value: Any) -> bool:
    # Tensors of some libraries and micrograd-like values may be callable as well.
    return hasattr(type(value), "__float__") or "data" in getattr(value, "__dict__", ())


def _read_tensor(tensor: Any) -> Reading:
    if _is_symbolic(type(tensor)):
        return NotScalar("")
    if tensor.numel() != 1:
        return NotScalar(f"tensor of shape {tuple(tensor.shape)}")
    place = tensor.device.type
    if place == "cpu":
        number = tensor.detach().item()
        return read_value(number) if isinstance(number, int | float) else NotScalar("")
    if place == "meta" or _is_capturing(place):
        return NotScalar("")
    return _read_later(tensor)


def _is_symbolic(kind: type) -> bool:
    """Stand-ins of tracers and compilers have no value; asking one would raise."""
    return any(
        word in base.__name__
        for base in kind.__mro__
        for word in ("FakeTensor", "FunctionalTensor", "Tracer", "Proxy")
    )


def _is_capturing(place: str) -> bool:
    """Inside a CUDA graph capture a clone would become part of the user's graph."""
    torch = sys.modules.get("torch")
    if place != "cuda" or torch is None or not torch.cuda.is_initialized():
        return False
    return bool(torch.cuda.is_current_stream_capturing())


def _read_later(tensor: Any) -> Later:
    kept = tensor.detach().clone()  # on the tensor's stream: later changes do not show
    event = _event_on(kept)
    ready = (lambda: None) if event is None else event.query
    return Later(lambda: float(kept.item()), ready)


def _event_on(tensor: Any) -> Any:
    """A mark behind the clone on its stream; None where the device has none."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(tensor, torch.Tensor) or not tensor.is_cuda:
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(tensor.device))
    return event


def _read_array(array: Any) -> Reading:
    kind = type(array)
    if _is_symbolic(kind):
        return NotScalar("")
    shape = tuple(array.shape)
    if any(size != 1 for size in shape):
        return NotScalar(f"{kind.__name__} of shape {shape}")
    if kind.__module__.partition(".")[0] in _DEFERRED_PACKAGES:
        return Later(lambda: float(array), getattr(array, "is_ready", lambda: None))
    if not hasattr(array, "item") or getattr(array.dtype, "kind", "f") not in "fiu":
        return NotScalar("")
    return float(array.item())


def _read_object(value: Any) -> Reading:
    if isinstance(value, numbers.Number) or type(value).__module__ == "decimal":
        # complex has no order, so no curve
        return NotScalar("complex") if isinstance(value, complex) else float(value)
    inner = _plain_data(value)
    if inner is not None and not isinstance(inner, _QUIET_TYPES):
        return read_value(inner) if inner is not value else NotScalar("")
    return NotScalar(type(value).__name__)


def _plain_data(value: Any) -> Any:
    """`.data` of a hand-written autograd value, read without running its code."""
    own = getattr(value, "__dict__", {})
    if "data" in own:
        return own["data"] if _is_leaf(own["data"]) else None
    slot = next(
        (k.__dict__["data"] for k in type(value).__mro__ if "data" in k.__dict__), None
    )
    if type(slot).__name__ != "member_descriptor":
        return None
    data = getattr(value, "data", None)
    return data if _is_leaf(data) else None


def _is_leaf(data: Any) -> bool:
    return isinstance(data, int | float) or hasattr(type(data), "shape")
