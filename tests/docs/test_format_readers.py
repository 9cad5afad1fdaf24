"""The programs on the pages about formats run, and give what nbtrack gives."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from array import array

import pytest
from bundles.made import LOSSES, made_bundle
from cli_calls import call
from docs.format_pages import page, programs

import nbtrack
from nbtrack.bundles.contents.metrics import series_sha256
from nbtrack.store import Store, chunks

READER, JOURNAL, FILES = programs(page("store.md"))
SCHEMAS, CHECKER = programs(page("bundle.md"))
STEPS = {
    "regular": range(0, 50, 5), "one": [7],
    "two bytes": [0, 1, 5, 300], "irregular": [0, 1, 5, 200, 201],
    "wide": [0, 300, 70_000, 70_001], "huge": [0, 1 << 40, 1 << 41],
    "backwards": [5, 3, 9, 3, 1], "edges": [-(1 << 63), 0, (1 << 63) - 1],
    "very wide": [0, 1, 1 << 31], "same": [4, 4, 4], "falling": [9, 6, 3],
}  # fmt: skip
ODD = [0.1, math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308]


@pytest.fixture
def logged(store_path):
    """A store with odd points, as the journal takes them, and the ids of its runs."""
    with Store.open(store_path) as store:
        say = store.journal
        say.emit({"kind": "run_started", "run": "r1", "name": "odd"})
        for name, steps in STEPS.items():
            series = say.series("r1", name)
            for n, step in enumerate(steps):
                say.point(series, step, ODD[n % len(ODD)], 1.7e9 + n * 0.123457)
        series = say.series("r1", "pauses")
        for n, at in enumerate([1.7e9, 1.7e9 + 9_000, 1.7e9 + 9_000.25, math.nan]):
            say.point(series, n, float(n), at)
        loss, epoch = (
            say.series("r1", "loss"),
            say.series("r1", "epoch", axis_of="loss"),
        )
        for n in range(2_000):
            if n in (3, 700):
                say.point(epoch, n, n / 7, 1.7e9)
            say.point(loss, n, 1 / (n + 1), 1.7e9 + n / 1e6)
            if n % 500 == 0:
                say.flush()  # more chunks than one
        say.flush()
        say.emit({"kind": "run_started", "run": "r2", "name": "fork"})
        say.emit({"kind": "forked", "run": "r2", "parent": "r1", "step": 900})
        say.point(say.series("r2", "loss"), 901, -1.0, 1.8e9)
        say.flush()
        say.emit({"kind": "run_started", "run": "r3", "name": "fork of the fork"})
        say.emit({"kind": "forked", "run": "r3", "parent": "r2", "step": 950})
        for run in ("r1", "r2", "r3"):
            say.emit({"kind": "run_finished", "run": run, "status": "finished"})
        say.flush()
        yield store


def as_bits(rows_):
    """Doubles told apart to the last bit, NaN from NaN too."""
    return [
        tuple(v.hex() if v == v else "nan" for v in map(float, row)) for row in rows_
    ]


def expected(store, run, metric):
    curve = store.curve(run, metric)
    axes = [curve.axes[name] for name in sorted(curve.axes)]
    return list(curve.steps), as_bits(zip(curve.values, curve.at, *axes, strict=True))


def test_the_reader_of_the_page_gives_what_nbtrack_gives(logged, store_path):
    connection = READER.connect(store_path)
    n_seen = 0
    for run in ("r1", "r2", "r3"):
        for metric in logged.run(run).metrics:
            found = READER.curve(connection, run, metric)
            here = [
                (v, at, *(axes[name] for name in sorted(axes)))
                for _, v, at, axes in found
            ]
            assert ([row[0] for row in found], as_bits(here)) == expected(
                logged, run, metric
            ), (run, metric)
            n_seen += 1
    assert n_seen > 2 * len(STEPS)
    codes = {
        tuple(body[1:3]) for (body,) in connection.execute("select body from chunks")
    }
    assert {steps for steps, _ in codes} == {0, 1, 2, 4, 8}
    assert {times for _, times in codes} == {0, 1}
    connection.close()


def test_the_reader_gives_what_curve_gives(store_path):
    with nbtrack.start("plain") as run:
        for _ in nbtrack.epochs(3):
            for batch in range(4):
                nbtrack.log(loss=math.nan if batch == 2 else batch / 3)
    table = nbtrack.curve(run.id, "loss")
    connection = READER.connect(store_path)
    found = READER.curve(connection, run.id, "loss")
    connection.close()
    flat = [(step, value, at, axes["epoch"]) for step, value, at, axes in found]
    columns = table[["step", "value", "at", "epoch"]]
    columns = columns.assign(at=[moment.timestamp() for moment in columns["at"]])
    assert as_bits(flat) == as_bits(columns.itertuples(index=False, name=None))


def test_the_reader_refuses_what_it_does_not_know(tmp_path):
    columns = (array(code, [1]) for code in "qdd")
    body = bytearray(chunks.pack(chunks.Columns(*columns)))
    body[0] = 2
    with pytest.raises(AssertionError, match="format"):
        READER.decode(bytes(body))
    (tmp_path / "nbtrack.db").touch()
    with pytest.raises(AssertionError, match="no store"):
        READER.connect(tmp_path)


def test_the_programs_need_nothing_but_python(logged, store_path, tmp_path):
    """In a process of its own, that cannot import nbtrack or blake3."""
    block = re.findall(
        r"^```python\n(.*?)^```$", page("store.md"), re.MULTILINE | re.DOTALL
    )[0]
    script = tmp_path / "reader.py"
    script.write_text(
        block + f"\nprint(len(curve(connect({str(store_path)!r}), 'r1', 'loss')))\n"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-S", script], capture_output=True, text=True, check=True
    )
    assert said.stdout == "2000\n"


TALKS = """\
import os, sys, time
from nbtrack.store import Store
store = Store.open(sys.argv[1])
say = store.journal
say.emit({"kind": "run_started", "run": "r9", "name": "killed"})
loss = say.series("r9", "loss")
say.point(loss, 0, 0.5, 1e9)
say.flush()
import sqlite3
lock = sqlite3.connect(sys.argv[1] + "/nbtrack.db", isolation_level=None)
lock.execute("begin immediate")  # nothing is committed from here on
for step in range(1, 10_000):
    say.point(loss, step, step / 3, 1e9 + step)
say.point(say.series("r9", "epoch", axis_of="loss"), 4, 1.0, 1e9)
print("said", flush=True)
time.sleep(60)
"""


def test_the_reader_of_segments_gives_what_is_not_committed(store_path):
    Store.open(store_path).close()
    talker = subprocess.Popen(
        [sys.executable, "-c", TALKS, store_path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert talker.stdout.readline() == "said\n"
        found = JOURNAL.waiting(store_path)
    finally:
        talker.kill()
        talker.communicate()
    points = [(step, step / 3, 1e9 + step) for step in range(1, 10_000)]
    epoch = [(4, 1.0, 1e9)]
    assert found == {("r9", "loss", None): points, ("r9", "epoch", "loss"): epoch}
    assert JOURNAL.waiting(store_path) == found  # a dead process's too
    with Store.open(store_path) as store:  # takes the journal over
        assert store.run("r9").status == "crashed"
        assert len(store.curve("r9", "loss").steps) == 10_000
    assert JOURNAL.waiting(store_path) == {}


def test_the_reader_of_files_gives_what_was_kept(tmp_path, store_path):
    contents = [b"small", os.urandom((5 << 20) + 17), b"x" * (1 << 20), b""]
    folder = tmp_path / "folder"
    folder.mkdir()
    for n, body in enumerate(contents):
        (tmp_path / f"{n}.bin").write_bytes(body)
        (folder / f"{n}.bin").write_bytes(body[::-1])
    with Store.open(store_path) as store:
        alone = [store.put_file(tmp_path / f"{n}.bin") for n in range(len(contents))]
        together = store.put_files(sorted(folder.iterdir()))
    for body, ref in zip(contents, alone, strict=True):
        assert FILES.content(store_path, ref.digest) == body
    for body, ref in zip(contents, together, strict=True):
        assert FILES.content(store_path, ref.digest) == body[::-1]
    whole = [(store_path / "blobs" / r.digest[:2] / r.digest).exists() for r in alone]
    assert whole == [True, False, False, True]


def test_a_command_is_a_row_that_the_run_takes(store_path):
    with nbtrack.start("stoppable") as run:
        nbtrack.open(store_path).control(run.id, "checkpoint", by="me")
        connection = sqlite3.connect(store_path / "nbtrack.db")
        deadline = time.monotonic() + 10
        seen = None
        while seen is None and time.monotonic() < deadline:
            [(command, by, seen)] = connection.execute(
                "select command, by, seen_at from controls where run = ?", (run.id,)
            )
            time.sleep(0.05)
        connection.close()
    assert (command, by) == ("checkpoint", "me")
    assert seen is not None


def test_bare_sqlite_reads_summaries_and_not_points(logged, store_path):
    connection = sqlite3.connect(store_path / "nbtrack.db")
    last = connection.execute(
        "select last from summaries where run = 'r1' and name = 'regular'"
    ).fetchone()
    with pytest.raises(sqlite3.OperationalError, match="no such function"):
        connection.execute("select * from points").fetchall()
    connection.close()
    assert last is not None


def test_rows_are_exported_as_the_page_says(logged, store_path, tmp_path):
    command = re.search(r"`nbtrack (export --format rows .+?)`", page("store.md"))[1]
    words = [str(tmp_path / "out") if w == "FOLDER" else w for w in command.split()]
    call(*words, "--store", store_path)
    connection = sqlite3.connect(tmp_path / "out" / "runs.db")
    [(n,)] = connection.execute(
        "select count(*) from points where run = 'r1' and metric = 'loss'"
    )
    connection.close()
    assert n == 2_000


def test_a_schema_is_found_as_the_page_says():
    assert SCHEMAS.schema("manifest")["title"] == "manifest.json"


@pytest.fixture
def bundle(tmp_path):
    """A bundle whose digests of series are those of its points."""
    odd = series_sha256([5, 7], [math.nan, -math.inf])
    loss = series_sha256([0, 1, 2], LOSSES)
    metrics = {"loss": {"series_sha256": loss}, "odd": {"series_sha256": odd}}
    expected = json.dumps({"metrics": metrics, "checkpoints": []}).encode()
    return made_bundle(tmp_path, **{"results/expected.json": expected})


def test_the_checker_of_the_page_gives_the_id_of_a_sound_bundle(bundle):
    assert CHECKER.check(bundle) == nbtrack.verify(bundle).bundle_id


@pytest.mark.parametrize(
    ("what", "said"),
    [("changed", "changed: README.md"), ("missing", "README"), ("extra", "more")],
)
def test_the_checker_of_the_page_names_what_is_wrong(what, said, bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    if what == "missing":
        del found["README.md"]
    else:
        found["README.md" if what == "changed" else "more.txt"] = b"# bass\n"
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        for name, body in found.items():
            archive.writestr(name, body)
    with pytest.raises(ValueError, match=said):
        CHECKER.check(tmp_path / "other.zip")


def test_the_checker_of_the_page_finds_points_under_another_digest(tmp_path):
    expected = {"metrics": {"loss": {"series_sha256": "0" * 64}}, "checkpoints": []}
    other = json.dumps(expected).encode()
    path = made_bundle(tmp_path, **{"results/expected.json": other})
    with pytest.raises(ValueError, match="other points than expected: loss"):
        CHECKER.check(path)


def test_an_unpacked_bundle_has_the_same_id(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "there")
    folder = nbtrack.verify(tmp_path / "there")
    shutil.rmtree(tmp_path / "there")
    assert (folder.bundle_id, folder.state) == (CHECKER.check(bundle), "INTACT")
