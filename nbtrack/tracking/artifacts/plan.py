"""What a call of `Run.log_artifact` asks for, checked before anything is copied.

All of the caller's mistakes are found here: each is an error that names the way out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import ArtifactError, ValueNotLoggedError
from nbtrack.metric_names import judges
from nbtrack.records import ArtifactFile, Goal
from nbtrack.text import clean_name, shorten
from nbtrack.tracking.artifacts.collected import Collected
from nbtrack.tracking.artifacts.folders import SourceFile, files_of, look_alikes
from nbtrack.tracking.artifacts.judging import checked_judge
from nbtrack.tracking.artifacts.metadata import as_metadata
from nbtrack.tracking.artifacts.objects import Form, form_of
from nbtrack.tracking.artifacts.references import is_uri, look_at
from nbtrack.tracking.artifacts.ttl import Ttl, expiry_of
from nbtrack.tracking.checkpoint_files import (
    checkpoint_name,
    name_of_file,
    type_of_file,
)
from nbtrack.tracking.numbers import as_number, flatten, whole_step
from nbtrack.tracking.run import without_secrets
from nbtrack.tracking.tags import as_tags

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

RESERVED = re.compile(r"v\d+")
_NO_ALIAS = re.compile(r"[^\w.\-+ ]|^\s*$")  # as the store has it
_ALIAS_MAX = 128


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of `Run.log_artifact`, as they came."""

    name: str | None = None
    type: str | None = None
    aliases: str | Iterable[str] = ()
    metadata: Mapping[str, Any] | None = None
    description: str = ""
    tags: str | Iterable[str] | Mapping[str, str] = ()
    ttl: Ttl | None = None
    best_by: str | None = None
    goal: Goal | None = None
    only_if_better: bool = False
    step: int | None = None
    metrics: Mapping[str, Any] | None = None
    goals: Mapping[str, Goal] = field(default_factory=dict)  # that the run was told


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be kept, and what is said of it.

    `sources` (files here) and `references` are there, or `form` (an object).
    """

    name: str
    about: dict[str, Any]  # the fields of the event
    metrics: dict[str, float]
    metric: str | None
    goal: Goal | None
    sources: list[SourceFile] = field(default_factory=list)
    references: list[ArtifactFile] = field(default_factory=list)
    form: Form | None = None
    remarks: list[str] = field(default_factory=list)


def planned(run: Run, what: Any, asked: Asked) -> Plan:  # Any: a path or any object
    """The plan of a call.

    Raises
    ------
    ArtifactError, OptionError, FileNotFoundError, MissingExtraError
        For whatever the caller has to change.
    """
    metrics = _metrics(run, asked)
    metric, goal = checked_judge(asked.best_by, asked.goal, asked.goals)
    aliases, remarks = _aliases(asked, metric or next(iter(judges(metrics)), None))
    about = {
        "aliases": aliases,
        "metadata": as_metadata(asked.metadata),
        "description": without_secrets(asked.description) if asked.description else "",
        "tags": as_tags(asked.tags),
        "expires_at": expiry_of(asked.ttl),
        "metric": metric,
        "goal": goal,
        "step": _step(run, asked),
        "metrics": metrics,
    }
    found = _found(run, what)
    name = _name(asked.name, found.name, remarks)
    about |= {"type": clean_name(asked.type or found.type), "path": found.shown}
    known = run.store.artifact_type(name) if asked.type else None
    if known not in (None, about["type"]):
        remarks.append(
            f"artifact {name!r} is of type {known!r}, as its first version: it was not "
            f"made a {shorten(repr(about['type']), 60)}. Use another name for that"
        )
    same = look_alikes(file.name for file in found.sources)
    if same:
        remarks.append(
            f"artifact {name!r} has files that are one on other systems: {same[0]}"
        )
    if found.form is not None and found.form.remark:
        remarks.append(f"artifact {name!r}: {found.form.remark}")
    return Plan(
        name, about, metrics, metric, goal, found.sources, found.references,
        found.form, remarks,
    )  # fmt: skip


def checked_alias(alias: object) -> str:
    """An alias that the user may set.

    Raises
    ------
    ArtifactError
        For `latest`, `v3`, and what cannot stand behind a name and a colon.

    Examples
    --------
    >>> checked_alias("production")
    'production'
    """
    text = str(alias).strip()
    if text == "latest":
        raise ArtifactError("The alias 'latest' is the newest version, always.")
    if RESERVED.fullmatch(text) or _NO_ALIAS.search(text) or len(text) > _ALIAS_MAX:
        raise ArtifactError(
            f"Alias {shorten(repr(alias))} cannot be told from a version or a path. "
            "Use letters, digits, space . _ - +, and not v1, v2, ..."
        )
    return text


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is to be kept, with the name and type it has by itself."""

    name: str
    type: str
    shown: str = ""
    sources: list[SourceFile] = field(default_factory=list)
    references: list[ArtifactFile] = field(default_factory=list)
    form: Form | None = None


def _found(run: Run, what: Any) -> _Found:
    if isinstance(what, Collected):
        return _of_collected(what)
    if is_uri(what):
        files = look_at(what)
        last = Path(what.rstrip("/").rpartition("/")[2] or "artifact")
        return _Found(name_of_file(last), _type_of(files), what, references=files)
    if isinstance(what, str | os.PathLike):
        path = Path(os.path.abspath(os.fspath(what)))
        sources = files_of(path, leave_out=run.store.path)
        name = checkpoint_name(path.name) if path.is_dir() else name_of_file(path)
        return _Found(name, _type_of(sources), _shown(run, path), sources)
    form = form_of(what)
    kind = type(what).__name__.lower()
    return _Found(checkpoint_name(kind), form.type, form=form)


def _of_collected(what: Collected) -> _Found:
    sources, references = list(what.sources), list(what.references)
    same = _type_of([*sources, *references]) if sources or references else "file"
    return _Found("artifact", same, sources=sources, references=references)


def _type_of(files: Iterable[SourceFile | ArtifactFile]) -> str:
    """The one type that all files have; else they are files."""
    names = [f.name if isinstance(f, SourceFile) else f.path for f in files]
    types = {type_of_file(Path(name)) for name in names}
    return types.pop() if len(types) == 1 else "file"


def _name(asked: str | None, own: str, remarks: list[str]) -> str:
    if asked is None:
        return own
    if not isinstance(asked, str) or not asked.strip():
        raise ArtifactError(
            f"An artifact's name is a text; {shorten(repr(asked), 60)} is none."
        )
    name = checkpoint_name(asked)
    if name != asked.strip():
        remarks.append(f"artifact {shorten(repr(asked), 60)} is kept as {name!r}")
    return name


def _aliases(asked: Asked, judge: str | None) -> tuple[list[str], list[str]]:
    """The aliases to set, and what is to be said of those that are not."""
    given = [asked.aliases] if isinstance(asked.aliases, str) else list(asked.aliases)
    aliases = list(dict.fromkeys(checked_alias(alias) for alias in given))
    if "best" in aliases and judge is not None:
        aliases.remove("best")
        return aliases, [f"the alias 'best' follows {judge!r}: it was not set by hand"]
    return aliases, []


def _metrics(run: Run, asked: Asked) -> dict[str, float]:
    if asked.metrics is None:
        return run.latest_metrics()
    try:
        return {
            clean_name(name): as_number(name, value)
            for name, value in flatten(asked.metrics)
        }
    except ValueNotLoggedError as exc:
        raise ArtifactError(f"metrics of the artifact: {exc}") from exc


def _step(run: Run, asked: Asked) -> int | None:
    if asked.step is None:
        return run.latest_step()
    try:
        return whole_step(asked.step)
    except ValueNotLoggedError as exc:
        raise ArtifactError(str(exc)) from exc


def _shown(run: Run, path: Path) -> str:
    """Relative to the folder of the store: no home folder of anybody in a record."""
    home = run.store.path.parent
    shown = path.relative_to(home) if path.is_relative_to(home) else path
    return without_secrets(str(shown))
