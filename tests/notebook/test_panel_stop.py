"""Stop in a busy cell, on the installed ipykernel and on those of `NBTRACK_IPYKERNELS`.

That variable names a folder with one folder per version, each made by
`pip install --no-deps --target <folder>/6.31.0 ipykernel==6.31.0`.
"""

from __future__ import annotations

import ast
import os
import time
from pathlib import Path
from queue import Empty

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.reproduce

BUSY_S = 6.0
HEARD_S = 2.0
PREPARE = """
import sys, time
sys.path.insert(0, {tests!r})
from panel_runs import FIRST, start_run, log_curve, end_run
from nbtrack.store import Store
from nbtrack.notebook.panels.live import LivePanel
store = Store.open({folder!r})
heard = []
"""
BUSY_CELL = """
start_run(store)
panel = LivePanel(FIRST, store, on_stop=lambda: heard.append(time.time()))
panel.show()
end = time.time() + {busy_s}
while not heard and time.time() < end:
    {body}
end_run(store)
panel.finish()
print("heard" if heard else "deaf", len(heard))
"""
BODIES = {
    "sleeping": "time.sleep(0.05)",
    "counting": "sum(range(1000))",
    "logging": "log_curve(store, [1.0])",
}


def _kernels() -> list[str]:
    """Folders to put before the path, '' for the installed ipykernel."""
    folder = os.environ.get("NBTRACK_IPYKERNELS")
    found = sorted(Path(folder).iterdir()) if folder else []
    return ["", *(str(path) for path in found if (path / "ipykernel").is_dir())]


@pytest.fixture(scope="module", params=_kernels(), ids=lambda p: Path(p).name or "here")
def kernel(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernel")
    path = os.pathsep.join(filter(None, [request.param, os.environ.get("PYTHONPATH")]))
    manager, client = start_new_kernel(
        kernel_name="python3", cwd=str(folder), env={**os.environ, "PYTHONPATH": path}
    )
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def prepared(kernel, tmp_path):
    tests = str(Path(__file__).parents[1])
    _run(kernel, PREPARE.format(tests=tests, folder=str(tmp_path)))
    return kernel


def _run(client, code: str) -> None:
    reply = client.execute_interactive(code, output_hook=lambda _: None, timeout=60)
    assert reply["content"]["status"] == "ok", reply["content"]


def _outputs(client):
    while True:
        try:
            yield client.get_iopub_msg(timeout=BUSY_S + 20)
        except Empty:
            return


def _click(client, comm_id: str, *, subshell: str | None, press: str = "1") -> None:
    content = {"method": "custom", "content": {"type": "stop", "id": press}}
    message = client.session.msg("comm_msg", {"comm_id": comm_id, "data": content})
    if subshell:
        message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)


def _subshell(client) -> str | None:
    """A subshell as JupyterLab asks for one; None where the kernel has none."""
    message = client.session.msg("create_subshell_request")
    client.control_channel.send(message)
    reply = client.get_control_msg(timeout=10)
    return reply["content"].get("subshell_id")


def _press_stop(client, body: str, *, subshell: str | None) -> tuple[str, float]:
    """What the cell printed, and how long after the click it ended."""
    client.execute(BUSY_CELL.format(busy_s=BUSY_S, body=BODIES[body]))
    pressed_at = 0.0
    for message in _outputs(client):
        content = message["content"]
        is_widget = content.get("data", {}).get("state", {}).get("_esm")
        if message["msg_type"] == "comm_open" and is_widget:
            time.sleep(0.3)  # the cell is busy by now, as a user finds it
            pressed_at = time.time()
            _click(client, content["comm_id"], subshell=subshell)
        if message["msg_type"] == "stream":
            return content["text"].strip(), time.time() - pressed_at
    raise AssertionError("the cell said nothing")


def _version(client) -> tuple[int, ...]:
    said = []
    client.execute_interactive(
        "import ipykernel; ipykernel.version_info[:2]",
        output_hook=lambda message: said.append(message["content"].get("data")),
        timeout=60,
    )
    (result,) = filter(None, said)
    return ast.literal_eval(result["text/plain"])


@pytest.mark.parametrize("body", BODIES)
def test_a_click_through_the_pages_subshell_is_heard(prepared, body):
    subshell = _subshell(prepared) if _version(prepared) >= (7, 0) else None

    said, took_s = _press_stop(prepared, body, subshell=subshell)

    assert said == "heard 1"
    assert took_s < HEARD_S


@pytest.mark.parametrize("body", BODIES)
def test_a_click_without_a_subshell_is_heard_where_the_kernel_lets_us(prepared, body):
    version = _version(prepared)
    is_deaf = (7, 0) <= version < (7, 4)  # here the control row remains

    said, _ = _press_stop(prepared, body, subshell=None)

    assert said == ("deaf 0" if is_deaf else "heard 1")


def test_a_queued_cell_runs_right_after_stop(prepared):
    subshell = _subshell(prepared) if _version(prepared) >= (7, 0) else None
    _press_stop(prepared, "sleeping", subshell=subshell)

    _run(prepared, "assert len(heard) == 1")
