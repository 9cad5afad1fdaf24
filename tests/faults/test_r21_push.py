"""R21 at a remote: a killed push leaves nothing that looks whole; the next goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from nbtrack.store import Store
from nbtrack.tracking.artifacts import api
from nbtrack.tracking.remotes.pull import pull
from nbtrack.tracking.remotes.push import push

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KILLS = 20
N_FILES, FILE_BYTES = 60, 300_000

# A process with everything imported forks one that pushes, for each line "STORE URL".
PUSHING = """
from nbtrack.store import Store
from nbtrack.tracking.remotes.push import push
from nbtrack.tracking.remotes import registry
from faults.children import serve

serve(lambda store, url: push(url, store=Store.open(store)))
"""


def push_and_kill(zygote, store: Path, url: Path, n_objects: int) -> None:
    """Kill the push when it has written so many objects."""
    zygote.stdin.write(f"{store} {url}\n")
    zygote.stdin.flush()
    pid = int(zygote.stdout.readline())
    stop = time.monotonic() + 60
    while len(objects(url)) < n_objects and time.monotonic() < stop:
        time.sleep(0.001)
    with suppress(ProcessLookupError):  # it was faster
        os.kill(pid, signal.SIGKILL)
    assert zygote.stdout.readline() == "dead\n"


def objects(url: Path) -> list[Path]:
    found = [path for path in (url / "chunks").rglob("*") if path.is_file()]
    return [path for path in found if not path.name.startswith(".")]


def test_a_push_that_is_killed_goes_on_with_what_is_missing(serving, tmp_path):
    zygote = serving(PUSHING)
    chance = random.Random(0)
    with Store.open(tmp_path / "store") as store:
        for name in ("a", "b"):
            work = tmp_path / name
            work.mkdir()
            for n in range(N_FILES):
                (work / str(n)).write_bytes(chance.randbytes(FILE_BYTES))
            paths = sorted(work.iterdir())
            refs = store.put_files(paths)
            rows = [
                [path.name, ref.digest, ref.size_bytes, None, None]
                for path, ref in zip(paths, refs, strict=True)
            ]
            store.keep_artifact({"name": name, "type": "dataset", "files": rows})
        for nth in range(KILLS):
            url = tmp_path / f"remote{nth}"
            at = chance.randint(1, 2 * N_FILES - 20)
            push_and_kill(zygote, store.path, url, at)
            n_there = len(objects(url))
            assert n_there >= at
            with Store.open(tmp_path / f"other{nth}") as other:
                # What looks whole is whole, and of the rest there is nothing.
                versions = pull(url, store=other).versions
                assert api.verify(store=other)
                assert len(versions) <= n_there // N_FILES
                sent = push(url, store=store)
                assert sent.n_objects == 2 * N_FILES - n_there
                pull(url, store=other)
                assert len(other.artifact_versions()) == 2
                assert api.verify(store=other)
