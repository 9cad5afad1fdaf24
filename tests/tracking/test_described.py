"""Facts and texts are cleared of secrets, taken late, and never raise."""

from __future__ import annotations

import nbtrack
from nbtrack.records import (
    CellRecord,
    Fact,
    FlowRecord,
    InputRecord,
    MediaRecord,
    TextRecord,
)

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
        path = f"@file:/home/{SECRET}/a.csv"
        flow = FlowRecord(
            reads=("x", path, "@env:HF_TOKEN"), kills=(path,), writes={path: "set"},
            may_write={"y": f"read by {SECRET}"}, between={f"@folder:/{SECRET}": 3},
            notes={"shell": f"curl -H {SECRET}"},
        )  # fmt: skip
        run.log_cells([CellRecord(1, None, 2, "y", "d", "2026-01-01", flow=flow)])
        run.log_grade("D", [f"`{SECRET}` is gone"])
    run.store.journal.flush()
    for file in store_path.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes()
            assert b"hunter2" not in file.read_bytes()
    texts = {t.role: t for t in run.store.texts(run.id)}
    assert texts["module"].body == "password = '[redacted]'"
    kept = run.store.cells(run.id)[1].flow
    assert kept.reads == ("x", "@file:/home/[redacted]/a.csv", "@env:HF_TOKEN")
    assert kept.between == {"@folder:/[redacted]": 3}
    assert kept.kills == ("@file:/home/[redacted]/a.csv",)
    assert (texts["module"].digest, texts["module"].n_redacted) == ("d", 1)


def test_facts_are_taken_after_the_run_has_ended(store_path):
    with nbtrack.start() as run:
        pass
    run.log_facts([Fact("git.commit", "abc")])
    run.store.journal.flush()
    assert run.store.facts(run.id)["git.commit"].value == "abc"


def test_a_grade_is_taken_after_the_run_has_ended(store_path):
    with nbtrack.start() as run:
        pass
    run.log_grade("C", ["`x` comes from an edited cell [4]", "[5] raised"])
    record = run.record()
    assert record.grade == "C"
    assert record.grade_why == "`x` comes from an edited cell [4]\n[5] raised"
    run.log_grade(None)
    assert (run.record().grade, run.record().grade_why) == (None, None)


def test_what_no_json_can_hold_does_not_raise(store_path):
    class Odd:
        def __repr__(self):
            raise ValueError("no")

    with nbtrack.start() as run:
        run.log_facts([Fact("odd", Odd()), Fact("fine", 1)])
        run.log_measured(model_bytes=5)
    assert run.record().model_bytes == 5
