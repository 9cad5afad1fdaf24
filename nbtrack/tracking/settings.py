"""What is captured without asking, and how to switch it off.

Per run (`nbtrack.start(off=...)`, `%%track --off data output`), per store
(`nbtrack.configure(off=[...])`, kept in `settings.json`), or for a process by the
environment variable `NBTRACK_OFF`. What is off in one of them is off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError, StoreError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.tracking.checkpoint_policy import KeepPolicy

FILE_NAME = "settings.json"
FEATURES = {
    "source": "the text of the cell",
    "cells": "the log of executed cells",
    "slices": "what each cell reads and changes, and the grade of a run",
    "code": "git, diff, the notebook's and local modules' hashes and texts",
    "environment": "packages, machine, numerics",
    "rng": "states of random generators",
    "data": "digests of the data that a cell reads",
    "statistics": "the schema and statistics of data",
    "system": "CPU, memory, disk, network and GPU over time",
    "output": "what is printed",
    "figures": "figures that are shown",
    "files": "files that are saved or read",
    "watching": "metrics that nobody logs by hand",
    "autolog": "hooks of frameworks",
    "alerts": "alerts that nobody asked for: a metric is NaN, those of the store",
}


def features_of(words: Iterable[str] | str) -> frozenset[str]:
    """The features that the words name; "all" names every one.

    Raises
    ------
    OptionError
        For an unknown word, with a hint.

    Examples
    --------
    >>> sorted(features_of("system, data"))
    ['data', 'system']
    """
    if isinstance(words, str):
        words = words.replace(",", " ").split()
    named = {str(word).strip().lower() for word in words}
    for word in named - FEATURES.keys() - {"all"}:
        raise OptionError(
            f"Nothing called {shorten(visible(word), 40)!r} can be switched off."
            f"{did_you_mean(word, FEATURES)} There are: {', '.join(FEATURES)}, all."
        )
    return frozenset(FEATURES) if "all" in named else frozenset(named)


def switched_off(store: Path, off: Iterable[str] | str = ()) -> frozenset[str]:
    """What is off for a run in this store, its own words and others' together."""
    everywhere = features_of(os.environ.get("NBTRACK_OFF", ""))
    return features_of(off) | everywhere | read_off(store)


def read_off(store: Path) -> frozenset[str]:
    """What the store's settings switch off; an unreadable file switches off nothing."""
    try:
        return frozenset(FEATURES) & frozenset(_read(store)["off"])
    except (KeyError, TypeError):
        return frozenset()


def read_data_limit(store: Path) -> int | None:
    """Bytes of one input that are hashed without asking; None for what is usual."""
    from nbtrack.capture.data_sizes import parsed_size

    for found in (os.environ.get("NBTRACK_DATA_LIMIT"), _read(store).get("data_limit")):
        if found is not None:
            try:
                return parsed_size(found)
            except OptionError:
                continue
    return None


def write_off(store: Path, off: Iterable[str] | str) -> frozenset[str]:
    """Keep with the store what is to be off there from now on.

    Raises
    ------
    OptionError
        For an unknown word.
    StoreError
        When the file cannot be written.
    """
    chosen = features_of(off)
    _write(store, off=sorted(chosen))
    return chosen


def write_data_limit(store: Path, size: int | str) -> int:
    """Keep with the store how large an input is hashed without asking.

    Raises
    ------
    OptionError
        For what is no size.
    StoreError
        When the file cannot be written.
    """
    from nbtrack.capture.data_sizes import parsed_size

    _write(store, data_limit=parsed_size(size))
    return parsed_size(size)


def keep_policy(
    store: Path,
    keep: Iterable[str] | str | None = None,
    budget: int | str | None = None,
) -> KeepPolicy:
    """Which checkpoints stay: as a run says it, else as the store does, else all.

    Raises
    ------
    OptionError
        For what the run says wrongly; what the store says wrongly is left out.
    """
    from nbtrack.tracking.checkpoint_policy import (
        KeepPolicy,
        parse_budget,
        parse_keep,
    )

    rules = None if keep is None else parse_keep(keep)
    size = None if budget is None else parse_budget(budget)
    kept = _read(store)
    with suppress(OptionError, TypeError):
        if rules is None and kept.get("keep"):
            rules = parse_keep(kept["keep"])
    with suppress(OptionError, TypeError):
        if size is None and kept.get("budget"):
            size = parse_budget(kept["budget"])
    return KeepPolicy(rules or KeepPolicy().rules, size)


def write_keep(
    store: Path, keep: Iterable[str] | str | None, budget: int | str | None
) -> None:
    """Keep with the store which checkpoints its runs keep; `None` changes nothing.

    Raises
    ------
    OptionError
        For an unknown word, or what is no size.
    StoreError
        When the file cannot be written.
    """
    from nbtrack.tracking.checkpoint_policy import keep_text, parse_budget, parse_keep

    changed: dict[str, Any] = {}
    if keep is not None:
        changed["keep"] = keep_text(parse_keep(keep))
    if budget is not None:
        changed["budget"] = parse_budget(budget) if budget else None
    if changed:
        _write(store, **changed)


def read_alerts(store: Path) -> list[str]:
    """What the runs of a store wait for; what cannot be read is left out."""
    from nbtrack.store.alert_rules import known_rules

    return [rule.text for rule in known_rules(_read(store).get("alerts"))]


def write_alerts(store: Path, alerts: Iterable[str] | str) -> None:
    """Keep with the store what its runs wait for from now on.

    Raises
    ------
    OptionError
        For what is no rule.
    StoreError
        When the file cannot be written.
    """
    from nbtrack.store.alert_rules import parse_rules

    _write(store, alerts=[rule.text for rule in parse_rules(alerts)])


def settings_text(store: Path) -> str:
    """All that a store's settings say, as another store can be given it."""
    return json.dumps(_read(store))


def _read(store: Path) -> dict[str, Any]:
    try:
        found = json.loads((store / FILE_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(store: Path, **changed: Any) -> None:
    path = store / FILE_NAME
    aside = path.with_name(f".{FILE_NAME}-{os.getpid()}")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(_read(store) | changed, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as exc:
        raise StoreError(f"{path} cannot be written: {exc.strerror}.") from exc


def configure(
    *,
    off: Iterable[str] | str | None = None,
    data_limit: int | str | None = None,
    keep: Iterable[str] | str | None = None,
    budget: int | str | None = None,
    alerts: Iterable[str] | str | None = None,
) -> frozenset[str]:
    """Say what is captured and kept in this folder's store; returns what is off.

    Parameters
    ----------
    off : words, optional
        Names of features; "all" for every one, an empty list to have all again.
        Default: nothing is changed.
    data_limit : bytes or text, optional
        How large one input may be to be hashed in full, such as "20 GB" (2 GB unless
        said); of a larger one only size, shape and a sample digest are kept. The
        environment variable NBTRACK_DATA_LIMIT wins.
    keep : words, optional
        Which checkpoints of each run stay: "best", "last", "top3", "every:10" (steps),
        "all", or several, as "best:val_acc,last". The others stay listed.
    budget : bytes or text, optional
        How much the checkpoints of one run may take, such as "5 GB"; 0 for no limit.
        The worst and the oldest go first, the best and the last stay.
    alerts : words, optional
        What every run waits for, beside NaN, such as `["loss > 10", "stalled 10m"]`;
        see `nbtrack.start`. An empty list for NaN alone.

    Returns
    -------
    frozenset of str
        What is off in this store now.

    Raises
    ------
    OptionError
        For an unknown word, with what there is, a limit that is no size, or an alert
        that is none.

    Examples
    --------
    >>> import nbtrack
    >>> sorted(nbtrack.configure(off=["system", "output"]))
    ['output', 'system']
    >>> sorted(nbtrack.configure(off=[]))
    []
    """
    from nbtrack.tracking.session import process_session

    store = process_session().store_for().path
    write_keep(store, keep, budget)
    if alerts is not None:
        write_alerts(store, alerts)
    if data_limit is not None:
        write_data_limit(store, data_limit)
    return read_off(store) if off is None else write_off(store, off)
