"""The command that runs a module of ours in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE = str(Path(__file__).resolve().parents[2])
# nbtrack as it is here, also where it is not installed
_START = """\
import sys
sys.path.append(sys.argv[1])
from {module} import main
main(sys.argv[2:])
"""


def command_of(
    module: str, *arguments: str, python: str = sys.executable, package: str = PACKAGE
) -> list[str]:
    """Run `main(arguments)` of a module by this Python, or by another.

    Parameters
    ----------
    package
        The folder in which nbtrack lies; last on the path, so that nothing beside it
        hides what that Python has.

    >>> command_of("nbtrack.slices.replay", "job.json")[-1]
    'job.json'
    """
    start = _START.format(module=module)
    return [python, "-c", start, package, *arguments]
