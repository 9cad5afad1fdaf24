"""The filters of `wandb.Api().runs(filters=...)`: MongoDB's words, as far as needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.compat.wandb.errors import UsageError
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.compat.wandb.api_run import ApiRun

_NOTHING = object()


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(found: Any, asked: Any) -> bool:
        try:
            return found is not _NOTHING and test(found, asked)
        except TypeError:  # a text and a number
            return False

    return holds


def _is(found: Any, asked: Any) -> bool:
    is_list = isinstance(found, list | tuple) and not isinstance(asked, list)
    return asked in found if is_list else bool(found == asked)


def _in(found: Any, asked: Any) -> bool:
    return any(_is(found, one) for one in asked)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _is,
    "$ne": lambda found, asked: not _is(found, asked),
    "$gt": _compared(lambda found, asked: found > asked),
    "$gte": _compared(lambda found, asked: found >= asked),
    "$lt": _compared(lambda found, asked: found < asked),
    "$lte": _compared(lambda found, asked: found <= asked),
    "$in": _in,
    "$nin": lambda found, asked: not _in(found, asked),
    "$exists": lambda found, asked: (found is not _NOTHING) == bool(asked),
    "$regex": lambda found, asked: (
        isinstance(found, str) and re.search(asked, found) is not None
    ),
}
_FIELDS: dict[str, Callable[[ApiRun], Any]] = {
    "state": lambda run: run.state,
    "tags": lambda run: run.tags,
    "group": lambda run: run.group,
    "jobType": lambda run: run.job_type,
    "job_type": lambda run: run.job_type,
    "display_name": lambda run: run.name,
    "displayName": lambda run: run.name,
    "name": lambda run: run.id,
    "created_at": lambda run: run.created_at,
    "createdAt": lambda run: run.created_at,
    "notes": lambda run: run.notes,
    "sweep": lambda run: run.sweep_id,
}
_PREFIXES: dict[str, Callable[[ApiRun], Mapping[str, Any]]] = {
    "config.": lambda run: run.config,
    "summary_metrics.": lambda run: run.summary,
    "summary.": lambda run: run.summary,
}


def fits(run: ApiRun, filters: Mapping[str, Any]) -> bool:
    """Whether a run is among those that are asked for.

    Raises
    ------
    UsageError
        For a word or a field that is not known.
    """
    return all(_fits_one(run, key, asked) for key, asked in filters.items())


def value_of(run: ApiRun, key: str) -> Any:
    """What a run has under a name as filters and orders write it.

    Raises
    ------
    UsageError
        For an unknown one.
    """
    if key in _FIELDS:
        return _FIELDS[key](run)
    for prefix, part in _PREFIXES.items():
        if key.startswith(prefix):
            return _inside(part(run), key.removeprefix(prefix))
    raise UsageError(
        f"Filters and orders know no {shorten(repr(key), 60)}: use config.<name>, "
        f"summary_metrics.<name>, {', '.join(sorted(_FIELDS))}; or a query of "
        "nbtrack.runs."
    )


def _fits_one(run: ApiRun, key: str, asked: Any) -> bool:
    if key == "$and":
        return all(fits(run, part) for part in asked)
    if key == "$or":
        return any(fits(run, part) for part in asked)
    if key == "$nor":
        return not any(fits(run, part) for part in asked)
    found = value_of(run, key)
    is_test = isinstance(asked, Mapping) and any(str(k).startswith("$") for k in asked)
    return all(
        _test(word)(found, value)
        for word, value in (asked if is_test else {"$eq": asked}).items()
    )


def _test(word: str) -> Callable[[Any, Any], bool]:
    if word not in _TESTS:
        raise UsageError(
            f"Filters know no {shorten(repr(word), 40)}: there are {', '.join(_TESTS)}."
        )
    return _TESTS[word]


def _inside(values: Mapping[str, Any], name: str) -> Any:
    """A value by its name, or by the names of the mappings around it."""
    if name in values:
        return values[name]
    place: Any = values
    for key in name.removesuffix(".value").split("."):
        if not isinstance(place, Mapping) or key not in place:
            return _NOTHING
        place = place[key]
    return place
