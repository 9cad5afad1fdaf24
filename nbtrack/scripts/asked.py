"""What `nbtrack run` is asked for, on its way from the command line to a new process.

The script gets an interpreter of its own, in the place of the one that read the command
line: no command line tool is loaded in it, and it starts as Python starts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# The folder that `-c` puts first on the path is not the script's.
START = (
    "import sys; sys.flags.safe_path or sys.path.pop(0); "
    "from nbtrack.scripts.process import main; main()"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A script, or a module, and how it is to be tracked.

    >>> asked = Asked("train.py", options={"group": "folds"})
    >>> Asked.from_json(asked.as_json()) == asked
    True
    """

    target: str  # a file; or a module, as of `python -m`
    is_module: bool = False
    # As `nbtrack.tracked.options.checked_options` takes them: JSON values.
    options: Mapping[str, Any] = field(default_factory=dict)
    says_json: bool = False

    def as_json(self) -> str:
        """One word of a command line, in ASCII: names of files may be no UTF-8."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Asked:
        """The same again."""
        return cls(**json.loads(text))

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command that runs it, with the arguments of the script.

        >>> Asked("train.py").command(["--lr", "0.1"])[-2:]
        ['--lr', '0.1']
        """
        return [*_python(), "-c", START, self.as_json(), *arguments]

    def plain_command(self, arguments: Sequence[str]) -> list[str]:
        """The command that runs it without us.

        >>> Asked("train.py").plain_command(["--lr", "0.1"])[-3:]
        ['train.py', '--lr', '0.1']
        """
        module = ["-m"] if self.is_module else []
        return [*_python(), *module, self.target, *arguments]


def _python() -> list[str]:
    """Python as it runs here: with -O, -W and their like, as multiprocessing does."""
    import subprocess  # the script's process, which is made here, needs it not

    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [sys.executable, *flags]
