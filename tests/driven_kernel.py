"""Drives a real kernel as a front end does: what its cells answered."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty

import pytest

REPLY_S = 60
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Answer:
    """The reply to one execute request, and the outputs that came with it."""

    status: str = ""
    error: str = ""  # "ValueError: no"
    stdout: str = ""
    stderr: str = ""
    result: str | None = None  # text/plain of the last expression
    shown: list[str] = field(default_factory=list)  # text/plain of display_data
    traceback: str = ""
    execution: int | None = None

    @property
    def line(self) -> str:
        """The summary line."""
        return next((t for t in reversed(self.shown) if t.startswith("run ")), "")


class Kernel:
    """Drives one kernel as a front end does."""

    def __init__(self, manager, client, folder: Path) -> None:
        self.manager, self.client, self.folder = manager, client, folder

    def run(self, code: str, **metadata) -> Answer:
        return self.answer(self.send(code, **metadata))

    def send(self, code: str, **metadata) -> str:
        message = self.client.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
            metadata=metadata,
        )
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def answer(self, asked: str) -> Answer:
        answer = Answer()
        self._outputs(asked, answer)
        while True:
            reply = self.client.get_shell_msg(timeout=REPLY_S)
            if reply["parent_header"].get("msg_id") == asked:
                answer.status = reply["content"]["status"]
                answer.execution = reply["content"].get("execution_count")
                return answer

    def _outputs(self, asked: str, answer: Answer) -> None:
        while True:
            message = self.client.get_iopub_msg(timeout=REPLY_S)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                setattr(
                    answer,
                    content["name"],
                    getattr(answer, content["name"]) + content["text"],
                )
            elif kind in ("display_data", "update_display_data"):
                answer.shown.append(content["data"].get("text/plain", ""))
            elif kind == "execute_result":
                answer.result = content["data"]["text/plain"]
            elif kind == "error":
                answer.error = f"{content['ename']}: {content['evalue']}"
                answer.traceback = _ANSI.sub("", "\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return

    def settle(self, asked: str, *, timeout_s: float) -> None:
        """Wait until the kernel is idle again, or for so long."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            try:
                message = self.client.get_iopub_msg(timeout=timeout_s)
            except Empty:
                return
            is_ours = message["parent_header"].get("msg_id") == asked
            if is_ours and message["content"].get("execution_state") == "idle":
                return

    def wait_until_dead(self) -> None:
        """Until the kernel has died in mid-cell."""
        until = time.monotonic() + REPLY_S
        while self.manager.is_alive():
            assert time.monotonic() < until, "the kernel did not die"
            time.sleep(0.05)

    def restart(self) -> None:
        """Another kernel under the same connection, ready for its first cell."""
        self.manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=REPLY_S)

    def wait_for_stdout(self, asked: str, text: str) -> None:
        """Read outputs until the busy cell has printed `text`."""
        seen = ""
        while text not in seen:
            try:
                message = self.client.get_iopub_msg(timeout=REPLY_S)
            except Empty:
                pytest.fail(f"{text!r} was not printed")
            if message["parent_header"].get("msg_id") == asked:
                seen += message["content"].get("text", "")
