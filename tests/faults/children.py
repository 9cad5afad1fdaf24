"""What the fault tests do in processes of their own: `children.py WHAT STORE ...`.

Progress is written into a mapped file after each call that returned, so that the test
knows what was acknowledged when the process was killed.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nbtrack.store import Store, mounts


class Acknowledged:
    """A counter in a file that survives the process."""

    def __init__(self, path: str) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT)
        os.ftruncate(handle, 24)
        self._map = mmap.mmap(handle, 24)
        os.close(handle)

    def set(self, n: int, place: int = 0) -> None:
        struct.pack_into("<q", self._map, 8 * place, n)

    def get(self, place: int = 0) -> int:
        return struct.unpack_from("<q", self._map, 8 * place)[0]


def begin(store: Store, run: str) -> int:
    store.journal.emit(
        {"kind": "run_started", "run": run, "name": run, "started_at": time.time()}
    )
    return store.journal.series(run, "loss")


def serve(work: Callable[..., None]) -> None:
    """Fork a child that does `work(*words)` for each line of words; its pid comes back.

    So what is forked has everything imported, and a kill falls into its work.
    """
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(*line.split())
            os._exit(0)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("dead", flush=True)


def zygote() -> None:
    """Fork a logging child for each line "STORE ACK"."""
    serve(log_for_ever)


def log_for_ever(path: str, ack: str) -> None:
    """Log 0, 1, 2...; every 1,000th call is followed by a flush."""
    done = Acknowledged(ack)
    journal = Store.open(path).journal
    journal.emit({"kind": "run_started", "run": "r", "name": "r"})
    series = journal.series("r", "loss")
    point = journal.point
    n = 0
    while True:
        point(series, n, float(n), 1.7e9 + n / 1000)
        n += 1
        done.set(n)
        if n % 1000 == 0 and journal.flush():
            done.set(n, 1)


def writer(path: str, run: str, n: str) -> None:
    """Log n points, each committed before the next; print the waits."""
    with Store.open(path) as store:
        series = begin(store, run)
        waits = []
        for i in range(int(n)):
            store.journal.point(series, i, float(i), time.time())
            began = time.perf_counter()
            assert store.journal.flush(30.0)
            waits.append(time.perf_counter() - began)
        store.journal.emit({"kind": "run_finished", "run": run, "status": "finished"})
        print(json.dumps(sorted(waits)[int(0.99 * len(waits))]))


def steady(path: str, ack: str, run: str = "r") -> None:
    """Log a point every millisecond until killed."""
    done = Acknowledged(ack)
    with Store.open(path) as store:
        series = begin(store, run)
        n = 0
        while True:
            store.journal.point(series, n, float(n), time.time())
            n += 1
            done.set(n)
            time.sleep(0.001)


def steady_back(path: str, ack: str) -> None:
    """The same, while the clock goes a day back."""
    real, began = time.time, time.monotonic()
    late = 0.2  # the run has begun by then
    time.time = lambda: real() - (86_400 if time.monotonic() - began > late else 0)
    steady(path, ack)


def soak_writer(path: str, ack: str, run: str) -> None:
    """Log in bursts until its input ends, then finish; says n, begun, dropped."""
    import select

    done = Acknowledged(ack)
    with Store.open(path) as store:
        series = begin(store, run)
        done.set(1, 1)
        n = 0
        # 2,000 points a second: with eight of them, what two cores and full disks leave
        # room for. Faster, and the backlog at the end takes minutes to drain.
        while not select.select([sys.stdin], [], [], 0.01)[0]:
            for _ in range(20):
                store.journal.point(series, n, float(n), time.time())
                n += 1
                done.set(n)
            done.set(store.journal.dropped, 2)
        store.journal.emit({"kind": "run_finished", "run": run, "status": "finished"})
        assert store.journal.flush(240.0)
        done.set(store.journal.dropped, 2)


def soak_reader(path: str) -> None:
    """Look at all runs and at the tail of the newest, until a line comes in."""
    import select

    n = 0
    with Store.open(path) as store:
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            for run in store.runs()[:3]:
                store.tail(run.id)
                store.table()
            n += 1
    print(n)


def panel(path: str) -> None:
    """Poll as a live panel does until a line comes in; print how many points came."""
    import select

    n, cursor = 0, None
    with Store.open(path) as store:
        while not select.select([sys.stdin], [], [], 0.02)[0]:
            tail = store.tail("r", cursor)
            if cursor is None:
                print("looked", flush=True)
            cursor = tail.cursor
            n += sum(len(columns[0]) for columns in tail.points.values())
    print(n)


def hold_lock(path: str) -> None:
    """Hold the store's write transaction until a line comes in."""
    from nbtrack.store.database import connect

    database = connect(Path(path) / "nbtrack.db")
    with database.write():
        print("held", flush=True)
        sys.stdin.readline()


def exit_with(path: str, how: str, n: str) -> None:
    """Log n points and end without closing anything."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` has its children ignore it
    store = Store.open(path)
    series = begin(store, "r")
    for i in range(int(n)):
        store.journal.point(series, i, float(i), time.time())
    print("logged", time.time(), flush=True)
    if how == "raise":
        raise SystemExit(3)
    if how == "wait":
        time.sleep(60)


def limited(path: str, n: str) -> None:
    """Log under a file size limit that the database soon reaches."""
    import resource

    store = Store.open(path)
    series = begin(store, "r")
    assert store.journal.flush()
    limit = (store.path / "nbtrack.db").stat().st_size + 100_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for i in range(int(n)):
        store.journal.point(series, i, i * 1.1, time.time())
    time.sleep(1.0)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    flushed = store.journal.flush(20.0)
    print(json.dumps([flushed, store.journal.dropped]))
    store.close()


def interrupted(path: str, ack: str, n: str) -> None:
    """Log under a rain of SIGINT; what returned is acknowledged."""
    done = Acknowledged(ack)
    store = Store.open(path)
    series = begin(store, "r")
    print("ready", flush=True)
    step = n_interrupts = 0
    while n_interrupts < int(n):
        try:
            while True:
                store.journal.point(series, step, float(step), time.time())
                done.set(step + 1)
                step += 1
        except KeyboardInterrupt:
            n_interrupts += 1
            step += 1  # whether the interrupted one was kept is open
            done.set(n_interrupts, 1)
    while True:
        try:
            print(json.dumps([store.journal.flush(20.0), step]), flush=True)
            store.close()
            break
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    if "NBTRACK_TEST_MOUNTS" in os.environ:
        mounts.MOUNTINFO = Path(os.environ["NBTRACK_TEST_MOUNTS"])
    {
        "zygote": zygote,
        "writer": writer,
        "steady": steady,
        "steady_back": steady_back,
        "panel": panel,
        "soak_writer": soak_writer,
        "soak_reader": soak_reader,
        "hold_lock": hold_lock,
        "exit_with": exit_with,
        "limited": limited,
        "interrupted": interrupted,
    }[sys.argv[1]](*sys.argv[2:])
