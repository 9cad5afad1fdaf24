"""What a comparison shows, as one value and as the line of `%compare` that shows it.

    %compare loss < .3 --sort loss --baseline base-3 --select base-3 base-7 --smooth .6

The line is the state: whatever is clicked in the panel can be read, copied, kept in the
notebook, and gives the same panel again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.text import shorten

SELECTED_MAX = 7  # curves that can be told apart by their colours
_PLAIN = re.compile(r"[\w.+/@:-]+")


@dataclass(frozen=True, slots=True)
class CompareState:
    """Which runs, which columns, in which order, and which curves.

    Runs are ids, columns are names of the query language (`best.loss`, `params.lr`).
    """

    query: str = ""
    runs: tuple[str, ...] = ()  # only these; none: all that answer to the query
    last: int | None = None
    sort: str = ""  # a column; with a minus the other way round
    columns: tuple[str, ...] = ()  # only these
    hidden: tuple[str, ...] = ()
    all_params: bool = False  # those that do not differ, too
    group: str = ""  # a column by whose values the rows stand together
    pinned: tuple[str, ...] = ()
    baseline: str = ""
    selected: tuple[str, ...] = ()
    metric: str = ""  # of the curves
    x: str = "step"
    smooth: float = 0.0
    log_x: bool = False
    log_y: bool = False
    clip: bool = False  # the y axis leaves outliers out: the middle 98 % fill it
    bands: bool = False  # mean and range of each group, in place of its runs

    def __post_init__(self) -> None:
        _check(self)

    def as_json(self) -> dict[str, Any]:
        """For the page; tuples are lists there."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> CompareState:
        """What the page says, checked: unknown keys are left out.

        Raises
        ------
        OptionError
            For a value of another type, or one that cannot be.

        Examples
        --------
        >>> CompareState.from_json({"sort": "best.loss", "selected": ["a"]}).selected
        ('a',)
        """
        known: dict[str, Any] = {}
        for field in fields(cls):
            if field.name in told:
                known[field.name] = _typed(field.name, told[field.name], field.default)
        return cls(**known)

    def line(
        self, names: Mapping[str, str] | None = None, *, stores: Sequence[str] = ()
    ) -> str:
        """The line of the magic that shows this.

        Parameters
        ----------
        names
            What runs are called by, where that is clear; else by their ids.
        stores
            Where it reads, if not in the store of the folder.

        Examples
        --------
        >>> CompareState("loss < .3", sort="best.loss", smooth=0.6).line()
        '%compare loss < .3 --sort best.loss --smooth 0.6'
        """
        called = names or {}
        parts = ["%compare"]
        parts += [_quoted(called.get(run, run)) for run in self.runs]
        if self.query:
            parts.append(f"--where {_quoted(self.query)}" if self.runs else self.query)
        for name, flag in _FLAGS.items():
            value = getattr(self, name)
            if name in _OF_RUNS and value:
                value = [called.get(run, run) for run in _many(value)]
            parts += _told(flag, value)
        return " ".join([*parts, *_told("--store", tuple(stores))])


# In the order of the line; the magic reads the same.
_FLAGS = {
    "last": "--last", "sort": "--sort", "columns": "--cols", "hidden": "--hide",
    "all_params": "--all-params", "group": "--group", "pinned": "--pin",
    "baseline": "--baseline", "selected": "--select", "metric": "--metric", "x": "--x",
    "smooth": "--smooth", "log_x": "--log-x", "log_y": "--log-y", "clip": "--clip",
    "bands": "--bands",
}  # fmt: skip
_OF_RUNS = ("pinned", "baseline", "selected")
_PLAIN_X = "step"


def _told(flag: str, value: Any) -> list[str]:
    if value in ("", 0.0, None, (), False) or (flag == "--x" and value == _PLAIN_X):
        return []
    if value is True:
        return [flag]
    return [flag, *(_quoted(str(each)) for each in _many(value))]


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text) and not text.startswith("-"):
        return text
    mark = "'" if "'" not in text else '"'
    return f"{mark}{text}{mark}"


def _check(state: CompareState) -> None:
    if len(state.selected) > SELECTED_MAX:
        raise OptionError(
            f"{len(state.selected)} runs are selected for curves; up to {SELECTED_MAX} "
            "can be told apart. Use --bands for the mean of a group."
        )
    if not 0 <= state.smooth < 1:
        raise OptionError(
            f"smooth={state.smooth:g}: give a weight from 0 (the raw line) to 0.99."
        )
    if state.last is not None and state.last < 0:
        raise OptionError(f"last={state.last}: give the number of runs to show.")


def _typed(name: str, value: Any, default: Any) -> Any:
    """A value of JSON as the field has it."""
    if isinstance(default, tuple):
        fits = isinstance(value, list) and all(isinstance(v, str) for v in value)
        value = tuple(dict.fromkeys(value)) if fits else value
    elif name == "last":
        fits = value is None or (isinstance(value, int) and not isinstance(value, bool))
    elif isinstance(default, float):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        value = float(value) if fits else value
    else:
        fits = type(value) is type(default)
    if not fits:
        raise OptionError(f"{name}={shorten(repr(value), 60)} is none of its values.")
    return value
