"""A soak before a release: `python tests/faults/soak.py --minutes 10` (`make soak`).

Eight writers log to one store, two readers look at it, and meanwhile writers are
killed, the disk is full for a while, and backups are taken. At the end every promise is
looked at: all points that returned are there, in order, once; no run hangs; the file is
sound, and so is each backup. Says what it did, and ends with 1 where a promise broke.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from faults.children import Acknowledged  # noqa: E402 - found by the line above
from nbtrack.store import Store  # noqa: E402

WRITERS, READERS = 8, 2
KILL_EVERY_S, FULL_EVERY_S, BACKUP_EVERY_S = 1.0, 15.0, 7.0
FULL_FOR_S = 3.0
LOST_IF_KILLED = "lost if the kernel dies now"
DISK = "size=600m,mode=700"


class Writers:
    """Eight children that log until they are told to end; each has runs of its own."""

    def __init__(self, folder: Path, store: Path) -> None:
        self._folder, self._store = folder, store
        self._live: dict[int, tuple[subprocess.Popen[bytes], str]] = {}
        self.acknowledged: dict[str, Acknowledged] = {}
        self.killed: set[str] = set()
        self._n = 0

    def start(self, place: int) -> None:
        """Put a new writer at this place; its run has a name that no other has."""
        name = f"r{self._n:05d}"
        self._n += 1
        ack = self._folder / f"{name}.ack"
        self.acknowledged[name] = Acknowledged(str(ack))
        words = ["soak_writer", str(self._store), str(ack), name]
        with (self._folder / f"{name}.said").open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, str(HERE / "children.py"), *words],
                stdin=subprocess.PIPE, stdout=said, stderr=said,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[:2])},
            )  # fmt: skip
        self._live[place] = process, name

    def kill_one(self) -> None:
        """Kill -9 any of them, and put another in its place."""
        place = random.randrange(WRITERS)
        process, name = self._live[place]
        process.kill()
        process.wait()
        self.killed.add(name)
        self.start(place)

    def sleep_one(self) -> None:
        """Stop one for a moment, as a laptop does that is shut."""
        process, _ = self._live[random.randrange(WRITERS)]
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        process.send_signal(signal.SIGCONT)

    def was_told_of_loss(self, name: str) -> bool:
        """Whether it was killed after it had said that its points are in memory alone.

        That is what becomes of them on a full disk, until there is room again.
        """
        said = (self._folder / f"{name}.said").read_text()
        return name in self.killed and LOST_IF_KILLED in said

    def end(self) -> list[str]:
        """Tell all to finish; what was wrong with how they ended."""
        for process, _ in self._live.values():
            process.stdin.close()
        wrong = []
        for process, name in self._live.values():
            try:
                code = process.wait(300)
            except subprocess.TimeoutExpired:
                process.kill()
                code = "never"
            if code != 0:
                said = (self._folder / f"{name}.said").read_text()[-500:]
                wrong.append(f"writer {name} ended with {code}: {said}")
        return wrong


def mounted(folder: Path) -> bool:
    """Whether the folder is a small disk of its own now, that can be filled."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", DISK, "none", str(folder)], capture_output=True
    )
    return made.returncode == 0


def fill(folder: Path) -> None:
    """Leave no room on the disk for a while, then give it back."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * (1 << 20))
        except OSError:
            pass
    time.sleep(FULL_FOR_S)
    ballast.unlink()


def back_up(store: Path, target: Path) -> None:
    """By SQLite's own online copy, while all write."""
    source = sqlite3.connect(f"file:{store / 'nbtrack.db'}?mode=ro", uri=True)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy, pages=200, sleep=0.001)
    finally:
        source.close()
        copy.close()


def is_sound(database: Path) -> bool:
    connection = sqlite3.connect(database)
    try:
        return connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def is_a_moment(database: Path) -> bool:
    """Whether the summaries of a copy are those of its points: of one moment."""
    connection = sqlite3.connect(database)
    try:
        return not connection.execute(
            "select 1 from metrics where n != coalesce((select sum(n) from chunks"
            " where chunks.metric = metrics.id), 0)"
        ).fetchall()
    finally:
        connection.close()


def broken_promises(store_path: Path, writers: Writers) -> list[str]:
    """What is not as it was promised, once all is over."""
    wrong, statuses = [], Counter()
    with Store.open(store_path) as store:
        for name, done in writers.acknowledged.items():
            n_said = done.get()
            if not done.get(1) or writers.was_told_of_loss(name):
                continue  # killed before its run was said, or with no room but memory
            run = store.run(name)
            statuses[run.status] += 1
            expected = "crashed" if name in writers.killed else "finished"
            # One that is killed while it ends may have ended.
            if run.status != expected and name not in writers.killed:
                wrong.append(f"run {name} is {run.status}")
            steps = list(store.curve(name, "loss").steps) if n_said else []
            if steps != list(range(len(steps))):
                wrong.append(f"run {name} has a hole")
            # Where disk and memory were full, what was dropped is counted.
            if len(steps) + done.get(2) < n_said:
                wrong.append(f"run {name}: {len(steps)} of {n_said} points")
        [(n_points,)] = store.sql("select count(*) from points")[1]
        if store.sql("select * from unread")[1]:
            wrong.append("events were put aside")
        # Hidden are those whose process was killed while it made them: empty, and
        # removed once they are an hour old.
        left = [n for n in os.listdir(store.path / "journal") if n[0] != "."]
        if left:
            wrong.append(f"journals are left: {left}")
    if not is_sound(store_path / "nbtrack.db"):
        wrong.append("the file is not sound")
    n_told = sum(map(writers.was_told_of_loss, writers.acknowledged))
    print(f"{n_points:,} points in {dict(statuses)} runs; {n_told} were killed after "
          "the warning that the full disk left them in memory")  # fmt: skip
    return wrong


def takes(disk: Path) -> dict[str, float]:
    """What takes the disk, and what is free of it, in MiB."""
    found: Counter[str] = Counter()
    for file in disk.rglob("*"):
        if file.is_file():
            inside = file.relative_to(disk / ".nbtrack").parts[0]
            found[inside] += file.stat().st_blocks * 512
    found["free"] = shutil.disk_usage(disk).free
    return {name: n_bytes / 2**20 for name, n_bytes in found.items()}


def soak(folder: Path, minutes: float) -> list[str]:
    """Do all of it in this folder; what broke."""
    disk, notes, copies = (folder / name for name in ("disk", "notes", "copies"))
    for path in (disk, notes, copies):
        path.mkdir()
    has_disk = mounted(disk)
    try:
        return _soak(disk, notes, copies, minutes=minutes, has_disk=has_disk)
    finally:
        if has_disk:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _soak(
    disk: Path, notes: Path, copies: Path, *, minutes: float, has_disk: bool
) -> list[str]:
    store_path = disk / ".nbtrack"
    Store.open(store_path).close()
    writers, n = Writers(notes, store_path), Counter()
    for place in range(WRITERS):
        writers.start(place)
    readers = [
        subprocess.Popen(
            [sys.executable, str(HERE / "children.py"), "soak_reader", str(store_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[:2])}, text=True,
        )
        for _ in range(READERS)
    ]  # fmt: skip
    wrong: list[str] = []
    filling = threading.Thread()
    began = time.monotonic()
    due = {"kill": KILL_EVERY_S, "backup": BACKUP_EVERY_S / 2, "full": FULL_EVERY_S / 3}
    while (now := time.monotonic() - began) < 60 * minutes:
        if now > due["kill"]:
            writers.kill_one()
            writers.sleep_one()
            n["kills"] += 1
            due["kill"] = now + random.uniform(0.5, 1.5) * KILL_EVERY_S
        if now > due["backup"]:
            target = copies / f"{n['backups']}.db"
            back_up(store_path, target)
            n["backups"] += 1
            if not (is_sound(target) and is_a_moment(target)):
                wrong.append(f"backup {target.name} is not sound, or of two moments")
            target.unlink()
            due["backup"] = now + BACKUP_EVERY_S
        if has_disk and now > due["full"] and not filling.is_alive():
            filling = threading.Thread(target=fill, args=(disk,))
            filling.start()  # the kills go on
            n["full disks"] += 1
            due["full"] = now + FULL_EVERY_S
        time.sleep(0.05)
    if filling.ident is not None:
        filling.join()
    wrong += writers.end()
    for reader in readers:
        looks, errors = reader.communicate("end\n", timeout=60)
        n["looks"] += int(looks or 0)
        if reader.returncode != 0 or errors:
            wrong.append(f"a reader failed: {errors[-500:]}")
    sizes = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in takes(disk).items())
    print(f"{minutes:g} minutes, {WRITERS} writers, {READERS} readers: {dict(n)};"
          f" {sizes}", flush=True)  # fmt: skip
    if not has_disk:
        print("no disk was full: mounting a tmpfs is not permitted here")
    return wrong + broken_promises(store_path, writers)


def main() -> int:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--minutes", type=float, default=10.0)
    minutes = words.parse_args().minutes
    folder = Path(tempfile.mkdtemp(prefix="nbtrack-soak-"))
    try:
        wrong = soak(folder, minutes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(wrong) if wrong else "every promise held")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
