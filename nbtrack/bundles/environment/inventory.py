"""What a Python has: this one, or another that is asked in a process of its own.

Another Python is asked with the same code, and only after what it has itself; it need
not have nbtrack. Nothing is imported of what is installed there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path
from typing import Any

import nbtrack
from nbtrack.bundles.environment.contents import contents_digest, is_whole
from nbtrack.bundles.environment.pip_call import calm_environment
from nbtrack.bundles.environment.sources import source_of
from nbtrack.capture.packages import Packages, packages
from nbtrack.errors import EnvironmentBlockedError
from nbtrack.text import shorten, visible

TIMEOUT_S = 60.0
# The folder of nbtrack may be full of other packages: it leaves the path at once.
_ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from nbtrack.bundles.environment.inventory import tell_all
sys.path.remove(sys.argv[1])
tell_all(is_checking=sys.argv[2] == "check")
"""


def python_facts() -> dict[str, str]:
    """Version, implementation and platform of this Python.

    >>> sorted(python_facts())
    ['implementation', 'platform', 'python']
    """
    from nbtrack.capture.interpreter import interpreter_facts

    told = {fact.name: str(fact.value) for fact in interpreter_facts()}
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return {
        "python": told["python.version"],
        "implementation": told["python.implementation"],
        "platform": platform,
    }


def inventory(names: Collection[str], installed: Packages = packages) -> dict[str, Any]:
    """What this Python is, and which of the distributions it has.

    >>> found = inventory({"pip", "no-such-thing"})
    >>> sorted(found), "no-such-thing" in found["packages"]
    (['implementation', 'packages', 'platform', 'python'], False)
    """
    there = {
        about.name: {
            "version": about.version,
            "record_sha256": contents_digest(about.name),
            "commit": source_of(about)["commit"],
        }
        for about in installed.installed()
        if about.name in names
    }
    return {**python_facts(), "packages": there}


def inventory_of(python: Path, *, is_checking: bool = False) -> dict[str, Any]:
    """Another Python and all of the distributions that it has.

    Parameters
    ----------
    python
        Its executable.
    is_checking
        Whether the files of each are looked for; "whole" says what came of it.

    Raises
    ------
    EnvironmentBlockedError
        Where it cannot be asked.

    >>> sorted(inventory_of(Path(sys.executable)))
    ['implementation', 'packages', 'platform', 'python']
    """
    root = str(Path(nbtrack.__file__).parents[1])
    asked = [str(python), "-c", _ASK, root, "check" if is_checking else ""]
    try:
        said = subprocess.run(
            asked,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            env=calm_environment(),
        )
        found = json.loads(said.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as exc:
        raise EnvironmentBlockedError(
            f"{shorten(visible(str(python)), 60)} does not say what is installed in it "
            f"({type(exc).__name__}): name a Python that runs, or use `--env current`."
        ) from exc
    assert isinstance(found, dict)
    return found


def tell_all(*, is_checking: bool) -> None:
    """Write all that this Python has to its output, for `inventory_of`."""
    names = {about.name for about in packages.installed()}
    found = inventory(names)
    for name, about in found["packages"].items() if is_checking else ():
        about["whole"] = is_whole(name)
    sys.stdout.write("\n" + json.dumps(found) + "\n")
