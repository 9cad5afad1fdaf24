"""The log of executed cells is kept with the runs of a session, as they ran."""

from __future__ import annotations

import ast
import hashlib
import json
import time
from types import SimpleNamespace

import pytest

import nbtrack
from nbtrack.analysis.code_view import CELL_COLUMNS, cells
from nbtrack.guard import guard
from nbtrack.tracked.cell_log import CellLog
from nbtrack.tracking.background import background

KEY = "hf_" + "a1B2c3D4e5F6g7H8i9J0"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def log_of(kernel, name: str):
    """The log of that run's session, as the kernel itself reads it."""
    kernel.run("from nbtrack.analysis.code_view import cells, code")
    asked = f"print(cells({name!r}).to_json(orient='records', date_unit='us'))"
    return json.loads(kernel.run(asked).stdout)


def test_a_session_that_tracks_nothing_writes_nothing(kernel):
    kernel.run("before = 1", cellId="first")
    kernel.run("before = 2", cellId="first")  # edited and run again
    kernel.run("1 / 0")
    kernel.run("%time lost = 3")
    assert not (kernel.folder / ".nbtrack").exists()


def test_every_cell_is_there_in_its_order_and_as_it_ran(kernel, kernel_store):
    kernel.run(f"%%track logged\nlogin = '{KEY}'\nfor i in range(2):\n    loss = i / 2")
    kernel.run("after = 4\nimport time; time.sleep(0.02)", cellId="after")
    log = log_of(kernel, "logged")
    sources = [cell["source"] for cell in log]
    at = sources.index("before = 1")
    assert sources[at : at + 4] == [
        "before = 1", "before = 2", "1 / 0", "%time lost = 3",
    ]  # fmt: skip
    first, second, failed, magic = log[at : at + 4]
    assert (first["cell_id"], second["cell_id"]) == ("first", "first")
    assert first["digest"] == sha256("before = 1")
    assert (failed["ok"], failed["error"]) == (False, "ZeroDivisionError")
    assert (magic["ok"], magic["execution"]) == (True, first["execution"] + 3)
    assert [cell["seq"] for cell in log] == list(range(len(log)))
    tracked = next(cell for cell in log if (cell["source"] or "").startswith("%%track"))
    assert "login = '[redacted]'" in tracked["source"]
    raw = f"%%track logged\nlogin = '{KEY}'\nfor i in range(2):\n    loss = i / 2"
    assert tracked["digest"] == sha256(raw) == kernel_store.run("logged").source_digest
    after = next(cell for cell in log if cell["cell_id"] == "after")
    assert 0.02 <= after["duration_s"] < 5
    assert after["started_at"] > tracked["started_at"]


def test_the_secret_of_a_cell_is_nowhere_in_the_store(kernel):
    kernel.run("nbtrack.open().journal.flush(5)")
    for file in (kernel.folder / ".nbtrack").rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file


def test_a_cell_that_is_killed_midway_is_in_the_log(kernel, kernel_store):
    kernel.run("%%track open\nimport nbtrack.tracking.background as b\nimport time")
    asked = kernel.send(
        "%%track cut\nprint('busy', flush=True)\nb.background.settle(5)\n"
        "nbtrack.current().store.journal.flush(5)\nprint('known', flush=True)\n"
        # One long sleep would not hear of an interrupt that came just before it.
        "for _ in range(300):\n    time.sleep(0.1)"
    )
    kernel.wait_for_stdout(asked, "known")
    cut = kernel_store.cells(kernel_store.run("cut").id)[-1]
    assert cut.source.startswith("%%track cut")
    assert (cut.ok, cut.duration_s) == (None, None)
    kernel.manager.interrupt_kernel()
    kernel.answer(asked)
    log = log_of(kernel, "cut")
    ended = next(
        cell for cell in log if (cell["source"] or "").startswith("%%track cu")
    )
    assert (ended["ok"], ended["error"]) == (False, "KeyboardInterrupt")


def test_the_text_of_a_cell_that_is_not_to_be_kept_is_not_in_the_log(kernel):
    kernel.run("%%track hidden --off source\nx = 'only the digest'")
    kernel.run("%%track shown\ny = 1")
    log = log_of(kernel, "shown")
    assert not [c for c in log if "only the digest" in (c["source"] or "")]
    digest = sha256("%%track hidden --off source\nx = 'only the digest'")
    assert [c["source"] for c in log if c["digest"] == digest] == [None]


def test_the_notebook_is_known_by_its_digest_and_the_launcher_is_no_script(kernel):
    saved = kernel.folder / "mine.ipynb"
    saved.write_text("{}\n")
    kernel.run(f"__vsc_ipynb_file__ = {str(saved)!r}")
    kernel.run("%%track noted\nz = 1")
    kernel.run("del __vsc_ipynb_file__\nfrom nbtrack.analysis.code_view import code")
    said = kernel.run(
        "c = code('noted'); (c.notebook, c.notebook_digest, dict(c.script))"
    )
    assert ast.literal_eval(said.result) == ("mine.ipynb", sha256("{}\n"), {})
    kernel.run("%%track unnoted\nz = 1")
    said = kernel.run("code('unnoted').missing['notebook.path']")
    assert "does not tell" in said.result


# -- in this process: a shell of one's own


@pytest.fixture
def loaded(shell):
    shell.run_cell("first = 1", store_history=True)
    shell.run_cell("%load_ext nbtrack", store_history=True)
    return shell


def test_cells_before_nbtrack_was_loaded_are_there_without_a_time(loaded):
    loaded.run_cell("%%track base --no-live\nx = 1", store_history=True)
    frame = cells("base")
    assert tuple(frame.columns) == CELL_COLUMNS
    assert frame["source"].tolist()[:2] == ["first = 1", "%load_ext nbtrack"]
    assert frame["execution"].tolist() == [1, 2, 3]
    assert frame["started_at"].isna().tolist() == [True, False, False]
    assert frame["ok"].isna().tolist() == [True, False, False]


def test_a_run_by_hand_in_a_cell_has_the_log_too(loaded):
    loaded.run_cell("import nbtrack\nwith nbtrack.start('hand'):\n    pass")
    loaded.run_cell("later = 1")
    assert cells("hand")["source"].tolist()[-1] == "later = 1"


def test_the_log_can_be_switched_off(loaded):
    loaded.run_cell("%%track base --no-live --off cells\nx = 1")
    loaded.run_cell("later = 1")
    assert len(cells("base")) == 0
    loaded.run_cell("%%track other --no-live\nx = 1")
    assert "later = 1" in cells("other")["source"].tolist()


def test_after_a_purge_nothing_of_the_session_comes_back(loaded, capsys):
    loaded.run_cell("%%track base --no-live\nprivate = 'text'")
    store = nbtrack.open()
    background.settle(5)
    store.purge(store.run("base").id)
    loaded.run_cell("later = 1")
    background.settle(5)
    loaded.run_cell("%%track other --no-live\nx = 1")
    texts = cells("other")["source"].dropna().tolist()
    assert texts == ["%%track other --no-live\nx = 1"]
    assert store.sql("select count(*) from unread")[1] == [(0,)]


def test_a_log_that_breaks_is_one_line_and_the_cells_go_on(loaded, monkeypatch, capsys):
    def broken(self, kept):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(CellLog, "_send", broken)
    for n in range(3):
        loaded.run_cell(f"%%track base{n} --no-live\nx = {n}")
        loaded.run_cell("y = x + 1")
    assert loaded.user_ns["y"] == 3
    assert capsys.readouterr().err.count("the log of cells failed") == 1
    assert guard.failures["the log of cells"] > 1
    assert nbtrack.open().run("base2").status == "finished"


def test_a_plain_cell_costs_under_a_millisecond(store_path):
    from nbtrack.capture.session import SessionLog

    log = SessionLog()
    kept = CellLog(log)
    with nbtrack.start("base") as run:
        kept.run_started(run)
    costs = []
    for n in range(60):
        log.begin(f"x = {n}\n" * 30, None, n, namespace={})
        log.end(True, None, n, namespace={})
        began = time.perf_counter()
        kept.cell_ended()
        costs.append(time.perf_counter() - began)
    background.settle(5)
    assert sorted(costs)[30] < 0.0005
    assert len(cells("base")) == 60


def test_a_store_that_is_closed_is_forgotten(store_path):
    from nbtrack.capture.session import SessionLog

    journal = SimpleNamespace(session="s", is_closed=True)
    run = SimpleNamespace(
        store=SimpleNamespace(journal=journal), captures=lambda feature: True
    )
    kept = CellLog(SessionLog())
    kept.run_started(run)
    kept.cell_ended()
    assert kept._stores == {}
