"""The doctor: each check on what it is for, what is put right, what is left alone."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import nbtrack
from nbtrack.analysis.doctor import about_disk, about_store
from nbtrack.analysis.doctor.about_jupyter import (
    Server,
    environments,
    front_end,
    lab_extension,
    server_extension,
    widgets,
)
from nbtrack.errors import StoreError
from nbtrack.store import Store, checkup, mounts
from nbtrack.store.locate import DATABASE_NAME
from nbtrack.store.schema import APPLICATION_ID, VERSION
from nbtrack.store.schema_v3 import SCHEMA_V3

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m"


@pytest.fixture
def filled(store_path, plain_surroundings):
    with nbtrack.start("base") as run:
        run.log(loss=0.5)
        run.log_artifact({"a": 1}, "labels")
    with Store.open(store_path) as opened:
        yield opened


def test_a_store_in_order_has_nothing_wrong(filled, store_path):
    report = nbtrack.doctor()
    names = [check.name for check in report.checks]
    assert names[:2] == ["store", "database"]
    ours = {name: report[name].state for name in names[: names.index("packages")]}
    assert set(ours.values()) == {"ok"}, report
    assert f"NBTRACK_STORE={store_path}" in report["store"].what
    assert "1 processes are at work" in report["lock"].what
    assert report.fixed == ()
    assert json.loads(json.dumps(report.to_dict()))["checks"][0]["name"] == "store"


def test_no_store_is_said_and_none_is_made(tmp_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    for fix in (False, True):
        report = nbtrack.doctor(fix=fix)
        assert report["store"].state == "warn"
        assert f"there is none at {tmp_path / '.nbtrack'}" in report["store"].what
    assert list(tmp_path.iterdir()) == []


def test_a_variable_that_hides_the_nearest_store_is_named(
    filled, tmp_path, monkeypatch
):
    with Store.open(tmp_path / "work"):
        pass
    monkeypatch.chdir(tmp_path / "work")
    said = nbtrack.doctor()["store"].what
    assert f"the nearest would be {tmp_path / 'work' / '.nbtrack'}" in said
    assert "it was named" in nbtrack.doctor(tmp_path / "work")["store"].what


def test_a_damaged_database_is_left_alone_and_the_way_out_is_salvage(tmp_path):
    with Store.open(tmp_path) as store:
        for nth in range(20):
            store.journal.emit(
                {"kind": "run_started", "run": f"r{nth}", "notes": "n" * 3000}
            )
        assert store.journal.flush()
    file = tmp_path / ".nbtrack" / DATABASE_NAME
    body = bytearray(file.read_bytes())
    body[4096 * 4 : 4096 * 40] = os.urandom(4096 * 36)
    for damaged in (bytes(body), b"", b"no database" * 100):
        file.write_bytes(damaged)
        report = nbtrack.doctor(tmp_path, fix=True)
        assert (report["database"].state, report.ok) == ("bad", False)
        assert "salvage" in report["database"].way_out
        assert file.read_bytes() == damaged


@pytest.fixture
def old_store(tmp_path):
    """A store of version 3."""
    folder = tmp_path / ".nbtrack"
    folder.mkdir(0o700)
    old = sqlite3.connect(folder / DATABASE_NAME)
    old.executescript(
        f"{SCHEMA_V3} pragma application_id = {APPLICATION_ID};pragma user_version = 3;"
    )
    old.close()
    (folder / DATABASE_NAME).chmod(0o600)
    return folder


def test_a_store_of_another_version_is_said_and_left_as_it_is(old_store):
    check = nbtrack.doctor(old_store)["version"]
    assert (check.state, check.fixable) == ("warn", True)
    assert "the store has version 3" in check.what
    new = sqlite3.connect(old_store / DATABASE_NAME)
    assert new.execute("pragma user_version").fetchone() == (3,)
    new.execute("pragma user_version = 99")
    new.close()
    assert "Upgrade nbtrack" in nbtrack.doctor(old_store)["version"].what


@pytest.mark.faults
def test_an_older_store_is_brought_up_to_date(old_store):
    report = nbtrack.doctor(old_store, fix=True)
    assert (report["version"].state, report["rights"].state) == ("ok", "ok")
    assert f"the store has version {VERSION} now, it had 3" in report.fixed


HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("begin immediate")
print("held", flush=True)
sys.stdin.readline()
"""


def test_who_locks_the_store_is_named(filled, store_path, monkeypatch):
    monkeypatch.setattr(checkup, "PROBE_S", 0.1)
    file = store_path / DATABASE_NAME
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        check = nbtrack.doctor()["lock"]
    finally:
        holder.communicate("\n")
    assert check.state == "bad"
    assert f"locked by process {holder.pid} (" in check.what
    assert nbtrack.doctor()["lock"].state == "ok"


def test_a_network_mount_is_said(filled, tmp_path, monkeypatch):
    table = tmp_path / "mountinfo"
    table.write_text(f"1 1 0:1 / {tmp_path} rw - nfs4 server:/home rw\n")
    monkeypatch.setattr(mounts, "MOUNTINFO", table)
    check = about_store.mount(filled.path)
    assert (check.state, "network or FUSE" in check.what) == ("warn", True)


def test_rights_of_others_are_named_and_taken_away(filled, store_path):
    (store_path / DATABASE_NAME).chmod(0o644)
    (store_path / "blobs").chmod(0o755)
    check = nbtrack.doctor()["rights"]
    assert (check.state, check.fixable) == ("warn", True)
    assert "others may look at 2 of its files" in check.what
    report = nbtrack.doctor(fix=True)
    assert report["rights"].state == "ok"
    assert "2 files and folders are yours alone now" in report.fixed
    assert (store_path / DATABASE_NAME).stat().st_mode & 0o777 == 0o600


DIE = """
import os, signal, sys
from nbtrack.store import Store
store = Store.open(sys.argv[1])
store.journal.emit({"kind": "run_started", "run": "r", "name": sys.argv[2]})
series = store.journal.series("r", "loss")
assert store.journal.flush()
for n in range(100):
    store.journal.point(series, n, float(n), 1e9)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_dead_process_left_is_seen_left_alone_and_taken_over(tmp_path):
    died = subprocess.run(
        [sys.executable, "-c", DIE, str(tmp_path), "base"], capture_output=True
    )
    assert died.returncode == -9
    for _ in range(2):  # to look changes nothing
        report = nbtrack.doctor(tmp_path)
        assert "1 of dead processes wait" in report["journals"].what
        assert "1 look running, but their process is gone: base" in report["runs"].what
        assert "nbtrack doctor --fix puts right what it can." in report.lines()
    fixed = nbtrack.doctor(tmp_path, fix=True)
    assert fixed.fixed == (
        "1 journals of dead processes were taken over",
        "1 runs whose process is gone are no longer running",
    )
    assert fixed["journals"].state == fixed["runs"].state == "ok"
    with Store.open(tmp_path) as store:
        assert store.run("r").status == "crashed"
        assert len(store.curve("r", "loss").values) == 100


def test_events_that_were_put_aside_and_notices_are_counted(tmp_path):
    with Store.open(tmp_path) as store:
        store.journal.emit({"kind": "run_started", "run": "r"})
        store.journal.emit({"kind": "notices", "run": "r", "texts": ["no git here"]})
        store.journal.emit({"kind": "nonsense"})
        assert store.journal.flush()
    report = nbtrack.doctor(tmp_path)
    assert "1 could not be read" in report["events"].what
    assert "1, the newest: no git here" in report["notices"].what


def test_little_room_is_said(filled, monkeypatch):
    monkeypatch.setattr(about_disk, "LITTLE_BYTES", 1 << 62)
    assert about_disk.room(filled.path).state == "warn"
    monkeypatch.setattr(about_disk, "VERY_LITTLE_BYTES", 1 << 62)
    check = about_disk.room(filled.path)
    assert (check.state, "nbtrack gc" in check.way_out) == ("bad", True)


def test_files_that_are_missing_are_named_and_damaged_ones_when_they_are_read(filled):
    [file] = filled.artifact_files(filled.artifact("labels").id)
    path = filled.file_path(file.digest)
    path.chmod(0o600)
    path.write_bytes(b"other")
    assert nbtrack.doctor()["files"].state == "ok"
    deep = nbtrack.doctor(deep=True)["contents"]
    assert (deep.state, "labels:v0" in deep.what) == ("bad", True)
    path.unlink()
    check = nbtrack.doctor()["files"]
    assert (check.state, "labels:v0" in check.what) == ("bad", True)


def test_a_pack_that_is_missing_is_seen_too(tmp_path):
    with Store.open(tmp_path) as store:
        (tmp_path / "large").write_bytes(os.urandom(3 << 20))
        ref = store.put_file(tmp_path / "large")
        files = [["f", ref.digest, ref.size_bytes, None, None]]
        store.keep_artifact({"name": "large", "type": "model", "files": files})
        assert nbtrack.doctor(store)["files"].state == "ok"
        [pack] = (store.path / "blobs" / "packs").iterdir()
        pack.unlink()
        assert "large:v0" in nbtrack.doctor(store)["files"].what


def test_no_text_of_a_store_becomes_markup_or_controls_a_terminal(tmp_path):
    subprocess.run(
        [sys.executable, "-c", DIE, str(tmp_path), HOSTILE], capture_output=True
    )
    report = nbtrack.doctor(tmp_path)
    assert "onerror" in repr(report)
    assert "\x1b" not in repr(report)
    page = report._repr_html_()
    assert "&lt;img" in page
    assert "<img" not in page


def test_a_check_that_fails_is_said_and_the_others_go_on(filled, monkeypatch):
    def fails(_):
        raise StoreError("no such luck")

    monkeypatch.setattr(about_store, "version", fails)
    report = nbtrack.doctor()
    assert report["version"].what == "cannot be looked at: StoreError: no such luck"
    assert report["lock"].state == "ok"


# -- Jupyter ---------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path, monkeypatch):
    """An environment with JupyterLab and all that is needed, of its own."""
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    prefix = tmp_path / "env"
    shared = prefix / "share" / "jupyter"
    for folder in ("lab/settings", "labextensions/anywidget",
                   "labextensions/@jupyter-widgets/jupyterlab-manager",
                   "labextensions/nbtrack/static"):  # fmt: skip
        (shared / folder).mkdir(parents=True)
    own = shared / "labextensions" / "nbtrack"
    (own / "package.json").write_text(json.dumps({"version": nbtrack.__version__}))
    (own / "static" / "remoteEntry.0.js").touch()
    settings = prefix / "etc" / "jupyter" / "jupyter_server_config.d"
    settings.mkdir(parents=True)
    say_server(settings / "nbtrack.json", True)
    return Server(prefix)


def say_server(path, is_on):
    said = {"ServerApp": {"jpserver_extensions": {"nbtrack.server": is_on}}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said))


def states(server):
    looks = (widgets, lab_extension, server_extension)
    return [look(server).state for look in looks]


def test_an_environment_with_all_of_it_has_nothing_wrong(server):
    assert states(server) == ["ok", "ok", "ok"]


def test_a_page_without_a_widget_manager_explains_a_blank_panel(server):
    folder = server.prefix / "share/jupyter/labextensions/anywidget"
    folder.rmdir()
    check = widgets(server)
    assert (check.state, "no panel" in check.what) == ("bad", True)
    assert check.way_out == f"{server.prefix}/bin/python -m pip install anywidget"


def test_another_version_of_the_side_bar_is_said(server):
    own = server.prefix / "share/jupyter/labextensions/nbtrack"
    (own / "package.json").write_text('{"version": "0.0.1"}')
    assert "version 0.0.1, nbtrack is" in lab_extension(server).what
    (own / "static/remoteEntry.0.js").unlink()
    assert lab_extension(server).state == "bad"
    for path in (own / "package.json", own / "static", own):
        path.unlink() if path.is_file() else path.rmdir()
    assert "not installed" in lab_extension(server).what


def test_extensions_that_are_switched_off_are_said(server, tmp_path):
    settings = server.prefix / "share/jupyter/lab/settings/page_config.json"
    settings.write_text('{"disabledExtensions": {"nbtrack": true, "anywidget": true}}')
    assert states(server)[:2] == ["bad", "warn"]
    assert lab_extension(server).way_out.startswith("jupyter labextension enable")
    own = tmp_path / "config/labconfig/page_config.json"
    own.parent.mkdir(parents=True)
    own.write_text('{"disabledExtensions": {"nbtrack": false, "anywidget": false}}')
    assert states(server)[:2] == ["ok", "ok"]
    say_server(tmp_path / "config/jupyter_server_config.d/nbtrack.json", False)
    assert "the extension is disabled" in server_extension(server).what


def test_settings_that_are_no_json_are_passed_over(server):
    settings = server.prefix / "share/jupyter/lab/settings/page_config.json"
    settings.write_text("{ no json")
    assert lab_extension(server).state == "ok"


def test_a_front_end_that_was_not_built_is_said(tmp_path):
    check = front_end(tmp_path)
    assert (check.state, "panels stay blank" in check.what) == ("bad", True)


def test_a_kernel_of_another_environment_than_the_servers_is_said(server, monkeypatch):
    python = server.prefix / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    other = subprocess.Popen(
        [python, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    monkeypatch.setenv("JPY_PARENT_PID", str(other.pid))
    try:
        other.stdout.readline()  # before it runs, the kernel knows no command of it
        found = Server.here()
    finally:
        other.communicate(b"\n")
    assert (found.prefix, found.is_other) == (server.prefix, True)
    assert f"the Jupyter server in {server.prefix}" in environments(found).what
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    assert Server.here().is_other is False
