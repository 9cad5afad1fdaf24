"""The random generators that a cell can see, and which of them it drew from.

States are taken before and after a cell, at some tens of microseconds each: the global
generators of `random`, NumPy and PyTorch (its CUDA ones only where CUDA is up already),
and generators that the namespace holds, by themselves or in an attribute. What is
looked at is never moved, and a library that is not imported stays so.
"""

from __future__ import annotations

import logging
import random
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from functools import partial
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from nbtrack.capture.generators import (
    GeneratorState,
    is_unmoved,
    kinds_of_generators,
    new_generator,
    put_back,
    state_of,
)
from nbtrack.guard import tolerated

logger = logging.getLogger("nbtrack")

VARIABLE = "variable:"  # before the name of a generator that the namespace holds
MAX_LOOKED_AT = 2_000  # values and attributes for each cell: about 0.1 ms
GENERATOR_COUNTS = 40  # as so many of them: its state takes 2 to 60 us
_PLAIN = frozenset(
    {int, float, str, bool, bytes, complex, type(None), type, list, tuple, dict, set}
    | {frozenset, FunctionType, BuiltinFunctionType, ModuleType}
)
States = dict[str, GeneratorState]


def capture_states(
    namespace: Mapping[str, Any] | None = None, *, known: States | None = None
) -> States:
    """The states of all generators that are in sight.

    Parameters
    ----------
    namespace : mapping, optional
        The user's variables; default: only the libraries' own generators.
    known : dict, optional
        Earlier states: what stands still there is not read again.

    Returns
    -------
    dict
        By "random", "numpy", "torch", "torch.cuda.0", and "variable:NAME" or
        "variable:NAME.ATTRIBUTE" for those that the namespace holds.

    Examples
    --------
    >>> import random
    >>> sorted(capture_states({"rng": random.Random(0)}))[-1]
    'variable:rng'
    """
    states: States = {}
    for name, generator in _in_sight(namespace).items():
        with tolerated(partial(_left_out, name)):
            before = known.get(name) if known else None
            still = before is not None and is_unmoved(generator, before)
            states[name] = before if before and still else state_of(generator)
    return states


def consumed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The generators that did not stay where they were; those that are gone too.

    >>> import random
    >>> before = capture_states()
    >>> number = random.random()
    >>> consumed(before, capture_states())
    ['random']
    """
    return [name for name, state in before.items() if after.get(name) != state]


def states_to_keep(before: States, after: States) -> States:
    """The states from which a cell can be run again: of what it drew from.

    Of a library that the cell itself imported it is the state it had on its import.
    """
    kept = {name: before[name] for name in consumed(before, after)}
    for name in after.keys() - before.keys():
        with tolerated(partial(_left_out, name)):
            born = _state_on_import(name)
            if born is not None and born != after[name]:
                kept[name] = born
    return kept


def restore_states(
    states: Mapping[str, GeneratorState | str],
    namespace: MutableMapping[str, Any] | None = None,
) -> dict[str, str]:
    """Let the generators go on from where they were.

    Parameters
    ----------
    states : mapping
        As of `capture_states`, or packed as text.
    namespace : mapping, optional
        Where the variables stand; a generator that is missing there is made.

    Returns
    -------
    dict
        What could not be put back, with the reason; empty when all is well.

    Examples
    --------
    >>> import random
    >>> before = capture_states()
    >>> first = random.random()
    >>> restore_states(before)
    {}
    >>> random.random() == first
    True
    """
    failed: dict[str, str] = {}
    for name, state in states.items():
        with tolerated(partial(_note, failed, name)):
            if isinstance(state, str):
                state = GeneratorState.unpacked(state)
            _restore(name, state, {} if namespace is None else namespace)
    from nbtrack.capture.seeding import seeds

    seeds.put_back(states.keys() - failed.keys())
    return failed


def _restore(
    name: str, state: GeneratorState, namespace: MutableMapping[str, Any]
) -> None:
    if not name.startswith(VARIABLE):
        put_back(_library_generator(name), state)
        return
    variable, _, attribute = name.removeprefix(VARIABLE).partition(".")
    if not attribute and variable not in namespace:
        namespace[variable] = new_generator(state)
        return
    if variable not in namespace:
        raise ValueError(f"there is no variable {variable!r}")
    holder = namespace[variable]
    put_back(_attributes_of(holder)[attribute] if attribute else holder, state)


def _library_generator(name: str) -> Any:
    """The global generator of that name; its library is imported for it."""
    if name == "random":
        return random._inst
    if name == "numpy":
        import numpy as np

        return _legacy(np.random)
    if name == "torch":
        import torch

        return torch.default_generator
    if name.startswith("torch.cuda."):
        import torch

        torch.cuda.init()
        return torch.cuda.default_generators[int(name.removeprefix("torch.cuda."))]
    raise ValueError(f"no generator is called {name!r}")


def _in_sight(namespace: Mapping[str, Any] | None) -> dict[str, Any]:
    found = dict(_of_libraries())
    known = {id(generator) for generator in found.values()}
    for name, generator in _held_by(namespace or {}):
        if id(generator) not in known:  # one under two names counts once
            known.add(id(generator))
            found[VARIABLE + name] = generator
    return found


def _of_libraries() -> Iterator[tuple[str, Any]]:
    yield "random", random._inst
    legacy = _legacy(sys.modules.get("numpy.random"))
    if legacy is not None:
        yield "numpy", legacy
    torch = sys.modules.get("torch")
    # A module that is being imported by another thread has no generator yet.
    default = getattr(torch, "default_generator", None)
    if default is None:
        return
    yield "torch", default
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and cuda.is_initialized():
        for index, generator in enumerate(cuda.default_generators):
            yield f"torch.cuda.{index}", generator


def _held_by(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The generators among the variables, and one level into their attributes."""
    kinds, n_left = kinds_of_generators(), MAX_LOOKED_AT
    # dict() is one C call: another thread may add names meanwhile. type(), and not
    # __class__, which may be a property of theirs.
    values = dict(namespace)
    for name in [name for name, v in values.items() if type(v) not in _PLAIN]:
        value = values[name]
        kind = type(value)
        if name[:1] == "_":
            continue
        attributes = {} if kind in kinds else _attributes_of(value)
        n_left -= GENERATOR_COUNTS if kind in kinds else 1 + len(attributes)
        if n_left < 0:
            return
        if kind in kinds:
            yield name, value
        for attribute, held in list(attributes.items()):
            if type(held) in kinds:
                n_left -= GENERATOR_COUNTS
                yield f"{name}.{attribute}", held


def _attributes_of(value: Any) -> dict[str, Any]:
    """What stands in the object itself; no property or `__getattr__` of theirs runs."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return found if type(found) is dict else {}


def _state_on_import(name: str) -> GeneratorState | None:
    """The state of a library's generator as its seed made it; None if unknown."""
    if name == "torch":
        import torch

        return state_of(torch.Generator().manual_seed(torch.initial_seed()))
    if name == "numpy":
        import numpy as np

        bits = getattr(_legacy(np.random), "_bit_generator", None)
        sequence = getattr(bits, "seed_seq", None)
        if sequence is not None:
            return state_of(np.random.RandomState(np.random.MT19937(sequence)))
    return None


def _legacy(numpy_random: Any) -> Any:  # Any: the module, or None
    """The generator behind `np.random.rand` and its like."""
    return getattr(getattr(numpy_random, "mtrand", None), "_rand", None)


def _note(failed: dict[str, str], name: str, exc: Exception) -> None:
    failed[name] = str(exc)


def _left_out(name: str, exc: Exception) -> None:
    logger.debug("the state of %s cannot be taken", name, exc_info=exc)
