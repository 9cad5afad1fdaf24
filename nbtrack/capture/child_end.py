"""The end of a process that we started: of it, and of whatever it started itself."""

from __future__ import annotations

import os
import signal
import subprocess


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it goes on: neither git nor a filter that it waits for.

    The process leads a group of its own (`process_group=0`).
    """
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except OSError:
            process.kill()
