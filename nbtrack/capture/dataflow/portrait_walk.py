"""The walk through one value: which objects it reaches, in which order, what they hold.

Tokens go to one list in the order of the visit, every object with its kind and the
number of its members, so that two values with the same tokens look the same. There is
no recursion, and nothing of the user's is called: what a type keeps is read by the
descriptors that C gave it.
"""

from __future__ import annotations

import gc
import marshal
from collections.abc import Callable, Mapping
from itertools import chain
from types import CodeType
from typing import Any

from nbtrack.capture.dataflow.portrait_bytes import (
    FORM,
    fingerprint,
    fingerprint_atoms,
)
from nbtrack.guard import tolerated

# Told by the id of the type: a metaclass of the notebook may have a `__hash__`.
ATOMS = frozenset(
    map(id, (int, float, str, bool, bytes, complex, type(None), type(...)))
)
TEXTS = frozenset(map(id, (str, bytes)))
_ONLY_STR = {id(str)}
NUMBERS = ATOMS - TEXTS
N_PER_NODE = 50  # atoms of a list that cost as much as one object
LONG_TEXT = 1000  # characters; a shorter one is paid for as a node
OVER_BUDGET = "over the budget"
N_TRIES = 5  # of copying what another thread changes
N_BULK = 16  # members from which one token for all is quicker
# A mark is a tuple, which no atom is. It is made once: new ones wake the collector.
_SEEN = ("=",)
_ASIDES = 5  # walks in walks
_N_TOKENS = 100_000  # kept at once


class Budget:
    """How much may still be looked at: objects, and bytes of their contents.

    >>> budget = Budget(nodes=2, bytes=100)
    >>> budget.spend(nodes=3)
    >>> budget.exhausted
    True
    """

    __slots__ = ("bytes", "nodes")

    def __init__(self, nodes: int, bytes: int) -> None:
        self.nodes = nodes
        self.bytes = bytes

    def spend(self, nodes: int = 0, bytes: int = 0) -> None:
        """Take from what is left."""
        self.nodes -= nodes
        self.bytes -= bytes

    @property
    def exhausted(self) -> bool:
        """Whether more was spent than there was."""
        return self.nodes < 0 or self.bytes < 0


class Walk:
    """One walk; everything it holds dies with it.

    >>> from nbtrack.capture.dataflow.portraits import portrait
    >>> portrait([1], namespace={}, budget=Budget(9, 99)).is_plain
    False
    """

    def __init__(self, namespace: Mapping[str, Any], budget: Budget) -> None:
        self.namespace = namespace
        name = dict.get(namespace, "__name__") if type(namespace) is dict else None
        self.name: str = name if type(name) is str else "__main__"
        self.budget = budget
        self.tokens: list[Any] = []
        self.hashed = 0  # of the tokens that are gone
        self.stack: list[Any] = []
        self.memo: dict[int, int] = {}
        self.frozen: set[int] = set()  # ids of the memo that nothing can change
        self.extra_parts: set[int] = set()
        self.codes: dict[int, CodeType] = {}
        self.roots: set[str] = set()
        self.own_classes: dict[int, bool] = {}
        self.opaque: str | None = None
        self.ended = False  # the budget is spent
        self.depth = 0  # of walks in walks
        # What was made on the way must live as long as its id is in the memo.
        self.alive: list[Any] = []

    def see(self, value: Any) -> None:
        """Walk through everything that `value` reaches."""
        self.stack.append(value)
        while self.stack:
            with tolerated(self._failed):
                self._run()

    def _failed(self, exc: Exception) -> None:
        self.hide(f"it raised {type(exc).__name__} when looked at")

    def hide(self, why: str) -> None:
        """What is under way cannot be seen all through."""
        if self.opaque is None:
            self.opaque = why
        self.tokens.append(("?", why))

    def over(self) -> None:
        """The budget is spent: nothing more is looked at."""
        self.opaque = self.opaque or OVER_BUDGET
        self.ended = True

    def can_pay(self, n_bytes: int) -> bool:
        """Pay for bytes before they are hashed; False ends the walk."""
        if n_bytes > self.budget.bytes:
            self.over()
            return False
        self.budget.bytes -= n_bytes
        return True

    def can_copy(self, n_members: int) -> bool:
        """Whether so many members may be looked at; False ends the walk."""
        if n_members > self.budget.nodes * N_PER_NODE + N_PER_NODE:
            self.over()
            return False
        return True

    def add_bytes(self, kind: str, buffer: Any, n_bytes: int) -> None:
        """The contents of a buffer as one token."""
        if self.can_pay(n_bytes):
            self.tokens.append((kind, n_bytes, fingerprint(buffer)))

    def add_text(self, text: str | bytes) -> None:
        """A text as it is, or a long one by its fingerprint."""
        if len(text) <= LONG_TEXT:
            self.tokens.append(text)
        elif self.can_pay(len(text)):
            # Python keeps it with the text: the second time it costs nothing.
            kind = type(text).__name__
            self.tokens.append((kind, len(text), hash(text)))

    def add_members(self, mark: tuple[str], members: Any) -> bool:
        """A container of this kind; True where all its members are atoms.

        `members` is a list or tuple that is nobody else's, or cannot change.
        """
        tokens, n = self.tokens, len(members)
        tokens.append(mark)
        tokens.append(n)
        if n >= N_BULK:
            if self._add_many(members):
                return True
        elif are_atoms(members):
            tokens.extend(members)
            return True
        self._push(members)
        return False

    def push_members(self, mark: tuple[str], members: Any) -> None:
        """Members that are looked at one by one, whatever they are."""
        self.tokens.append(mark)
        self.tokens.append(len(members))
        self._push(members)

    def _push(self, members: Any) -> None:
        # No more than can be paid for: the walk ends within them then.
        most = members[: max(self.budget.nodes, 0) + 2]
        self.alive.append(most)
        self.stack.extend(most[::-1])

    def _add_many(self, members: Any) -> bool:
        """Many atoms, or many tuples of atoms, as one token; False: neither."""
        kind = type(members[0])
        if id(kind) in ATOMS and id(type(members[-1])) in ATOMS:
            return self._add_atoms(members)
        if kind is not tuple or set(map(id, map(type, members))) != {id(tuple)}:
            return False
        flat = list(chain.from_iterable(members))
        if not self._add_atoms(flat):
            return False
        self.tokens.append(fingerprint_atoms(list(map(len, members))))
        self.budget.nodes -= len(members) // N_PER_NODE
        return True

    def _add_atoms(self, members: Any) -> bool:
        kinds = set(map(id, map(type, members)))
        if not kinds <= ATOMS:
            return False
        self.budget.nodes -= len(members) // N_PER_NODE
        n_bytes = 0
        if kinds == _ONLY_STR:
            n_bytes = sum(map(len, members))
        elif not kinds <= NUMBERS:
            n_bytes = sum([len(m) for m in members if id(type(m)) in TEXTS])
        if self.budget.nodes < 0:
            self.over()
        elif self.can_pay(n_bytes):
            self.tokens.append(fingerprint_atoms(members))
        return True

    def see_referents(self, value: Any) -> None:
        """What an object of C holds, for its aliases and functions only."""
        held = gc.get_referents(value)
        held = [one for one in held if not issubclass(type(one), type)]
        self.alive.append(held)
        self.stack.extend(held)

    def see_aside(self, state: Any) -> None:
        """A state that was made just now: what it holds is no part of anything."""
        if self.depth > _ASIDES:
            self.hide("a state in a state")
            return
        inner = Walk(self.namespace, self.budget)
        inner.depth = self.depth + 1
        inner.see(state)
        self.alive.append((state, inner.alive))
        self.codes.update(inner.codes)
        self.roots |= inner.roots
        self.opaque = self.opaque or inner.opaque
        self.tokens.append(("state", inner.digest()))

    def digest(self) -> int:
        """A number for all tokens."""
        self.flush()
        return self.hashed

    def flush(self) -> None:
        """Take the tokens together, so that they need no room."""
        made = fingerprint(marshal.dumps([self.hashed, self.tokens], FORM))
        self.hashed = made
        self.tokens.clear()

    def _run(self) -> None:
        from nbtrack.capture.dataflow.portrait_plans import plan_of

        stack, tokens, memo, budget = self.stack, self.tokens, self.memo, self.budget
        while stack:
            value = stack.pop()
            kind = type(value)
            if id(kind) in ATOMS:
                if id(kind) in TEXTS:
                    self.add_text(value)
                    if self.ended:
                        break
                else:
                    tokens.append(value)
                continue
            budget.nodes -= 1
            if budget.nodes < 0:
                self.over()
                break
            seen = memo.get(id(value))
            if seen is not None:
                tokens.append(_SEEN)
                tokens.append(seen)
                continue
            memo[id(value)] = len(memo)
            plan_of(kind)(self, value)
            if len(tokens) > _N_TOKENS:
                self.flush()
            if self.ended:
                break
        stack.clear()


def are_atoms(members: Any) -> bool:
    """Whether all are numbers or short texts; for a few members.

    >>> are_atoms([1, "a", None]), are_atoms([[]])
    (True, False)
    """
    for member in members:
        kind = id(type(member))
        if kind not in NUMBERS and (kind not in TEXTS or len(member) > LONG_TEXT):
            return False
    return True


Handler = Callable[[Walk, Any], None]


def copied(copy: Callable[[Any], list[Any]], value: Any) -> list[Any]:
    """`copy(value)`, again where another thread changes it meanwhile.

    >>> copied(list, {1: 2})
    [1]
    """
    for _ in range(N_TRIES):
        try:
            return copy(value)
        except RuntimeError:  # it changed size while it was copied
            continue
    return copy(value)
