"""What is said to the user: one line for each kind, and the lines of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from nbtrack.compat.wandb.errors import NotHereError
from nbtrack.guard import guard
from nbtrack.text import shorten, visible

# What is offered in the place of names that are not here.
_INSTEAD = {
    "Bokeh": "wandb.Html with the figure's HTML",
    "Molecule": "wandb.Artifact, which keeps its file",
    "Object3D": "wandb.Artifact, which keeps its file",
    "box3d": "wandb.Artifact, which keeps its file",
    "JoinedTable": "nbtrack.join_predictions",
    "EvalTable": "wandb.Table, or run.log_predictions of nbtrack",
    "Graph": "nbtrack.watch, which records the model",
    "controller": "wandb.agent, or nbtrack.sweep",
    "keras": "nbtrack.KerasCallback or nbtrack.autolog()",
    "lightgbm": "nbtrack.LightGBMCallback or nbtrack.autolog()",
    "xgboost": "nbtrack.XGBoostCallback or nbtrack.autolog()",
    "catboost": "wandb.log in a callback of CatBoost",
    "tensorboard": "wandb.log; nbtrack import takes event files",
    "tensorflow": "wandb.log, or nbtrack.KerasCallback",
    "gym": "wandb.Video with the film's file",
    "link_artifact": "nbtrack.models.register",
    "link_model": "nbtrack.models.register",
    "upsert_artifact": "wandb.log_artifact from one process",
    "finish_artifact": "wandb.log_artifact from one process",
    "jupyter": "%load_ext nbtrack",
    "launch": "nbtrack.rerun",
    "attach": "nbtrack.start(ranks='all')",
    "ArtifactTTL": "wandb.Artifact(...).ttl = datetime.timedelta(...)",
}


def say_once(kind: str, text: str) -> None:
    """One line of warning, the first time that something of this kind happens."""
    guard.warn_once(f"nbtrack.compat.wandb: {kind}", f"wandb: {text}")


def say_ignored(where: str, names: Iterable[str]) -> None:
    """Arguments that mean nothing without a server, in one line for all of them."""
    listed = ", ".join(visible(shorten(name, 40)) for name in sorted(names))
    if listed:
        say_once(
            f"{where} {listed}", f"{where}: {listed} mean nothing here and are left out"
        )


def not_here(owner: str, name: str) -> NotHereError:
    """The error for a name that has no counterpart, with what is offered instead."""
    shown = f"{owner}.{shorten(visible(name), 60)}"
    offered = _INSTEAD.get(name, "what dir(wandb) or dir(nbtrack) lists")
    return NotHereError(f"{shown} is not in nbtrack's wandb shim: use {offered}.")


_said: set[str] = set()


def termlog(
    string: str = "",
    newline: bool = True,
    repeat: bool = True,
    prefix: bool = True,
) -> None:
    """Write a line of the caller's to stderr, as wandb does."""
    if not repeat and string in _said:
        return
    _said.add(string)
    text = f"wandb: {string}" if prefix else string
    sys.stderr.write(text + ("\n" if newline else ""))


def termwarn(string: str, newline: bool = True, repeat: bool = True) -> None:
    """Write a warning of the caller's to stderr."""
    termlog(f"WARNING {string}", newline, repeat)


def termerror(string: str, newline: bool = True, repeat: bool = True) -> None:
    """Write an error of the caller's to stderr."""
    termlog(f"ERROR {string}", newline, repeat)
