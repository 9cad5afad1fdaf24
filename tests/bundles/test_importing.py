"""A bundle becomes a run of a store: with all it has, whole, and only once."""

from __future__ import annotations

import json
import math

import pytest
from bundles.made import (
    DATA,
    LOSSES,
    RUN,
    SOURCE,
    WEIGHTS,
    as_json,
    expected_json,
    inputs_json,
    made_bundle,
    manifest,
    metrics_lines,
    sha,
    slice_json,
)

import nbtrack
from nbtrack.bundles.archive.reading import open_bundle
from nbtrack.errors import BundleError
from nbtrack.store import Store

WHERE = "results/checkpoints/"
KEY = "hf_abcdefghijklmnopqrstuvwx"


@pytest.fixture
def bundle(tmp_path):
    return made_bundle(tmp_path)


def state_of(store):
    """All that a store holds of runs; as text, since NaN is not NaN."""
    files = sorted(p.name for p in (store.path / "blobs").rglob("*") if p.is_file())
    tables = "runs params tags metrics chunks facts inputs cells sources"
    rows = [store.sql(f"select * from {table}")[1] for table in tables.split()]
    return files, repr(rows)


def test_the_run_is_the_one_that_was_exported(bundle, store):
    run = nbtrack.import_bundle(bundle, store=store)
    told = manifest()["run"]
    for field in ("id", "name", "experiment", "status", "started_at", "ended_at",
                  "duration_s", "group", "notes", "notebook", "cell_id", "execution",
                  "source", "source_digest"):  # fmt: skip
        assert getattr(run, field) == told[field], field
    with open_bundle(bundle) as opened:
        assert run.tags == {**told["tags"], "bundle": opened.id[:12]}
    assert {
        name: {"value": p.value, "origin": p.origin, "cell": p.cell}
        for name, p in run.params.items()
    } == told["params"]


def test_points_axes_and_times_are_the_same(bundle, store):
    run = nbtrack.import_bundle(bundle, store=store)
    loss, odd = (store.curve(RUN, name) for name in ("loss", "odd"))
    assert (loss.steps.tolist(), loss.values.tolist()) == ([0, 1, 2], LOSSES)
    assert loss.at.tolist() == [1e9, 1e9 + 1, 1e9 + 2.5]
    assert list(loss.axes["epoch"]) == [0.0, 0.0, 1.0]
    assert odd.steps.tolist() == [5, 7]
    assert math.isnan(odd.values[0])
    assert odd.values[1] == -math.inf
    assert (run.metrics["loss"].goal, run.metrics["odd"].thinned) == ("min", 2)


def test_cells_facts_and_inputs_come_along(bundle, store):
    nbtrack.import_bundle(bundle, store=store)
    cells = store.cells(RUN)
    assert [(c.seq, c.source, c.source_digest) for c in cells] == [
        (1, "x = 1\n", sha(b"x = 1\n")), (2, SOURCE, sha(SOURCE.encode()))
    ]  # fmt: skip
    facts = store.facts(RUN)
    assert facts["git.commit"].value == "ab" * 20
    assert facts["git.dirty"].missing == "no repository"
    assert facts["seed.python"].value == 7
    assert facts["os.name"].value == "Linux"
    assert facts["env.OMP_NUM_THREADS"].value == "2"
    found = {i.name: i for i in store.inputs(RUN)}
    assert found["train.csv"].digest == inputs_json()["files"][0]["sha256"]
    assert found["train.csv"].detail["policy"] == "embed"
    assert found["frame"].n_rows == 2


def test_checkpoints_come_with_their_bytes(bundle, store):
    run = nbtrack.import_bundle(bundle, store=store)
    [kept] = run.checkpoints
    assert (kept.name, kept.version, kept.step) == ("model", 0, 2)
    assert kept.metrics == {"loss": 1 / 3}
    assert store.file_path(kept.digest).read_bytes() == WEIGHTS
    tensors = nbtrack.load_checkpoint(run, store=store)
    assert tensors["w"].tolist() == [1.0]


def test_an_unpacked_folder_is_imported_too(bundle, store, tmp_path):
    with open_bundle(bundle) as opened:
        folder = opened.extract(tmp_path / "out")
    assert nbtrack.import_bundle(folder, store=store).name == "base"


def test_to_import_twice_changes_nothing(bundle, store):
    first = nbtrack.import_bundle(bundle, store=store)
    before = state_of(store)
    assert repr(nbtrack.import_bundle(bundle, store=store)) == repr(first)
    assert state_of(store) == before


def test_a_run_that_is_there_stays_as_the_user_has_it(bundle, store):
    nbtrack.import_bundle(bundle, store=store)
    store.edit({"kind": "run_changed", "run": RUN, "fields": {"name": "mine"}})
    assert nbtrack.import_bundle(bundle, store=store).name == "mine"


def test_a_store_is_made_where_a_path_has_none(bundle, tmp_path):
    nbtrack.import_bundle(bundle, store=tmp_path / "new")
    with Store.open(tmp_path / "new") as store:
        assert store.run("base").id == RUN


def test_a_changed_bundle_is_refused_and_the_store_unchanged(bundle, store):
    before = state_of(store)
    content = bytearray(bundle.read_bytes())
    content[content.index(DATA) + 2] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(BundleError, match="1 members are tampered"):
        nbtrack.import_bundle(bundle, store=store)
    assert state_of(store) == before


@pytest.mark.parametrize("name", ["missing", "extra"])
def test_a_bundle_that_is_not_whole_is_refused(name, bundle, store, tmp_path):
    with open_bundle(bundle) as opened:
        folder = opened.extract(tmp_path / "out")
    if name == "missing":
        (folder / "rng/2-python.bin").unlink()
    else:
        (folder / "rng/3-python.bin").write_bytes(b"")
    with pytest.raises(BundleError, match=name):
        nbtrack.import_bundle(folder, store=store)
    assert store.runs() == []


def test_secrets_that_the_exporter_left_are_taken_out(store, tmp_path):
    run = {"source": f"login('{KEY}')\n", "notes": KEY, "name": f"a {KEY}",
           "tags": {"t": KEY}, "params": {"api_key": {"value": "s3cret-7",
           "origin": "literal", "cell": None}}}  # fmt: skip
    cells = slice_json()
    cells["cells"][0]["source"] = f"password = 'hunter2-8'\nkey = '{KEY}'"
    facts = {"facts": {"os.name": KEY}}
    path = made_bundle(
        tmp_path, run=run,
        **{"run/slice.json": as_json(cells), "env/platform.json": as_json(facts)},
    )  # fmt: skip
    nbtrack.import_bundle(path, store=store)
    store.close()
    kept = b"".join(p.read_bytes() for p in store.path.rglob("*") if p.is_file())
    assert [s for s in (KEY, "s3cret-7", "hunter2-8") if s.encode() in kept] == []


def test_a_source_does_not_come_under_the_digest_of_another(store, tmp_path):
    path = made_bundle(tmp_path, run={"source": "evil()", "source_digest": sha(b"1")})
    assert nbtrack.import_bundle(path, store=store).source_digest == sha(b"evil()")


def test_a_run_that_went_on_when_exported_has_stopped(store, tmp_path):
    path = made_bundle(tmp_path, run={"status": "running", "ended_at": None})
    run = nbtrack.import_bundle(path, store=store)
    assert (run.status, run.reason) == ("stopped", "exported while it ran")


def test_a_name_of_a_checkpoint_that_is_taken_gets_a_number(bundle, store, tmp_path):
    nbtrack.import_bundle(bundle, store=store)
    other = made_bundle(
        tmp_path,
        run={"id": RUN[:-1] + "a"},
        **{"results/checkpoints/model-v0.safetensors": WEIGHTS + b"1234"},
    )
    [kept] = nbtrack.import_bundle(other, store=store).checkpoints
    assert (kept.name, kept.version) == ("model", 1)
    assert store.run(RUN).checkpoints[0].version == 0


def slices(**changes):
    found = slice_json()
    found["cells"][0] |= changes
    return {"run/slice.json": as_json(found)}


def expected(**changes):
    found = expected_json()
    found["checkpoints"][0] |= changes
    return {"results/expected.json": as_json(found)}


def lines(**changes):
    series = {"metric": "acc", "steps": [1], "values": [0.5], "at": [1e9]}
    text = metrics_lines(series | changes)
    return {"results/metrics.jsonl": text.encode()}


def inputs(**changes):
    found = inputs_json()
    found["files"][0] |= changes
    return {"data/inputs.json": as_json(found)}


WRONG = {
    "an id with a path": {"run": {"id": "../../etc/pwd"}},
    "an id of another kind": {"run": {"id": "last"}},
    "an id that is a number": {"run": {"id": 7}},
    "a name that is a list": {"run": {"name": ["a"]}},
    "a name without end": {"run": {"name": "a" * 2_000}},
    "a status that is none": {"run": {"status": "perfect"}},
    "a time that is none": {"run": {"started_at": "yesterday"}},
    "a time before there were computers": {"run": {"started_at": "0001-01-01T00:00Z"}},
    "a duration that is text": {"run": {"duration_s": "1"}},
    "tags that are a list": {"run": {"tags": ["a"]}},
    "a tag that is a number": {"run": {"tags": {"a": 1}}},
    "an origin that is none": {"run": {"params": {"a": {"value": 1, "origin": "x"}}}},
    "a param that is a number": {"run": {"params": {"a": 1}}},
    "an execution that is too large": {"run": {"execution": 2**70}},
    "source that is a number": {"run": {"source": 3}},
    "code that is a list": {"code": []},
    "params without end": {"run": {"params": dict.fromkeys(map(str, range(20_001)))}},
    "a cell without source": slices(source=None),
    "a cell below 0": slices(seq=-1),
    "two cells of one number": slices(seq=2),
    "a cell that is True": slices(seq=True),
    "a checkpoint outside": expected(member="data/files/train.csv"),
    "a checkpoint that is not there": expected(member=f"{WHERE}x.safetensors"),
    "a version below 0": expected(version=-1),
    "metrics that are text": expected(metrics={"loss": "low"}),
    "a pickle for a checkpoint": {
        f"{WHERE}model-v0.safetensors": b"\x80\x04\x95" + b"x" * 20
    },
    "a header beyond the file": {
        f"{WHERE}model-v0.safetensors": (1 << 40).to_bytes(8, "little")
    },
    "columns of two lengths": lines(steps=[1, 2]),
    "a step that is no number": lines(steps=["1"]),
    "a step that is too large": lines(steps=[2**63]),
    "a value that is text": lines(values=["high"]),
    "a value that is True": lines(values=[True]),
    "a value that is null": lines(values=[None]),
    "a time beyond the year 3000": lines(at=[1e12]),
    "a time that is no number": lines(at=["NaN"]),
    "an axis of another length": lines(axes={"epoch": []}),
    "two series of one name": lines(metric="loss"),
    "a goal that is none": lines(goal="up"),
    "a goal that is a list": lines(goal=[]),
    "thinned by 0": lines(thinned=0),
    "a line that is no JSON": {"results/metrics.jsonl": b"{}{}\n"},
    "a line that is a list": {"results/metrics.jsonl": b"[]\n"},
    "a number that is not finite": {"results/metrics.jsonl": b'{"metric": NaN}\n'},
    "a digest that is none": inputs(sha256="../../x"),
    "a size below 0": inputs(size_bytes=-1),
    "a path that is a list": inputs(path=[]),
    "a key that stands twice": {"env/platform.json": b'{"facts": {}, "facts": {}}'},
    "facts that are a list": {"env/platform.json": b'{"facts": []}'},
    "a variable that is a list": {"env/env-vars.json": b'{"A": []}'},
    "JSON that is no UTF-8": {"env/platform.json": b'"\xff"'},
    "no manifest": {"manifest.json": None},
    "another format": {"format": "other"},
    "a later version": {"version": 2},
}  # fmt: skip


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_makes_no_sense_is_refused_and_nothing_written(change, store, tmp_path):
    path = made_bundle(tmp_path, **change)
    with pytest.raises(BundleError):
        nbtrack.import_bundle(path, store=store)
    assert store.runs(trashed=None) == []
    assert not list((store.path / "blobs").rglob("*.*"))


def test_the_message_names_the_file_and_the_field(store, tmp_path):
    path = made_bundle(tmp_path, **slices(seq="one"))
    with pytest.raises(BundleError, match=r"'run/slice.json': cells\[0\].seq is 'one'"):
        nbtrack.import_bundle(path, store=store)


def test_a_lone_surrogate_is_kept_as_an_escape(store, tmp_path):
    run = json.loads('{"notes": "a\\ud800b"}')
    path = made_bundle(
        tmp_path,
        **{"manifest.json": json.dumps(manifest(run=run)).encode()},
    )
    assert nbtrack.import_bundle(path, store=store).notes == "a\\ud800b"
