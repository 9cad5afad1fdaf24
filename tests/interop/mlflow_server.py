"""A real `mlflow server` on this machine, with SQLite or with PostgreSQL behind it.

It runs in an environment of its own, which also can import nbtrack: pushes run there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from interop.peer_environment import python_with, run

ROOT = Path(__file__).parents[2]
REQUIREMENTS = (
    "mlflow==3.17.2", "psycopg2-binary>=2.9", "boto3>=1.34",
    # What nbtrack needs of its own, as it is not installed there but seen.
    "blake3>=1.0", "psutil>=5.9", "sqlite-utils>=4.0",
)  # fmt: skip
START_S = 180.0
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "GIT_PYTHON_REFRESH": "quiet",
    "NBTRACK_REGISTRY": "off",
}  # fmt: skip

PUSH = """
import json, sys
from dataclasses import asdict
import nbtrack
report = nbtrack.push_runs(sys.argv[1], sys.argv[3:] or None, store=sys.argv[2])
print(report)
print(json.dumps(asdict(report)))
"""
LOOK = """
import hashlib, json, sys, tempfile
from pathlib import Path
import mlflow
from mlflow.entities import ViewType
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
found = {}
for experiment in client.search_experiments(view_type=ViewType.ALL):
    ids = [experiment.experiment_id]
    for run in client.search_runs(ids, run_view_type=ViewType.ALL):
        id_ = run.info.run_id
        if sys.argv[2:] and run.data.tags["nbtrack.run_id"] not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory() as work:
            root = Path(client.download_artifacts(id_, "", work))
            files = {
                p.relative_to(root).as_posix():
                    hashlib.sha256(p.read_bytes()).hexdigest()
                for p in root.rglob("*") if p.is_file()
            }
            record = json.loads((root / "nbtrack/run.json").read_text())
        found[run.data.tags["nbtrack.run_id"]] = {
            "id": id_, "name": run.info.run_name, "experiment": experiment.name,
            "status": run.info.status, "start": run.info.start_time,
            "end": run.info.end_time, "params": run.data.params,
            "tags": run.data.tags, "files": files, "record": record,
            "inputs": sorted(i.dataset.name for i in run.inputs.dataset_inputs),
            "metrics": {
                name: sorted(
                    [m.step, repr(m.value), m.timestamp]
                    for m in client.get_metric_history(id_, name)
                )
                for name in run.data.metrics
            },
        }
found["models"] = {
    v.tags["nbtrack.version"]: [v.name, int(v.version), v.source, model.aliases]
    for model in client.search_registered_models()
    for v in client.search_model_versions(f"name = '{model.name}'")
}
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Serving:
    """Where it listens, and where it keeps what it gets."""

    url: str
    folder: Path
    kind: str

    def push(self, store, *runs) -> dict:
        """Push from another process; the report."""
        said = run(python(), "-c", PUSH, self.url, store.path, *runs, **surroundings())
        return json.loads(said.splitlines()[-1])

    def look(self, *ids) -> dict:
        """All that MLflow's client says of the runs there, or of these, by our ids."""
        said = run(python(), "-c", LOOK, self.url, *ids, **surroundings())
        return json.loads(said.splitlines()[-1])


def python() -> Path:
    """The interpreter that has MLflow."""
    return python_with(*REQUIREMENTS)


def surroundings() -> dict[str, str]:
    return {**QUIET, "PYTHONPATH": str(ROOT), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}


@contextmanager
def serving(folder: Path, kind: str, *options: str):
    """A server with these options, until the block ends."""
    port = free_port()
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [python(), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port",
         str(port), "--workers", "1", *options],
        env={**os.environ, **QUIET, "PATH": f"{python().parent}:{os.environ['PATH']}"},
        cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, log.name)
        yield Serving(f"http://127.0.0.1:{port}", folder, kind)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        log.close()


def wait_for(url, server, log):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert server.poll() is None, Path(log).read_text()[-3000:]
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"no answer: {Path(log).read_text()[-3000:]}")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def with_sqlite(folder: Path):
    """As a person starts it for a few: a file, and a folder beside it."""
    options = (
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination", f"{folder}/mlartifacts",
    )  # fmt: skip
    with serving(folder, "sqlite", *options) as server:
        yield server


@contextmanager
def with_postgresql(folder: Path, bucket: str):
    """As a team has it: PostgreSQL, and files on S3, which clients reach themselves."""
    with postgresql() as address:
        options = (
            "--backend-store-uri", address, "--no-serve-artifacts",
            "--default-artifact-root", f"s3://{bucket}/{folder.name}",
        )  # fmt: skip
        with serving(folder, "postgresql", *options) as server:
            yield server


@contextmanager
def postgresql():
    """A database of our own in a folder of our own; skips where there is none."""
    programs = programs_of_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is missing. Debian: apt-get install postgresql")
    is_root = os.geteuid() == 0
    who = {"user": "postgres"} if is_root else {}  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="nbtrack-pg-"))
    if is_root:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()

    def call(*words):
        done = subprocess.run(
            [str(word) for word in words], cwd=folder, stdin=subprocess.DEVNULL,
            stdout=(log := (folder / "log").open("a")), stderr=log, **who,
        )  # fmt: skip
        log.close()
        assert done.returncode == 0, (folder / "log").read_text()

    (folder / "log").touch()
    if is_root:
        shutil.chown(folder / "log", "postgres")
    call(programs / "initdb", "-D", data, "-U", "nbtrack", "-A", "trust", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call(programs / "pg_ctl", "-D", data, "-w", "-o", options, "start")
    try:
        yield f"postgresql+psycopg2://nbtrack@127.0.0.1:{port}/postgres"
    finally:
        call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def programs_of_postgresql() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path is not None:
        found.append(Path(on_path).resolve())
    return found[-1].parent if found else None


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
