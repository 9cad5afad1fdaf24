"""du: who takes the disk, with rows that add up to the sizes of the files."""

from __future__ import annotations

import random

import pytest

import nbtrack
from nbtrack.analysis.disk_use import du
from nbtrack.errors import OptionError

MIB = 1 << 20
BLOCKS = [random.Random(n).randbytes(MIB) for n in range(4)]


def on_disk(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def by_name(table, kind):
    rows = table[table["kind"] == kind]
    return dict(zip(rows["name"], rows["bytes"], strict=True))


@pytest.fixture
def filled(store_path, plain_surroundings, tmp_path):
    """Two runs whose weights share half of their bytes; a picture; garbage; a copy."""

    def weights(*blocks):
        path = tmp_path / "w.bin"
        path.write_bytes(b"".join(BLOCKS[block] for block in blocks))
        return path

    for name, blocks in (("one", (0, 1)), ("two", (0, 2))):
        with nbtrack.start(name) as run:
            run.log_artifact(weights(*blocks), "net", type="model")
            run.log_image([[0, len(name)]], "picture")
    with nbtrack.start("two again") as run:  # the version of the run before
        run.log_artifact(weights(0, 2), "net", type="model")
        run.log_artifact(weights(3), "data", type="dataset")
    store = nbtrack.open()
    store.journal.flush(5)
    store.put_bytes(b"x" * 5000)  # nothing names it
    nbtrack.artifacts.get("data")
    return store


@pytest.mark.parametrize("by", ["run", "artifact", "type"])
def test_the_rows_add_up_to_the_files(filled, by):
    table = du(by)
    assert table["bytes"].sum() == pytest.approx(on_disk(filled.path), rel=0.01)
    named = table[~table["kind"].isin(["database", "journal", "cache", "rest"])]
    assert named["bytes"].sum() == on_disk(filled.path / "blobs")
    assert table["bytes"].is_monotonic_decreasing
    assert by_name(table, "garbage") == {"": 5000}
    assert by_name(table, "cache")[""] == on_disk(filled.path / "cache") >= MIB


def test_what_is_shared_is_split_evenly(filled):
    shown = [media for run in filled.runs() for media in filled.media(run.id)]
    pictures = sum({media.digest: media.size_bytes for media in shown}.values())
    assert (len(shown), pictures > 0) == (2, True)  # one content, of two runs
    runs = by_name(du("run"), "run")
    # Of two versions, the second is of two runs; they share block 0.
    one, two, again = (runs[name] for name in ("one", "two", "two again"))
    assert one + two + again == 4 * MIB + pictures
    assert one == pytest.approx(1.5 * MIB, abs=pictures)
    assert two == pytest.approx(0.75 * MIB, abs=pictures)
    assert again == pytest.approx(1.75 * MIB, abs=pictures)
    artifacts = du("artifact")
    assert by_name(artifacts, "artifact") == {"net": 3 * MIB, "data": MIB}
    assert by_name(artifacts, "media") == {"": pictures}
    assert by_name(du("type"), "type") == {
        "model": 3 * MIB, "dataset": MIB, "media": pictures,
    }  # fmt: skip


def test_an_unknown_way_is_told(filled):
    with pytest.raises(OptionError, match=r"by='artefact'.*Did you mean artifact"):
        du("artefact")


def test_what_is_given_up_is_garbage(filled):
    before = by_name(du("artifact"), "garbage")[""]
    filled.give_up([filled.artifact("data").id], why="deleted")
    assert by_name(du("artifact"), "garbage")[""] == before + MIB
