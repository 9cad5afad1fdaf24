"""What counts as a metric value, and its float.

`as_number` accepts what a person would call one number: Python and numpy scalars, 0-d
or one-element tensors and arrays, Decimal and Fraction. It never guesses from text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbtrack.errors import ValueNotLoggedError
from nbtrack.text import shorten

_NOT_NUMBERS = (str, bytes, bytearray, complex)


def as_number(name: str, value: Any) -> float:
    """The float of `value`; ints beyond 2**53 are rounded as `float()` rounds them.

    Parameters
    ----------
    name : str
        The metric, for the message.
    value : Any
        A scalar of any library.

    Raises
    ------
    ValueNotLoggedError
        When the value is no single real number; the message names it.

    Examples
    --------
    >>> as_number("loss", True), as_number("loss", 3)
    (1.0, 3.0)
    """
    if isinstance(value, _NOT_NUMBERS) or value is None:
        raise _refusal(name, value)
    try:
        # One-element tensors and arrays of any library have item(); calling it first
        # avoids numpy's deprecated float(array of one).
        return float(value.item()) if hasattr(value, "item") else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as exc:
        raise _refusal(name, value) from exc


def whole_step(step: Any) -> int:
    """A step as int; numpy integers and whole floats are steps too.

    Raises
    ------
    ValueNotLoggedError
        For anything else; the message says what to do with fractions.

    Examples
    --------
    >>> whole_step(3.0)
    3
    """
    number = as_number("step", step)
    if not number.is_integer():
        raise ValueNotLoggedError(
            f"step {number!r} is not a whole number. Use an int, and keep fractions of "
            "an epoch as an axis: run.set_axis('epoch', 0.5)."
        )
    return int(step)


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk nested dicts of metrics: `{"val": {"loss": 1}}` gives `val.loss`."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{name}.")
        else:
            yield name, value


def _refusal(name: str, value: Any) -> ValueNotLoggedError:
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    what = f"{kind} of shape {tuple(shape)}" if shape else _shown(value, kind)
    return ValueNotLoggedError(
        f"metric {shorten(name, 60)!r} was not logged: {what} is not a number. "
        "Log one number per name, such as x.mean()."
    )


def _shown(value: Any, kind: str) -> str:
    # Only plain text is shown: a foreign __repr__ may be slow or raise.
    return f"{shorten(value, 40)!r}" if isinstance(value, str) else f"a {kind}"
