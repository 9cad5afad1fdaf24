"""Files that are made of runs: begun, watched, cancelled, fetched once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading

import pytest

import nbtrack
from nbtrack.server import job_kinds, jobs
from nbtrack.server.jobs import MAX_AT_ONCE, MAX_KEPT, Jobs
from nbtrack.tracking.background import background

pytest_plugins = ["pytest_jupyter.jupyter_server"]
pytestmark = pytest.mark.usefixtures("plain_surroundings")

SOME_ID = "0" * 13


def posted(**body):
    return {"method": "POST", "body": json.dumps(body)}


def jobs_of(server):
    [app] = server.extension_manager.extension_apps["nbtrack.server"]
    return app.jobs


@pytest.fixture
def tracked(shell):
    """Track a cell that needs the one before it; the id of its run."""

    def tracked(name="base", source="loss = x / 4"):
        shell.run_cell("x = 2", store_history=True)
        cell = f"%%track {name} --no-live\n{source}"
        shell.run_cell(cell, store_history=True)
        assert background.settle(10.0)
        store = nbtrack.open()
        store.journal.flush()
        return store.run("last").id

    shell.run_cell("%load_ext nbtrack", store_history=True)
    return tracked


@pytest.fixture
def ended(ask):
    """Wait until a job has ended; how."""

    async def ended(job):
        for _ in range(1_000):
            told = await ask("jobs", job)
            if told["state"] != "running":
                return told
            await asyncio.sleep(0.01)
        raise AssertionError(told)

    return ended


async def test_a_run_becomes_a_script_that_runs_alone(
    ask, refused, jp_fetch, jp_serverapp, tracked, ended, tmp_path
):
    run = tracked()
    response = await jp_fetch("nbtrack", "jobs", **posted(kind="script", run=run))
    assert response.code == 202
    job = json.loads(response.body)["job"]
    told = await ended(job)
    assert told == {
        "job": job, "kind": "script", "state": "done", "progress": 1.0,
        "message": "", "filename": "base.py",
    }  # fmt: skip
    response = await jp_fetch("nbtrack", "jobs", job, "file")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    disposition = response.headers["Content-Disposition"]
    assert disposition == "attachment; filename=\"base.py\"; filename*=UTF-8''base.py"
    (tmp_path / "base.py").write_bytes(response.body)
    command = [sys.executable, "-W", "error", tmp_path / "base.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "loss = x / 4" in response.body.decode()
    while jobs_of(jp_serverapp).job(job).has_file:
        await asyncio.sleep(0.01)  # let go a moment after its last byte came
    code, error = await refused("jobs", job, "file")
    assert (code, error["reason"]) == (410, "Gone")
    assert (await ask("jobs", job))["state"] == "done"


async def test_a_run_without_cells_fails_and_says_why(ask, refused, store_path, ended):
    with nbtrack.start("in a script") as run:
        pass
    assert run.store.journal.flush()
    job = (await ask("jobs", **posted(kind="script", run=run.id)))["job"]
    told = await ended(job)
    assert (told["state"], told["filename"]) == ("failed", None)
    assert "has no cells" in told["message"]
    assert (await refused("jobs", job, "file"))[0] == 410


async def test_the_name_of_a_run_is_no_path_of_its_script(ask, tracked, ended):
    run = tracked("'../../etc/cron.d/x'")
    job = (await ask("jobs", **posted(kind="script", run=run)))["job"]
    name = (await ended(job))["filename"]
    assert name.endswith(".py")
    assert "/" not in name
    assert not name.startswith(".")


async def test_no_file_of_this_disk_is_put_beside_a_script(
    ask, jp_fetch, tracked, ended, tmp_path
):
    secret = tmp_path / "secret.py"
    secret.write_text("KEY = 'do not hand on'\n")
    run = tracked(source=f"%run {secret}\nloss = 1.0")
    job = (await ask("jobs", **posted(kind="script", run=run)))["job"]
    told = await ended(job)
    assert told["state"] == "done"
    assert "is not beside" in told["message"]
    script = (await jp_fetch("nbtrack", "jobs", job, "file")).body
    assert b"do not hand on" not in script


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "script"},
        {"kind": "script", "run": "../x"},
        {"kind": "script", "run": 3},
        {"kind": "bundle?", "run": SOME_ID},
        {"kind": ["script"], "run": SOME_ID},
        {"kind": "script", "run": SOME_ID, "path": "/etc"},
    ],
)
async def test_what_is_no_job_is_refused(refused, store, body):
    code, error = await refused("jobs", **posted(**body))
    assert code == 400
    assert set(error) == {"message", "reason"}


async def test_an_unknown_run_or_job_is_not_found(refused, store):
    code, _ = await refused("jobs", **posted(kind="script", run=SOME_ID))
    assert code == 404
    for path in (("jobs", "0" * 16), ("jobs", "0" * 16, "file")):
        assert (await refused(*path))[0] == 404
    assert (await refused("jobs", "0" * 16, method="DELETE"))[0] == 404


class Slow:
    """A kind that goes on until it may end."""

    def __init__(self):
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, store, run_id, file, tell):
        tell(0.25, "at it")
        file.write(b"half")
        self.begun.set()
        assert self.may_end.wait(30)
        tell(0.75, "nearly")
        file.write(b" and half")
        return "whole.txt", ""


@pytest.fixture
def slow(monkeypatch):
    kind = Slow()
    monkeypatch.setitem(job_kinds.KINDS, "slow", kind)
    yield kind
    kind.may_end.set()


@pytest.fixture
def begin(ask, run):
    run.record()

    async def begin():
        return (await ask("jobs", **posted(kind="slow", run=run.id)))["job"]

    return begin


async def test_a_job_says_how_far_it_is(ask, slow, begin, ended, jp_fetch):
    job = await begin()
    await asyncio.to_thread(slow.begun.wait, 30)
    told = await ask("jobs", job)
    assert (told["state"], told["progress"]) == ("running", 0.25)
    assert (told["message"], told["filename"]) == ("at it", None)
    slow.may_end.set()
    assert (await ended(job))["filename"] == "whole.txt"
    assert (await jp_fetch("nbtrack", "jobs", job, "file")).body == b"half and half"


async def test_a_job_that_is_cancelled_stops_and_leaves_nothing(
    ask, refused, slow, begin, ended
):
    job = await begin()
    await asyncio.to_thread(slow.begun.wait, 30)
    told = await ask("jobs", job, method="DELETE")
    assert (told["job"], told["state"]) == (job, "cancelled")
    slow.may_end.set()
    assert (await ended(job))["state"] == "cancelled"
    assert (await refused("jobs", job, "file"))[0] == 410
    again = await ask("jobs", job, method="DELETE")
    assert again["state"] == "cancelled"


async def test_so_many_at_once_and_no_more(ask, refused, slow, begin, run, ended):
    begun = [await begin() for _ in range(MAX_AT_ONCE)]
    code, error = await refused("jobs", **posted(kind="slow", run=run.id))
    assert code == 429
    assert "try again" in error["message"]
    await ask("jobs", begun[0], method="DELETE")  # its thread is at work all the same
    assert (await refused("jobs", **posted(kind="slow", run=run.id)))[0] == 429
    slow.may_end.set()
    for job in begun[1:]:
        assert (await ended(job))["state"] == "done"


async def test_what_fails_in_an_unforeseen_way_is_told_and_kills_nothing(
    ask, monkeypatch, begin, ended
):
    def broken(*_):
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setitem(job_kinds.KINDS, "slow", broken)
    told = await ended(await begin())
    assert told["state"] == "failed"
    assert told["message"] == "ZeroDivisionError: a mistake of ours"


# -- without HTTP: how long what was made is kept -------------------------------------


@pytest.fixture
def kept(store):
    made = Jobs()
    yield made
    made.close()


def quick(store, run_id, file, tell):
    tell(None, "")
    file.write(b"made")
    return "made.txt", ""


async def done(job):
    while job.state == "running":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)  # what waits for its end has its turn


async def test_the_oldest_of_those_that_ended_make_room(kept, store):
    begun = []
    for _ in range(MAX_KEPT + 3):
        begun.append(kept.start("quick", quick, store.path, SOME_ID))
        await done(begun[-1])
        while kept._n_busy:
            await asyncio.sleep(0.01)
    assert len(kept) == MAX_KEPT
    with pytest.raises(nbtrack.NbtrackError, match="ended long ago"):
        kept.job(begun[0].id)
    assert kept.job(begun[-1].id).file()[:2] == ("made.txt", 4)


async def test_what_nobody_fetches_is_let_go(kept, store, monkeypatch):
    monkeypatch.setattr(jobs, "KEPT_S", 0.02)
    job = kept.start("quick", quick, store.path, SOME_ID)
    await done(job)
    while len(kept):
        await asyncio.sleep(0.01)
    with pytest.raises(nbtrack.NbtrackError, match="no file of job"):
        job.file()


async def test_who_fetches_goes_on_while_the_job_is_let_go(kept, store):
    job = kept.start("quick", quick, store.path, SOME_ID)
    await done(job)
    _, _, pieces = job.file()
    kept.forget(job.id)
    assert b"".join(pieces) == b"made"


async def test_a_store_that_went_meanwhile_is_what_the_job_says(kept, tmp_path):
    job = kept.start("quick", quick, tmp_path / "nowhere", SOME_ID)
    await done(job)
    assert job.told()["state"] == "failed"
    assert "no store at" in job.told()["message"]
