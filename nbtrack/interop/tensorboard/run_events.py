"""All that the event files of one run say, read once, as TensorBoard would show it.

Points and the places of rich values are gathered; the bytes of those are read when they
are taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nbtrack.interop.series import Gathered
from nbtrack.interop.tensorboard.messages import (
    EVENT,
    HPARAMS,
    HPARAMS_PLUGIN,
    START,
)
from nbtrack.interop.tensorboard.records import RecordFile
from nbtrack.interop.tensorboard.restarts import Restarts
from nbtrack.interop.tensorboard.scalars import KnownScalars
from nbtrack.interop.tensorboard.tensors import numbers_of

Kind = Literal["image", "histogram", "audio", "text"]
Told = Mapping[str, Any]

_SCALARS = "scalars"
_RICH_PLUGINS: dict[str, Kind] = {
    "images": "image", "histograms": "histogram", "audio": "audio", "text": "text"
}  # fmt: skip
_RICH_FIELDS: tuple[Kind, ...] = ("image", "histogram", "audio")
_PASSED_OVER = ("graph", "run_metadata", "meta_graph")
_SCALAR_CLASS = 1  # of `SummaryMetadata.data_class`
_DIGEST = re.compile("[0-9a-f]{64}")  # TensorBoard's word for a group without a name
_YEAR_5138 = 1e11  # what claims to be later is damage


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lies: the place of its event, and which value of it."""

    name: str
    step: int
    at: float
    file: Path
    offset: int
    index: int
    n_starts: int  # of the run, before it
    kind: Kind | None = None


class RunEvents:
    """What was logged, as it stands at the end."""

    def __init__(self) -> None:
        self.started_at = self.last_at = 0.0
        self.hparams: dict[str, Any] = {}
        self.group: str | None = None
        self.session: Told | None = None  # how it ended; empty while it goes on
        self.points = Gathered()
        self.rich: list[Place] = []
        self.strange: Counter[str] = Counter()  # values that are not taken, by kind
        self.n_events = 0
        self.n_damaged = 0
        self.n_orphans = 0
        self.is_cut = False
        self._plugins: dict[str, str] = {}  # by tag: its first value tells
        self._restarts = Restarts()
        self._n_settled = 0  # rich values

    def read(self, file: Path, rename: Callable[[str], str] = str) -> None:
        """Take a file; those of one run in the order of their names.

        Raises
        ------
        OSError
            Where it cannot be read.
        """
        records, known = RecordFile(file), KnownScalars()
        for offset, body in records.records():
            try:
                scalar = known.read(body)
                if scalar is not None:
                    tag, step, value, at = scalar
                    self._is_now(at)
                    self._add(rename(tag), step, value, at)
                    continue
                event = EVENT.read(body)
                known.learn(event, body)
                self._take(event, file, offset, rename)
            except (ValueError, OverflowError):
                self.n_damaged += 1
        self.n_damaged += records.n_damaged
        self.is_cut = self.is_cut or records.is_cut

    def settle(self) -> None:
        """Drop what was done anew behind a restart; when a folder is read to its end.

        A restart in the folder of a part is none of the run.
        """
        restarts, self._restarts = self._restarts, Restarts()
        if restarts.n:
            self._drop_points(restarts)
            limits, n_before = restarts.limits(), len(self.rich)
            new = self.rich[self._n_settled :]
            self.rich[self._n_settled :] = [
                rich for rich in new if rich.step < limits[rich.n_starts]
            ]
            self.n_orphans += n_before - len(self.rich)
        self._n_settled = len(self.rich)

    def _drop_points(self, restarts: Restarts) -> None:
        columns = self.points.columns
        for name in restarts.names:
            kept = restarts.kept(name, columns[name])
            self.n_orphans += len(columns[name].steps) - len(kept.steps)
            columns[name] = kept

    # ---- events

    def _take(
        self, event: Told, file: Path, offset: int, rename: Callable[[str], str]
    ) -> None:
        at, step = event.get("wall_time", 0.0), event.get("step", 0)
        self._is_now(at)
        self.strange.update(kind for kind in _PASSED_OVER if kind in event)
        if event.get("session", {}).get("status") == START:
            self._restarts.start(step)
        for index, value in enumerate(event.get("summary", {}).get("value", ())):
            name = rename(value.get("tag", ""))
            if "simple" in value:
                self._add(name, step, value["simple"], at)
            else:
                n_starts = self._restarts.n
                place = Place(name, step, at, file, offset, index, n_starts)
                self._take_value(value, place)

    def _is_now(self, at: float) -> None:
        self.n_events += 1
        if is_time(at):
            self.started_at = self.started_at or at
            self.last_at = max(self.last_at, at)

    def _add(self, name: str, step: int, value: float, at: float) -> None:
        self._restarts.logged(name, self.points.n_of(name))
        self.points.add(name, step=step, value=value, at=at)

    def _take_value(self, value: Told, place: Place) -> None:
        metadata = value.get("metadata", {})
        plugin = metadata.get("plugin", {})
        name = self._plugins.setdefault(place.name, plugin.get("name", ""))
        kind = next((kind for kind in _RICH_FIELDS if kind in value), None)
        kind = kind or _RICH_PLUGINS.get(name)
        if name == HPARAMS_PLUGIN:
            self._take_hparams(HPARAMS.read(plugin.get("content", b"")))
        elif kind is not None:
            self.rich.append(replace(place, kind=kind))
        elif "tensor" in value and _is_scalar(name, metadata):
            self._take_scalar(value["tensor"], place)
        else:
            self.strange[name or "unknown"] += 1

    def _take_scalar(self, tensor: Told, place: Place) -> None:
        numbers = numbers_of(tensor)
        if len(numbers) == 1:
            self._add(place.name, place.step, float(numbers[0]), place.at)
        else:
            self.strange["tensor"] += 1

    def _take_hparams(self, told: Told) -> None:
        start = told.get("start")
        if start is not None:
            self.session = self.session or {}
            group = start.get("group", "")
            if not _DIGEST.fullmatch(group):
                self.group = group or self.group
            for entry in start.get("hparams", ()):
                self.hparams[entry.get("key", "")] = _plain(entry.get("value", {}))
        if "end" in told:
            self.session = told["end"]


def is_time(at: float) -> bool:
    """Whether a wall time can be one; NaN cannot."""
    return 0 < at < _YEAR_5138


def _is_scalar(plugin: str, metadata: Told) -> bool:
    return plugin in (_SCALARS, "") or metadata.get("data_class") == _SCALAR_CLASS


def _plain(value: Told) -> Any:
    """A value of a hyper-parameter; a whole number was most likely logged as one."""
    for kind in ("text", "flag"):
        if kind in value:
            return value[kind]
    number = value.get("number")
    if number is None or not number.is_integer() or abs(number) >= 2**53:
        return number
    return int(number)
