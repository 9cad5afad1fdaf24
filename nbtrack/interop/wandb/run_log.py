"""All that the logs of one run say, read once: a run that was resumed has several."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbtrack.capture.printed import PrintedText
from nbtrack.interop.series import Gathered
from nbtrack.interop.wandb.json_values import (
    Nested,
    number_of,
    path_of,
    value_of,
)
from nbtrack.interop.wandb.json_values import Path as Keys
from nbtrack.interop.wandb.log_file import LogFile
from nbtrack.interop.wandb.messages import RECORD
from nbtrack.interop.wandb.rich import Logged
from nbtrack.records import SYSTEM_PREFIX, Goal

TEXTS_MAX = 10_000  # texts in a history; each is a rich value of its own
_GOALS: dict[int, Goal] = {1: "min", 2: "max"}
YEAR_5138 = 1e11  # what claims to be later is damage
_OWN = "_"  # W&B's own keys begin with it: _step, _runtime, _timestamp

Record = Mapping[str, Any]


class RunLog:
    """What was logged, as it stands at the end."""

    def __init__(self) -> None:
        self.run: dict[str, Any] = {}
        self.environment: dict[str, Any] = {}
        self.config = Nested()
        self.summary = Nested()
        self.points = Gathered()
        self.rich: list[Logged] = []
        self.printed: dict[str, PrintedText] = {}
        self.artifacts: list[tuple[Record, float]] = []  # with the time of each
        self.uses: list[Record] = []
        self.metrics: dict[str, Record] = {}
        self.alerts: list[dict[str, str]] = []
        self.exit: Record | None = None
        self.last_at = 0.0
        self.last_step = 0
        self.n_damaged = 0
        self.n_unread = 0  # values of a history that are neither number nor text
        self.n_texts = 0
        self.is_cut = False
        self._folder: Path | None = None
        self._n_samples: dict[str, int] = {}

    def read(self, file: Path) -> None:
        """Take a log; those of one run in the order they were begun.

        Raises
        ------
        ValueError, OSError
            Where it is no log, or cannot be read.
        """
        log = LogFile(file)
        folder = file.parent / "files"
        self._folder = folder if folder.is_dir() else None
        self.exit = None
        for body in log.records():
            try:
                self._take(RECORD.read(body))
            except (ValueError, OverflowError):
                self.n_damaged += 1
        self.n_damaged += log.n_damaged
        self.is_cut = self.is_cut or log.is_cut

    def goals(self) -> dict[str, Goal]:
        """The goals that the run gave to its metrics."""
        goals = {name: _goal_of(told) for name, told in self.metrics.items()}
        return {name: goal for name, goal in goals.items() if goal is not None}

    # ---- records

    def _take(self, record: Record) -> None:
        for kind, told in record.items():
            _TAKERS[kind](self, told)

    def _take_run(self, told: Record) -> None:
        self.run |= told
        self.config.apply(told.get("config", {}))
        self.summary.apply(told.get("summary", {}))
        self._is_now(time_of(told.get("started", {})))

    def _take_history(self, told: Record) -> None:
        items = [(path_of(i), i.get("json", "null")) for i in told.get("item", ())]
        own = {path[0]: text for path, text in items if path[0].startswith(_OWN)}
        at = number_of(own.get("_timestamp", "")) or self.last_at
        step = told.get("step", {}).get("num")
        if step is None:
            step = int(number_of(own.get("_step", "")) or 0)
        self._is_now(at)
        self.last_step = max(self.last_step, step)
        rich: dict[Keys, dict[str, Any]] = {
            path[:-1]: {} for path, _ in items if path[-1] == "_type"
        }
        for path, text in items:
            if rich and _above(path, rich) is not None:
                _fill(rich, path, text)
            elif not path[0].startswith(_OWN):
                self._take_value(".".join(path), text, step, at)
        for path, value in rich.items():
            self._keep(".".join(path), value, step, at)

    def _take_value(self, name: str, text: str, step: int, at: float) -> None:
        number = number_of(text)
        if number is not None:
            self.points.add(name, step=step, value=number, at=at)
        elif text != "null":
            self._take_nested(name, value_of(text), step, at)

    def _take_nested(self, name: str, value: Any, step: int, at: float) -> None:
        """A value of older logs, which write dicts as a whole; a list; a text."""
        if isinstance(value, dict) and isinstance(value.get("_type"), str):
            self._keep(name, value, step, at)
        elif isinstance(value, dict):
            for key, part in value.items():
                self._take_value(f"{name}.{key}", json.dumps(part), step, at)
        elif isinstance(value, str):
            self.n_texts += 1
            if self.n_texts <= TEXTS_MAX:
                self._keep(name, {"_type": "text", "text": value}, step, at)
        else:
            self.n_unread += 1

    def _keep(self, name: str, told: Record, step: int, at: float) -> None:
        self.rich.append(Logged(name, step, at, told, self._folder))

    def _take_stats(self, told: Record) -> None:
        at = time_of(told.get("at", {}))
        self._is_now(at)
        for item in told.get("item", ()):
            name = SYSTEM_PREFIX + ".".join(path_of(item))
            number = number_of(item.get("json", ""))
            if number is not None:
                sample = self.points.n_of(name)
                self.points.add(name, step=sample, value=number, at=at)

    def _take_output(self, told: Record) -> None:
        role = "stdout" if told.get("is_stdout") else "stderr"
        self.printed.setdefault(role, PrintedText()).feed(told.get("text", ""))
        self._is_now(time_of(told.get("at", {})))

    def _take_metric(self, told: Record) -> None:
        self.metrics[told.get("name", "")] = told

    def _take_artifact(self, told: Record) -> None:
        self.artifacts.append((told, self.last_at))

    def _take_environment(self, told: Record) -> None:
        self.environment |= told  # comes in parts

    def _take_alert(self, told: Record) -> None:
        self.alerts.append({str(key): str(value) for key, value in told.items()})

    def _take_exit(self, told: Record) -> None:
        self.exit = told
        runtime = told.get("runtime", 0)
        self._is_now(time_of(self.run.get("started", {})) + max(0, runtime))

    def _is_now(self, at: float) -> None:
        if self.last_at < at < YEAR_5138:
            self.last_at = at


_TAKERS = {
    "run": RunLog._take_run,
    "history": RunLog._take_history,
    "summary": lambda log, told: log.summary.apply(told),
    "config": lambda log, told: log.config.apply(told),
    "stats": RunLog._take_stats,
    "output": RunLog._take_output,
    "output_raw": RunLog._take_output,
    "metric": RunLog._take_metric,
    "artifact": RunLog._take_artifact,
    "use_artifact": lambda log, told: log.uses.append(told),
    "environment": RunLog._take_environment,
    "alert": RunLog._take_alert,
    "exit": RunLog._take_exit,
}


def _goal_of(metric: Record) -> Goal | None:
    """As it was said, or as the summary that was asked for means it."""
    ends: tuple[Goal, ...] = ("min", "max")
    summary = metric.get("summary", {})
    asked = [end for end in ends if summary.get(end)]
    return _GOALS.get(metric.get("goal", 0), asked[0] if len(asked) == 1 else None)


def time_of(told: Record) -> float:
    """Seconds since the epoch; 0 where it says nothing that can be."""
    at = float(told.get("seconds", 0) + told.get("nanos", 0) / 1e9)
    return at if 0 < at < YEAR_5138 else 0.0


def _above(path: Keys, rich: Mapping[Keys, Any]) -> Keys | None:
    """The rich value that a path is a part of."""
    starts = (path[:n] for n in range(len(path), 0, -1))
    return next((start for start in starts if start in rich), None)


def _fill(rich: dict[Keys, dict[str, Any]], path: Keys, text: str) -> None:
    above = _above(path, rich) or path
    rich[above][".".join(path[len(above) :])] = value_of(text)
