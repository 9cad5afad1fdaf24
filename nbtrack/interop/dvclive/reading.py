"""Reads a folder of DVCLive: tables of points, the last values, params, pictures."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from nbtrack.errors import NbtrackError
from nbtrack.interop.dvclive.artifacts import artifacts_of
from nbtrack.interop.dvclive.trees import Commit, Tree
from nbtrack.interop.foreign import ForeignImage, ForeignRun, ForeignSeries, ForeignText
from nbtrack.interop.rich import rich_value
from nbtrack.interop.series import Gathered
from nbtrack.interop.yaml_text import read_yaml
from nbtrack.tracking.media import images, tables, texts

PARAMS, METRICS, TABLES = "params.yaml", "metrics.json", "plots/metrics"
_STEP = re.compile(r"(?P<name>.+)/(?P<step>\d{1,15})\.\w+")  # pictures of one name
_DRAWN = ("plots/sklearn", "plots/custom")
_MS = 1e-3


class Live:
    """One run, wherever it lies."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self.tree = tree
        self._folder = folder

    def path(self, name: str) -> str:
        """A file of it, from the project's root."""
        return f"{self._folder}/{name}"

    @cached_property
    def names(self) -> list[str]:
        """Its files."""
        return self.tree.names(self._folder)

    @cached_property
    def tables(self) -> list[str]:
        """Those with points."""
        return self._in(TABLES, ".tsv")

    @cached_property
    def state(self) -> str:
        """Another one where it went on."""
        own = {self.path(PARAMS), self.path(METRICS)}
        return self.tree.state([*self.tables, *(own & set(self.names))])

    @cached_property
    def started_at(self) -> float:
        """Of the first point that has a time; else when its oldest file was written."""
        times = [at for name in self.tables for at in self._first_time(name)]
        return min(times or map(self.tree.at, self.names), default=0.0)

    def run(self, name: str, experiment: str) -> ForeignRun:
        """All that it holds."""
        notices: list[str] = []
        numbers, words, last = self._points()
        tree = self.tree
        about = {"dvc.experiment": tree.name, "git.commit": tree.base} if isinstance(
            tree, Commit
        ) else {}  # fmt: skip
        return ForeignRun(
            name=name,
            experiment=experiment,
            status="finished",
            ended_at=max(last, self.started_at),
            params=self._params(),
            facts=about,
            texts=list(self._reports()),
            artifacts=artifacts_of(tree, self._folder, notices),
            series=numbers,
            images=[*words, *self._pictures(notices), *self._tables(notices)],
            notices=notices,
        )

    def _in(self, folder: str, ending: str = "") -> list[str]:
        start = self.path(folder) + "/"
        return [n for n in self.names if n.startswith(start) and n.endswith(ending)]

    def _inside(self, name: str, folder: str) -> str:
        return name.removeprefix(self.path(folder) + "/")

    def _rows(self, name: str) -> Iterator[dict[str, str]]:
        text = (self.tree.read(name) or b"").decode("utf-8", "replace")
        try:
            yield from csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
        except csv.Error as exc:
            raise ValueError(f"{name} is no table: {exc}") from exc

    def _first_time(self, name: str) -> Iterator[float]:
        row = next(self._rows(name), {})
        if row.get("timestamp"):
            yield float(row["timestamp"]) * _MS

    def _points(self) -> tuple[Iterator[ForeignSeries], list[ForeignImage], float]:
        """The series, what was logged as text, and the time of the last."""
        numbers, words, last = Gathered(), list[ForeignImage](), 0.0
        for path in self.tables:
            name = self._inside(path, TABLES).removesuffix(".tsv")
            written = self.tree.at(path)
            for row in self._rows(path):
                at = float(row["timestamp"]) * _MS if "timestamp" in row else written
                step, value = int(float(row["step"])), row[name.rsplit("/", 1)[-1]]
                last = max(last, at)
                try:
                    numbers.add(name, step=step, value=float(value), at=at)
                except ValueError:
                    said = texts.text_snapshot(value).encode()
                    words.append(rich_value(name, said, step=step, at=at))
        self._add_last_values(numbers, {word.name for word in words})
        return numbers.series(), words, last

    def _add_last_values(self, numbers: Gathered, words: set[str]) -> None:
        """What was logged without a plot has its last value only."""
        told = {k: value for k, value in self._last.items() if k != "step"}
        for name, value in _leaves(told):
            if name not in numbers and name not in words and _is_number(value):
                at = self.tree.at(self.path(METRICS))
                numbers.add(name, step=self._last_step, value=float(value), at=at)

    def _params(self) -> dict[str, Any]:
        text = self.tree.read(self.path(PARAMS))
        params = read_yaml(text.decode("utf-8")) if text else {}
        return params if isinstance(params, dict) else {"params": params}

    def _reports(self) -> Iterator[ForeignText]:
        for name in self.names:
            if name in (self.path("report.md"), self.path("report.html")):
                body = (self.tree.read(name) or b"").decode("utf-8", "replace")
                yield ForeignText("report", name.rsplit("/", 1)[-1], body)

    def _pictures(self, notices: list[str]) -> Iterator[ForeignImage]:
        folder = "plots/images"
        for path in self._in(folder):
            name = self._inside(path, folder)
            fits = _STEP.fullmatch(name)
            step = int(fits["step"]) if fits else self._last_step
            shown = fits["name"] if fits else name
            try:
                content = images.snapshot_of(self.tree.read(path) or b"").encode()
            except NbtrackError as exc:
                notices.append(f"picture {name}: {exc}")
                continue
            yield rich_value(shown, content, step=step, at=self.tree.at(path))

    def _tables(self, notices: list[str]) -> Iterator[ForeignImage]:
        for folder in _DRAWN:
            for path in self._in(folder, ".json"):
                name = self._inside(path, folder).removesuffix(".json")
                try:
                    rows = json.loads(self.tree.read(path) or b"")
                    content = tables.snapshot_of(rows).encode()
                except (ValueError, RecursionError, NbtrackError) as exc:
                    notices.append(f"plot {name}: {exc}")
                    continue
                at = self.tree.at(path)
                yield rich_value(name, content, step=self._last_step, at=at)

    @cached_property
    def _last(self) -> dict[str, Any]:
        """The last value of each metric, nested, and the last step."""
        told = json.loads(self.tree.read(self.path(METRICS)) or b"{}")
        return dict(told)

    @property
    def _last_step(self) -> int:
        return int(self._last.get("step", 0))


def _leaves(told: dict[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    """Nested names joined by "/", as DVCLive took them apart."""
    for name, value in told.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{start}{name}/")
        else:
            yield f"{start}{name}", value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
