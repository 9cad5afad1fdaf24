"""How long the panel takes for 5,000 runs and for 50 curves of 100,000 points."""

from __future__ import annotations

import ast
import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.benchmark, pytest.mark.timeout(500)]

N_RUNS, N_PARAMS, N_METRICS = 5000, 20, 5
TABLE_MAX_S, SORT_MAX_MS, CURVES_MAX_MS = 1.0, 100, 300
STORE = f"""import os
os.environ["NBTRACK_OFF"] = "all"
import random, nbtrack
store = nbtrack.open()
rng = random.Random(0)
for n in range({N_RUNS}):
    run = f"r{{n:05}}"
    store.journal.emit({{"kind": "run_started", "run": run, "name": f"run-{{n}}"}})
    params = [[f"p{{k}}", rng.random(), "literal", None] for k in range({N_PARAMS})]
    store.journal.emit({{"kind": "params", "run": run, "params": params}})
    for k in range({N_METRICS}):
        series = store.journal.series(run, f"val_loss{{k}}")
        for step in range(5):
            store.journal.point(series, step, rng.random(), 1e9 + step)
    store.journal.emit({{"kind": "run_finished", "run": run, "status": "finished"}})
    if n % 200 == 0:
        store.journal.flush(60)
store.journal.flush(120)"""
CURVES = """import math
for n in range(7):
    with nbtrack.start(f"long-{n}") as run:
        for step in range(100_000):
            run.log(deep=math.sin(step / 9000 + n) + (step == 31_234) * 40)
len(nbtrack.runs('deep < 99'))"""
# When a thing was on the page, after the frame that drew it.
WATCH = """what => {
  window.nbtSeen = 0;
  const look = () => {
    if (new Function(`return ${what}`)()) window.nbtSeen = Date.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
ROWS = "document.querySelectorAll('.nbt-rows tbody tr[data-run]').length > 10"


def seen(page):
    page.wait_for_function("() => window.nbtSeen > 0", timeout=60_000)
    return page.evaluate("() => window.nbtSeen")


def test_five_thousand_runs_and_long_curves_are_quick(lab, capsys):
    cells = [
        "%load_ext nbtrack",
        STORE,
        "import time; print(time.time() * 1e3)\n%compare",
    ]
    notebook = lab.open([*cells, CURVES, "p = nbtrack.compare('long-0'); p", ""])
    page = lab.page
    notebook.run(0)
    notebook.run(1, timeout_s=300)
    page.evaluate(WATCH, ROWS)
    said = notebook.run(2)
    cold_s = (seen(page) - ast.literal_eval(said.split()[0])) / 1000
    notebook.screenshot("compare-5000")
    page.wait_for_timeout(1500)  # small curves come meanwhile

    sorts = []
    for name in ("p3", "p3", "val_loss1"):
        button = page.locator(".nbt-compare thead button.nbt-sort", has_text=name).first
        button.scroll_into_view_if_needed()
        took = button.evaluate(
            """button => {
              const began = performance.now();
              button.click();
              return new Promise(done => requestAnimationFrame(() =>
                requestAnimationFrame(() => done(performance.now() - began))));
            }"""
        )
        sorts.append(took)
        page.wait_for_timeout(1500)
    assert page.locator(".nbt-compare thead th[aria-sort]").count() == 1

    notebook.run(3, timeout_s=300)
    notebook.run(4)
    page.locator(".nbt-overlay canvas").last.wait_for()
    page.wait_for_timeout(500)
    many = "p.set(selected=tuple(f'long-{n}' for n in range(7)), metric='deep')"
    notebook.set_source(5, f"import time; print(time.time() * 1e3); {many}")
    page.evaluate(WATCH, "document.querySelectorAll('.nbt-compare')[1]"
                         ".querySelectorAll('.nbt-legend').length === 7")  # fmt: skip
    began = ast.literal_eval(notebook.run(5).split()[0])
    curves_ms = seen(page) - began
    page.locator(".nbt-overlay").last.scroll_into_view_if_needed()
    time.sleep(0.5)
    notebook.screenshot("compare-spikes")
    with capsys.disabled():
        print(
            f"\n5,000 runs on the page: {cold_s:.2f} s (target {TABLE_MAX_S}), sort "
            f"{', '.join(f'{ms:.0f}' for ms in sorts)} ms (target {SORT_MAX_MS}), 7 "
            f"curves of 100,000 points: {curves_ms:.0f} ms (target {CURVES_MAX_MS})"
        )
    assert cold_s <= TABLE_MAX_S
    assert max(sorts) <= SORT_MAX_MS
    assert curves_ms <= CURVES_MAX_MS
