"""Sends and fetches registered models: their versions, stages and all their events.

The side that is behind takes over what the other has; models that went different ways
stay as they are on both sides, and a notice says so. Files go as artifacts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.errors import ModelNotFoundError, NbtrackError, RemoteError
from nbtrack.store.model_rows import STAGES
from nbtrack.store.semver import SemVer
from nbtrack.text import clean_name, shorten, visible
from nbtrack.tracking.artifacts.metadata import as_metadata
from nbtrack.tracking.checkpoint_files import checkpoint_name
from nbtrack.tracking.remotes.hostile import (
    digest_in,
    moment_in,
    object_in,
    rows_in,
    text_in,
)
from nbtrack.tracking.remotes.known import Ref
from nbtrack.tracking.remotes.layout import (
    FORMAT,
    MANIFEST_MAX_BYTES,
    as_text,
    model_path,
    models_in,
    parsed,
)
from nbtrack.tracking.remotes.place import Place, each

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.store.model_copies import Copy

_TEXT_MAX = 1_000_000
_N_MAX = 100_000
_Done = tuple[tuple[str, ...], tuple[str, ...]]  # models, notices


def push_models(store: Store, place: Place, asked: Sequence[Ref] | None) -> _Done:
    """Send the models that are meant, where they are ahead of the remote's."""
    sent, notices = [], []
    for copy in _copies(store, asked):
        there = model_at(place, copy["name"])
        if there is None or _is_ahead(copy["events"], there["events"]):
            place.write(
                model_path(copy["name"]), as_text({"format": FORMAT, "model": copy})
            )
            sent.append(copy["name"])
        elif not _begins(copy["events"], there["events"]):
            notices.append(_apart(copy["name"], "pushed"))
    return tuple(sent), tuple(notices)


def pull_models(store: Store, place: Place, asked: Sequence[Ref] | None) -> _Done:
    """Take over the models that are meant, where the remote's are ahead."""
    if asked is None:
        found = each(lambda path: _read(place, path), models_in(place.names("models")))
        there = [copy for copy in found if copy is not None]
    else:
        there = [
            _model_there(place, ref.name)
            for ref in dict.fromkeys(asked)
            if ref.is_model
        ]
    taken, notices = [], []
    for copy in there:
        here = store.model_copies(copy["name"])
        known = here[0]["events"] if here else []
        if here and _begins(copy["events"], known):
            continue
        if not _begins(known, copy["events"]):
            notices.append(_apart(copy["name"], "pulled"))
        elif store.take_model_copy(copy):
            taken.append(copy["name"])
        else:
            notices.append(
                f"Model {copy['name']!r} was not pulled: not all its versions' "
                "artifacts are here. Pull them too."
            )
    return tuple(taken), tuple(notices)


def versions_of_model(store: Store, name: str) -> list[int]:
    """The artifact versions of a model here, by id.

    Raises ModelNotFoundError where there is no such model.
    """
    found = store.model_artifacts(name)
    if not found:
        raise ModelNotFoundError(f"There is no model {shorten(repr(name))} here.")
    return found


def artifacts_of_model(place: Place, name: str) -> list[str]:
    """The names of the artifacts that a model at the remote is made of."""
    copy = _model_there(place, name)
    return [version["artifact"] for version in copy["versions"]]


def digests_of_model(place: Place, name: str) -> set[tuple[str, str]]:
    """Name and digest of the artifact versions that a model at the remote is."""
    copy = _model_there(place, name)
    return {(version["artifact"], version["digest"]) for version in copy["versions"]}


def model_at(place: Place, name: str) -> Copy | None:
    """A model as the remote has it, checked; None where it has none of that name."""
    copy = _read(place, model_path(name))
    if copy is not None and copy["name"] != name:
        raise RemoteError(f"{place.shown}: {model_path(name)} is damaged: wrong name.")
    return copy


def _model_there(place: Place, name: str) -> Copy:
    copy = model_at(place, name)
    if copy is None:
        raise ModelNotFoundError(f"{place.shown} has no model {shorten(repr(name))}.")
    return copy


def _copies(store: Store, asked: Sequence[Ref] | None) -> list[Copy]:
    if asked is None:
        return store.model_copies()
    names = dict.fromkeys(ref.name for ref in asked if ref.is_model)
    return [copy for name in names for copy in store.model_copies(name)]


def _begins(short: list[Any], long: list[Any]) -> bool:
    return long[: len(short)] == short


def _is_ahead(events: list[Any], of: list[Any]) -> bool:
    return len(events) > len(of) and _begins(of, events)


def _apart(name: str, what: str) -> str:
    return (
        f"Model {name!r} was not {what}: it was changed here and at the remote, in "
        "different ways. Both stay as they are."
    )


def _read(place: Place, path: str) -> Copy | None:
    content = place.read(path, at_most=MANIFEST_MAX_BYTES)
    if content is None:
        return None
    body = parsed(content, path)
    try:
        copy = _checked(object_in(body["model"]))
    except (KeyError, TypeError, ValueError, NbtrackError, RecursionError) as exc:
        said = visible(shorten(str(exc) or type(exc).__name__, 200))
        raise RemoteError(f"{place.shown}: {path} is damaged: {said}") from exc
    if model_path(copy["name"]) != path:
        raise RemoteError(f"{place.shown}: {path} is damaged: wrong name.")
    return copy


def _checked(body: dict[str, Any]) -> Copy:  # Any: JSON of a stranger's, here and below
    name = text_in(body["name"], 300)
    if checkpoint_name(name) != name:
        raise ValueError(f"{shorten(repr(name))} is no name of a model.")
    versions = [_version(object_in(row)) for row in rows_in(body["versions"], _N_MAX)]
    known = {version["version"] for version in versions}
    aliases = object_in(body["aliases"])
    if len(known) < len(versions) or not set(aliases.values()) <= known:
        raise ValueError("its versions do not fit together.")
    if sum(version["stage"] == "production" for version in versions) > 1:
        raise ValueError("two versions are in production.")
    return {
        "name": name,
        "description": text_in(body["description"], _TEXT_MAX),
        "created_at": moment_in(body["created_at"]),
        "created_by": clean_name(text_in(body["created_by"], 300)),
        "versions": versions,
        "aliases": {text_in(alias, 128): aliases[alias] for alias in aliases},
        "events": [_event(object_in(row)) for row in rows_in(body["events"], _N_MAX)],
    }


def _version(row: dict[str, Any]) -> dict[str, Any]:
    number = text_in(row["version"], 200)
    SemVer.parse(number)
    if row["stage"] not in STAGES:
        raise ValueError(f"{shorten(repr(row['stage']))} is no stage.")
    signature, run = row["signature"], row["run"]
    return {
        "version": number,
        "artifact": text_in(row["artifact"], 300),
        "digest": digest_in(row["digest"]),
        "run": None if run is None else text_in(run, 100),
        "stage": row["stage"],
        "signature": None if signature is None else _json_in(signature, dict),
        "parts": _json_in(row["parts"], list),
        "notes": text_in(row["notes"], _TEXT_MAX),
        "created_at": moment_in(row["created_at"]),
        "created_by": text_in(row["created_by"], 300),
    }


def _event(row: dict[str, Any]) -> dict[str, Any]:
    def maybe(value: Any) -> str | None:
        return None if value is None else text_in(value, 200)

    return {
        "version": maybe(row["version"]),
        "what": text_in(row["what"], 100),
        "from_stage": maybe(row["from_stage"]),
        "to_stage": maybe(row["to_stage"]),
        "by": text_in(row["by"], 300),
        "why": text_in(row["why"], _TEXT_MAX),
        "detail": _json_in(row["detail"], dict),
        "at": moment_in(row["at"]),
    }


def _json_in(value: Any, kind: type) -> str:
    """A text that is JSON, as the columns of the store hold it; not nested deeply."""
    text = text_in(value, _TEXT_MAX)
    found = json.loads(text)
    if not isinstance(found, kind):
        raise ValueError(f"{shorten(repr(text))} is no JSON {kind.__name__}.")
    as_metadata({"": found})  # raises where it is too deep, or too long
    return text
