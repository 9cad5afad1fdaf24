"""R3: what `finish()` or a save returned for was synced; a torn log is a prefix.

A power cut cannot be had here. What it can do to files can: each call is watched for
what it asks the disk to keep before it returns, and a write-ahead log is cut and
flipped as a disk may leave it.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
TEARS = 400

# Each call stands between two lines that it writes, so that they are in the trace.
CALLS = """
import os, sys
import nbtrack
from pathlib import Path

def around(name, call):
    os.write(1, f"begin {name}\\n".encode())
    call()
    os.write(1, f"end {name}\\n".encode())

os.environ["NBTRACK_OFF"] = "code environment system rng"
work = Path(sys.argv[1])
(work / "large").write_bytes(os.urandom(3 << 20))
(work / "small").write_bytes(os.urandom(5000))
run = nbtrack.start("base")
run.log(loss=0.5)
store = run.store
assert store.journal.flush()
around("a large file", lambda: store.put_file(work / "large"))
around("a small file", lambda: store.put_file(work / "small"))
around("an artifact", lambda: run.log_artifact({"n": 1}, "labels").record())
around("a model", lambda: nbtrack.models.register({"w": 1}, "fraud"))
tags = {"kind": "tags", "run": run.id, "set": {"a": None}}
around("an edit", lambda: store.edit(tags))
around("finish", run.finish)
"""
LINE = re.compile(r"\b(write|fsync|fdatasync|rename)\((.*)\) += (\d+)")


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    """What each of the calls asked the system for, by its name."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not here: apt-get install strace")
    folder = tmp_path_factory.mktemp("traced")
    told = folder / "trace"
    command = [
        *("strace", "-f", "-y", "-s", "80", "-o", str(told)),
        *("-e", "trace=write,fsync,fdatasync,rename"),
        *(sys.executable, "-W", "ignore", "-c", CALLS, str(folder)),
    ]
    environment = {**os.environ, "NBTRACK_STORE": str(folder / ".nbtrack")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if "Operation not permitted" in done.stderr and "ptrace" in done.stderr.lower():
        pytest.skip("tracing is not permitted here")
    assert done.returncode == 0, done.stderr
    calls, name = {}, None
    for line in whole_lines(told.read_text()):
        found = LINE.search(line)
        if found is None:
            continue
        if said := re.search(r'"(begin|end) (.*?)\\n"', found[2]):
            name = said[2] if said[1] == "begin" else None
        elif name is not None:
            calls.setdefault(name, []).append((found[1], found[2]))
    return calls


def whole_lines(text):
    """Lines of a trace; a call that another thread came into is put together."""
    begun = {}
    for line in text.splitlines():
        thread = line.split(maxsplit=1)[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>")
        elif "resumed>" in line:
            yield begun.pop(thread, "") + line.split("resumed>", 1)[1]
        else:
            yield line


def synced(calls):
    return [what for call, what in calls if call in ("fsync", "fdatasync")]


@pytest.mark.parametrize(
    "name", ["finish", "a large file", "an artifact", "a model", "an edit"]
)
def test_r03_the_log_is_synced_before_the_call_returns(trace, name):
    assert any(what.endswith("nbtrack.db-wal>") for what in synced(trace[name]))


@pytest.mark.parametrize("name", ["a large file", "a small file", "an artifact"])
def test_r03_a_kept_file_is_synced_then_named_then_its_name_is_synced(trace, name):
    calls = trace[name]
    [named] = [n for n, (call, what) in enumerate(calls) if call == "rename"
               and "/blobs/" in what.split(", ")[1]]  # fmt: skip
    source, target = re.findall(r'"(.*?)"', calls[named][1])
    folder = os.path.dirname(target)
    assert any(what.endswith(f"<{source}>") for what in synced(calls[:named]))
    assert any(what.endswith(f"<{folder}>") for what in synced(calls[named:]))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A database and its log as they lie on the disk, and where `finish` returned."""
    folder = tmp_path_factory.mktemp("whole")
    copies = folder / "copies"
    copies.mkdir()
    with Store.open(folder / ".nbtrack") as store:
        for run in ("done", "going"):
            store.journal.emit({"kind": "run_started", "run": run, "name": run})
            for n in range(40):
                series = store.journal.series(run, "loss")
                for i in range(25):
                    store.journal.point(series, 25 * n + i, float(25 * n + i), 1e9)
                assert store.journal.flush()
            if run == "done":
                store.journal.emit(
                    {"kind": "run_finished", "run": run, "status": "finished"}
                )
                assert store.journal.flush()
                finished_at = (store.path / "nbtrack.db-wal").stat().st_size
        # By another process: see R8.
        names = [str(store.path / f"nbtrack.db{end}") for end in ("", "-wal")]
        subprocess.run(["cp", *names, str(copies)], check=True)
    [body, log] = [(copies / f"nbtrack.db{e}").read_bytes() for e in ("", "-wal")]
    assert finished_at < len(log)
    return body, log, finished_at


def torn(log, chance, finished_at):
    """The log as a power cut may leave it; whether the finished run must be in it."""
    at = chance.randrange(len(log))
    if chance.random() < 0.5:
        return log[:at], at >= finished_at
    flipped = bytearray(log)
    flipped[at] ^= 1 << chance.randrange(8)
    return bytes(flipped), at >= finished_at


def test_r03_a_torn_log_gives_a_prefix_and_all_of_what_was_finished(written, tmp_path):
    body, log, finished_at = written
    chance, seen = random.Random(3), set()
    for tear in range(TEARS):
        folder = tmp_path / str(tear) / ".nbtrack"
        folder.mkdir(parents=True)
        left, has_finished = torn(log, chance, finished_at)
        (folder / "nbtrack.db").write_bytes(body)
        (folder / "nbtrack.db-wal").write_bytes(left)
        with Store.open(folder) as store:
            counts = {run.name: check_prefix(store, run) for run in store.runs()}
            if has_finished:
                assert store.run("done").status == "finished"
                assert counts["done"] == 1000
        check_sound(folder)
        seen.add((counts.get("done", 0), counts.get("going", 0)))
        shutil.rmtree(folder.parent)
    assert len(seen) > 30  # the tears fell into many places


def check_prefix(store, run):
    if "loss" not in run.metrics:
        return 0
    curve = store.curve(run.id, "loss")
    n = len(curve)
    assert list(curve.steps) == list(range(n))
    assert list(curve.values) == [float(i) for i in range(n)]
    assert run.metrics["loss"].n == n
    return n


def check_sound(folder):
    connection = sqlite3.connect(folder / "nbtrack.db")
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    connection.close()
