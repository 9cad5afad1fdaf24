"""Calls that build a config: constructors, parsers of arguments, loaders of files."""

from __future__ import annotations

import ast

from nbtrack.capture.evaluate import dotted

_LOADERS = frozenset(
    {"json.load", "json.loads", "yaml.safe_load", "yaml.load", "tomllib.load"}
    | {"tomllib.loads", "OmegaConf.load", "OmegaConf.merge", "json5.load", "vars"}
)
_PARSERS = frozenset(
    {"parse_args", "parse_known_args", "replace", "create", "from_dict", "from_yaml"}
    | {"from_file", "from_json", "from_cli", "tyro", "cli", "parse"}
)


def builds_config(value: ast.expr, built: object) -> bool:
    """Whether a call makes a config out of what stands elsewhere.

    >>> import argparse
    >>> call = ast.parse("parser.parse_args()", mode="eval").body
    >>> builds_config(call, argparse.Namespace())
    True
    """
    if not isinstance(value, ast.Call):
        return False
    name = dotted(value.func) or ""
    last = name.rpartition(".")[2]
    return name in _LOADERS or last in _PARSERS or last == type(built).__name__
