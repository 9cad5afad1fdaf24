"""`purge`: what is removed, and that somebody is asked first."""

from __future__ import annotations

from cli_calls import at_terminal, call, json_of


def test_purge_removes_for_good_and_asks_first(filled, store_path):
    for name in ("base-0", "base-1"):
        filled.edit({"kind": "tags", "run": filled.run(name).id, "set": {"qZ7x": None}})
    assert "give --yes" in call("purge", "base-0", code=2).stderr
    call("purge", "base-0", "nobody", "--yes", code=1)
    assert len(json_of("ls")) == 2
    [gone] = json_of("purge", "base-0", "base-0", "--yes")
    assert (gone["name"], [run["name"] for run in json_of("ls")]) == (
        "base-0",
        ["base-1"],
    )
    assert call("purge", "last", "--yes").stdout.startswith("purged base-1")
    filled.close()
    files = [path for path in store_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"qZ7x" in path.read_bytes()]


def test_purge_goes_by_the_answer_on_a_terminal(filled):
    assert "Aborted" in at_terminal(["purge", "base-0"], answer="n\n")
    assert len(json_of("ls")) == 2
    said = at_terminal(["purge", "base-0"], answer="y\n")
    assert "Remove this run for good?" in said
    assert len(json_of("ls")) == 1
