"""Checkpoints are found by step, version and point; what is gone or damaged says so."""

import os

import pytest

import nbtrack
from nbtrack.errors import CheckpointError, RunNotFoundError
from nbtrack.tracking import checkpoints
from nbtrack.tracking.checkpoint_table import checkpoints as checkpoints_of
from nbtrack.tracking.checkpoints import load_checkpoint

pytestmark = pytest.mark.usefixtures("plain_surroundings")

torch = pytest.importorskip("torch")


def kept_of(run):
    checkpoints.settle(run)
    return run.record().checkpoints


def save_three(run):
    for step, (loss, acc) in enumerate([(0.9, 0.1), (0.4, 0.9), (0.6, 0.8)]):
        run.log(val_loss=loss, acc=acc, step=step)
        run.checkpoint({"step": step, "w": torch.tensor(float(step))}, "m")


def test_a_version_is_loaded_by_its_own_name(run):
    save_three(run)
    checkpoints.settle(run)
    store = run.store
    run.record()
    assert load_checkpoint("m:v0", store=store)["step"] == 0
    assert load_checkpoint("m:best", store=store)["step"] == 1
    assert load_checkpoint("m:latest", store=store)["step"] == 2
    with pytest.raises(CheckpointError, match="no version 'v9'"):
        load_checkpoint("m:v9", store=store)
    with pytest.raises(CheckpointError, match="go with a run"):
        load_checkpoint("m:v0", 3, store=store)
    with pytest.raises(RunNotFoundError):
        load_checkpoint("nobody", store=store)


def test_a_point_on_a_curve_has_the_checkpoint_before_it(run):
    for step in (10, 20, 30):
        run.log(loss=1 / step, step=step)
        run.checkpoint({"step": step, "w": torch.ones(1)}, "m")
    assert load_checkpoint(run, 25, nearest=True)["step"] == 20
    assert load_checkpoint(run, 20, nearest=True)["step"] == 20
    with pytest.raises(CheckpointError, match=r"There are steps 10, 20, 30"):
        load_checkpoint(run, 9, nearest=True)
    with pytest.raises(CheckpointError, match="nearest=True"):
        load_checkpoint(run, 25)


def test_what_was_pruned_says_when_and_why_and_what_is_left(store_path):
    with nbtrack.start(keep="best,last") as run:
        for step, loss in enumerate([0.5, 0.9, 0.1, 0.7, 0.8]):
            run.log(loss=loss, step=step)
            run.checkpoint({"step": step, "w": torch.ones(1)}, "m")
    gone = r"m:v1 \(step 1\) was pruned at 20.*Still kept: m:v4 \(step 4\), m:v2"
    with pytest.raises(CheckpointError, match=gone):
        load_checkpoint(run, 1)
    with pytest.raises(CheckpointError, match=r"m:v1 was pruned.*kept: m:v4, m:v2"):
        load_checkpoint("m:v1", store=run.store)
    assert load_checkpoint(run, "best")["step"] == 2
    assert load_checkpoint(run)["step"] == 4
    assert load_checkpoint(run, 3, nearest=True)["step"] == 2
    table = checkpoints_of(run)
    assert table["kept"].tolist() == [False, False, True, False, True]
    assert table["metrics.loss"].tolist() == [0.5, 0.9, 0.1, 0.7, 0.8]
    assert table["gone_why"].iloc[0] == "pruned"


def test_the_best_that_is_gone_is_not_replaced_by_another_in_silence(store_path):
    with nbtrack.start(keep="last") as run:
        for step, (a, b) in enumerate([(1.0, 0.1), (0.2, 0.9), (0.5, 0.5)]):
            run.log(val_loss=a, b_loss=b, step=step)
            run.checkpoint({"step": step, "w": torch.ones(1)}, "m")
    with pytest.raises(CheckpointError, match=r"step 0\) was pruned"):
        load_checkpoint(run, "best", metric="b_loss")


def test_a_module_is_filled_and_is_unchanged_where_nothing_fits(run):
    model, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    run.checkpoint(model, "plain")
    run.checkpoint({"model": model.state_dict(), "epoch": 3}, "nested")
    for name in ("plain", "nested"):
        with torch.no_grad():
            other.weight.zero_()
        assert load_checkpoint(run, name=name, into=other) is other
        assert torch.equal(other.weight, model.weight)
    wrong = torch.nn.Sequential(torch.nn.Linear(3, 2))
    larger = torch.nn.Linear(4, 2)
    before = larger.weight.clone()
    with pytest.raises(CheckpointError, match=r"lacks 0\.bias, 0\.weight"):
        load_checkpoint(run, name="plain", into=wrong)
    with pytest.raises(CheckpointError, match=r"weight is \(2, 3\), not \(2, 4\)"):
        load_checkpoint(run, name="plain", into=larger)
    assert torch.equal(larger.weight, before)
    with pytest.raises(CheckpointError, match="no load_state_dict"):
        load_checkpoint(run, name="plain", into=[])


def test_a_damaged_file_in_chunks_names_the_version_and_the_file(run):
    run.checkpoint({"w": torch.randn(600_000)}, "large")
    [kept] = kept_of(run)
    packs = list((run.store.path / "blobs" / "packs").iterdir())
    assert len(packs) == 1
    os.chmod(packs[0], 0o600)
    content = bytearray(packs[0].read_bytes())
    content[1_500_000] ^= 1
    packs[0].write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged") as refused:
        load_checkpoint(run)
    assert kept.digest[:12] in str(refused.value)


def test_a_run_without_checkpoints_has_an_empty_table(run):
    table = checkpoints_of(run)
    assert len(table) == 0
    assert list(table.columns[:4]) == ["name", "version", "type", "step"]
