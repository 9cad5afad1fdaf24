"""`import nbtrack.compat.wandb as wandb`: scripts of wandb record here, without it.

No server, login or network: a project is an experiment, the config the params, group
and tags what they are, `job_type` a tag. Values, steps, tables, pictures, charts and
artifacts go to nbtrack's own. What is not here raises an AttributeError that says what
to use; arguments that mean nothing here are said once.

    errors, saying           what is raised and said
    settings, starting       init: what a run is asked to be
    desk                     which runs go on, which one is `wandb.run`
    live                     the run: configured (its config), summed (its summary),
                             history, defined, alerts, saved (files), run_artifacts
    values, media, tables, plot, sklearn      what can be logged
    artifact, entries, versions      an artifact in the making; one that is kept
    sweeps                   sweep and agent, by nbtrack.sweep
    api, api_run, filters    reading back: wandb.Api()

Otherwise than there: a step that lies behind is kept, a run's id is never written
over, a name that is there already gets a number, "bayes" is TPE, a sweep is known in
the process that made it, and in other ranks than the first nothing is recorded unless
`NBTRACK_RANKS=own` says so.

Modules load on first use, so that the import costs nothing.

>>> import nbtrack.compat.wandb as wandb
>>> with wandb.init(project="demo", config={"epochs": 2}) as run:
...     for epoch in range(run.config.epochs):
...         wandb.log({"loss": 1 / (epoch + 1)})
>>> run.summary["loss"]
0.5
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.31.0"  # of wandb, whose interface this follows

_PACKAGE = "nbtrack.compat.wandb"
_HOME = {
    "AlertLevel": "alerts",
    "Api": "api",
    "Artifact": "artifact",
    "Audio": "media",
    "AuthenticationError": "errors",
    "CommError": "errors",
    "Config": "configured",
    "Error": "errors",
    "Histogram": "media",
    "Html": "media",
    "Image": "media",
    "Plotly": "media",
    "Run": "live",
    "Settings": "settings",
    "Table": "tables",
    "UsageError": "errors",
    "Video": "media",
    "agent": "sweeps",
    "finish": "starting",
    "init": "starting",
    "login": "starting",
    "plot_table": "plot",
    "restore": "starting",
    "sweep": "sweeps",
    "termerror": "saying",
    "termlog": "saying",
    "termwarn": "saying",
}
_MODULES = {"errors", "plot", "sklearn", "util"}
_NOTHING_TO_DO = {"require", "setup", "teardown"}
_OF_THE_RUN = {  # methods of `wandb.run`, as functions
    *("alert", "define_metric", "log", "log_artifact", "log_code", "log_model"),
    *("mark_preempting", "pin_config_keys", "save", "unwatch", "use_artifact"),
    *("use_model", "watch"),
}

__all__ = [
    *sorted(_HOME),
    *sorted(_MODULES),
    *sorted(_OF_THE_RUN),
    *sorted(_NOTHING_TO_DO),
    "config",
    "join",
    "run",
    "summary",
]


class _BeforeInit:
    """Stands for `wandb.config` and `wandb.summary` where no run goes on."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _refused(self, asked: str) -> Exception:
        from nbtrack.compat.wandb.errors import Error

        return Error(f"You must call wandb.init() before {self._name}{asked}")

    def __getitem__(self, key: str) -> Any:
        raise self._refused(f"[{key!r}]")

    def __setitem__(self, key: str, value: Any) -> None:
        raise self._refused(f"[{key!r}]")

    def __setattr__(self, key: str, value: Any) -> None:
        raise self._refused(f".{key}")

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        raise self._refused(f".{key}")


class _Shim(ModuleType):
    """The module itself: `wandb.config = {...}`, as old tutorials have it, sets values.

    Before `init` they are read back as they are, and the next run takes them.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("run", "summary"):
            saying = importlib.import_module(f"{_PACKAGE}.saying")
            saying.say_once(
                f"{name} set", f"wandb.{name} is not set: call init, finish"
            )
            return
        if name != "config":
            super().__setattr__(name, value)
            return
        desk = importlib.import_module(f"{_PACKAGE}.desk").desk
        if desk.run is None:
            desk.early_config = value
        elif value is not desk.run.config:
            desk.run.config.update(value, allow_val_change=True)


def _nothing_to_do(*_: Any, **__: Any) -> None:
    """Nothing to set up, to tear down or to require."""


def __getattr__(name: str) -> Any:
    """A public name at its first use; those of the current run each time anew."""
    if name in _MODULES:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    if name in _NOTHING_TO_DO:
        return _nothing_to_do
    if name == "join":  # its older name
        name = "finish"
    if name in _HOME:
        value = getattr(importlib.import_module(f"{_PACKAGE}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name.startswith("__"):
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return _of_the_run(name)


def _of_the_run(name: str) -> Any:
    desks = importlib.import_module(f"{_PACKAGE}.desk")
    run = desks.desk.run
    if name == "run":
        return run
    if name == "config" and run is None and desks.desk.early_config is not None:
        return desks.desk.early_config
    if name in ("config", "summary"):
        return _BeforeInit(f"wandb.{name}") if run is None else getattr(run, name)
    if name in _OF_THE_RUN:
        return getattr(desks.run_for(name), name)
    saying = importlib.import_module(f"{_PACKAGE}.saying")
    raise saying.not_here("wandb", name)


def __dir__() -> list[str]:
    return sorted(set(__all__))


sys.modules[__name__].__class__ = _Shim
