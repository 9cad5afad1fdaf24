"""R21: kill -9 while checkpoints are given up: what is not gone is whole."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KILLS = 20
TRAINING = """
import sys
import numpy as np
import nbtrack
chance = np.random.default_rng()
with nbtrack.start(keep="best,last,top2", off="all") as run:
    for n in range(1_000_000):
        run.log(loss=float(chance.random()))
        run.checkpoint(chance.bytes(1_500_000 if n % 2 else 3_000), "mlp")
        if n == 5:
            print("pruning", flush=True)
"""


def test_r21_what_is_not_gone_is_whole_wherever_pruning_was_cut_off(tmp_path):
    environment = {**os.environ, "NBTRACK_STORE": str(tmp_path / ".nbtrack")}
    n_pruned = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", TRAINING],
            stdout=subprocess.PIPE, env=environment, cwd=tmp_path, text=True,
        )  # fmt: skip
        assert process.stdout.readline() == "pruning\n"
        time.sleep(random.uniform(0.05, 0.6))
        process.kill()
        process.wait()
        process.stdout.close()
        with Store.open(tmp_path / ".nbtrack") as store:
            versions = store.artifact_versions()
            for version in [v for v in versions if v.gone_at is None]:
                for file in store.artifact_files(version.id):
                    store.verify_file(file.digest)
            n_pruned = sum(1 for v in versions if v.gone_why == "pruned")
    assert n_pruned > KILLS
    with Store.open(tmp_path / ".nbtrack") as store:
        store.free_files(older_than_s=0)
        for version in store.artifact_versions(gone=False):
            for file in store.artifact_files(version.id):
                store.verify_file(file.digest)
        assert store.free_files(older_than_s=0).n_bytes == 0
