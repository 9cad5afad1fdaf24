"""Parts begin and end with their run; one that fails harms nobody."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.guard import guard
from nbtrack.tracking import parts
from nbtrack.tracking.background import background


class Noted:
    """A part that writes down what happens to it."""

    def __init__(self, feature, seen, *, broken=False):
        self.feature, self._seen, self._broken = feature, seen, broken

    def begin(self, run):
        self._seen.append((self.feature, "begin"))
        if self._broken:
            raise OSError("no")

    def end(self, run):
        self._seen.append((self.feature, "end"))


@pytest.fixture
def seen(monkeypatch, store_path):
    """Three parts in place of the real ones, one of them broken."""
    noted = []
    monkeypatch.setattr(parts, "parts_at_once", lambda: [Noted("output", noted)])
    others = [Noted("code", noted, broken=True), Noted("system", noted)]
    monkeypatch.setattr(parts, "parts_that_can_wait", lambda: others)
    return noted


def test_parts_end_in_the_opposite_order_and_a_broken_one_harms_nobody(
    seen, capsys, monkeypatch
):
    monkeypatch.setattr(parts, "_FIRST_IMPORTED", "sys")
    with nbtrack.start() as run:
        assert [what for what, _ in seen] == ["output", "code", "system"]
    assert [what for what, how in seen if how == "end"] == ["system", "code", "output"]
    assert (run.status, guard.failures["code"]) == ("finished", 1)
    assert "code failed and was left out: OSError: no" in capsys.readouterr().err


def test_what_is_switched_off_never_begins(seen):
    with nbtrack.start(off="code system"):
        pass
    background.settle(5.0)
    assert {what for what, _ in seen} == {"output"}


def test_the_first_run_of_a_process_leaves_the_start_to_the_background(
    seen, monkeypatch
):
    monkeypatch.setattr(parts, "_FIRST_IMPORTED", "nothing.of.this.name")
    with nbtrack.start():
        assert seen == [("output", "begin")]
    assert seen == [("output", "begin"), ("output", "end")]
    background.settle(5.0)
    assert [what for what, how in seen if how == "begin"] == [
        "output", "code", "system"
    ]  # fmt: skip
    assert seen[-2:] == [("system", "end"), ("code", "end")]
