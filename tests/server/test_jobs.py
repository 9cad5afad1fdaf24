"""Files that are made of runs: begun, watched, cancelled, fetched once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading

import psutil
import pytest
from jupyter_server.auth import AllowAllAuthorizer

import nbtrack
from nbtrack.bundles.export import Wanted, export_as
from nbtrack.guard import guard
from nbtrack.server import job_kinds, jobs
from nbtrack.server.jobs import MAX_AT_ONCE, MAX_KEPT, Jobs
from nbtrack.store.read_only import open_to_read
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
        for _ in range(6_000):
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


# -- bundles: a run's cells run again --------------------------------------------------

WAITS = (
    "import os, time\n"
    "if 'nbtrack-rerun-' in os.getcwd():\n"
    "    time.sleep(100)\n"
    "loss = x / 4"
)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where temporary folders lie; no index of packages and no home is asked."""
    monkeypatch.setenv("NBTRACK_OFFLINE", "1")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["bundle", "bundle-unproven"])
async def test_a_run_becomes_a_bundle_that_is_whole(
    ask, jp_fetch, jp_serverapp, tracked, ended, scratch, tmp_path, kind
):
    run = tracked("'a/base'")
    job = (await ask("jobs", **posted(kind=kind, run=run)))["job"]
    told = await ended(job)
    assert (told["state"], told["filename"]) == ("done", "a_base.nbt.zip"), told
    path = tmp_path / "got.nbt.zip"
    path.write_bytes((await jp_fetch("nbtrack", "jobs", job, "file")).body)
    found = nbtrack.verify(path)
    assert found.is_intact
    facts = nbtrack.open().facts(run)
    assert told["message"].startswith("exported a_base.nbt.zip · ")
    if kind == "bundle":
        assert told["message"].endswith(" · 2 of 3 cells give the same result")
        assert (found.proof, facts["slice.proof"].value) == ("PROVEN", "PROVEN")
    else:
        assert " · UNPROVEN: it was exported without being run" in told["message"]
        assert found.proof == "UNPROVEN"
        assert "slice.proof" not in facts
    assert list(scratch.iterdir()) == []


@pytest.mark.reproduce
@pytest.mark.timeout(120)
async def test_a_bundle_that_is_cancelled_leaves_no_process_and_no_folder(
    ask, refused, jp_serverapp, tracked, scratch
):
    run = tracked(source=WAITS)
    before = set(psutil.Process().children(recursive=True))
    job = (await ask("jobs", **posted(kind="bundle", run=run)))["job"]
    while "running, " not in (told := await ask("jobs", job))["message"]:
        assert told["state"] == "running", told["message"]
        await asyncio.sleep(0.05)
    assert set(psutil.Process().children(recursive=True)) - before
    assert list(scratch.iterdir())
    await ask("jobs", job, method="DELETE")
    while jobs_of(jp_serverapp)._n_busy:
        await asyncio.sleep(0.05)
    assert set(psutil.Process().children(recursive=True)) <= before
    assert list(scratch.iterdir()) == []
    assert (await refused("jobs", job, "file"))[0] == 410


@pytest.mark.parametrize("kind", ["bundle", "bundle-unproven"])
async def test_a_run_that_cannot_be_exported_says_why(
    ask, tracked, ended, scratch, kind
):
    async def said(run):
        job = (await ask("jobs", **posted(kind=kind, run=run)))["job"]
        told = await ended(job)
        assert (told["state"], told["filename"]) == ("failed", None)
        return told["message"]

    run = tracked()
    nbtrack.open().edit(
        {"kind": "run_changed", "run": run, "fields": {"trashed_at": "2026-11-01"}}
    )
    assert "is in the trash" in await said(run)
    with nbtrack.start("in a script") as script:
        assert script.store.journal.flush()
        assert "has no cells" in await said(script.id)
    assert list(scratch.iterdir()) == []


@pytest.mark.timeout(120)
async def test_the_proof_of_a_store_that_cannot_be_written_is_not_kept(
    tracked, scratch, store_path, caplog
):
    run = tracked()
    with open_to_read(store_path) as store:
        how = Wanted(tell=lambda text: None)
        made = export_as(run, scratch / "base.nbt.zip", how, store=store)
        assert made.proof.is_proven
        assert "slice.proof" not in store.facts(run)
    assert not guard.failures
    assert caplog.records == []


async def test_who_may_not_execute_has_no_cells_run(
    ask, refused, jp_serverapp, tracked, ended, scratch, monkeypatch
):
    class Reads(AllowAllAuthorizer):
        def is_authorized(self, handler, user, action, resource):
            return (action, resource) != ("execute", "kernels")

    settings = jp_serverapp.web_app.settings
    monkeypatch.setitem(settings, "authorizer", Reads(parent=jp_serverapp))
    run = tracked()
    assert (await refused("jobs", **posted(kind="bundle", run=run)))[0] == 403
    job = (await ask("jobs", **posted(kind="bundle-unproven", run=run)))["job"]
    assert (await ended(job))["state"] == "done"


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        ("..", "0000000000000.nbt.zip"),
        ("con", "_con.nbt.zip"),
        ("ä" * 300, f"{'ä' * 96}.nbt.zip"),
    ],
)
def test_the_name_of_a_bundle_keeps_its_ending(name, filename):
    assert f"{job_kinds._stem(name, SOME_ID, '.nbt.zip')}.nbt.zip" == filename


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
