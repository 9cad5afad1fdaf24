"""The ranks of a training end their loops in the same epoch; two ranks in turn here."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.tracking import agreed_stop
from nbtrack.tracking.agreed_stop import AgreedStop
from nbtrack.tracking.rank_runs import SilentRun
from nbtrack.tracking.ranks import Place

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def ranks(monkeypatch):
    """Two runs and what they have agreed on, over one store of a process group."""
    group = pytest.importorskip("torch.distributed").HashStore()
    monkeypatch.setattr(agreed_stop, "_group_store", lambda: group)
    monkeypatch.setattr(agreed_stop, "group_is_there", lambda: True)
    monkeypatch.setattr(agreed_stop, "_numbers", iter([0, 0]))
    return [(SilentRun(name=str(n)), AgreedStop()) for n in range(2)]


def asked(ranks):
    return [agreed.is_due(run) for run, agreed in ranks]


@pytest.mark.parametrize("who", [0, 1])
def test_the_loop_goes_on_for_one_epoch_and_ends_in_all(ranks, who):
    assert asked(ranks) == [False, False]
    ranks[who][0].request_stop("a test")
    assert asked(ranks) == [False, False]
    assert asked(ranks) == [True, True]
    assert asked(ranks) == [True, True]  # of a later loop, too
    assert [run.stop.requested for run, _ in ranks] == [True, True]
    for run, _ in ranks:
        run.finish()


def test_a_rank_that_is_ahead_stops_where_the_others_do(ranks):
    (first, of_first), (second, of_second) = ranks
    assert not of_second.is_due(second)  # it has begun an epoch, and waits in it
    first.request_stop("a test")
    assert not of_first.is_due(first)  # which the first rank does, too
    assert of_second.is_due(second)
    assert of_first.is_due(first)
    for run, _ in ranks:
        run.finish()


def test_a_group_that_cannot_be_asked_is_one_warning(run, monkeypatch, capfd):
    def gone():
        raise RuntimeError("Connection reset by peer")

    monkeypatch.setattr(agreed_stop, "_group_store", gone)
    monkeypatch.setattr(agreed_stop, "group_is_there", lambda: True)
    run.place = Place(0, 2, "torch.distributed")
    seen = []
    for epoch in nbtrack.epochs(5):
        seen.append(epoch)
        if epoch == 2:
            run.request_stop("a test")
    assert seen == [0, 1, 2]  # Stop works all the same
    assert capfd.readouterr().err.count("agreeing on a stop failed") == 1


def test_a_stop_in_the_last_epoch_raises_nothing_behind_the_loop(run):
    run.place = Place(0, 2, "RANK")
    for epoch in nbtrack.epochs(2):
        if epoch == 1:
            run.request_stop("a test")
    nbtrack.log(test_acc=0.9)
    run.finish()
    assert run.status == "stopped"
