"""Runs as event files: for TensorBoard, and for what else reads these.

    <folder>/<name of the run>-<id>/events.out.tfevents.<began>.nbtrack.<id>

Scalars with their steps and times, pictures, histograms, texts, params and notes; and
the params once more as the HParams tab wants them, beside the metrics. Written twice,
the files are the same to the byte. A scalar has 32 bits there: a value that needs more
is rounded, as all tools round that write these files.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any

from nbtrack.analysis.media_view import RichValue
from nbtrack.bundles.contents.member_names import safe_stem
from nbtrack.capture.values import decode
from nbtrack.errors import NbtrackError
from nbtrack.interop.export.folder import ExportFolder
from nbtrack.interop.tensorboard.messages import (
    EVENT,
    FAILURE,
    HISTOGRAM,
    HPARAMS,
    HPARAMS_PLUGIN,
    IMAGE,
    SUCCESS,
)
from nbtrack.interop.tensorboard.records import framed
from nbtrack.interop.tensorboard.scalars import scalar_event, tail_of
from nbtrack.interop.tensorboard.tensors import FLOAT, STRING
from nbtrack.records import RunRecord
from nbtrack.store import Store
from nbtrack.store.values import epoch_s
from nbtrack.tracking.media.histograms import edges_of
from nbtrack.tracking.media.png import SIGNATURE

_SHOWN = ("image/png", "image/jpeg", "image/gif")  # what TensorBoard can show
_BATCH = 1_000  # events that are written at once
_COLOURS = 4  # red, green, blue, alpha: nobody reads it

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WrittenEvents:
    """What was written."""

    n_runs: int = 0
    n_params: int = 0
    n_points: int = 0
    n_left_out: int = 0  # rich values of other kinds, or without their file


def write_tensorboard(
    store: Store, runs: Sequence[RunRecord], folder: ExportFolder
) -> WrittenEvents:
    """Write a folder of event files for each run.

    Raises
    ------
    OSError
        Where they cannot be written.
    """
    done = WrittenEvents()
    for run in runs:
        done = _Writing(store, run, done).to(folder)
    return done


class _Writing:
    """The events of one run, counted as they are made."""

    def __init__(self, store: Store, run: RunRecord, done: WrittenEvents) -> None:
        self._store = store
        self._run = run
        self._done = done
        self._began_at = epoch_s(run.started_at)

    def to(self, folder: ExportFolder) -> WrittenEvents:
        """Write the file; whole, or not at all."""
        run, began = self._run, int(self._began_at)
        name = f"events.out.tfevents.{began}.nbtrack.{run.id}"
        pieces = map(framed, _batches(self._bodies()))
        folder.stream(f"{safe_stem(run.name)}-{run.id}/{name}", pieces)
        return replace(self._done, n_runs=self._done.n_runs + 1)

    def _count(self, **more: int) -> None:
        counts = {name: getattr(self._done, name) + n for name, n in more.items()}
        self._done = replace(self._done, **counts)

    def _bodies(self) -> Iterator[bytes]:
        yield EVENT.write({"wall_time": self._began_at, "version": "brain.Event:2"})
        yield self._first(_session_start(self._run, self._began_at))
        for name, text in _texts(self._run):
            yield self._first(_text(name, text))
        for name in sorted({**self._run.metrics, **self._run.system}):
            yield from self._scalars(name)
        for record in self._store.media(self._run.id):
            yield from self._rich(RichValue(record, self._run.name, self._store))
        if self._run.ended_at is not None:
            yield self._first(_session_end(self._run, self._run.ended_at))
        self._count(n_params=len(self._run.params))

    def _first(self, value: Told) -> bytes:
        return _event(value, step=0, at=self._began_at)

    def _scalars(self, name: str) -> Iterator[bytes]:
        curve, tail = self._store.curve(self._run.id, name), tail_of(name)
        self._count(n_points=len(curve))
        for step, value, at in zip(curve.steps, curve.values, curve.at, strict=True):
            yield scalar_event(tail, step=step, value=value, at=at)

    def _rich(self, rich: RichValue) -> Iterator[bytes]:
        try:
            value = _rich_value(rich)
        except (NbtrackError, OSError):
            value = None  # its file was given up, or lies elsewhere
        if value is None:
            self._count(n_left_out=1)
            return
        yield _event(value, step=rich.step, at=rich.record.at)


def _batches(bodies: Iterator[bytes]) -> Iterator[list[bytes]]:
    while batch := list(islice(bodies, _BATCH)):
        yield batch


def _event(value: Told, *, step: int, at: float) -> bytes:
    summary = {"value": [value]}
    return EVENT.write({"wall_time": at, "step": step, "summary": summary})


# ---- values


def _rich_value(rich: RichValue) -> Told | None:
    """A value of a kind that TensorBoard shows; None for any other."""
    if rich.type == "image" and rich.record.mime in _SHOWN:
        return {"tag": rich.name, "image": IMAGE.write(_image(rich))}
    if rich.type == "histogram":
        return {"tag": rich.name, "histogram": HISTOGRAM.write(_histogram(rich))}
    if rich.type == "text":
        body = rich.body()
        text = rich.data.get("text", "") if body is None else body.decode("utf-8")
        return _text(rich.name, text)
    return None


def _image(rich: RichValue) -> Told:
    body = rich.body() or b""
    width, height = rich.data.get("width", 0), rich.data.get("height", 0)
    if body.startswith(SIGNATURE) and len(body) >= 24:
        width, height = struct.unpack(">II", body[16:24])
    return {"height": height, "width": width, "colorspace": _COLOURS, "body": body}


def _histogram(rich: RichValue) -> Told:
    data = rich.main()
    edges = [float(edge) for edge in edges_of(data)]
    counts = [float(count) for count in data["counts"]]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    pairs = list(zip(middles, counts, strict=True))
    return {
        "min": data.get("min", edges[0]),
        "max": data.get("max", edges[-1]),
        "n": sum(counts),
        "sum": sum(middle * count for middle, count in pairs),
        "squares": sum(middle**2 * count for middle, count in pairs),
        # The first one is empty: it only says where the next one begins.
        "limits": edges,
        "counts": [0.0, *counts],
    }


def _text(name: str, text: str) -> Told:
    body = text.encode("utf-8", "replace")
    return {
        "tag": name,
        "metadata": {"plugin": {"name": "text"}},
        "tensor": {"dtype": STRING, "shape": {"dim": [{"size": 1}]}, "strings": [body]},
    }


def _texts(run: RunRecord) -> Iterator[tuple[str, str]]:
    """Notes and params for the Text tab, in Markdown."""
    if run.notes:
        yield "nbtrack/notes", run.notes
    if run.params:
        rows = [f"| {_cell(n)} | {_cell(p.value)} |" for n, p in run.params.items()]
        yield "nbtrack/params", "\n".join(["| param | value |", "|---|---|", *rows])


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(decode(value), default=str)
    return " ".join(text.split()).replace("|", "\\|")


# ---- the HParams tab


def _session_start(run: RunRecord, began_at: float) -> Told:
    hparams = [
        {"key": name, "value": _plain(decode(param.value))}
        for name, param in run.params.items()
        if param.value is not None  # the tab has no word for it
    ]
    start = {"hparams": hparams, "started_at": began_at}
    return _of_session("start", HPARAMS.write({"start": start}))


def _session_end(run: RunRecord, ended_at: str) -> Told:
    status = SUCCESS if run.status == "finished" else FAILURE
    at = epoch_s(ended_at)
    return _of_session(
        "end", HPARAMS.write({"end": {"status": status, "ended_at": at}})
    )


def _of_session(which: str, content: bytes) -> Told:
    plugin = {"name": HPARAMS_PLUGIN, "content": content}
    nothing = {"dtype": FLOAT, "shape": {"dim": [{"size": 0}]}}
    return {
        "tag": f"_hparams_/session_{which}_info",
        "metadata": {"plugin": plugin},
        "tensor": nothing,
    }


def _plain(value: object) -> Mapping[str, Any]:
    """A param as the tab takes it: a number, a flag or a text."""
    if isinstance(value, bool):
        return {"flag": value}
    if isinstance(value, float) or (isinstance(value, int) and abs(value) <= 2**53):
        return {"number": float(value)}
    return {"text": value if isinstance(value, str) else json.dumps(value, default=str)}
