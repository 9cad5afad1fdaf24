"""Processes that train together are one run: no more rows, no doubled points."""

from __future__ import annotations

import inspect
import os
import signal
import socket
import subprocess
import sys

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.tracking.rank_runs import SilentRun
from nbtrack.tracking.ranks import place_here, place_in
from nbtrack.tracking.run import Run

pytestmark = pytest.mark.usefixtures("plain_surroundings")
# What says something in any rank; an artifact is read in each, and noted by the first.
_ANSWERING = {"finish", "fork", "record", "use_artifact"}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, None),
        ({"RANK": "1", "WORLD_SIZE": "4"}, (1, 4, "RANK")),
        ({"RANK": "0", "WORLD_SIZE": "1"}, None),
        ({"RANK": "1"}, None),
        ({"RANK": "one", "WORLD_SIZE": "two"}, None),
        ({"LOCAL_RANK": "3", "WORLD_SIZE": "4"}, (3, 4, "LOCAL_RANK")),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1", "WORLD_SIZE": "4"},
         (1, 4, "LOCAL_RANK")),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "4"},
         (2, 4, "SLURM_PROCID")),
        # An allocation of four tasks, in which one script runs outside of srun.
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, None),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_STEP_NUM_TASKS": "1"}, None),
    ],
)  # fmt: skip
def test_the_place_is_what_the_launcher_says(said, found):
    assert place_in(said) == found


@pytest.fixture
def second_rank(store_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    return store_path


def test_another_rank_takes_every_call_and_writes_nothing(second_rank, tmp_path):
    with nbtrack.start("base", params={"lr": 0.1}, tags=["a"]) as run:
        assert nbtrack.current() is run
        run.log(loss=1.0)
        nbtrack.log({"acc": 0.5}, step=3)
        run.checkpoint({"w": 1}, name="mlp")
        run.log_table([{"a": 1}], "t")
        assert run.fork(step=1) is run
        assert list(nbtrack.epochs(2, resume=True, state={"a": {}})) == [0, 1]
        assert run.record().metrics == {}
    assert (run.status, nbtrack.current()) == ("finished", None)
    assert list(tmp_path.iterdir()) == []


def test_every_public_method_is_silent_in_another_rank(second_rank):
    run = nbtrack.start("base")
    assert type(run) is SilentRun
    emitted = []
    run._journal.emit = emitted.append
    loud = []
    for name, method in inspect.getmembers(Run, inspect.isfunction):
        if name.startswith("_") or name in _ANSWERING:
            continue
        n = len(emitted)
        wanted = [
            p for p in inspect.signature(method).parameters.values()
            if p.default is p.empty and p.kind in (0, 1) and p.name != "self"
        ]  # fmt: skip
        getattr(run, name)(*["1"] * len(wanted))
        loud += [name] if len(emitted) > n else []
    assert loud == []


def test_a_tracked_cell_in_another_rank_says_that_it_is_not_recorded(
    second_rank, shell, capsys
):
    shell.run_line_magic("load_ext", "nbtrack")
    done = shell.run_cell("%%track base\nimport nbtrack\nnbtrack.log(loss=1.0)\n42")
    assert done.result == 42
    said = "".join(capsys.readouterr())
    assert "not the first rank and records nothing" in said
    assert "failed and was left out" not in said
    assert nbtrack.runs().empty


def test_an_exception_in_another_rank_goes_through(second_rank):
    with pytest.raises(ValueError, match="no"), nbtrack.start("base") as run:
        raise ValueError("no")
    assert run.status == "failed"


def test_each_process_may_stand_for_itself(second_rank, monkeypatch):
    with nbtrack.start("base", ranks="own") as run:
        run.log(loss=1.0)
    assert run.record().metrics["loss"].n == 1
    monkeypatch.setenv("NBTRACK_RANKS", "own")
    assert place_here() is None
    with pytest.raises(OptionError, match="'first', 'all' or 'own'"):
        nbtrack.start(ranks="second")


def test_the_first_rank_says_how_many_there_are(store_path, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with nbtrack.start("base") as run:
        run.log(loss=1.0)
    facts = run.store.facts(run.id)
    assert facts["distributed.world_size"].value == 4
    assert facts["distributed.ranks.0"].value["pid"] == os.getpid()


BY_VARIABLE = """
import os, sys, time, nbtrack
rank = int(os.environ["RANK"])
with nbtrack.start("base", ranks="all", params={"rank": rank}) as run:
    for step in range(100):
        run.log(loss=rank + step / 100)
    if rank and len(sys.argv) > 1:
        print("ready", flush=True)
        time.sleep(60)
"""


def begun(script, store, rank, *arguments, **more):
    env = {"NBTRACK_STORE": str(store), "PATH": "/usr/bin:/bin", "RANK": str(rank),
           "WORLD_SIZE": "2", "NBTRACK_RUN": "r-1", **more}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process):
    """What it said at its end, but for the place of the store."""
    out, err = process.communicate(timeout=60)
    return [line for line in (out + err).splitlines() if "new store" not in line]


def test_ranks_that_know_the_id_write_series_of_one_run(tmp_path):
    both = [begun(BY_VARIABLE, tmp_path, rank) for rank in (1, 0)]
    assert [ended(process) for process in both] == [[], []]
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        assert (run.id, run.status) == ("r-1", "finished")
        assert {n: m.n for n, m in run.metrics.items()} == {
            "loss": 100, "loss/rank1": 100
        }  # fmt: skip
        assert store.curve("r-1", "loss/rank1").values[0] == 1.0
        assert run.params["rank"].value == 0
        assert store.facts("r-1")["distributed.ranks.1"].value["pid"] == both[0].pid


LATE = """
import os, time, nbtrack
run = nbtrack.start("base", ranks="all")
if os.environ["RANK"] == "1":
    print("hears of", len(run._journal.callbacks), flush=True)
    while run.record().status == "running":
        time.sleep(0.05)
for _ in range(10):
    run.log(loss=2.0)
run.finish()
"""


def test_a_rank_that_is_late_still_gets_its_points_into_the_run(tmp_path):
    second, first = begun(LATE, tmp_path, 1), begun(LATE, tmp_path, 0)
    assert ended(first) == []
    assert ended(second) == ["hears of 0"]  # the row of Stop is the first rank's
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        counts = {n: m.n for n, m in run.metrics.items()}
        assert (run.status, counts) == ("finished", {"loss": 10, "loss/rank1": 10})


@pytest.mark.faults
def test_a_rank_that_is_killed_does_not_crash_the_run(tmp_path):
    second = begun(BY_VARIABLE, tmp_path, 1, "stay")
    first = begun(BY_VARIABLE, tmp_path, 0)
    assert ended(first) == []
    assert second.stdout.readline() == "ready\n"
    second.send_signal(signal.SIGKILL)
    second.communicate()
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        assert (run.status, run.reason) == ("finished", None)
        assert run.metrics["loss/rank1"].n == 100  # all that it had logged


def test_a_rank_that_cannot_know_the_run_keeps_still(tmp_path):
    alone = begun(BY_VARIABLE, tmp_path, 1, NBTRACK_RUN="")
    _, said = alone.communicate(timeout=60)
    assert alone.returncode == 0
    assert said.count("taking part in the run failed and was left out") == 1


# -- with torch ------------------------------------------------------------------------

DISTRIBUTED = """
import sys, torch, torch.distributed as dist, nbtrack
rank, world, port, ranks, what = *map(int, sys.argv[1:4]), *sys.argv[4:6]
torch.set_num_threads(1)
torch.manual_seed(0)
dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with nbtrack.start("base", ranks=ranks, params={"lr": 0.1}) as run:
    done = 0
    for epoch in nbtrack.epochs(50 if what == "stop" else 3):
        loss = model(torch.randn(8, 4)).pow(2).mean()
        optimizer.zero_grad(); loss.backward(); optimizer.step()
        run.log(loss=loss, own=float(rank))
        run.checkpoint(model, name="linear")
        done += 1
        if what == "stop" and rank == 0 and epoch == 4:
            run.request_stop("a test")
dist.barrier()
dist.destroy_process_group()
print(done)
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def trained(store, world, ranks, what="train"):
    port = free_port()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", DISTRIBUTED,
             *map(str, (rank, world, port)), ranks, what],
            env={**os.environ, "NBTRACK_STORE": str(store)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(world)
    ]  # fmt: skip
    said = [process.communicate(timeout=100) for process in processes]
    assert [p.returncode for p in processes] == [0] * world, said
    return [int(out) for out, _ in said]


@pytest.mark.faults
@pytest.mark.timeout(300)  # four imports of torch on two cores
@pytest.mark.parametrize("world", [2, 4])
def test_gloo_processes_are_one_run_of_the_first(tmp_path, world):
    assert trained(tmp_path, world, "first") == [3] * world
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        assert {n: m.n for n, m in run.metrics.items()} == {"loss": 3, "own": 3}
        assert list(store.curve(run.id, "own").values) == [0.0] * 3
        facts = store.facts(run.id)
        assert facts["distributed.world_size"].value == world
        assert facts["distributed.backend"].value == "gloo"
        assert len(run.checkpoints) == 3


@pytest.mark.faults
def test_stop_lets_no_rank_wait_for_the_one_that_left(tmp_path):
    assert trained(tmp_path, 2, "first", "stop") == [6, 6]
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        assert (run.status, run.metrics["loss"].n) == ("stopped", 6)


ALONE_IN_THE_END = """
import os, sys, time, torch.distributed as dist, nbtrack
rank, port = map(int, sys.argv[1:])
dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
with nbtrack.start("base", ranks="all") as run:
    for epoch in nbtrack.epochs(6):
        run.log(loss=1.0)
        time.sleep(0.2)
        if rank and epoch == 2:
            os.kill(os.getpid(), 9)
os._exit(0)  # the process group cannot be taken down any more
"""


@pytest.mark.faults
def test_a_rank_that_is_killed_takes_no_loop_of_another_along(tmp_path):
    port = free_port()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ALONE_IN_THE_END, str(rank), str(port)],
            env={**os.environ, "NBTRACK_STORE": str(tmp_path)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=100) for process in processes]
    assert [p.returncode for p in processes] == [0, -signal.SIGKILL], said
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        counts = {n: m.n for n, m in run.metrics.items()}
        assert (run.status, counts) == ("finished", {"loss": 6, "loss/rank1": 3})


@pytest.mark.faults
def test_every_rank_on_request_and_stop_in_the_same_epoch(tmp_path):
    assert trained(tmp_path, 2, "all", "stop") == [6, 6]
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        counts = {n: m.n for n, m in run.metrics.items()}
        assert counts == dict.fromkeys(("loss", "loss/rank1", "own", "own/rank1"), 6)
        assert list(store.curve(run.id, "own/rank1").values) == [1.0] * 6
        assert run.status == "stopped"


WORKERS = """
import sys, torch, nbtrack

class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 20
    def __getitem__(self, n):
        nbtrack.log(read=n)
        if sys.argv[1] == "fork":
            run.log(held=n)
            run.tag("worker")
        return float(n)

if __name__ == "__main__":
    with nbtrack.start("base") as run:
        for batch in torch.utils.data.DataLoader(
            Data(), batch_size=4, num_workers=2, multiprocessing_context=sys.argv[1]
        ):
            run.log(loss=batch.mean())
"""


@pytest.mark.faults
@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_workers_of_a_data_loader_write_and_say_nothing(tmp_path, how):
    script = tmp_path / "workers.py"  # spawned ones import it
    script.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(script), how],
        env={**os.environ, "NBTRACK_STORE": str(tmp_path)},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert [x for x in done.stderr.splitlines() if "new store" not in x] == []
    with nbtrack.open(tmp_path) as store:
        [run] = store.runs()
        assert {n: m.n for n, m in run.metrics.items()} == {"loss": 5}
        assert (dict(run.tags), run.status) == ({}, "finished")
