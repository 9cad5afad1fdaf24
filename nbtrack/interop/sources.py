"""Which tools runs are taken from, and which of them wrote what lies at a place."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from nbtrack.errors import ImportSourceError
from nbtrack.interop.foreign import Source
from nbtrack.store.locate import DATABASE_NAME
from nbtrack.text import did_you_mean, shorten, visible

# By tool, where its reader is. Asked in this order: the surest marks first.
READERS: dict[str, str] = {
    "nbtrack": "nbtrack.interop.ours",
    "mlflow": "nbtrack.interop.mlflow.reader",
    "optuna": "nbtrack.interop.optuna",
    "trackio": "nbtrack.interop.trackio",
    "dvclive": "nbtrack.interop.dvclive",
    "neptune": "nbtrack.interop.neptune",
    "wandb": "nbtrack.interop.wandb.source",
    "tensorboard": "nbtrack.interop.tensorboard.source",
}


class Reader(Protocol):
    """A module that reads one tool."""

    def recognises(self, place: str) -> bool:
        """Whether what lies there was written by the tool; cheap, and never raises."""

    def open_source(self, place: str) -> Source:
        """Open it; ImportSourceError where it cannot be read."""


def open_source(place: str, tool: str | None = None) -> Source:
    """The runs at a place: a file, a folder, an address such as `sqlite:///mlflow.db`.

    Raises
    ------
    ImportSourceError
        For a tool that is not known, a place that nothing recognises, or one that its
        reader cannot read.
    """
    if tool is not None and tool not in READERS:
        hint = did_you_mean(tool, READERS)
        known = ", ".join(READERS)
        raise ImportSourceError(
            f"Runs of {shorten(visible(repr(tool)))} cannot be imported.{hint} "
            f"Known: {known}."
        )
    for name in READERS if tool is None else [tool]:
        reader = _reader(name)
        if tool is not None or reader.recognises(place):
            return reader.open_source(place)
    raise ImportSourceError(_not_recognised(place))


def others_at(place: str, tool: str) -> list[str]:
    """Other tools whose runs lie in the same folder."""
    if not Path(place).is_dir():
        return []
    return [n for n in READERS if n != tool and _reader(n).recognises(place)]


def _reader(tool: str) -> Reader:
    return cast(Reader, import_module(READERS[tool]))


def _not_recognised(place: str) -> str:
    shown = shorten(visible(repr(place)))
    if "://" not in place and not Path(place).exists():
        return f"There is nothing at {shown}."
    if Path(place).name == DATABASE_NAME or (Path(place) / DATABASE_NAME).is_file():
        return f"{shown} is a store of nbtrack: nbtrack merge takes its runs."
    return (
        f"Nothing that is known was found at {shown}. Name the file or folder that the "
        f"tool itself wrote, or the tool (--tool, tool=): {', '.join(READERS)}."
    )
