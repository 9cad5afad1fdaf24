"""S16: of eighty names that lead elsewhere, none leads there, whoever takes it."""

from __future__ import annotations

import http.client
import sqlite3
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from click.testing import CliRunner
from paths import CANARY, HOSTILE_PATHS
from server.real_server import filled_store, real_server

import nbtrack
from nbtrack.bundles.archive.names import why_bad
from nbtrack.cli import command
from nbtrack.errors import NbtrackError, StoreError
from nbtrack.store import Store

SECRETS = (CANARY, "root:x:0:0")


@pytest.fixture
def outside(tmp_path):
    """Files where a name that gets out may lead, beside, above and below a store."""
    for folder in (tmp_path, tmp_path / "home", tmp_path / "home" / "store-sibling"):
        folder.mkdir(exist_ok=True)
        (folder / "outside").write_text(CANARY)
    return tmp_path / "home"


def everything_in(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_s16_there_are_eighty():
    assert len(HOSTILE_PATHS) == len(set(HOSTILE_PATHS)) == 80


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root.parent / "outside").write_text(CANARY)
    with (
        filled_store(root) as filled,
        real_server(tmp_path_factory.mktemp("home"), root, filled.path) as running,
    ):
        yield running, filled.runs[-1]


def asked(server, path):
    """The status and the body of an answer; the path goes out as it is written."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in server.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


FORMS = [
    lambda name: quote(name, safe="/%?#\\:;$"),  # as an attacker writes it
    lambda name: quote(name, safe=""),  # as a library does
    lambda name: quote(quote(name, safe=""), safe=""),
]


@pytest.mark.faults
def test_s16_the_server_gives_nothing_for_any_of_them(server):
    running, run = server
    for name in HOSTILE_PATHS:
        for form in FORMS:
            for path in (
                f"/nbtrack/runs/{form(name)}",
                f"/nbtrack/runs/{run}/files/{form(name)}",
                f"/nbtrack/jobs/{form(name)}/file", f"/nbtrack/{form(name)}",
            ):  # fmt: skip
                status, body = asked(running, path)
                found = [secret for secret in SECRETS if secret in body]
                assert found == [], (path, status)
                # What was a query, or led up to a page of Jupyter's own, is its matter.
                assert status in {200, 302, 400, 403, 404, 405}, (path, status)
                if status == 200:
                    assert ".." in path or "?" in path or "#" in path, path


def test_s16_a_bundle_refuses_them_or_keeps_them_in_its_folder(tmp_path):
    folder = (tmp_path / "bundle").resolve()
    for name in HOSTILE_PATHS:
        if why_bad(name) is None:
            assert (folder / name).resolve().is_relative_to(folder), name
            assert len((folder / name).relative_to(folder).parts) >= 1


def test_s16_none_is_a_digest_of_a_file(store, outside):
    for name in HOSTILE_PATHS:
        for ask in (store.file_path, store.has_file, store.verify_file):
            try:
                assert not ask(name), name
            except StoreError:
                continue


@pytest.mark.usefixtures("plain_surroundings")
def test_s16_no_artifact_of_a_stranger_is_written_elsewhere(outside, monkeypatch):
    """Another program may have written these names into the store."""
    monkeypatch.setenv("NBTRACK_STORE", str(outside / ".nbtrack"))
    folder = outside / "two"
    folder.mkdir()
    (folder / "a").write_bytes(b"content of a")
    (folder / "b").write_bytes(b"content of b")
    with nbtrack.start("base") as run:
        run.log_artifact(folder, "data")
    before = everything_in(outside.parent)
    for nth, name in enumerate(HOSTILE_PATHS):
        renamed(run.store, name)
        target = outside / f"taken{nth}"
        with suppress(NbtrackError, OSError, ValueError):
            nbtrack.artifacts.get("data", path=target)
        after = everything_in(outside.parent)
        new = [p for p in after.keys() - before.keys() if not is_ours(p, outside)]
        assert [p for p in new if not p.is_relative_to(target)] == [], name
        assert {p for p in before if not is_ours(p, outside)} <= after.keys()
        assert all(after[p] == before[p] for p in before if not is_ours(p, outside))
        before = after


def is_ours(path, outside):
    return path.is_relative_to(outside / ".nbtrack")


def renamed(store, name):
    connection = sqlite3.connect(store.path / "nbtrack.db")
    with connection:
        connection.execute(
            "update artifact_files set path = ? where path = "
            "(select max(path) from artifact_files)",
            (name,),
        )
    connection.close()


@pytest.mark.usefixtures("plain_surroundings")
@pytest.mark.faults
def test_s16_the_command_line_shows_nothing_of_what_they_lead_to(outside, monkeypatch):
    monkeypatch.setenv("NBTRACK_STORE", str(outside / ".nbtrack"))
    monkeypatch.chdir(outside / "store-sibling")
    with nbtrack.start("base") as run:
        run.log(loss=1.0)
    before = everything_in(outside.parent)
    for name in HOSTILE_PATHS:
        for words in (
            ["show", name], ["artifacts", "show", name], ["models", "versions", name],
            ["verify", name], ["diff", name, "last"], ["card", name], ["export", name],
        ):  # fmt: skip
            done = CliRunner().invoke(
                command, [words[0], *words[1:-1], "--", words[-1]]
            )
            assert isinstance(done.exception, SystemExit | None), words
            assert done.exit_code in (1, 2), words
            assert not [s for s in SECRETS if s in done.output], words
    after = everything_in(outside.parent)
    assert {p for p in after if not is_ours(p, outside)} == {
        p for p in before if not is_ours(p, outside)
    }


def test_s16_a_store_is_never_found_through_them(outside):
    for name in HOSTILE_PATHS:
        if "\0" in name:
            continue
        with pytest.raises((NbtrackError, OSError)):
            Store.open(Path(str(outside)) / name / "x", create=False)
