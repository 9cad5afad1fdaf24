"""Saved checkpoints stand on the curves, live and still, and say how to load them."""

from __future__ import annotations

import base64
import html as html_module
import json
import re
import time

import pytest
from panel_runs import FIRST, end_run, log_curve, start_run

from nbtrack.analysis import marks
from nbtrack.analysis.frames import MARKS_PER_FRAME, RunFeed
from nbtrack.analysis.static_panel import static_panel

HOSTILE = "<script>'\""


def save(store, step, *, name="mlp", content=None, **more) -> None:
    """A checkpoint at a step."""
    event = {
        "kind": "checkpoint", "run": FIRST, "name": name, "type": "checkpoint",
        "digest": f"{step if content is None else content:064x}", "size_bytes": 10,
        "path": f"{name}.pt", "step": step, "created_at": time.time(), "metrics": {},
    }  # fmt: skip
    store.journal.emit({**event, **more})
    assert store.journal.flush()


@pytest.fixture
def saved(store):
    """Three points of loss, a checkpoint at the second, one pruned at the third."""
    start_run(store)
    log_curve(store, [0.9, 0.5, 0.4], at=time.time() - 100)
    save(store, 1, metrics={"loss": 0.5, "note": "text"})
    save(store, 2, metrics={"loss": 0.4})
    save(store, 2, name="data", type="dataset", content=77)
    store.give_up([store.artifact("mlp:v1").id], why="pruned")
    return store


def test_a_frame_has_the_checkpoints_that_are_new(saved):
    feed = RunFeed(saved, FIRST)

    first = feed.json_frame(full=True)["run"]
    again = feed.json_frame()["run"]
    saved.give_up([saved.artifact("mlp:v0").id], why="deleted")
    changed = feed.json_frame()["run"]

    assert [(m["step"], m["gone"]) for m in first["checkpoints"]] == [
        (1, None),
        (2, "pruned"),
    ]
    assert first["checkpoints"][0]["metrics"] == {"loss": 0.5}
    assert first["n_checkpoints"] == 2
    assert again["checkpoints"] == []
    assert [m["gone"] for m in changed["checkpoints"]] == ["deleted"]
    assert len(feed.json_frame(full=True)["run"]["checkpoints"]) == 2


def test_many_checkpoints_come_in_parts(store, monkeypatch):
    monkeypatch.setattr(marks, "MARKS_MAX", MARKS_PER_FRAME + 10)
    start_run(store)
    for step in range(MARKS_PER_FRAME + 20):
        store.journal.emit(
            {"kind": "checkpoint", "run": FIRST, "name": "m", "type": "checkpoint",
             "digest": f"{step:064x}", "size_bytes": 1, "path": "m.pt", "step": step,
             "created_at": time.time(), "metrics": {}}
        )  # fmt: skip
    assert store.journal.flush()
    feed = RunFeed(store, FIRST)

    parts = [feed.json_frame(full=n == 0)["run"] for n in range(3)]

    assert [len(part["checkpoints"]) for part in parts] == [MARKS_PER_FRAME, 10, 0]
    assert parts[0]["n_checkpoints"] == MARKS_PER_FRAME + 20
    assert parts[0]["checkpoints"][0]["step"] == 10


def test_the_still_picture_has_the_marks_and_the_lines_that_load(saved):
    end_run(saved)
    html = static_panel(saved, FIRST)["text/html"]
    [picture] = re.findall(r"base64,([^']+)'", html)
    svg = base64.b64decode(picture).decode()

    diamonds = re.findall(r"l-4,-4z' fill='([^']+)'", svg)
    assert len(diamonds) == 2
    assert diamonds[0].startswith("#")
    assert diamonds[1] == "none"
    assert "◆ a saved checkpoint" in html
    assert "2 checkpoints" in html
    line = f'nbtrack.load_checkpoint("{FIRST}", step=1, name="mlp")'
    assert f"<code>{line}</code>" in html_module.unescape(html)
    assert "pruned: not kept now" in html
    assert "step=2" not in html


def test_a_run_without_checkpoints_says_nothing_of_them(store):
    start_run(store)
    log_curve(store, [0.5])
    end_run(store)

    assert "checkpoint" not in static_panel(store, FIRST)["text/html"]


def test_hostile_names_stay_text(store):
    start_run(store)
    log_curve(store, [0.5])
    save(store, 0, name=HOSTILE, metrics={HOSTILE: 1.0})
    end_run(store)

    html = static_panel(store, FIRST)["text/html"]
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_metric_that_json_lacks_does_not_lose_the_frame(saved):
    odd = {"loss": 0.3, "a": float("nan"), "b": float("inf")}
    save(saved, 3, metrics=odd)
    frame = RunFeed(saved, FIRST).json_frame(full=True)
    json.dumps(frame, allow_nan=False)
    assert frame["run"]["checkpoints"][-1]["metrics"] == {"loss": 0.3}
