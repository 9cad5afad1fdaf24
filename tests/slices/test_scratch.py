"""The folder of a proof: what lies in it, what does not, and that it goes away."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from nbtrack.records import CellRecord, FlowRecord, TextRecord
from nbtrack.slices import scratch as room
from nbtrack.slices.claim import Claim, Start
from nbtrack.slices.scratch import Known, Scratch, known_of, writes_elsewhere

LONG_AGO = 1_000_000_000


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    (made / "data").mkdir(parents=True)
    for name in ("data/in.csv", "made.csv", ".env", "helper.py", "new.csv"):
        (made / name).write_text(name)
    return made


def claim_in(folder: Path, *flows: FlowRecord | None, began_at: float = 1e11) -> Claim:
    """Nothing around has changed since a session that begins in the far future."""
    cells = tuple(
        CellRecord(n, None, n + 1, "x", "", "2026-01-01T00:00:00Z", flow=flow)
        for n, flow in enumerate(flows)
    )
    start = Start(folder, {}, began_at=began_at)
    return Claim(cells=cells, start=start, store=None)


def test_only_what_no_cell_wrote_lies_in_it(folder):
    wrote = FlowRecord(
        reads=(f"@file:{folder}/.env", f"@file:{folder}/made.csv"),
        writes={f"@file:{folder}/made.csv": "set"},
        may_write={f"@file:{folder}/new.csv": "a shell"},
    )
    claim = claim_in(folder, wrote)
    with Scratch(claim, known_of(claim)) as scratch:
        there = sorted(
            str(path.relative_to(scratch.folder))
            for path in scratch.folder.rglob("*")
            if path.is_file()
        )
        assert there == [".env", "data/in.csv", "helper.py"]
        (scratch.folder / "data/in.csv").write_text("changed")
        (scratch.folder / "data").chmod(0o500)
        root = scratch.root
    assert not root.exists()
    assert (folder / "data/in.csv").read_text() == "data/in.csv"


def test_what_changed_since_the_session_began_has_to_be_known_as_an_input(folder):
    read = FlowRecord(reads=(f"@file:{folder}/data/in.csv",))
    for flows, names in [((read,), ["in.csv"]), ((read, None), [])]:
        claim = claim_in(folder, *flows, began_at=LONG_AGO)
        with Scratch(claim, known_of(claim)) as scratch:
            found = [p.name for p in scratch.folder.rglob("*") if p.is_file()]
            assert found == names


def test_a_large_file_is_no_copy_and_a_link_to_a_folder_stays_one(folder, monkeypatch):
    monkeypatch.setattr(room, "COPY_MAX_BYTES", 5)
    (folder / "linked").symlink_to(folder / "data")
    claim = claim_in(folder, FlowRecord(reads=(f"@file:{folder}/data/in.csv",)))
    with Scratch(claim, known_of(claim)) as scratch:
        place = scratch.folder / "data/in.csv"
        assert place.read_text() == "data/in.csv"
        original = os.stat(folder / "data/in.csv")
        assert place.is_symlink() or place.stat().st_ino != original.st_ino
        assert (scratch.folder / "linked").resolve() == scratch.folder / "data"


def test_a_module_is_there_as_it_was_imported(folder):
    path = str(folder / "helper.py")
    body = "x = 'as imported'"
    digest = hashlib.sha256(body.encode()).hexdigest()
    kept = TextRecord("module", "helper.py", digest, body)
    for text, expected in [(kept, body), (TextRecord("module", "h", digest), None)]:
        claim = claim_in(folder, FlowRecord())
        known = Known(frozenset(), frozenset(), True, modules={path: text})
        (folder / "helper.py").rename(folder / "away.py")
        with Scratch(claim, known) as scratch:
            if expected is None:
                said = scratch.problem([path])
                assert said == "the module helper.py changed since"
            else:
                assert (scratch.folder / "helper.py").read_text() == expected
                assert scratch.problem([path]) is None
        (folder / "away.py").rename(folder / "helper.py")


def test_writes_far_away_are_named_and_temporary_ones_are_fine(folder):
    claim = claim_in(folder, FlowRecord())
    cells = [
        CellRecord(
            0, None, 1, "x", "", "", flow=FlowRecord(writes={f"@file:{p}": "set"})
        )
        for p in ("/srv/elsewhere/x.csv", "/tmp/abc/x.csv", f"{folder}/x.csv")
    ]
    with Scratch(claim, known_of(claim)) as scratch:
        found = [writes_elsewhere(cell, scratch) for cell in cells]
    assert found == ["/srv/elsewhere/x.csv", None, None]


def test_folders_of_killed_proofs_are_swept(folder, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / "nbtrack-proof-999999999-abc"
    alive = tmp_path / f"nbtrack-proof-{os.getppid()}-abc"
    for path in (dead, alive):
        path.mkdir()
    claim = claim_in(folder, FlowRecord())
    with Scratch(claim, known_of(claim)):
        assert (dead.exists(), alive.exists()) == (False, True)
