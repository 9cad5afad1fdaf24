"""`doctor`: its lines, its JSON, its exit status, and what `--fix` puts right."""

from __future__ import annotations

from cli_calls import at_terminal, call, json_of


def test_the_doctor_says_what_is_wrong_and_puts_it_right(filled, store_path):
    said = call("doctor").stdout.splitlines()
    assert said[0].startswith(f"ok    store      {store_path} (NBTRACK_STORE=")
    (store_path / "nbtrack.db").chmod(0o666)
    checks = {check["name"]: check for check in json_of("doctor")["checks"]}
    assert (checks["rights"]["state"], checks["rights"]["fixable"]) == ("warn", True)
    assert "--fix puts right what it can" in call("doctor").stdout
    fixed = call("doctor", "--fix").stdout.splitlines()
    assert fixed[0] == "fixed: 1 files and folders are yours alone now"
    assert json_of("doctor", "--deep")["fixed"] == []


def test_what_is_bad_gives_the_status_1(filled, store_path, tmp_path):
    call("backup", "-o", tmp_path / "copy")
    (tmp_path / "copy" / "nbtrack.db").write_bytes(b"x" * 10_000)
    said = call("doctor", "--store", tmp_path / "copy", code=1).stdout
    assert "bad   database" in said
    assert "→ nbtrack salvage -o DIR" in said
    assert json_of("doctor", "--store", tmp_path / "copy", code=1)["state"] == "bad"


def test_what_sqlite_says_of_a_damaged_page_is_one_line(filled, tmp_path):
    call("backup", "-o", tmp_path / "copy")
    file = tmp_path / "copy" / "nbtrack.db"
    body = bytearray(file.read_bytes())
    place = body.index(b"base-0") // 4096 * 4096
    body[place : place + 4096] = b"\xff" * 4096
    file.write_bytes(body)
    said = call("doctor", "--store", tmp_path / "copy", code=1).stdout
    assert "is damaged: *** in database main *** " in said
    assert "\\n" not in said


def test_on_a_terminal_the_state_has_a_colour(filled):
    assert "\x1b[32mok    database" in at_terminal(["doctor"])
