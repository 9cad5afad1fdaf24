"""S10: what is purged is in no byte of the store any more."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy
import pytest

import nbtrack
from nbtrack.store import Store
from nbtrack.tracking.background import background

pytestmark = pytest.mark.usefixtures("plain_surroundings")
KEPT = "purple-elephant-of-the-other-run"


def marks():
    """Texts that no redaction takes, each for one place."""
    places = [
        "name", "experiment", "tag", "tag value", "group", "notes", "param", "value",
        "metric", "axis", "text", "caption", "table", "artifact", "file", "content",
        "checkpoint", "meta", "reason", "error", "histogram", "large content",
    ]  # fmt: skip
    return {place: f"zebra crossing {n:02d} seen" for n, place in enumerate(places)}


def write_all(run, m, folder):
    """Have something of the run at every place that takes text."""
    run.tag(m["tag"], **{"kind": m["tag value"]})
    run.note(m["notes"])
    run.log_params({m["param"]: m["value"]})
    run.set_axis(m["axis"], 1.0)
    run.log({m["metric"]: 1.0})
    run.log_text(m["text"], "words")
    run.log_image(numpy.zeros((2, 2)), "i", caption=m["caption"])
    run.log_histogram([1, 2], m["histogram"])
    run.log_table({"a": [m["table"]]}, "t")
    (folder / m["file"]).write_text(m["content"])
    large = os.urandom(1 << 20) + m["large content"].encode() + os.urandom(1 << 20)
    (folder / "large").write_bytes(large)
    run.log_artifact(folder, m["artifact"], metadata={"k": m["meta"]})
    run.checkpoint({"w": [1]}, name=m["checkpoint"])


def found(store_path, texts):
    """Which of them are in a file's bytes or name, and in which."""
    files = [path for path in store_path.rglob("*") if path.is_file()]
    bodies = [(path, path.read_bytes()) for path in files]
    return {
        (text, path.suffix)
        for text in texts
        for path, body in bodies
        if text.encode() in body or text in path.name
    }


@pytest.fixture
def purgeable(store_path, tmp_path):
    """A run with a mark at every place, and another that shares its experiment."""
    m, folder = marks(), tmp_path / "data"
    folder.mkdir()
    with nbtrack.start("other", notes=KEPT) as other:
        other.log(loss=1.0)
    run = nbtrack.start(m["name"], experiment=m["experiment"], group=m["group"])
    write_all(run, m, folder)
    run.finish("failed", error=m["error"], reason=m["reason"])
    background.settle(10.0)
    assert run.store.journal.flush(10.0)
    return run, m


def test_s10_every_mark_of_a_run_is_gone_from_files_wal_and_journal(
    purgeable, store_path
):
    run, m = purgeable
    # Images and tables are compressed: their captions and columns stand in rows.
    before = found(store_path, m.values())
    assert len({text for text, _ in before}) >= len(m) - 2
    run.store.purge(run.id)
    assert found(store_path, m.values()) == set()
    assert found(store_path, [KEPT]) >= {(KEPT, ".db")}
    run.store.close()
    assert found(store_path, m.values()) == set()


def test_s10_also_while_a_panel_has_the_store_open(purgeable, store_path):
    run, m = purgeable
    with Store.open(store_path) as panel:
        assert len(panel.runs()) == 2
        tail = panel.tail(run.id)
        run.store.purge(run.id)
        assert found(store_path, m.values()) == set()
        assert [other.name for other in panel.runs()] == ["other"]
        assert tail.run.id == run.id


ELSEWHERE = """
import sys
import nbtrack
with nbtrack.start("zebra crossing 98 seen", notes="zebra crossing 99 seen") as run:
    run.log(loss=1.0)
with nbtrack.start("goes on") as live:
    print(run.id, flush=True)
    sys.stdin.readline()
"""


def test_s10_also_while_the_kernel_that_logged_it_lives(store_path):
    """Its journal is its own: it lets go of what is committed when a run ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    texts = [f"zebra crossing {n} seen" for n in (98, 99)]
    run_id = process.stdout.readline().strip()
    time.sleep(1.0)
    with Store.open(store_path) as store:
        store.purge(run_id)
        assert found(store_path, texts) == set()
        assert store.run("goes on").status == "running"
    process.communicate("\n", timeout=30)
    assert found(store_path, texts) == set()
