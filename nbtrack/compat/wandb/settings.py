"""What a run is asked to be: by `init`, `Settings`, WANDB_... variables, in order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nbtrack.compat.wandb.errors import UsageError
from nbtrack.compat.wandb.saying import say_ignored
from nbtrack.text import did_you_mean, shorten, visible

MODES = ("online", "offline", "disabled", "shared")
_REINITS: Mapping[Any, str] = {
    True: "finish_previous",
    False: "return_previous",
    **{word: word for word in ("return_previous", "finish_previous", "create_new")},
    **{None: "default", "default": "default"},
}
_RESUMES: Mapping[Any, str | None] = {
    **{True: "auto", False: None, None: None},
    **{word: word for word in ("allow", "never", "must", "auto")},
}
# Fields of `Settings` -> of `Asked`; the others are said to be left out.
_OF_SETTINGS = {
    "project": "project",
    "run_name": "name",
    "run_id": "id",
    "run_group": "group",
    "run_job_type": "job_type",
    "run_tags": "tags",
    "run_notes": "notes",
    "mode": "mode",
    "root_dir": "dir",
    "reinit": "reinit",
    "resume": "resume",
    "fork_from": "fork_from",
    "resume_from": "resume_from",
}
_OF_ENVIRONMENT = {
    "WANDB_PROJECT": "project",
    "WANDB_NAME": "name",
    "WANDB_RUN_ID": "id",
    "WANDB_RUN_GROUP": "group",
    "WANDB_JOB_TYPE": "job_type",
    "WANDB_TAGS": "tags",
    "WANDB_NOTES": "notes",
    "WANDB_MODE": "mode",
    "WANDB_DIR": "dir",
    "WANDB_RESUME": "resume",
}
_NO_ID = set('/\\#?%:"')


class Settings:
    """Settings of wandb by name; those that mean something here are taken over.

    >>> Settings(mode="disabled").mode
    'disabled'
    """

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is to be, checked."""

    project: str | None = None
    name: str | None = None
    id: str | None = None
    group: str | None = None
    job_type: str | None = None
    tags: Any = None  # Any: a text, or a sequence of them
    notes: str | None = None
    mode: str | None = None
    dir: str | os.PathLike[str] | None = None
    reinit: Any = None  # Any: of a bool or a word
    resume: Any = None
    fork_from: str | None = None
    resume_from: str | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether nothing is to be recorded."""
        return self.mode == "disabled"

    @property
    def run_tags(self) -> tuple[str, ...]:
        """The tags as texts; a text alone is one of them."""
        return (self.tags,) if isinstance(self.tags, str) else tuple(self.tags or ())


def asked_of(
    given: Mapping[str, Any], settings: Settings | Mapping[str, Any] | None
) -> Asked:
    """What is asked for, the nearest word first.

    Raises
    ------
    UsageError
        For an unknown mode, `reinit`, `resume`, or an id that cannot be one.

    >>> asked_of({"project": "mnist"}, {"run_group": "a"}).group
    'a'
    """
    names = {field.name for field in fields(Asked)}
    said = {k: v for k, v in given.items() if k in names and v is not None}
    found = {**_from_environment(), **_from_settings(settings), **said}
    found["reinit"] = _one_of("reinit", found.get("reinit"), _REINITS)
    found["resume"] = _one_of("resume", found.get("resume"), _RESUMES)
    mode = found.get("mode")
    if mode is not None:
        _one_of("mode", mode, {word: word for word in MODES})
    run_id = found.get("id")
    if run_id is not None and (not str(run_id).strip() or _NO_ID & set(str(run_id))):
        raise UsageError(
            f"Invalid run ID {shorten(repr(run_id), 60)}: it must not hold any of "
            '/ \\ # ? % : "'
        )
    return Asked(**found)


def _from_settings(settings: Settings | Mapping[str, Any] | None) -> dict[str, Any]:
    told = dict(vars(settings) if isinstance(settings, Settings) else settings or {})
    say_ignored("Settings", told.keys() - _OF_SETTINGS.keys())
    return {
        _OF_SETTINGS[name]: value
        for name, value in told.items()
        if name in _OF_SETTINGS and value is not None
    }


def _from_environment() -> dict[str, Any]:
    found: dict[str, Any] = {
        name: os.environ[variable]
        for variable, name in _OF_ENVIRONMENT.items()
        if os.environ.get(variable)
    }
    if "tags" in found:
        found["tags"] = [word for word in found["tags"].split(",") if word]
    if found.get("mode") == "dryrun":  # its older word
        found["mode"] = "offline"
    return found


def _one_of(what: str, value: Any, known: Mapping[Any, Any]) -> Any:
    try:
        return known[value]
    except (KeyError, TypeError) as exc:
        words = [str(word) for word in known if isinstance(word, str)]
        shown = shorten(visible(repr(value)), 60)
        raise UsageError(
            f"{what}={shown} is none of {', '.join(words)}."
            f"{did_you_mean(str(value), words)}"
        ) from exc
