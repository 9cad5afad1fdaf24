"""`wandb.config`: a mapping whose values become params of the run as they are set."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbtrack.capture.values import as_mapping, is_scalar_array
from nbtrack.compat.wandb.errors import ConfigError, UsageError
from nbtrack.compat.wandb.saying import say_once
from nbtrack.errors import MissingExtraError
from nbtrack.text import shorten

DEFAULTS_FILE = "config-defaults.yaml"


class Config:
    """The settings of a run: items and attributes, set once unless it is allowed.

    In a notebook a value may be changed at will, as with wandb; in a script only by
    `update(..., allow_val_change=True)`.

    >>> config = Config(lambda changed: None)
    >>> config.update({"lr": 0.1, "net": {"depth": 2}})
    >>> config.lr, config["net"]["depth"]
    (0.1, 2)
    """

    def __init__(
        self,
        keep: Callable[[dict[str, Any]], None],
        *,
        allow_val_change: bool = False,
    ) -> None:
        self.__dict__.update(_items={}, _keep=keep, _may_change=allow_val_change)
        self.__dict__["_locked"] = frozenset()

    def update(self, d: Any, allow_val_change: bool | None = None) -> None:
        """Set values from a mapping, argparse's Namespace, absl's flags or a YAML file.

        Raises
        ------
        ConfigError
            When a value would change without leave.
        """
        self._set(parsed(d), allow_val_change)

    def setdefaults(self, d: Any) -> None:
        """Set those that are not set yet."""
        self._set({k: v for k, v in parsed(d).items() if k not in self._items}, None)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value; set to `default` first where there is none."""
        self.setdefaults({key: default})
        return self._items[key]

    def take(self, values: Mapping[str, Any]) -> None:
        """Values that are params of the run already: of a run that goes on."""
        self._items.update(values)

    def lock(self, values: Mapping[str, Any]) -> None:
        """Set values of a sweep, which nothing changes from then on."""
        self._set(values, True)
        self.__dict__["_locked"] = self._locked | values.keys()

    def free(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the values that no sweep has set."""
        return {k: v for k, v in values.items() if k not in self._locked}

    def persist(self) -> None:
        """Keep all of it once more."""
        self._keep(dict(self._items))

    def as_dict(self) -> dict[str, Any]:
        """A copy as a plain dict."""
        return dict(self._items)

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or the default."""
        return self._items.get(key, default)

    def keys(self) -> list[str]:
        """The names."""
        return list(self._items)

    def values(self) -> list[Any]:
        """The values."""
        return list(self._items.values())

    def items(self) -> list[tuple[str, Any]]:
        """Names and values."""
        return list(self._items.items())

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._set({key: value}, None)

    def __getattr__(self, key: str) -> Any:
        items = self.__dict__.get("_items", {})
        if key not in items:
            raise AttributeError(f"wandb.config has no value {shorten(key, 60)!r}")
        return items[key]

    def __setattr__(self, key: str, value: Any) -> None:
        self._set({key: value}, None)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)

    def _set(self, values: Mapping[str, Any], allow: bool | None) -> None:
        new = {str(key).strip("-"): plain(value) for key, value in values.items()}
        for key in new.keys() & self._locked:
            say_once(f"locked {key}", f"config {key!r} is the sweep's: not changed")
            del new[key]
        may_change = self._may_change if allow is None else allow
        for key, value in new.items():
            if not may_change and key in self._items and self._items[key] != value:
                raise ConfigError(
                    f'Attempted to change value of key "{shorten(key, 60)}" from '
                    f"{shorten(repr(self._items[key]), 60)} to "
                    f"{shorten(repr(value), 60)}. If you really want to do this, pass "
                    "allow_val_change=True to config.update()."
                )
        self._items.update(new)
        if new:
            self._keep(new)


def parsed(
    config: Any,  # whatever people hand over as their settings
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The settings as a dict.

    Raises
    ------
    UsageError
        When both `include` and `exclude` are given.
    ConfigError
        For a file that is not there, or holds no mapping.
    TypeError
        For what has no names in it.

    >>> import argparse
    >>> parsed(argparse.Namespace(lr=0.1, bs=32), exclude=["bs"])
    {'lr': 0.1}
    """
    if include and exclude:
        raise UsageError("Expected at most only one of exclude or include")
    found = from_file(Path(config)) if isinstance(config, str) else _as_dict(config)
    return {
        str(key): value
        for key, value in found.items()
        if (not include or key in include) and (not exclude or key not in exclude)
    }


def _as_dict(config: Any) -> Mapping[Any, Any]:
    if isinstance(config, Config):
        return config.as_dict()
    flags = getattr(config, "flag_values_dict", None)  # of absl
    if callable(flags):
        return dict(flags())
    found = as_mapping(config)
    if found is None and hasattr(config, "__dict__"):
        found = {k: v for k, v in vars(config).items() if not k.startswith("_")}
    if found is None:
        raise TypeError("config must be a dict or have a __dict__ attribute.")
    return found


def from_file(path: Path) -> dict[str, Any]:
    """The settings in a YAML file; `lr: {value: 0.1}` is 0.1, as wandb writes it.

    Raises
    ------
    ConfigError
        When there is none, or it holds no mapping.
    MissingExtraError
        Where PyYAML is not installed.
    """
    if not path.is_file():
        raise ConfigError(f"config file {shorten(str(path), 200)} doesn't exist")
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]
    except ImportError as exc:
        raise MissingExtraError(
            f"{path.name} needs PyYAML: `pip install pyyaml`, or give a dict."
        ) from exc
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path.name} cannot be read: {exc}") from exc
    if not isinstance(found, dict):
        raise ConfigError(f"{path.name} holds {type(found).__name__}, not a mapping")
    found.pop("wandb_version", None)
    return {key: _value_of(value) for key, value in found.items()}


def _value_of(entry: Any) -> Any:
    if isinstance(entry, dict) and "value" in entry and entry.keys() <= _OF_AN_ENTRY:
        return entry["value"]
    return entry


_OF_AN_ENTRY = {"value", "desc"}


def plain(value: Any) -> Any:
    """A value as the config gives it back: numbers of libraries as Python's own.

    >>> plain((1, {"a": {2}}))
    [1, {'a': [2]}]
    """
    if is_scalar_array(value):  # NumPy's float64 is a float too
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    parts = as_mapping(value)
    if parts is not None:
        return {key: plain(part) for key, part in parts.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return value.tolist()
    return str(value)


def in_notebook() -> bool:
    """Whether this is a kernel, in which people change what they set before."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "terminal" not in type(shell).__module__
