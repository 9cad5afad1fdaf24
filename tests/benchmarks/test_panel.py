"""What the live panel costs the kernel: its thread's share of one core."""

from __future__ import annotations

import ast

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(180)]

MEASURED_S = 10.0
IDLE_SHARE_MAX = 0.01  # of one core, nothing new coming in
BUSY_SHARE_MAX = 0.05  # of one core, 5 series at 10 points a second each
CELL = """
import sys, tempfile, time
sys.path.insert(0, {tests!r})
from panel_runs import FIRST, start_run
from nbtrack.store import Store
from nbtrack.notebook.panels.live import LivePanel
store = Store.open(tempfile.mkdtemp())
start_run(store)
journal = store.journal
series = [journal.series(FIRST, f"m{{i}}_loss", goal="min") for i in range({n_series})]
for one in series:
    for step in range(1000):
        journal.point(one, step, 1.0 / (step + 1), time.time())
panel = LivePanel(FIRST, store, on_stop=print)
begin = time.perf_counter()
panel.show()
show_ms = 1e3 * (time.perf_counter() - begin)
time.sleep(3)  # imports, the widget, the first frames
clock = time.pthread_getcpuclockid(panel._thread.ident)
cpu, wall, step = time.clock_gettime(clock), time.perf_counter(), 1000
while time.perf_counter() - wall < {measured_s}:
    if {is_busy}:
        for one in series:
            journal.point(one, step, 1.0 / step, time.time())
    step += 1
    time.sleep(0.1)
share = (time.clock_gettime(clock) - cpu) / (time.perf_counter() - wall)
begin = time.perf_counter()
panel.finish()
finish_ms = 1e3 * (time.perf_counter() - begin)
store.close()
{{"share": share, "show_ms": show_ms, "finish_ms": finish_ms}}
"""


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _measure(client, tests: str, *, is_busy: bool) -> dict[str, float]:
    cell = CELL.format(tests=tests, n_series=5, measured_s=MEASURED_S, is_busy=is_busy)
    said = []

    def hear(message):
        if message["msg_type"] == "execute_result":
            said.append(message["content"]["data"]["text/plain"])

    reply = client.execute_interactive(cell, output_hook=hear, timeout=120)
    assert reply["content"]["status"] == "ok", reply["content"]
    return ast.literal_eval(said[0])


@pytest.mark.parametrize(
    ("is_busy", "most"), [(False, IDLE_SHARE_MAX), (True, BUSY_SHARE_MAX)]
)
def test_the_panel_thread_leaves_the_core_to_the_cell(
    kernel, request, capsys, is_busy, most
):
    tests = str(request.config.rootpath / "tests")

    found = _measure(kernel, tests, is_busy=is_busy)

    kind = "5 series x 10 Hz" if is_busy else "idle"
    with capsys.disabled():
        print(
            f"\npanel thread, {kind}: {found['share']:.2%} of a core "
            f"(target {most:.0%}); show {found['show_ms']:.1f} ms, "
            f"finish {found['finish_ms']:.1f} ms"
        )
    assert found["share"] <= most
