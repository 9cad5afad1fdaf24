"""`backup` and `salvage`: a store again, and what the exit status says."""

from __future__ import annotations

import random

from cli_calls import call, json_of


def test_a_backup_is_a_store(filled, tmp_path):
    said = call("backup", "-o", tmp_path / "copy").stdout
    assert said.startswith(f"{tmp_path / 'copy'}: 2 runs, ")
    names = [run["name"] for run in json_of("ls", "--store", tmp_path / "copy")]
    assert names == ["base-1", "base-0"]
    assert json_of("verify", "--store", tmp_path / "copy")["ok"]
    made = json_of("backup", "-o", tmp_path / "copy.zip")
    assert (made["n_runs"], made["notices"]) == (2, [])
    assert "is there already" in call("backup", "-o", tmp_path / "copy", code=1).stderr
    call("backup", code=2)
    refused = call("backup", "-o", "/proc/copy", code=1).stderr  # root's, too
    assert "/proc/copy cannot be written: " in refused
    assert "NBTRACK_STORE" not in refused
    refused = call("salvage", "-o", "/proc/copy", code=1).stderr
    assert "/proc/copy cannot be written: " in refused


def test_a_damaged_store_is_salvaged_and_what_was_lost_is_said(filled, tmp_path):
    whole = json_of("salvage", "-o", tmp_path / "whole")
    assert (whole["n_runs"], whole["whole"], whole["lost_files"]) == (2, True, [])
    call("backup", "-o", tmp_path / "copy")  # without a log beside it
    file = tmp_path / "copy" / "nbtrack.db"
    body = bytearray(file.read_bytes())
    place = body.index(b"base-0") // 4096 * 4096
    body[place : place + 4096] = random.randbytes(4096)
    file.write_bytes(body)
    said = call(
        "salvage", "--store", tmp_path / "copy", "-o", tmp_path / "saved", code=1
    ).stdout
    assert "lost of runs: 0 rows and all of 1 pages" in said
    assert "experiment 'salvaged'" in said
    assert len(json_of("ls", "--store", tmp_path / "saved")) == 2
    assert file.read_bytes() == bytes(body)
    missing = call("salvage", "--store", tmp_path / "no", "-o", tmp_path / "x", code=1)
    assert "There is no store" in missing.stderr
