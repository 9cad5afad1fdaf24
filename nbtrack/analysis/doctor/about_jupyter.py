"""Packages, extensions and kernels: why a panel stays blank, or there is no side bar.

Read from files alone: nothing of Jupyter is imported or started. The page comes from
the environment of the Jupyter server, which may be another than the kernel's.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import nbtrack
from nbtrack.analysis.doctor.report import Check
from nbtrack.store.checkup import command_of

NAME = "nbtrack"
FRONT_END = ("panel.js", "compare.js", "sweep.js")
# What shows widgets in a page, by the package that brings it.
WIDGETS = {
    "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets",
    "anywidget": "anywidget",
}
# The lowest that work; None: named where it is there.
LEAST = {
    "ipywidgets": "8", "anywidget": "0.9.13", "jupyterlab": "4.2", "notebook": "7.2",
    "jupyter_server": "2.18", "plotly": None, "ipykernel": "6.29", "pandas": "2.2",
}  # fmt: skip
NEEDED = ("ipywidgets", "anywidget", "pandas")
_SERVER_PID = "JPY_PARENT_PID"
_PROGRAMS = ("python", "jupyter")


@dataclass(frozen=True, slots=True)
class Server:
    """The environment that a Jupyter page comes from."""

    prefix: Path
    is_other: bool = False  # than that of this process

    @classmethod
    def here(cls) -> Server:
        """That of the server which started this kernel, else this one."""
        own = Path(sys.prefix)
        words = command_of(int(_told(_SERVER_PID) or 0)).split()
        program = Path(words[0] if words else "")
        # An editor may have started the kernel: it has no environment.
        if not program.is_absolute() or not program.name.startswith(_PROGRAMS):
            return cls(own)
        prefix = program.parent.parent
        return cls(prefix, is_other=prefix.resolve() != own.resolve())

    def data(self, *parts: str) -> Iterator[Path]:
        """Where Jupyter looks for what is shared, first what comes first."""
        own = os.environ.get("JUPYTER_DATA_DIR")
        yield from _split("JUPYTER_PATH", *parts)
        yield self.prefix.joinpath("share", "jupyter", *parts)
        home = Path(own) if own else Path.home() / ".local" / "share" / "jupyter"
        for folder in (home, Path("/usr/local/share/jupyter"), _SYSTEM_DATA):
            yield folder.joinpath(*parts)

    def settings(self, *parts: str) -> Iterator[Path]:
        """Where Jupyter looks for settings."""
        own = os.environ.get("JUPYTER_CONFIG_DIR")
        yield from _split("JUPYTER_CONFIG_PATH", *parts)
        yield Path(own or Path.home() / ".jupyter").joinpath(*parts)
        yield self.prefix.joinpath("etc", "jupyter", *parts)
        for folder in (Path("/usr/local/etc/jupyter"), Path("/etc/jupyter")):
            yield folder.joinpath(*parts)

    @property
    def has_lab(self) -> bool:
        """Whether JupyterLab is in it."""
        return (self.prefix / "share" / "jupyter" / "lab").is_dir()


_SYSTEM_DATA = Path("/usr/share/jupyter")


def packages() -> Check:
    """Which versions of what shows panels are in this environment."""
    found = {name: _version(name) for name in LEAST}
    said = ", ".join(f"{name} {v}" for name, v in found.items() if v)
    what = f"nbtrack {nbtrack.__version__}, Python {sys.version.split()[0]}, {said}"
    wrong = [
        f"{name}>={least}" if least else name
        for name, least in LEAST.items()
        if (found[name] is None and name in NEEDED)
        or (found[name] and least and _numbers(found[name] or "") < _numbers(least))
    ]
    if wrong:
        way_out = f"pip install {' '.join(repr(name) for name in wrong)}"
        return Check(
            "packages", "warn", f"{what}; wanting: {', '.join(wrong)}", way_out
        )
    return Check("packages", "ok", what)


def front_end(folder: Path | None = None) -> Check:
    """Whether the scripts of the panels were built and shipped."""
    folder = folder or Path(nbtrack.__file__).parent / "notebook" / "static"
    missing = [name for name in FRONT_END if not (folder / name).is_file()]
    if missing:
        what = f"{', '.join(missing)} is not in {folder}: panels stay blank"
        way_out = "pip install --force-reinstall nbtrack; in a checkout: make demo"
        return Check("front end", "bad", what, way_out)
    return Check("front end", "ok", "built")


def environments(server: Server) -> Check:
    """Whether the kernel's environment is the server's."""
    if not _told(_SERVER_PID):
        return Check("kernel", "ok", f"not in one; looked at {server.prefix}")
    if not server.is_other:
        return Check("kernel", "ok", f"in the server's own environment, {sys.prefix}")
    what = f"runs in {sys.prefix}, the Jupyter server in {server.prefix}"
    if not list(_installed(server)):
        way_out = f"{server.prefix}/bin/python -m pip install nbtrack: for the side bar"
        return Check("kernel", "warn", what, way_out)
    return Check("kernel", "ok", what)


def widgets(server: Server) -> Check:
    """Whether the page can show widgets at all."""
    if not server.has_lab:
        return Check(
            "widgets", "ok", f"no JupyterLab in {server.prefix}: not looked at"
        )
    missing = {
        package: name
        for name, package in WIDGETS.items()
        if not any(
            place.is_dir() for place in server.data("labextensions", *name.split("/"))
        )
    }
    off = sorted(set(WIDGETS) & _disabled(server))
    if missing:
        what = (
            f"the server's environment has no {', '.join(missing.values())}: no panel"
        )
        way_out = f"{server.prefix}/bin/python -m pip install {' '.join(missing)}"
        return Check("widgets", "bad", what, way_out)
    if off:
        way_out = f"jupyter labextension enable {off[0]}, then reload the page"
        return Check("widgets", "bad", f"{off[0]} is disabled: no panel", way_out)
    return Check("widgets", "ok", "the page can show them")


def lab_extension(server: Server) -> Check:
    """Whether the side bar is installed, enabled, and of this version."""
    if not server.has_lab:
        what = f"no JupyterLab in {server.prefix}: not looked at"
        return Check("side bar", "ok", what)
    found = next(_installed(server), None)
    install = f"{server.prefix}/bin/python -m pip install --force-reinstall nbtrack"
    if found is None:
        what = f"not installed in {server.prefix}"
        return Check("side bar", "warn", what, install)
    version = str(_json(found / "package.json").get("version", "unknown"))
    if not list((found / "static").glob("remoteEntry.*.js")):
        return Check("side bar", "bad", f"{found} has no scripts", install)
    if version != nbtrack.__version__:
        what = f"version {version}, nbtrack is {nbtrack.__version__}"
        way_out = f"{install}, then reload the page"
        return Check("side bar", "warn", what, way_out)
    if NAME in _disabled(server):
        way_out = "jupyter labextension enable nbtrack, then reload the page"
        return Check("side bar", "warn", "disabled", way_out)
    return Check("side bar", "ok", f"version {version}, enabled")


def server_extension(server: Server) -> Check:
    """Whether the server answers the side bar."""
    if not server.has_lab:
        what = f"no JupyterLab in {server.prefix}: not looked at"
        return Check("server", "ok", what)
    said: dict[str, Any] = {}
    for place in [*server.settings("jupyter_server_config.d", "nbtrack.json")][::-1]:
        said |= _part(_json(place), "ServerApp", "jpserver_extensions")
    for place in [*server.settings("jupyter_server_config.json")][::-1]:
        said |= _part(_json(place), "ServerApp", "jpserver_extensions")
    if said.get("nbtrack.server") is True:
        return Check("server", "ok", "the extension is enabled")
    state = "disabled" if "nbtrack.server" in said else "not installed"
    way_out = "jupyter server extension enable nbtrack.server, then restart the server"
    return Check("server", "warn", f"the extension is {state}: no side bar", way_out)


def _installed(server: Server) -> Iterator[Path]:
    return (p for p in server.data("labextensions", NAME) if p.is_dir())


def _disabled(server: Server) -> set[str]:
    """The extensions that are switched off, for this user or for all."""
    places = [
        server.prefix / "share" / "jupyter" / "lab" / "settings" / "page_config.json",
        *[*server.settings("labconfig", "page_config.json")][::-1],
    ]
    off: dict[str, bool] = {}
    for place in places:
        said = _json(place).get("disabledExtensions", {})
        if isinstance(said, list):
            said = dict.fromkeys(map(str, said), True)
        if isinstance(said, dict):
            off |= {str(name): bool(value) for name, value in said.items()}
    return {name for name, value in off.items() if value}


def _json(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _part(found: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        inner = found.get(name)
        found = inner if isinstance(inner, dict) else {}
    return found


def _split(variable: str, *parts: str) -> Iterator[Path]:
    for folder in filter(None, os.environ.get(variable, "").split(os.pathsep)):
        yield Path(folder, *parts)


def _told(variable: str) -> str:
    told = os.environ.get(variable, "")
    return told if told.isdecimal() and told != "0" else ""


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """Enough of a version to compare two of them: 8.1.9 is (8, 1, 9)."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
