"""Targets: a tracked cell costs at most 30 ms more, a plain one nearly nothing.

Interleaved in one process, medians of many cells; printed beside their targets.
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

import pytest

ROUNDS = 30
TRACKED_MS = 30.0
PLAIN_MS = 1.0
LOAD_MS = 150.0
BODY = "lr = 0.1\nfor i in range(3):\n    loss = lr / (i + 1)\n"
LONG = BODY + "".join(f"x{i} = [{i}, 'text', {{'a': {i}}}]\n" for i in range(100))
WIDE = {f"name_{i}": list(range(10)) for i in range(500)}

pytestmark = pytest.mark.benchmark


def elapsed_ms(shell, cell):
    started = time.perf_counter()
    assert shell.run_cell(cell, store_history=True).success
    return (time.perf_counter() - started) * 1e3


def report(what, value, target, unit="ms"):
    print(f"{what}: {value:.3f} {unit}, target {target:g} {unit}")
    assert value <= target


@pytest.mark.parametrize("body", [BODY, LONG], ids=["3 lines", "100 lines"])
def test_a_tracked_cell_costs_little_more(shell, capsys, body):
    shell.user_ns.update(WIDE)
    shell.run_cell("%load_ext nbtrack")
    elapsed_ms(shell, f"%%track warm\n{body}")
    pairs = [
        (elapsed_ms(shell, f"%%track bench\n{body}"), elapsed_ms(shell, body))
        for _ in range(ROUNDS)
    ]
    with capsys.disabled():
        more = median(tracked - plain for tracked, plain in pairs)
        report("a tracked cell costs more", more, TRACKED_MS)
    shell.run_cell("%unload_ext nbtrack")


def test_a_plain_cell_hardly_notices(shell, capsys):
    shell.user_ns.update(WIDE)
    times = {True: [], False: []}
    for _ in range(ROUNDS):
        for loaded in times:
            shell.run_cell(f"%{'' if loaded else 'un'}load_ext nbtrack")
            elapsed_ms(shell, BODY)
            times[loaded] += [elapsed_ms(shell, BODY) for _ in range(3)]
    with capsys.disabled():
        more = median(times[True]) - median(times[False])
        report("a plain cell costs more", more, PLAIN_MS)
    shell.run_cell("%unload_ext nbtrack")


# In a real kernel, with the live panel; long enough for the panel to open its widget.
TRAINED = """
import time
lr = 0.1
for i in range(60):
    time.sleep(0.005)
    loss = lr / (i + 1)
"""


def test_a_tracked_cell_with_its_panel_costs_little_more(
    store_path, tmp_path, monkeypatch, capsys
):
    from jupyter_client.manager import start_new_kernel

    monkeypatch.chdir(tmp_path)
    manager, client = start_new_kernel(kernel_name="python3")

    def run_ms(cell):
        started = time.perf_counter()
        reply = client.execute_interactive(cell, output_hook=id, timeout=60)
        assert reply["content"]["status"] == "ok"
        return (time.perf_counter() - started) * 1e3

    try:
        run_ms("%load_ext nbtrack")
        run_ms(f"%%track warm\n{TRAINED}")
        pairs = [
            (run_ms(f"%%track bench\n{TRAINED}"), run_ms(TRAINED)) for _ in range(12)
        ]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    with capsys.disabled():
        more = median(tracked - plain for tracked, plain in pairs)
        report("a tracked cell with its panel costs more", more, TRACKED_MS)


LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("x = 1")
started = time.perf_counter()
shell.run_cell("%load_ext nbtrack")
print((time.perf_counter() - started) * 1e3)
import sys
print(*{"pandas", "numpy", "torch", "sqlite_utils", "anywidget"} & set(sys.modules))
"""


def test_loading_the_extension_is_quick_and_light(capsys):
    found = []
    for _ in range(5):
        ran = subprocess.run(
            [sys.executable, "-c", LOAD], capture_output=True, text=True, check=True
        )
        ms, heavy = ran.stdout.split("\n")[:2]
        assert heavy == ""
        found.append(float(ms))
    with capsys.disabled():
        report("%load_ext nbtrack", median(found), LOAD_MS)
