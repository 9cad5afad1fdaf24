"""Whatever goes wrong on our side, the cell is the cell, and one line says so."""

from __future__ import annotations

import ast
import sqlite3
import warnings

import pytest

from nbtrack.capture.files import FileWatch
from nbtrack.store import Store

pytestmark = pytest.mark.usefixtures("plain_surroundings")

LOOP = "for i in range(3):\n    loss = 1.0 / (i + 1)\n"
CELL = f"%%track base\nlr = 0.1\n{LOOP}loss"


@pytest.fixture
def ip(shell):
    """The shell with the extension loaded."""
    shell.run_cell("%load_ext nbtrack")
    yield shell
    shell.run_cell("%unload_ext nbtrack")


@pytest.fixture
def runs(store_path):
    """Reads the store's runs, newest first."""

    def read():
        with Store.open(store_path) as store:
            return store.runs()

    return read


STOP = FileWatch.stop


def stop_and_raise(self):
    """The savers are put back, or the tests after this one would be watched."""
    STOP(self)
    raising()


def raising(*_args, **_kwargs):
    raise RuntimeError("no luck")


def garbage(self, tree, namespace):
    return ast.Module([*tree.body, ast.Expr(ast.Name("x", ast.Store()))], [])


FAULTS = {
    "params at the start": ("nbtrack.capture.params.CellCapture.at_start", raising),
    "params at the end": ("nbtrack.capture.params.CellCapture.at_end", raising),
    "the watcher's birth": ("nbtrack.capture.watch.Watcher.__init__", raising),
    "the watch calls": ("nbtrack.capture.watch.Watcher.instrument", raising),
    "functions": ("nbtrack.capture.watch.Watcher.instrument_functions", raising),
    "the watch report": ("nbtrack.capture.watch.Watcher.finish", raising),
    "files at the start": ("nbtrack.capture.files.FileWatch.start", raising),
    "files at the end": ("nbtrack.capture.files.FileWatch.stop", stop_and_raise),
    "the panel": ("nbtrack.notebook.panels.live.LivePanel.show", raising),
    "the still picture": ("nbtrack.notebook.panels.live.LivePanel.finish", raising),
    "the store": ("nbtrack.tracking.session.Session.start", raising),
    "the end of the run": ("nbtrack.tracking.run.Run.finish", raising),
    "the record": ("nbtrack.store.store.Store.run", raising),
    "the label": ("nbtrack.analysis.labels.label_of", raising),
    "the summary": ("nbtrack.tracked.summary.summary_line", raising),
    "the tree walker": ("nbtrack.notebook.rewrite.begin_call", raising),
    "the outcome": ("nbtrack.tracked.recording.status_and_trace", raising),
    "the log at the start": ("nbtrack.capture.session.SessionLog.begin", raising),
    "the log at the end": ("nbtrack.capture.session.SessionLog.end", raising),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_hook_that_raises_changes_nothing_but_one_line(
    ip, capsys, monkeypatch, fault
):
    monkeypatch.setattr(*FAULTS[fault])
    capsys.readouterr()
    for _ in range(2):
        result = ip.run_cell(CELL)
        assert result.success
        assert result.result == pytest.approx(1 / 3)
    warnings = [w for w in capsys.readouterr().err.splitlines() if w]
    assert len(warnings) == 1
    assert "no luck" in warnings[0]
    assert not ip.ast_transformers


def test_a_rewriting_that_does_not_compile_is_not_used(ip, capsys, monkeypatch):
    monkeypatch.setattr("nbtrack.capture.watch.Watcher.instrument", garbage)
    assert ip.run_cell(CELL).result == pytest.approx(1 / 3)
    assert "watching failed" in capsys.readouterr().err


def test_the_other_parts_go_on_without_the_one_that_fails(ip, monkeypatch, runs):
    monkeypatch.setattr(*FAULTS["params at the start"])
    ip.run_cell(CELL)
    assert runs()[0].status == "finished"
    assert runs()[0].metrics["loss"].n == 3
    assert not runs()[0].params


def test_an_error_of_the_users_stays_theirs_when_a_hook_raises(ip, monkeypatch, runs):
    monkeypatch.setattr(*FAULTS["files at the end"])
    result = ip.run_cell("%%track base\n1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert runs()[0].status == "failed"


@pytest.mark.parametrize("state", ["not writable", "newer", "no store"])
def test_a_store_that_cannot_be_used_costs_one_line_and_no_cell(
    ip, capsys, monkeypatch, tmp_path, store_path, state
):
    if state == "not writable":
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("NBTRACK_STORE", str(tmp_path / "file" / ".nbtrack"))
    elif state == "newer":
        Store.open(store_path).close()
        database = sqlite3.connect(store_path / "nbtrack.db")
        database.execute("pragma user_version = 999")
        database.close()
    else:
        store_path.mkdir()
        (store_path / "nbtrack.db").write_text("something else " * 100)
    result = ip.run_cell(CELL)
    assert result.result == pytest.approx(1 / 3)
    shown = capsys.readouterr()
    shown = (shown.out + shown.err).splitlines()
    lines = [line for line in shown if "nbtrack:" in line]
    assert len(lines) == 1
    assert ip.run_cell("1 + 1").result == 2


def test_a_store_that_goes_away_while_the_cell_runs_costs_no_cell(
    ip, capsys, store_path
):
    ip.run_cell("%%track first\nx = 1")
    result = ip.run_cell(
        f"%%track second\nimport shutil\nshutil.rmtree({str(store_path)!r})\n{LOOP}loss"
    )
    assert result.success
    assert result.result == pytest.approx(1 / 3)
    assert ip.run_cell(CELL).result == pytest.approx(1 / 3)


def test_the_rewriter_stands_among_transformers_only_while_a_tracked_cell_runs(ip):
    ip.run_cell("%%track base\nhow_many = len(get_ipython().ast_transformers)")
    assert ip.user_ns["how_many"] == 1
    ip.run_cell("how_many = len(get_ipython().ast_transformers)")
    assert ip.user_ns["how_many"] == 0
    ip.run_cell("%%track base\nif x")
    assert not ip.ast_transformers


def test_nothing_of_ours_is_left_in_the_users_names(ip):
    before = set(ip.user_ns)
    ip.run_cell("%%track base\nmine = 1")
    ip.run_cell(f"%%track base\n1 / 0\n{LOOP}")
    ip.run_cell(f"%%track --nope\n{LOOP}")
    ip.run_cell("%%track base\nfor i in range(2):\n    loss = 1\nreturn loss")
    new = {name for name in set(ip.user_ns) - before if not name.startswith("_")}
    assert new <= {"mine", "i", "loss"}
    assert not [name for name in ip.user_ns if "nbtrack" in name]


def test_an_end_that_is_interrupted_ends_the_run_all_the_same(ip, monkeypatch, runs):
    from nbtrack.capture.files import FileWatch

    cut = iter([KeyboardInterrupt])
    stop = FileWatch.stop

    def interrupted(self):
        stop(self)
        for kind in cut:
            raise kind

    monkeypatch.setattr(FileWatch, "stop", interrupted)
    ip.run_cell(CELL)
    assert runs()[0].status == "stopped"
    assert ip.run_cell(CELL).result == pytest.approx(1 / 3)
    assert runs()[0].status == "finished"


def test_a_begin_that_is_interrupted_ends_its_run_as_stopped(ip, monkeypatch, runs):
    from nbtrack.tracking.session import Session

    start = Session.start

    def interrupted(self, *args, **kwargs):
        start(self, *args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Session, "start", interrupted)
        assert isinstance(ip.run_cell(CELL).error_in_exec, KeyboardInterrupt)
    assert runs()[0].status == "stopped"
    ip.run_cell(CELL)
    assert [r.status for r in runs()] == ["finished", "stopped"]
    assert runs()[0].parent is None


def test_secrets_are_kept_out_of_source_and_traceback(ip, runs, store_path):
    secret = "sk-" + "Ab1" * 16
    ip.run_cell(f"%%track base\napi_key = {secret!r}\nraise ValueError(api_key)")
    with Store.open(store_path) as store:
        run = store.run("last")
    assert secret not in f"{run}"
    assert "raise ValueError(api_key)" in run.source
    assert "ValueError" in run.error


def test_a_begin_call_in_a_plain_script_does_nothing(capsys):
    import nbtrack

    nbtrack._begin("base")
    assert "%load_ext nbtrack" in capsys.readouterr().err


@pytest.mark.parametrize("head", ["", "%%track\n", "%%track\n%%time\n"])
def test_what_the_compiler_warns_of_is_not_said_more_often(shell, head):
    cell = 'digit = "\\d"\nfor i in range(2):\n    loss = 0.5\nprint(i is 3)'

    def said_by(source):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            assert shell.run_cell(source).success
        return sorted(str(warning.message) for warning in said)

    alone = said_by(head.removeprefix("%%track\n") + cell)
    shell.run_line_magic("load_ext", "nbtrack")
    assert said_by(head + cell) == alone
    assert len(alone) >= 2
