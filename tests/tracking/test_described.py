"""Facts and texts are cleared of secrets, taken late, and never raise."""

from __future__ import annotations

import nbtrack
from nbtrack.records import CellRecord, Fact, InputRecord, MediaRecord, TextRecord

SECRET = "hf_" + "a1B2c3D4e5F6g7H8i9J0"


def test_no_entrance_lets_a_secret_in(store_path):
    with nbtrack.start() as run:
        run.log_facts([Fact("a", {"b": [SECRET]}), Fact("c", missing=SECRET)])
        run.log_texts([TextRecord("stdout", "stdout", None, f"token: {SECRET}\n")])
        run.log_texts([TextRecord("module", "m.py", "d", "password = 'hunter2'")])
        run.log_inputs([InputRecord(SECRET, "file", detail={"columns": [SECRET]})])
        run.log_media(MediaRecord("t", "text", 0, 0.0, data={"text": SECRET}))
        run.log_cells(
            [CellRecord(0, None, 1, f"login('{SECRET}')", "d", "2026-01-01T00:00:00Z")]
        )
    run.store.journal.flush()
    for file in store_path.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes()
            assert b"hunter2" not in file.read_bytes()
    texts = {t.role: t for t in run.store.texts(run.id)}
    assert texts["module"].body == "password = '[redacted]'"
    assert (texts["module"].digest, texts["module"].n_redacted) == ("d", 1)


def test_facts_are_taken_after_the_run_has_ended(store_path):
    with nbtrack.start() as run:
        pass
    run.log_facts([Fact("git.commit", "abc")])
    run.store.journal.flush()
    assert run.store.facts(run.id)["git.commit"].value == "abc"


def test_what_no_json_can_hold_does_not_raise(store_path):
    class Odd:
        def __repr__(self):
            raise ValueError("no")

    with nbtrack.start() as run:
        run.log_facts([Fact("odd", Odd()), Fact("fine", 1)])
        run.log_measured(model_bytes=5)
    assert run.record().model_bytes == 5
