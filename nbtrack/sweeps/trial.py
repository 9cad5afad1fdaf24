"""What a trial is told and what comes of it: plain values, JSON between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from nbtrack.records import Goal, Status
from nbtrack.sweeps.space import Label


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be made small or large.

    >>> Aim("val_loss", "min").text
    'val_loss:min'
    """

    metric: str
    goal: Goal
    by: str = "best"  # of the run: its best value; or "last"

    @property
    def text(self) -> str:
        """As `--metric` takes it."""
        return f"{self.metric}:{self.goal}{':last' if self.by == 'last' else ''}"


@dataclass(frozen=True, slots=True)
class Task:
    """One trial, as an executor gets it."""

    sweep: str
    number: int
    aim: Aim
    labels: Mapping[str, Label]
    source: str  # the cell with these values in it; empty for a function
    options: tuple[str, ...] = ()  # of `%%track`, token by token
    states: Mapping[str, str] = field(default_factory=dict)  # of generators, packed
    prunes: bool = False  # whether to ask, at each point of the metric

    @property
    def run_name(self) -> str:
        """Of its run.

        >>> Task("lr", 3, Aim("loss", "min"), {}, "").run_name
        'lr #3'
        """
        return f"{self.sweep} #{self.number}"

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Task:
        """From another process."""
        aim = Aim(**told.pop("aim"))
        options = tuple(told.pop("options"))
        return cls(aim=aim, options=options, **told)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial."""

    number: int
    status: Status
    run: str | None = None  # its id; None where it never began
    value: float | None = None  # of the metric, as the aim takes it
    error: str | None = None  # in one line
    duration_s: float = 0.0
    leaks: Mapping[str, str] = field(default_factory=dict)  # what the next would see
    logged: tuple[str, ...] = ()  # the names of its metrics
    wrote: tuple[str, ...] = ()  # the files that it wrote
    interrupted: bool = False  # by the user: the sweep ends

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Outcome:
        """From another process."""
        lists = {name: tuple(told[name]) for name in ("logged", "wrote")}
        return cls(**{**told, **lists})


class Reports(Protocol):
    """Asked at a point of the metric: whether the trial goes on."""

    def __call__(self, number: int, step: int, value: float, /) -> bool:
        """True: it is to be pruned."""
