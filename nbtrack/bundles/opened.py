"""What an opened bundle says is to be run, and why it cannot be, if so.

Everything out of the bundle is checked before it is used; paths stay inside the folder
that a rerun is given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbtrack.bundles.archive.reading import Bundle
from nbtrack.bundles.pins import environment_for, machine_flags
from nbtrack.bundles.work import Work, segments_with
from nbtrack.errors import BundleError
from nbtrack.slices.ladder import MORE_S, TIMES_RECORDED
from nbtrack.text import shorten, visible

_FACTS = ("env/platform.json", "env/numerics.json")


def facts_in(bundle: Bundle) -> dict[str, Any]:
    """What the run's machine and settings were, by name."""
    found: dict[str, Any] = {}
    for name in _FACTS:
        found |= bundle.json(name)["facts"]
    variables = bundle.json("env/env-vars.json")
    return found | {f"env.{name}": value for name, value in variables.items()}


def work_in(bundle: Bundle, extracted: Path) -> Work:
    """What is run, with the files that lie around it.

    Raises
    ------
    BundleError
        Where the bundle's parts do not fit together.
    """
    try:
        return _work_in(bundle, extracted)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        why = shorten(f"{type(exc).__name__}: {exc}", 100)
        raise BundleError(f"The bundle's parts do not fit together ({why}).") from exc


def _work_in(bundle: Bundle, extracted: Path) -> Work:
    layout, told = bundle.json("run/layout.json"), bundle.json("run/slice.json")
    cells = told["cells"]
    source = bundle.read("run/run.py").decode("utf-8")
    facts = facts_in(bundle)
    needs = [str(name) for name in bundle.manifest.get("needs", [])]
    given = {name: os.environ[name] for name in needs if name in os.environ}
    files: dict[str, Path | bytes] = {
        place: extracted / member for place, member in layout["files"].items()
    }
    files |= dict(_elsewhere(layout))
    return Work(
        segments_with(
            source,
            {int(cell["first_line"]): int(cell["n_lines"]) for cell in cells},
            {str(cell["label"]): tuple(map(str, cell["writes"])) for cell in cells},
            int(told["nth"]),
        ),
        str(layout["cwd"]),
        files,
        tuple(map(str, layout["folders"])),
        environment_for(facts, flags=machine_flags()) | given,
    )


def _elsewhere(layout: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Files that are not in the bundle, where they lie beside the working folder."""
    for path in layout["elsewhere"]:
        here = Path(os.path.abspath(path))
        if not os.path.isabs(path) and path[:1] != "~" and here.is_file():
            yield os.path.normpath(os.path.join(layout["cwd"], path)), here


def blocked_by(bundle: Bundle, work: Work) -> str:
    """What is missing before anything is run; empty where nothing is."""
    needs = bundle.manifest.get("needs", [])
    missing = [visible(str(n)) for n in needs if n not in work.environment]
    if missing:
        return f"set {', '.join(missing)} in the environment: the cells need it"
    for each in bundle.json("data/inputs.json")["files"]:
        if each["member"] is None and (why := _why_not_there(each)):
            return why
    return ""


def _why_not_there(each: Mapping[str, Any]) -> str:
    path = str(each["path"])
    here = Path(os.path.abspath(os.path.expanduser(path)))
    shown, policy = visible(path), each["policy"]
    if not here.is_file():
        private = "private and " if policy == "private" else ""
        return f"the input {shown} is {private}not in the bundle: put it at {here}"
    with here.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != each["sha256"]:
        return f"the input {shown} is another one than the run read ({here})"
    return ""


def time_for_bundle(bundle: Bundle) -> float:
    """Seconds that its cells may take: three times what they took, and a minute."""
    cells = bundle.json("run/slice.json")["cells"]
    took = sum(float(cell.get("duration_s") or 0.0) for cell in cells)
    return TIMES_RECORDED * took + MORE_S
