"""Another tracker in an environment of its own, which the tests make and keep."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

KEPT = Path(__file__).parents[2] / ".venvs"


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment that has these packages; made on first use.

    Made once for one list, also where several processes ask at once.
    """
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:8]
    folder = KEPT / f"peer-{requirements[0].partition('=')[0]}-{digest}"
    python = folder / "bin" / "python"
    KEPT.mkdir(exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            run(sys.executable, "-m", "venv", "--clear", folder)
            run(python, "-m", "pip", "install", "--quiet", *requirements)
            (folder / "ready").touch()
    return python


def run(*command: object, **environment: str) -> str:
    """Run a command to its end; what it printed. It sees nothing of this checkout."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in command],
        env={**inherited, **environment}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, (
        f"{command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    )
    return done.stdout


def json_from(python: Path, script: str, *words: object, **environment: str):
    """The last line that a script prints in that environment, as JSON."""
    said = run(python, "-c", script, *words, **environment)
    return json.loads(said.splitlines()[-1])
