"""Runs that the real wandb wrote offline (samples/make_wandb.py), taken in."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from interop.wandb_log import write_log

import nbtrack
from nbtrack.errors import ImportSourceError
from nbtrack.interop.sources import open_source
from nbtrack.store import Store

SAMPLES = Path(__file__).parent / "samples" / "wandb"
FULL = "offline-run-*0-full1234"


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("ours")) as store:
        store.report = nbtrack.import_runs(SAMPLES, store=store)
        yield store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


@pytest.fixture
def full(tmp_path):
    """A copy of the run that has everything."""
    [folder] = (SAMPLES / "wandb").glob(FULL)
    shutil.copytree(SAMPLES, tmp_path / "project", symlinks=True)
    return tmp_path / "project" / "wandb" / folder.name


def test_every_run_of_a_folder_comes_with_its_id(taken):
    assert len(taken.report.new) == 5
    assert not taken.report.skipped
    found = {taken.run(id_).experiment for id_ in ("full1234", "beta/full1234")}
    assert found == {"alpha", "beta"}
    statuses = {id_: taken.run(id_).status for id_ in ("fail1234", "kill1234")}
    assert statuses == {"fail1234": "failed", "kill1234": "crashed"}


def test_a_run_comes_with_all_that_it_logged(taken):
    run = taken.run("full1234")
    assert (run.name, run.status, run.group) == ("everything", "finished", "g")
    assert run.notes == "as it was"
    assert run.tags == {"x": None, "y": None, "job_type": "train", "imported": "wandb"}
    assert {name: param.value for name, param in run.params.items()} == {
        "lr": 0.1, "net.sizes": [1, 2], "net.act": "relu", "unset": None, "later": 3
    }  # fmt: skip
    assert {name: metric.n for name, metric in run.metrics.items()} == {
        **dict.fromkeys(("loss", "acc", "odd", "nest.a", "nest.b.c", "flag"), 20),
        **dict.fromkeys(("epoch", "epoch_loss"), 20),
        "best": 1,  # set in the summary alone
    }
    assert run.metrics["acc"].goal == "max"
    facts = taken.facts(run.id)
    assert facts["origin.project"].value == "alpha"
    assert facts["origin.entity"].value == "team"
    assert facts["summary.verdict"].value == "good"
    assert facts["axis.epoch_loss"].value == "epoch"
    assert facts["origin.alerts"].value[0]["title"] == "a title"


def test_points_come_with_step_time_and_exact_value(taken):
    run = taken.run("full1234")
    curve = taken.curve(run.id, "loss")
    assert [*curve.values] == [1 / (i + 1) for i in range(20)]
    assert [*curve.steps] == [*range(20)]
    odd = [*taken.curve(run.id, "odd").values][:3]
    assert str(odd) == "[nan, inf, -inf]"
    assert 1.7e9 < curve.at[0] < curve.at[-1] < 4e9


def test_media_come_as_rich_values(taken):
    run = taken.run("full1234")
    values = {(v.name, v.step): v for v in taken.media(run.id)}
    picture = values["one", 20]
    assert (picture.type, picture.data["caption"]) == ("image", "a caption")
    body = taken.file_path(picture.digest).read_bytes()
    assert body.startswith(b"\x89PNG")
    assert [f"three/{n}" for n in range(3)] == [n for n, _ in values if "three" in n]
    assert sum(values["hist", 22].data["counts"]) == 100
    assert values["page", 23].data["text"] == "<b>bold</b>"
    assert values["said", 7].data["text"] == "step 7"
    from nbtrack.analysis.media_view import RichValue

    table = RichValue(values["rows", 22], run.name, taken).load()
    assert [*table.columns] == ["a", "b"]
    assert table["a"].tolist() == [1.0, 2.5]


def test_files_and_texts_come(taken):
    run = taken.run("full1234")
    uses = {use.name: use for use in taken.artifact_uses(run=run.id)}
    assert set(uses) == {"ds", "wandb-files"}
    [data] = taken.artifact_files(uses["ds"].version_id)
    assert (data.path, data.size_bytes) == ("data.txt", 5)
    assert data.uri.startswith("wandb-client-artifact://")  # it was not copied
    [kept] = taken.artifact_files(uses["wandb-files"].version_id)
    assert taken.file_path(kept.digest).read_bytes() == b"kept\n"
    texts = {text.role: text.body for text in taken.texts(run.id)}
    assert texts["stdout"] == "printed to stdout\n"
    assert texts["stderr"] == "printed to stderr\n"
    assert "numpy==" in texts["packages"]
    assert "only named: 1" in str(taken.notices(run.id))


def test_a_failed_run_has_its_traceback(taken):
    run = taken.run("fail1234")
    assert run.reason == "exit code 1"
    assert run.error.rstrip().endswith("ValueError: it went wrong")


def test_a_killed_run_has_what_reached_the_disk(taken):
    run = taken.run("kill1234")
    assert run.reason == "had not ended in wandb when it came"
    n = run.metrics["loss"].n
    assert [*taken.curve(run.id, "loss").values] == [float(i) for i in range(n)]
    assert n > 100


def test_a_resumed_run_is_one(taken):
    run = taken.run("more1234")
    assert [*taken.curve(run.id, "loss").values] == [1.0, 0.5]
    assert run.params["lr"].value == 9
    assert "resumed" in str(taken.notices(run.id))


def test_twice_changes_nothing_from_another_place_too(taken, tmp_path):
    shutil.copytree(SAMPLES, tmp_path / "copy", symlinks=True)
    assert nbtrack.import_runs(tmp_path / "copy", store=taken).n_there == 5


def test_a_run_that_goes_on_is_brought_up_to_date(full, store):
    [log] = full.glob("*.wandb")
    whole = log.read_bytes()
    log.write_bytes(whole[:6_000])
    nbtrack.import_runs(full, store=store)
    n_before = store.run("full1234").metrics["loss"].n
    assert store.run("full1234").status == "crashed"
    log.write_bytes(whole)
    assert len(nbtrack.import_runs(full, store=store).updated) == 1
    assert n_before < store.run("full1234").metrics["loss"].n == 20
    assert store.run("full1234").status == "finished"


@pytest.mark.parametrize("place", ["", "wandb", "wandb/{0}", "wandb/{0}/{1}"])
def test_a_project_a_folder_of_runs_a_run_and_a_log_are_recognised(place, full):
    [log] = full.glob("*.wandb")
    path = full.parents[1] / place.format(full.name, log.name)
    source = open_source(str(path))
    assert source.tool == "wandb"
    assert "full1234" in {found.id for found in source.found()}


def test_a_log_alone_comes_without_its_files(full, store, tmp_path):
    [log] = full.glob("*.wandb")
    shutil.copy(log, tmp_path / "run-x.wandb")
    report = nbtrack.import_runs(tmp_path / "run-x.wandb", store=store)
    assert store.run("full1234").metrics["loss"].n == 20
    assert "its file is not there" in str(report)


def test_what_is_no_log_is_an_error(tmp_path, store):
    with pytest.raises(ImportSourceError, match="no log of W&B"):
        nbtrack.import_runs(tmp_path, "wandb", store=store)
    (tmp_path / "run-x.wandb").write_bytes(b"something else")
    report = nbtrack.import_runs(tmp_path, "wandb", store=store)
    assert "is no log of W&B" in report.skipped["x"]


def test_a_staged_file_is_taken_only_with_the_md5_that_the_log_knows(tmp_path, store):
    secret = tmp_path / "id_rsa"
    secret.write_text("private")
    ours = {"path": "a", "size": 7, "local_path": str(secret)}
    entries = [ours | {"digest": "LNrNhXIqPQ6wzi5ch3N8aw=="}]
    entries += [ours | {"path": "b", "digest": "KBKfHy0kO/MKnLYvRwiCgw=="}]
    manifest = {"contents": entries}
    artifact = {"name": "evil", "type": "file", "manifest": manifest}
    log = write_log(tmp_path / "run-x.wandb", [begun(), {"artifact": artifact}])
    right = base64.b64encode(hashlib.md5(b"private").digest()).decode()
    assert right not in {entry["digest"] for entry in entries}
    nbtrack.import_runs(log, store=store)
    [use] = store.artifact_uses(run=store.run("x").id)
    assert all(file.uri for file in store.artifact_files(use.version_id))
    entries[0]["digest"] = right
    log = write_log(tmp_path / "run-y.wandb", [begun("y"), {"artifact": artifact}])
    nbtrack.import_runs(log, store=store)
    [use] = store.artifact_uses(run=store.run("y").id)
    kept, named = store.artifact_files(use.version_id)
    assert store.file_path(kept.digest).read_text() == "private"
    assert named.uri


def test_no_file_outside_of_the_run_is_read(tmp_path, store):
    folder = tmp_path / "project" / "wandb" / "offline-run-20200101_000000-x"
    (folder / "files").mkdir(parents=True)
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (folder / "files" / "link.txt").symlink_to(secret)
    paths = ["../../../../secret.png", str(secret), "a\0b", "link.txt"]
    items = [item({"_type": "image-file", "path": path}) for path in paths]
    records = [begun(), *[{"history": {"item": [i]}} for i in items]]
    write_log(folder / "run-x.wandb", records)
    report = nbtrack.import_runs(folder, store=store)
    assert str(report).count("did not come") == len(paths)
    assert "links to files outside of its project that stayed: 1" in str(report)
    store.journal.flush()
    kept = [p.read_bytes() for p in Path(store.path).rglob("*") if p.is_file()]
    assert not any(b"secret" in body for body in kept)


def begun(run_id="x"):
    run = {"id": run_id, "project": "p", "started": {"seconds": 1_700_000_000}}
    return {"run": run}


def item(value, key="v"):
    return {"key": key, "json": json.dumps(value)}


def test_older_logs_that_write_dicts_as_a_whole_are_read(tmp_path, store):
    values = {"nest": {"a": 1, "b": {"c": 2}}, "list": [1, 2], "said": "hi"}
    histogram = {"_type": "histogram", "values": [1, 2], "bins": [0, 1, 2]}
    packed = {"min": 0, "size": 0.5, "count": 2}
    values |= {"h": histogram, "p": histogram | {"packedBins": packed}, "big": 2**70}
    history = {"item": [item(value, key) for key, value in values.items()]}
    history["item"] += [item(7, "_step"), item(1.7e9, "_timestamp")]
    log = write_log(tmp_path / "run-x.wandb", [begun(), {"history": history}])
    report = nbtrack.import_runs(log, store=store)
    run = store.run("x")
    assert {n: (m.last, m.last_step) for n, m in run.metrics.items()} == {
        "nest.a": (1, 7), "nest.b.c": (2, 7), "big": (2.0**70, 7)
    }  # fmt: skip
    media = {value.name: value.data for value in store.media(run.id)}
    assert media["h"]["edges"] == [0, 1, 2]
    assert media["p"]["edges"] == [0, 0.5, 1]
    assert media["said"]["text"] == "hi"
    assert "neither numbers nor texts" in str(report)


def test_artifacts_that_were_used_and_names_of_any_kind_come(tmp_path, store):
    listed = {"contents": [{"path": "p", "size": 3, "digest": "q"}]}
    made = {"name": "n", "type": "t", "manifest": listed}
    aliases = ["v3", "", "a b", "a:b", "latest", "best", "x" * 500]
    records = [begun(), *[{"artifact": made | {"aliases": [a]}} for a in aliases]]
    records += [{"artifact": {}}, {"artifact": {"manifest": {"elsewhere": "x.gz"}}}]
    records += [{"use_artifact": {"id": "QXJ0", "name": "team/proj/net:v3"}}]
    records += [{"artifact": made | {"name": "in", "is_used": True}}]
    log = write_log(tmp_path / "run-x.wandb", records)
    report = nbtrack.import_runs(log, store=store)
    assert not report.skipped
    assert "has no list: 1" in str(report)
    uses = store.artifact_uses(run=store.run("x").id)
    assert {(use.name, use.role) for use in uses} == {
        ("n", "output"), ("artifact", "output"), ("net", "input"), ("in", "input")
    }  # fmt: skip


def test_hostile_values_cost_themselves_alone(tmp_path, store):
    deep = "[" * 100_000
    nested = json.dumps(_nested(50))
    config = [{"key": "deep", "json": deep}, {"key": "nested", "json": nested}]
    config += [{"path": ["x"] * 5000, "json": "1"}, {"path": ["", ""], "json": "2"}]
    wrong = [{"key": "a", "json": deep}, {"key": "b", "json": nested}]
    wrong += [{"key": "h", "json": json.dumps({"_type": "histogram", "values": "x"})}]
    wrong += [{"key": "_step", "json": "1e400"}]
    endless = {"seconds": 2**62, "nanos": -5}
    records = [
        begun(), {"config": {"update": config}}, {"history": {"item": wrong}},
        {"history": {"item": wrong[:3], "step": {"num": 2**62}}},
        {"stats": {"at": endless, "item": [{"key": "", "json": "1"}]}},
        {"output_raw": {"text": "\x1b[31m" * 1000, "at": endless}},
        {"exit": {"code": -5, "runtime": 2**31}},
        {"history": {"item": [item(1, "ok")]}},
        {"artifact": {"metadata": nested, "name": "../..", "type": "\0"}},
        {"metric": {"name": "ok", "goal": 99}}, {"use_artifact": {"name": "m:v1"}},
    ]  # fmt: skip
    log = write_log(tmp_path / "run-x.wandb", records)
    report = nbtrack.import_runs(log, store=store)
    assert not report.skipped
    run = store.run("x")
    assert run.metrics["ok"].last == 1
    assert "damaged" in str(report)


def _nested(depth):
    value = 1
    for _ in range(depth):
        value = {"k": value}
    return value


def test_times_that_cannot_be_are_as_good_as_none(tmp_path, store):
    run = {"id": "x", "started": {"seconds": 2**62}}
    history = {"item": [item(1e300, "_timestamp"), item(0.5, "loss")]}
    log = write_log(tmp_path / "run-x.wandb", [{"run": run}, {"history": history}])
    assert not nbtrack.import_runs(log, store=store).skipped
    assert store.run("x").started_at.startswith("1970")


@pytest.mark.parametrize("place", ["\0", "x" * 5000, "sqlite:///a.db", "\udcff"])
def test_what_is_no_path_is_not_recognised(place):
    from nbtrack.interop.tensorboard import source as tensorboard
    from nbtrack.interop.wandb import source as wandb

    assert not wandb.recognises(place)
    assert not tensorboard.recognises(place)


def test_what_is_printed_is_read_as_a_terminal_would_leave_it(tmp_path, store):
    lines = ["  0%|   |\r", " 50%|## |\r", "100%|###|\n", "done\n"]
    records = [{"output_raw": {"is_stdout": True, "text": line}} for line in lines]
    log = write_log(tmp_path / "run-x.wandb", [begun(), *records])
    nbtrack.import_runs(log, store=store)
    [text] = store.texts(store.run("x").id, "stdout")
    assert text.body == "100%|###|\ndone\n"


def test_a_record_of_many_blocks_comes_whole(tmp_path, store):
    long = [item("y" * 200_000, "long"), item(0.5, "loss")]
    records = [begun(), {"history": {"item": long}}, {"exit": {"code": 0}}]
    log = write_log(tmp_path / "run-x.wandb", records)
    nbtrack.import_runs(log, store=store)
    run = store.run("x")
    assert (run.metrics["loss"].last, run.status) == (0.5, "finished")
    [text] = store.media(run.id)
    assert store.file_size(text.digest) == 200_000


def test_secrets_in_a_log_do_not_come(tmp_path, store):
    secret = "hf_" + "abcdefghijklmnopqrstuvwxyz"
    records = [begun(), {"config": {"update": [item(secret, "token")]}}]
    records += [{"output_raw": {"text": f"key {secret}\n"}}]
    records += [{"history": {"item": [item(f"it is {secret}", "said")]}}]
    log = write_log(tmp_path / "run-x.wandb", records)
    nbtrack.import_runs(log, store=store)
    store.journal.flush()
    kept = [p.read_bytes() for p in Path(store.path).rglob("*") if p.is_file()]
    assert not any(secret.encode() in body for body in kept)
