"""Files of a run: saved and never shown, whole or not at all, whatever their names."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import sqlite3
import tracemalloc
from urllib.parse import unquote

import pytest
from tornado.httpclient import HTTPClientError

import nbtrack
from nbtrack.server.file_names import disposition, safe_name

pytest_plugins = ["pytest_jupyter.jupyter_server"]
pytestmark = pytest.mark.usefixtures("plain_surroundings")

PAGE = b"<script>alert(document.domain)</script>"
NAMES = {
    "page.html": PAGE,
    "picture.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "weights.pt": bytes(range(256)) * 8,
    "table.csv": b"a,b\n=cmd|' /C calc'!A0,2\n",
    'quote".html': PAGE,
    "new\nline\r\nX-Evil: 1.html": PAGE,
    "übung 漢字 😀.html": PAGE,
    "right\u202eto left.html": PAGE,
    "semi;colon=%22.html": PAGE,
    ".hidden": PAGE,
    "empty.bin": b"",
}


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def logged(store_path, tmp_path):
    """Log files as one artifact of a run; the run's id."""

    def logged(files, *, name="files", run="base"):
        folder = tmp_path / "to keep" / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        with nbtrack.start(run) as live:
            live.log_artifact(folder, name=name, type="dataset")
        assert live.store.journal.flush()
        return live.id

    return logged


def called_in_store(name):
    """Another name for all files: ours would refuse some, another writer may not."""
    with sqlite3.connect(nbtrack.open().path / "nbtrack.db") as database:
        database.execute("update artifact_files set path = ?", (name,))
    database.close()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
async def test_s04_every_file_is_saved_and_never_shown(jp_fetch, logged, name):
    content = NAMES[name] + name.encode()  # each another one
    run = logged({"plain": content})
    called_in_store(name)
    response = await jp_fetch("nbtrack", "runs", run, "files", digest_of(content))
    headers = response.headers
    assert response.body == content
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Length"] == str(len(content))
    assert "Content-Encoding" not in headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "X-Evil" not in headers
    kind, plain, whole = headers["Content-Disposition"].split("; ")
    assert kind == "attachment"
    assert plain == f'filename="{plain[10:-1]}"'
    assert plain.isascii()
    saved = unquote(whole.removeprefix("filename*=UTF-8''"))
    assert saved == safe_name(name)
    assert not set(saved) & set('/\\"\n\r\u202e')
    assert os.path.splitext(saved)[1] == os.path.splitext(name)[1]


async def test_an_empty_file_is_a_file(jp_fetch, logged):
    run = logged({"empty": b"", "other": b"x"})
    response = await jp_fetch("nbtrack", "runs", run, "files", digest_of(b""))
    assert response.body == b""
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Length"] == "0"


async def test_a_file_in_many_pieces_is_whole(jp_fetch, logged):
    content = os.urandom(1 << 20) * 5 + b"end"
    run = logged({"large.bin": content})
    response = await jp_fetch("nbtrack", "runs", run, "files", digest_of(content))
    assert response.body == content


async def test_a_file_of_another_run_is_not_found(refused, logged):
    mine, other = logged({"a": b"mine"}), logged({"b": b"other"}, name="b", run="b")
    where = ("runs", mine, "files")
    code, error = await refused(*where, digest_of(b"other"))
    assert code == 404
    assert "No artifact of run" in error["message"]
    assert (await refused(*where, "0" * 64))[0] == 404
    assert (await refused("runs", other, "files", digest_of(b"mine")))[0] == 404


async def test_a_file_that_the_run_used_is_sent_too(jp_fetch, logged):
    logged({"a.csv": b"data"}, name="data")
    with nbtrack.start("uses") as run:
        run.use_artifact("data:v0")
    assert run.store.journal.flush()
    response = await jp_fetch("nbtrack", "runs", run.id, "files", digest_of(b"data"))
    assert response.body == b"data"


async def test_a_file_that_was_given_up_is_gone_and_says_why(refused, logged):
    run = logged({"a": b"content"})
    store = nbtrack.open()
    [version] = store.artifact_versions()
    store.give_up([version.id], why="deleted")
    store.free_files(older_than_s=0)
    code, error = await refused("runs", run, "files", digest_of(b"content"))
    assert code == 410
    assert error["message"].endswith("is gone: deleted.")


async def test_a_file_kept_elsewhere_is_not_here(refused, store_path, tmp_path):
    file = tmp_path / "large.bin"
    file.write_bytes(b"far away")
    with nbtrack.start("base") as run:
        run.log_artifact(file.as_uri(), name="far", type="dataset")
    assert run.store.journal.flush()
    code, error = await refused("runs", run.id, "files", digest_of(b"far away"))
    assert code == 404
    assert "elsewhere" in error["message"]


def damaged(path, at):
    """Another byte in a kept file."""
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


async def test_a_damaged_file_is_refused_before_its_first_byte(refused, logged):
    run = logged({"a": b"content"})
    damaged(nbtrack.open().file_path(digest_of(b"content")), 3)
    code, error = await refused("runs", run, "files", digest_of(b"content"))
    assert code == 503
    assert "is damaged" in error["message"]


async def test_a_file_damaged_further_on_is_cut_off_and_never_looks_whole(
    jp_fetch, logged, jp_serverapp
):
    content = os.urandom(8 << 20)
    run = logged({"large.bin": content})
    damaged(nbtrack.open().file_path(digest_of(content)), len(content) - 5)
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("nbtrack", "runs", run, "files", digest_of(content))
    assert caught.value.code == 599  # the connection was closed
    assert (await jp_fetch("nbtrack", "runs")).code == 200


@pytest.mark.parametrize(
    "digest", ["x" * 64, "0" * 63, "0" * 65, "..", "%2e%2e%2f" * 8, "A" * 64]
)
async def test_what_is_no_digest_reaches_no_handler(refused, logged, digest):
    code, _ = await refused("runs", logged({"a": b"x"}), "files", digest)
    assert code in {403, 404}


@pytest.fixture
def connected(jp_serverapp, jp_auth_header):
    """A connection that asks for a file and reads as slowly as the test does."""

    def connected(run, digest):
        path = f"{jp_serverapp.base_url}nbtrack/runs/{run}/files/{digest}"
        asked = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        asked.append(f"Authorization: {jp_auth_header['Authorization']}")
        asks = socket.create_connection(("127.0.0.1", jp_serverapp.port), timeout=60)
        asks.sendall("\r\n".join([*asked, "", ""]).encode())
        return asks

    return connected


async def test_who_hangs_up_leaves_a_server_that_answers(jp_fetch, logged, connected):
    content = os.urandom(1 << 20) * 24
    with connected(logged({"large.bin": content}), digest_of(content)):
        response = await jp_fetch("nbtrack", "runs")  # answered while that one waits
        assert response.code == 200
    assert (await jp_fetch("nbtrack", "runs")).code == 200


async def test_a_large_file_is_never_in_memory(jp_fetch, logged, connected):
    content = os.urandom(1 << 20) * 96
    run, digest, n = logged({"large.bin": content}), digest_of(content), len(content)
    del content
    tracemalloc.start()
    try:
        with connected(run, digest) as asks:
            for _ in range(20):  # nobody reads, and the server has had time to
                await jp_fetch("nbtrack", "runs")
            read = await asyncio.to_thread(how_much, asks)
        assert read > n
        assert tracemalloc.get_traced_memory()[1] < n / 4
    finally:
        tracemalloc.stop()


def how_much(asks):
    """Read all there is and keep nothing of it."""
    n, room = 0, bytearray(1 << 16)
    while got := asks.recv_into(room):
        n += got
    return n


def test_a_name_is_never_a_path_nor_a_header():
    for name in ("..", ".", "", "/", "a/..", "\\", "\0", "\r\n", " . ", "..\\.."):
        assert safe_name(name) not in {"", ".", ".."}
        assert "/" not in safe_name(name)
    long = safe_name("é" * 300 + ".tar.gz")
    assert len(long.encode()) <= 200
    assert long.endswith(".gz")
    assert safe_name("con.txt") == "_con.txt"
    assert safe_name("lone \udc80 surrogate").isascii()
    header = disposition('a"; filename=evil.exe; x="\r\nSet-Cookie: a=b')
    assert "\r" not in header
    assert "\n" not in header
    assert header.count('"') == 2
    assert header.count(";") == 2
