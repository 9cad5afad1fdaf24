"""The fingerprint of one value of the notebook, by which a change in place is seen.

It is taken before and after a cell. It runs no code of the user's, imports nothing,
keeps no value alive and never raises: what cannot be seen all through is opaque, and
says why.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from nbtrack.capture.dataflow.portrait_bytes import FORM, fingerprint, fingerprint_atoms
from nbtrack.capture.dataflow.portrait_walk import (
    ATOMS,
    LONG_TEXT,
    N_PER_NODE,
    OVER_BUDGET,
    Budget,
    Walk,
    are_atoms,
)

__all__ = ["OVER_BUDGET", "Budget", "Portrait", "portrait"]


@dataclass(frozen=True, slots=True)
class Portrait:
    """How a value looked: two portraits of one object with one digest mean no change.

    >>> Portrait(1, frozenset(), (), frozenset(), None, is_plain=True).opaque is None
    True
    """

    digest: int | None  # in this process only; None: opaque
    parts: frozenset[int]  # ids of the mutable objects reached: aliases share some
    codes: tuple[CodeType, ...]  # of functions of the notebook that are reached
    roots: frozenset[str]  # top-level modules of the types that are reached
    opaque: str | None  # why it cannot be told
    is_plain: bool  # immutable all through


def portrait(
    value: Any,  # of the user's
    *,
    namespace: Mapping[str, Any],
    budget: Budget,
) -> Portrait:
    """What `value` reaches and holds now, as far as the budget goes.

    `namespace` is the notebook's: functions whose globals it is are the notebook's own,
    and are not followed into it.

    >>> x = [1, [2, 3]]
    >>> before = portrait(x, namespace={}, budget=Budget(100, 1000))
    >>> x[1].append(4)
    >>> after = portrait(x, namespace={}, budget=Budget(100, 1000))
    >>> before.digest == after.digest, before.parts == after.parts
    (False, True)
    >>> portrait((1, "a"), namespace={}, budget=Budget(100, 1000)).is_plain
    True
    """
    if id(type(value)) in ATOMS:
        return _of_atom(value)
    flat = _of_flat(value, budget)
    if flat is not None:
        return flat
    walk = Walk(namespace, budget)
    walk.see(value)
    parts = frozenset(walk.memo.keys() - walk.frozen) | walk.extra_parts
    return Portrait(
        digest=walk.digest() if walk.opaque is None else None,
        parts=parts,
        codes=tuple(walk.codes.values()),
        roots=frozenset(walk.roots),
        opaque=walk.opaque,
        is_plain=not parts and walk.opaque is None,
    )


_NOTHING: frozenset[Any] = frozenset()


def _of_atom(value: Any) -> Portrait:
    """The most of a notebook's variables; a long text is not read for it."""
    is_long = type(value) in (str, bytes) and len(value) > LONG_TEXT
    told = [len(value), id(value)] if is_long else [value]
    digest = fingerprint_atoms(told)
    return Portrait(digest, _NOTHING, (), _NOTHING, None, is_plain=True)


def _of_flat(value: Any, budget: Budget) -> Portrait | None:
    """A short list or dict of atoms, without the walk: a third of its time.

    A notebook has hundreds of them, and each is looked at after each tracked cell.
    """
    if type(value) is list:
        members = value.copy()
    elif type(value) is dict:
        members = [*value.keys(), *value.values()]
    else:
        return None
    if len(members) > N_PER_NODE or budget.nodes < 1 or not are_atoms(members):
        return None
    packed = marshal.dumps(members, FORM)
    if len(packed) > budget.bytes:
        return None
    budget.spend(nodes=1, bytes=len(packed))
    parts = frozenset((id(value),))
    return Portrait(fingerprint(packed), parts, (), _NOTHING, None, is_plain=False)
