"""YAML as its version 1.2 reads it: `yes` is a word, and `1e-05` a number.

PyYAML reads version 1.1, in which the first is true and the second a text. Tools that
write params (DVC) write 1.2. No tag makes an object of anything.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from nbtrack.errors import MissingExtraError

_SCALARS = (
    ("null", r"(?:~|null|Null|NULL|)\Z", "~nN\0"),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
    ("int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z",
        "-+.0123456789",
    ),
)
_TAG = "tag:yaml.org,2002:"


def read_yaml(text: str) -> Any:  # Any: what the file holds
    r"""The value of a text.

    Raises
    ------
    MissingExtraError
        Where PyYAML is not installed.
    ValueError
        For what is no YAML.

    Examples
    --------
    >>> read_yaml("lr: 1e-05\nmode: yes\nn: 3")
    {'lr': 1e-05, 'mode': 'yes', 'n': 3}
    """
    try:
        import yaml
    except ImportError as exc:
        raise MissingExtraError(
            "YAML files are read with PyYAML: `pip install 'nbtrack[dvc]'`."
        ) from exc
    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - a safe one
    except yaml.YAMLError as exc:
        raise ValueError(f"this is no YAML: {exc}") from exc


def write_yaml(value: Any) -> str:  # Any: what YAML can hold
    """A value as YAML that both versions read alike.

    Raises
    ------
    MissingExtraError
        Where PyYAML is not installed.

    Examples
    --------
    >>> print(write_yaml({"lr": 1e-05, "mode": "yes", "tag": "1e5"}), end="")
    lr: 1.0e-05
    mode: 'yes'
    tag: "1e5"
    """
    try:
        import yaml
    except ImportError as exc:
        raise MissingExtraError(
            "YAML files are written with PyYAML: `pip install 'nbtrack[dvc]'`."
        ) from exc

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        """Quotes what version 1.2 takes for something else than text."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    def text(dumper: Any, data: str) -> Any:
        is_special = any(re.match(pattern, data) for _, pattern, _ in _SCALARS)
        style = '"' if is_special else None
        return dumper.represent_scalar(_TAG + "str", data, style=style)

    Dumper.add_representer(str, text)
    dumped = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True)
    return str(dumped)


@lru_cache(maxsize=1)
def _loader() -> Any:  # Any: a class of an optional package
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Version 1.2, its core schema."""

        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as PyYAML has it

        def whole(self, node: Any) -> int:
            text = self.construct_scalar(node)
            return int(text, 8 if text[:2] == "0o" else 16 if text[:2] == "0x" else 10)

        def floating(self, node: Any) -> float:
            text = self.construct_scalar(node).lower()
            return float(text.replace(".inf", "inf").replace(".nan", "nan"))

    for name, pattern, first in _SCALARS:
        letters = [letter.strip("\0") for letter in first]
        Loader.add_implicit_resolver(_TAG + name, re.compile(pattern), letters)
    Loader.add_constructor(_TAG + "int", Loader.whole)
    Loader.add_constructor(_TAG + "float", Loader.floating)
    return Loader
