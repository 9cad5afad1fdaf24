"""`run.summary`: the last value of what was logged, and what was set by hand.

What is set by hand is kept as a fact of the run (`summary.best_acc`); a number that is
no metric of the run becomes one as well, so that tables of runs show and sort by it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.compat.wandb.configured import plain
from nbtrack.records import Fact
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

PREFIX = "summary."  # of the facts


class SummaryPart:
    """A mapping inside the summary, whose values can be set too."""

    def __init__(self, items: dict[str, Any]) -> None:
        self.__dict__["_items"] = items

    def keys(self) -> list[str]:
        """The names."""
        return list(self._as_dict())

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or the default."""
        return self[key] if key in self._as_dict() else default

    def update(self, d: Mapping[str, Any]) -> None:
        """Set values."""
        self._items.update(d)

    def __getitem__(self, key: str) -> Any:
        found = self._as_dict()[key]
        return self._part(key, found) if isinstance(found, dict) else found

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: plain(value)})

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__") or key not in self._as_dict():
            raise AttributeError(f"the summary has no value {shorten(key, 60)!r}")
        return self[key]

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self._as_dict()

    def __iter__(self) -> Iterator[str]:
        return iter(self._as_dict())

    def __len__(self) -> int:
        return len(self._as_dict())

    def __repr__(self) -> str:
        return repr(self._as_dict())

    def _as_dict(self) -> dict[str, Any]:
        items: dict[str, Any] = self.__dict__["_items"]
        return items

    def _part(self, key: str, found: dict[str, Any]) -> SummaryPart:
        return SummaryPart(found)


class _Part(SummaryPart):
    """A mapping that was set by hand: what changes in it is kept with the whole."""

    def __init__(self, items: dict[str, Any], above: SummaryPart, key: str) -> None:
        super().__init__(items)
        self.__dict__.update(_above=above, _key=key)

    def update(self, d: Mapping[str, Any]) -> None:
        """Set values."""
        self._above.update({self._key: {**self._items, **d}})
        self._items.update(d)

    def _part(self, key: str, found: dict[str, Any]) -> SummaryPart:
        return _Part(found, self, key)


class Summary(SummaryPart):
    """The summary of one live run."""

    def __init__(self, run: Run, *, started_at: float) -> None:
        super().__init__({})  # set by hand
        self.__dict__.update(_run=run, _logged={}, _given=set(), _began=started_at)

    def update(self, d: Mapping[str, Any]) -> None:
        """Set values by hand; they stand for what is logged from then on.

        A value that is logged afterwards under the same name takes its place again.
        """
        new = {str(key): plain(value) for key, value in d.items()}
        self._items.update(new)
        self._given.update(new)
        keep(self._run, new)
        numbers = {
            key: value
            for key, value in new.items()
            if key not in self._logged
            and isinstance(value, int | float)
            and not isinstance(value, bool)
        }
        if numbers:
            self._run.log(numbers, step=self._logged.get("_step", 0))

    def was_logged(self, values: Mapping[str, Any], *, step: int) -> None:
        """Values of a `log()`, nested as they were given."""
        self._logged.update(values, _step=step, _timestamp=time.time())
        for name in values:
            self._items.pop(name, None)

    def take(self, logged: Mapping[str, Any], by_hand: Mapping[str, Any]) -> None:
        """What the earlier life of a run that goes on has left."""
        self._items.update(by_hand)
        self._given.update(by_hand)
        self._logged.update({k: v for k, v in logged.items() if k not in by_hand})

    def settle(self, special: Iterable[str]) -> None:
        """Keep how those values ended that the metrics of the run do not tell."""
        names = {*special, *self._given} & self._logged.keys() - self._items.keys()
        if names:
            keep(self._run, {name: plain(self._logged[name]) for name in names})

    def __delitem__(self, key: str) -> None:
        self._items.pop(key, None)
        self._logged.pop(key, None)

    def _as_dict(self) -> dict[str, Any]:
        now = {"_runtime": time.time() - self._began} if self._logged else {}
        return {**now, **self._logged, **self._items}

    def _part(self, key: str, found: dict[str, Any]) -> SummaryPart:
        return _Part(dict(found), self, key)


def keep(run: Run, values: Mapping[str, Any]) -> None:
    """Keep values of the summary with the run."""
    run.log_facts([Fact(f"{PREFIX}{name}", value) for name, value in values.items()])


def kept(facts: Mapping[str, Fact]) -> dict[str, Any]:
    """The values that were kept."""
    return {
        name.removeprefix(PREFIX): fact.value
        for name, fact in facts.items()
        if name.startswith(PREFIX)
    }
