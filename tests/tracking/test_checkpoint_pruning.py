"""What a run's policy does not keep goes, at once and alone; all stays listed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.notebook.options import parse_options
from nbtrack.store import Store
from nbtrack.tracking import checkpoint_keeper, checkpoints
from nbtrack.tracking.checkpoint_policy import keep_text
from nbtrack.tracking.settings import FILE_NAME

pytestmark = pytest.mark.usefixtures("plain_surroundings")
SIZE = 5000


def blobs_on(store):
    """Bytes of kept content, whatever its form."""
    return [
        os.path.join(folder, file)
        for folder, _, files in os.walk(store.path / "blobs")
        for file in files
    ]


def save(run, n, loss, name="mlp"):
    run.log(loss=loss)
    run.checkpoint(np.random.default_rng(n).bytes(SIZE), name)


def kept_steps(run):
    return [c.step for c in run.record().checkpoints if not c.gone_at]


@pytest.fixture
def start(store_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return nbtrack.start


def test_a_hundred_epochs_leave_four_files_and_a_hundred_versions(start):
    losses = np.random.default_rng(0).permutation(100) / 100
    with start(keep="best,last,top3") as run:
        for n, loss in enumerate(losses):
            save(run, n, float(loss))
    record = run.record()
    best = sorted(range(100), key=lambda n: losses[n])[:3]
    assert len(record.checkpoints) == 100
    assert kept_steps(run) == sorted({*best, 99})
    assert len(blobs_on(run.store)) == len({*best, 99})
    gone = [c for c in record.checkpoints if c.gone_at]
    assert {c.gone_why for c in gone} == {"pruned"}
    for c in record.checkpoints:
        assert run.store.has_file(c.digest) == (c.gone_at is None)
        if c.gone_at is None:
            run.store.verify_file(c.digest)


def test_what_somebody_named_or_another_run_uses_stays(start):
    with start("other"):
        pass
    with start(keep="last") as run:
        save(run, 0, 3.0)
        save(run, 1, 1.0)
        checkpoints.settle(run)
        run.store.set_alias("mlp:v1", "mine")
        save(run, 2, 0.5)
        checkpoints.settle(run)
        with start("reader") as reader:
            reader.use_artifact("mlp:v2")
        for n in range(3, 6):
            save(run, n, float(n))
    # v1 has an alias, v2 a reader (and is best); 5 is the last.
    assert kept_steps(run) == [1, 2, 5]


def test_the_version_that_best_names_stays_until_another_is_better(start):
    with start(keep="last") as run:
        for n, loss in enumerate([3.0, 1.0, 2.0, 0.5, 4.0]):
            save(run, n, loss)
    assert kept_steps(run) == [3, 4]
    assert run.store.artifact("mlp:best").step == 3


def test_files_of_others_and_data_are_not_touched(start, tmp_path):
    with start(keep="last") as run:
        for n in range(3):
            (tmp_path / "table.csv").write_text(f"a\n{n}\n")
            run.checkpoint(tmp_path / "table.csv")
            run.checkpoint(np.random.default_rng(n).bytes(SIZE), "mlp")
    kept = [(c.name, c.step) for c in run.record().checkpoints if not c.gone_at]
    assert [name for name, _ in kept].count("table") == 3
    assert [name for name, _ in kept].count("mlp") == 1


def test_a_budget_holds_for_the_run(start):
    with start(budget=3 * SIZE + 2000) as run:
        for n, loss in enumerate([5.0, 1.0, 4.0, 2.0, 3.0]):
            save(run, n, loss)
    assert kept_steps(run) == [1, 3, 4]


def test_the_same_content_again_comes_back(start):
    with start(keep="last") as run:
        save(run, 0, 1.0)
        save(run, 1, 0.9)
        save(run, 2, 0.8)
        save(run, 0, 0.7)
    assert kept_steps(run)[-1] == 3
    for c in run.record().checkpoints:
        assert run.store.has_file(c.digest) == (c.gone_at is None)


def test_a_resumed_run_prunes_what_it_saved_before(start):
    with start("long", keep="all") as run:
        for n in range(3):
            save(run, n, 1.0 - n / 10)
    with start(resume="long", keep="best,last") as run:
        save(run, 7, 5.0)
    assert kept_steps(run) == [2, 3]


def test_the_run_says_it_or_the_store_or_nobody(start, store_path):
    nbtrack.configure(keep=["best", "last"], budget="1 GB")
    with start() as run:
        assert keep_text(run.keep_policy.rules) == "best,last"
        assert run.keep_policy.budget_bytes == 1 << 30
    with start(keep="top2") as run:
        assert keep_text(run.keep_policy.rules) == "top2"
        assert run.keep_policy.budget_bytes == 1 << 30
    (store_path / FILE_NAME).write_text('{"keep": "bset", "budget": []}')
    with start() as run:
        assert run.keep_policy.keeps_all
    nbtrack.configure(keep="all", budget=0)

    @nbtrack.track(keep="last")
    def train():
        return keep_text(nbtrack.current().keep_policy.rules)

    assert train() == "last"


def test_a_slip_is_said_before_the_run_begins(start):
    for asked in ({"keep": "bset"}, {"budget": "lots"}):
        with pytest.raises(OptionError):
            start(**asked)
        with pytest.raises(OptionError):
            nbtrack.configure(**asked)
    assert nbtrack.current() is None


def test_a_tracked_cell_says_it_on_its_line():
    options = parse_options("--keep best,last base --budget 5GB")
    assert (options.keep, options.budget, options.name) == (
        "best,last",
        5 << 30,
        "base",
    )
    options = parse_options("--keep best:val_acc --keep top3 --budget '2 GB'")
    assert (options.keep, options.budget) == ("best:val_acc,top3", 2 << 30)
    with pytest.raises(OptionError, match="Did you mean best"):
        parse_options("--keep bset")


def test_trouble_with_pruning_loses_no_checkpoint(start, monkeypatch, capsys):
    with start(keep="last") as run:
        monkeypatch.setattr(
            type(run.store), "give_up", lambda *_, **__: 1 / 0, raising=True
        )
        for n in range(3):
            save(run, n, 1.0)
    assert kept_steps(run) == [0, 1, 2]


def test_without_a_policy_nothing_of_it_is_remembered(start):
    with start() as run:
        save(run, 0, 1.0)
        assert checkpoints.keeper_of(run).pruner.is_idle
    assert kept_steps(run) == [0]


def test_files_that_a_framework_rotates_away_are_kept_by_our_own_policy(
    start, tmp_path
):
    with start(keep="best,last") as run:
        for n, loss in enumerate([3.0, 1.0, 2.0, 4.0]):
            run.log(loss=loss)
            file = tmp_path / f"epoch={n}-step={n * 10}.ckpt"
            file.write_bytes(np.random.default_rng(n).bytes(SIZE))
            run.checkpoint(file)
            checkpoints.settle(run)
            file.unlink()  # `save_top_k=1` of Lightning
    # Each name is an artifact of its own, whose only version is `best` of that name.
    assert kept_steps(run) == [1, 3]


def test_what_is_given_up_makes_room_within_the_limit_of_the_run(start, tmp_path):
    with start(keep="last") as run:
        limits = checkpoint_keeper.Limits(run_bytes=3 * SIZE)
        keeper = checkpoints.keeper_of(run)
        keeper._limits = limits
        for n in range(12):
            path = tmp_path / "mlp.bin"
            path.write_bytes(np.random.default_rng(n).bytes(SIZE))
            run.log(loss=1 / (n + 1))
            run.checkpoint(path)
            checkpoints.settle(run)
    assert len(run.record().checkpoints) == 12
    assert kept_steps(run) == [11]


def test_pruning_spares_what_somebody_else_has_kept_since(start, store_path):
    content = np.random.default_rng(0).bytes(2 << 20)
    with start(keep="last") as run:
        run.log(loss=1.0)
        run.checkpoint(content, "mlp")
        checkpoints.settle(run)
        (first,) = run.record().checkpoints
        pickled = Path(run.store.file_path(first.digest)).read_bytes()
        same = store_path.parent / "same"
        same.write_bytes(pickled)
        with Store.open(store_path) as other:
            kept = other.put_file(same)  # and is about to name it
            run.log(loss=0.5)
            run.checkpoint(b"another", "mlp")
            checkpoints.settle(run)
            assert [bool(c.gone_at) for c in run.record().checkpoints] == [True, False]
            other.verify_file(kept.digest)
