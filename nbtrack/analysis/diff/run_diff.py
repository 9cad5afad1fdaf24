"""What differs between two runs: params, code, data, environment, chance, metrics.

A `RunDiff` is made of records alone: nothing is run, no value is looked at, no file but
the store is read. What was not recorded is named beside what differs, as "nothing
differs" is only worth what was looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nbtrack.analysis.diff.chance import ChanceChange, diff_chance
from nbtrack.analysis.diff.code import (
    CodeChange,
    CodeDiff,
    FactChange,
    diff_code,
    names_told,
)
from nbtrack.analysis.diff.metrics import MetricChange, diff_metrics
from nbtrack.analysis.diff.params import ParamChange, diff_params
from nbtrack.analysis.diff.side import Side, unseen_of
from nbtrack.analysis.diff.surroundings import (
    InputChange,
    PackageChange,
    diff_data,
    diff_packages,
    diff_settings,
)
from nbtrack.errors import OptionError
from nbtrack.text import did_you_mean, shorten

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.analysis.diff.cause import Cause

PARTS = (
    *("causes", "params", "code", "inputs"),
    *("packages", "environment", "chance", "metrics"),
)
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "causes": ("rank", "kind", "strength", "sentence", "evidence"),
    "params": ("name", "change", "a", "b", "origin_a", "origin_b", "read_by"),
    "code": ("name", "part", "change", "is_needed", "is_tracked"),
    "inputs": (
        "name", "type", "change", "digest_a", "digest_b", "n_rows_a", "n_rows_b",
    ),
    "packages": ("name", "a", "b", "is_loaded"),
    "environment": ("name", "a", "b"),
    "chance": ("generator", "seed_a", "seed_b", "same_start", "unseeded"),
    "metrics": (
        "name", "goal", "change", "best_a", "best_step_a", "best_b", "best_step_b",
        "delta", "last_a", "last_b", "delta_last", "n_a", "n_b", "better",
    ),
}  # fmt: skip
_SUMMARY = ("best", "best_step", "last", "last_step", "n", "n_nan")


class _Changed(Protocol):
    """A row that may be the same in both runs."""

    @property
    def change(self) -> str:
        """What became of it."""


@dataclass(frozen=True, slots=True, repr=False)
class RunDiff:
    """The differences of run `b` from run `a`; see `nbtrack.diff`.

    Params, cells, modules, inputs and metrics are all there, with a `change` that may
    be "same"; of packages, environment and chance there is what differs.
    """

    a: Side
    b: Side
    params: tuple[ParamChange, ...]
    code: CodeDiff
    inputs: tuple[InputChange, ...]
    packages: tuple[PackageChange, ...]
    environment: tuple[FactChange, ...]
    chance: tuple[ChanceChange, ...]
    metrics: tuple[MetricChange, ...]
    unseen: tuple[str, ...]  # what was not recorded, a sentence each

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What most likely made the difference, the likeliest first."""
        from nbtrack.analysis.diff.causes import causes_of

        return causes_of(self)

    @property
    def is_same(self) -> bool:
        """Whether nothing that was recorded differs, metrics included.

        Cells count that a result depends on; of what else was executed none does.
        """
        changes: list[_Changed] = [
            *self.params, *self.inputs, *self.metrics,
            *(change for change in self.code if change.is_needed),
        ]  # fmt: skip
        listed = (self.packages, self.environment, self.chance, self.code.git)
        same_end = self.a.record.status == self.b.record.status
        return (
            same_end
            and not any(listed)
            and all(change.change in ("same", "not known") for change in changes)
        )

    @property
    def metrics_differ(self) -> bool:
        """Whether a metric differs, or is only in one of the runs."""
        return any(metric.change != "same" for metric in self.metrics)

    def to_frame(self, part: str = "causes") -> pd.DataFrame:
        """One part as a table, one row each.

        Parameters
        ----------
        part : str
            causes, params, code, inputs, packages, environment, chance or metrics.

        Raises
        ------
        OptionError
            For any other part.
        """
        import pandas as pd

        if part not in PARTS:
            hint = did_you_mean(part, PARTS) or f" There are {', '.join(PARTS)}."
            raise OptionError(f"No part {shorten(repr(part), 40)}.{hint}")
        rows = [_flat(row) for row in getattr(self, part)]
        fields = _FIELDS[part]
        table = [[row.get(name) for name in fields] for row in rows]
        return pd.DataFrame(table, columns=list(fields), dtype="object").infer_objects()

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values, NaN and Inf among them
        """All of it as plain values, for JSON; of code what a result depends on."""
        from nbtrack.analysis.diff.causes import verdict

        return {
            "a": _who(self.a),
            "b": _who(self.b),
            "verdict": verdict(self),
            "is_same": self.is_same,
            **{part: [_flat(row) for row in getattr(self, part)] for part in PARTS},
            "code": [_flat(change) for change in self.code if change.is_needed],
            "git": [dataclasses.asdict(fact) for fact in self.code.git],
            "not_recorded": list(self.unseen),
        }

    def __repr__(self) -> str:
        from nbtrack.analysis.diff.view import diff_text

        return diff_text(self)

    def _repr_html_(self) -> str:
        from nbtrack.analysis.diff.html import diff_html

        return diff_html(self)


def diff_sides(a: Side, b: Side) -> RunDiff:
    """Compare two runs of which everything was read.

    Examples
    --------
    >>> from nbtrack.records import Param, RunRecord
    >>> def side(lr):
    ...     params = {"lr": Param("lr", lr, "option")}
    ...     run = RunRecord("1", "x", "e", "finished", "", None, 1, params=params)
    ...     return Side(run)
    >>> [(p.a, p.b, p.change) for p in diff_sides(side(0.1), side(0.2)).params]
    [(0.1, 0.2, 'changed')]
    """
    params = diff_params(a, b)
    inputs = diff_data(a, b)
    told = names_told({row.name: row.change for row in params})
    told |= names_told({row.name: row.change for row in inputs})
    return RunDiff(
        a,
        b,
        params,
        diff_code(a, b, params=told),
        inputs,
        diff_packages(a, b),
        diff_settings(a, b),
        diff_chance(a, b),
        diff_metrics(a, b),
        unseen_of(a, b),
    )


def _who(side: Side) -> dict[str, Any]:
    record = side.record
    names = (
        "id", "name", "experiment", "status", "started_at", "duration_s", "grade",
    )  # fmt: skip
    return {name: getattr(record, name) for name in names}


def _flat(row: Any) -> dict[str, Any]:  # Any: a row of any of the parts
    """A row as plain values; of metrics and code with what their properties say."""
    if isinstance(row, MetricChange):
        told: dict[str, Any] = {"name": row.name, "goal": row.goal}
        for which, summary in (("a", row.a), ("b", row.b)):
            told |= {f"{n}_{which}": getattr(summary, n, None) for n in _SUMMARY}
        names = ("change", "delta", "delta_last", "better")
        return told | {name: getattr(row, name) for name in names}
    flat = dataclasses.asdict(row)
    if isinstance(row, CodeChange):
        flat["unified"] = list(row.unified) if row.change != "same" else []
        rows = row.side_by_side if row.change != "same" else ()
        flat["side_by_side"] = [dataclasses.asdict(line) for line in rows]
    return flat
