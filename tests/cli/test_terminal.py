"""What a terminal shows: colours, the window's width, and no text of a run at work."""

from __future__ import annotations

import re

from cli_calls import HOSTILE, PAYLOADS, at_terminal

import nbtrack
from nbtrack.store import Store


def test_s14_no_text_of_a_run_controls_a_terminal(
    store_path, plain_surroundings, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    evil = f"{HOSTILE}\x07\x9b\x00[red]x[/red] [link=http://x]y[/link] :smile: [/]"
    with nbtrack.start("plain", tags=[evil], params={evil: evil}) as run:
        run.note(evil)
        run.log({evil: 1.0})
        (tmp_path / "a.csv").write_text("x")
        run.log_artifact(tmp_path / "a.csv", "ds")
    nbtrack.models.register("ds:v0", "fraud", by=evil, notes=evil)
    with Store.open(store_path) as store, store._writing() as database:
        database.connection.execute("update runs set name = ?", (evil,))
    calls = [
        ["ls"], ["show", "last"], ["compare"], ["compare", "--baseline", "last"],
        ["diff", "last", "last"], ["sql", "select * from runs"],
        ["sql", "select name, notes from runs", "--csv"], ["slice", "last"],
        ["artifacts"], ["artifacts", "show", "ds"], ["models"],
        ["models", "versions", "fraud"], ["models", "events", "fraud"],
        ["card", "fraud"], ["du"], ["du", "--by", "type"], ["gc", "--dry-run"],
        ["verify"], ["push", str(tmp_path / "r")], ["report", "-o", "r.html"],
        ["merge", str(tmp_path / "none")], ["show", evil + "x"], ["ls", evil],
        ["sql", evil], ["compare", evil], ["purge", "last"], ["doctor"],
        ["doctor", "--store", str(tmp_path / evil.replace("\0", ""))],
        ["backup", "-o", str(tmp_path / evil.replace("\0", "") / "x")],
        ["salvage", "-o", str(tmp_path / evil.replace("\0", "") / "x")],
        ["salvage", "-o", str(tmp_path / "saved")],
    ]  # fmt: skip
    for environment in ({"TERM": "dumb"}, {}):
        shown = at_terminal(*calls, answer="n\n", **environment)
        shown = shown.replace("\r\n", "\n")
        if environment.get("TERM") != "dumb":
            assert "\x1b[32m" in shown
            # Only what rich writes itself, and `push` to begin its line anew.
            shown = re.sub(r"\x1b\[[\d;]+m(?!\u202e)", "", shown)
        shown = re.sub(r"\r(\x1b\[K)?", "", shown).replace("\x1b[K", "")
        assert not [p for p in PAYLOADS if p in shown]
        assert shown.count("evil\\x1b[31m\\u202e\\r\\n") > 10
        assert "[red]x[/red]" in shown
        assert ":smile:" in shown


def test_no_color_is_obeyed(filled):
    assert "\x1b[32m" in at_terminal(["compare"], ["doctor"])
    assert not re.search(r"\x1b\[3\d", at_terminal(["compare"], NO_COLOR="1"))


def test_a_table_has_the_columns_that_the_window_has_room_for(filled):
    wide, narrow = (
        at_terminal(["compare"], COLUMNS=width).splitlines() for width in ("120", "40")
    )
    assert "duration_s" in wide[0]
    assert "duration_s" not in narrow[0]
    assert "more columns: a wider window, --json" in narrow[-1]
    assert all(len(re.sub(r"\x1b\[[\d;]+m", "", line)) <= 40 for line in narrow[:-1])


def test_a_number_on_a_narrow_terminal_is_whole_or_not_shown(
    store_path, plain_surroundings
):
    with nbtrack.start("a name that is much longer than there is room for") as run:
        run.log(loss=1.23456e-05, acc=0.123456)
    for width in map(str, range(30, 100, 10)):
        head, row, *_ = at_terminal(["ls"], COLUMNS=width).splitlines()
        assert ("loss" in head) == ("1.23456e-05" in row)
        assert "1.2345…" not in row
    at_80 = at_terminal(["ls"], COLUMNS="80")
    with Store.open(store_path) as store:
        assert store.run("last").started_at[:16].replace("T", " ") in at_80
    assert "1.23456e-05" in at_80
