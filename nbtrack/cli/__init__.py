"""`nbtrack ...`: look at a store, clean it up, send it elsewhere, from a terminal.

Every verb takes `--store` and `--json`. Exit status: 0 fine; 1 it is not so, in one
line on stderr; 2 the command line cannot be understood. Only `export`, `rerun` and
`run` run code, which is what they are for; a bundle from outside needs `--trust`.

A verb is whatever command a module here called `..._verb` or `..._verbs` defines.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import click

from nbtrack.cli.frame import Verbs


def main() -> None:
    """The entry point of the command."""
    command(prog_name="nbtrack")


def _verbs() -> Iterator[click.Command]:
    """Every verb of this folder."""
    for module in iter_modules(__path__, f"{__name__}."):
        if module.name.endswith(("_verb", "_verbs")):
            yield from _verbs_of(import_module(module.name))


def _verbs_of(module: ModuleType) -> list[click.Command]:
    """Those of one module, without the verbs of its verbs (`artifacts list`)."""
    commands = [it for it in vars(module).values() if isinstance(it, click.Command)]
    groups = [it for it in commands if isinstance(it, click.Group)]
    inner = [verb for group in groups for verb in group.commands.values()]
    return [it for it in commands if it not in inner]


command = Verbs(
    "nbtrack",
    help="Experiment tracking that lives in the notebook: what its store holds.",
    commands=[*_verbs()],
)
