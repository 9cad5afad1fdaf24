"""What lineage and the table of artifacts cost: 1,000 versions, 200 runs.

Each beside one plain SQL read of the same rows, in the same process, in turns.
"""

from __future__ import annotations

import gc
import hashlib
import statistics
import time

import pytest
from benchmarks.report import report

from nbtrack.analysis.lineage import trace
from nbtrack.notebook.artifacts_magic import artifacts_magic
from nbtrack.store import Store

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

N_VERSIONS, N_RUNS, N_ROUNDS = 1_000, 200, 7
OPEN_MAX_S = 0.3  # a panel of 1,000 versions
LINEAGE_RATIO, TABLE_RATIO = 20.0, 20.0  # against the plain read
EDGES = """
select runs.name, artifacts.name, versions.version, type, role, step, path, digest,
  versions.size_bytes, runs.status, runs.started_at
from artifact_uses as uses
join runs on runs.id = uses.run
join artifact_versions as versions on versions.id = uses.version
join artifacts on artifacts.id = artifact order by uses.id
"""
VERSIONS = """
select artifacts.name, versions.version, type, size_bytes, n_files, digest, uses.step,
  metrics, versions.metadata, runs.name, versions.created_at, gone_at,
  (select group_concat(alias) from artifact_aliases where version = versions.id)
from artifact_versions as versions join artifacts on artifacts.id = artifact
left join artifact_uses as uses on uses.version = versions.id and role = 'output'
left join runs on runs.id = uses.run order by versions.id desc
"""


def _sha(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@pytest.fixture
def full(store_path):
    """Chains and fans: each run reads two versions of others and logs five."""
    with Store.open(store_path) as store:
        say = store.journal.emit
        for i in range(N_RUNS):
            run = f"{i:013d}"
            started = f"2026-01-01T{i // 60:02}:{i % 60:02}:00.000000Z"
            say({"kind": "run_started", "run": run, "name": f"r{i}",
                 "experiment": f"e{i % 7}", "started_at": started})  # fmt: skip
            used = [f"m{(i - back) % 20}" for back in (1, 7) if i >= back]
            for name in used:
                say({"kind": "artifact_used", "run": run, "name": name, "version": 0,
                     "at": time.time()})  # fmt: skip
            for k in range(N_VERSIONS // N_RUNS):
                files = [["m.pt", _sha(i, k), 1000, None, None]]
                say({"kind": "artifact", "run": run, "name": f"m{i % 20}",
                     "type": "model", "files": files, "step": k,
                     "metrics": {"val_loss": 1 / (i + k + 1)},
                     "metadata": {"batch": i}, "created_at": time.time()})  # fmt: skip
        assert store.journal.flush(120)
        yield store


def _median_s(call) -> float:
    times = []
    for _ in range(N_ROUNDS):
        gc.collect()
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def test_lineage_of_everything_beside_a_plain_read(full, capsys):
    found = trace(full, None)
    rows = full.sql(EDGES)[1]
    assert len([node for node in found.nodes if node.kind == "artifact"]) == N_VERSIONS
    assert len(found.edges) == len(rows)

    plain = _median_s(lambda: full.sql(EDGES))
    whole = _median_s(lambda: trace(full, None))
    shown = _median_s(lambda: trace(full, None)._repr_html_())

    with capsys.disabled():
        print()
        report(
            "lineage of 1,000 versions, 200 runs : SQL", whole / plain, LINEAGE_RATIO
        )
        report("the same with its picture, s", shown, OPEN_MAX_S)
    assert whole / plain <= LINEAGE_RATIO
    assert shown <= OPEN_MAX_S


def test_a_table_of_a_thousand_versions_opens_at_once(full, capsys):
    assert len(artifacts_magic("")) == N_VERSIONS == len(full.sql(VERSIONS)[1])

    plain = _median_s(lambda: full.sql(VERSIONS))
    first = _median_s(lambda: artifacts_magic("")._repr_html_())
    every = _median_s(lambda: artifacts_magic(f"--last {N_VERSIONS}")._repr_html_())

    with capsys.disabled():
        print()
        report("%artifacts of 1,000 versions : SQL", first / plain, TABLE_RATIO)
        report("%artifacts of 1,000 versions, s", first, OPEN_MAX_S)
        report("%artifacts --last 1000, every row shown, s", every, OPEN_MAX_S)
    assert first / plain <= TABLE_RATIO
    assert first <= OPEN_MAX_S
    assert every <= OPEN_MAX_S
