"""Sends one run: what the server lacks of it, and last the mark that it has all.

The mark is a digest of what was sent, so that a run of which nothing is new costs one
question. A push that was cut off left no mark: the next one asks what is there, and
sends the rest.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal

from nbtrack.capture.values import decode
from nbtrack.errors import StoreError
from nbtrack.interop.mlflow.kept import (
    FACTS,
    NAME_TAG,
    NOTE_TAG,
    PARENT_TAG,
    RUN_ID_TAG,
)
from nbtrack.interop.mlflow.names import name_there
from nbtrack.interop.mlflow.points import PointSender, all_series
from nbtrack.interop.mlflow.record import RECORD_PATH, Outgoing, outgoing
from nbtrack.interop.mlflow.server import RefusedError, Server
from nbtrack.records import InputRecord, RunRecord
from nbtrack.store import Store
from nbtrack.store.values import epoch_s
from nbtrack.text import shorten

SENT_TAG = "nbtrack.sent"
STATUSES = {
    "running": "RUNNING", "finished": "FINISHED", "failed": "FAILED",
    "crashed": "FAILED", "stopped": "KILLED", "pruned": "KILLED",
}  # fmt: skip
PARAM_MAX = 6000  # characters, of a value
TAG_MAX = 5000
_DIGEST_MAX = 36  # of a data set
_NAME_MAX = 500
_PROFILE_MAX = 500_000
Outcome = Literal["new", "updated", "there"]


class RunSender:
    """Sends runs to one server, one after the other, and counts."""

    def __init__(self, server: Server, store: Store) -> None:
        self.n_params = self.n_points = self.n_files = self.n_bytes = 0
        self.notices: list[str] = []
        self.there: dict[str, Any] = {}  # runs of MLflow, by the id here
        self.folders: dict[int, tuple[str, str]] = {}  # run, path: by artifact version
        self._server = server
        self._store = store
        self._experiments = server.experiments()

    def send(self, run: RunRecord) -> Outcome:
        """Send what is new of a run.

        Raises RefusedError where the server does not take it.
        """
        out = outgoing(self._store, run)
        parent = None if run.parent is None else self.find(run.parent)
        mark = _mark(out, parent)
        found = self.find(run.id)
        if found is not None and found.info.lifecycle_stage == "deleted":
            raise RefusedError(f"It lies in the trash of {self._server.shown}.")
        is_new = found is None
        if found is None:
            found = self._create(run)
        self._note_folders(out, found)
        if found.data.tags.get(SENT_TAG) == mark:
            return "there"
        self._send_params(run, found)
        self._send_points(run, found, is_new=is_new)
        self._send_inputs(run, out, found)
        self._send_files(run, out, found, is_new=is_new)
        self._send_tags(run, found, parent)
        self._end(run, found)
        self._server.log_pairs(found.info.run_id, "tags", {SENT_TAG: mark})
        return "new" if is_new else "updated"

    def find(self, run_id: str) -> Any:
        """The run there, by its id here; None where there is none."""
        if run_id not in self.there:
            self.there[run_id] = self._server.find(run_id, self._experiments)
        return self.there[run_id]

    def _create(self, run: RunRecord) -> Any:
        experiment = self._server.experiment(run.experiment)
        if experiment not in self._experiments:
            self._experiments.append(experiment)
        self.there[run.id] = made = self._server.ask(
            self._server.client.create_run, experiment,
            start_time=_ms(run.started_at), run_name=run.name,
            tags={RUN_ID_TAG: run.id},
        )  # fmt: skip
        return made

    def _note_folders(self, out: Outgoing, found: Any) -> None:
        for version, folder in out.folders.items():
            self.folders.setdefault(version, (found.info.run_id, folder))

    def _send_params(self, run: RunRecord, found: Any) -> None:
        known = found.data.params
        new: dict[str, str] = {}
        for name, param in run.params.items():
            there, value = name_there(name), _param(param.value)
            if there not in known:
                new[there] = value
            elif known[there] != value:
                self._tell(run, f"param {name} stays {known[there]!r} there")
        self._server.log_pairs(found.info.run_id, "params", new)
        self.n_params += len(new)

    def _send_points(self, run: RunRecord, found: Any, *, is_new: bool) -> None:
        sender = PointSender(self._server, found.info.run_id)
        try:
            for name, columns in all_series(self._store, run):
                is_known = not is_new and name in found.data.metrics
                sender.send(name, columns, is_known=is_known)
            sender.flush()
        finally:
            self.n_points += sender.n_sent

    def _send_inputs(self, run: RunRecord, out: Outgoing, found: Any) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        made = [
            DatasetInput(Dataset(**told), [InputTag("mlflow.data.context", context)])
            for context, told in _datasets(self._store.inputs(run.id), out)
        ]
        if made:
            self._server.ask(
                self._server.client.log_inputs, found.info.run_id, datasets=made
            )

    def _send_files(
        self, run: RunRecord, out: Outgoing, found: Any, *, is_new: bool
    ) -> None:
        there = {} if is_new else self._server.files(found)
        with tempfile.TemporaryDirectory(prefix="nbtrack-push-") as work:
            for path, (digest, size) in out.files.items():
                if there.get(path) != size:
                    try:
                        local = Path(work, Path(path).name)
                        self._store.copy_file(digest, local)
                    except StoreError as exc:
                        self._tell(run, f"{path} was not sent: {exc}")
                        continue
                    self._upload(found, local, path)
            # The record last: who finds it finds what it names.
            for path, body in {**out.texts, RECORD_PATH: out.encoded()}.items():
                local = Path(work, Path(path).name)
                local.write_bytes(body)
                self._upload(found, local, path)

    def _upload(self, found: Any, local: Path, path: str) -> None:
        self._server.upload(found, local, folder=path.rpartition("/")[0])
        self.n_files += 1
        self.n_bytes += local.stat().st_size
        local.unlink()

    def _send_tags(self, run: RunRecord, found: Any, parent: Any) -> None:
        wanted = {name_there(name): value or "" for name, value in run.tags.items()}
        wanted |= dict(_own_tags(self._store, run, parent))
        known = found.data.tags
        cut = {name: shorten(value, TAG_MAX) for name, value in wanted.items()}
        new = {name: value for name, value in cut.items() if known.get(name) != value}
        self._server.log_pairs(found.info.run_id, "tags", new)

    def _end(self, run: RunRecord, found: Any) -> None:
        client, id_ = self._server.client, found.info.run_id
        if found.info.run_name != run.name:
            self._server.ask(client.update_run, id_, name=run.name)
        status = STATUSES[run.status]
        if run.ended_at is not None:
            at = _ms(run.ended_at)
            with redirect_stdout(io.StringIO()):  # it prints where the run is
                self._server.ask(client.set_terminated, id_, status, at)
        elif found.info.status != status:
            self._server.ask(client.update_run, id_, status=status)

    def _tell(self, run: RunRecord, notice: str) -> None:
        self.notices.append(f"{run.name}: {notice}")


def _mark(out: Outgoing, parent: Any) -> str:
    """A digest of all that is to be there; points by their number."""
    told = hashlib.sha256(out.encoded())
    for path, body in sorted(out.texts.items()):
        told.update(f"\0{path}\0".encode() + body)
    told.update(repr(sorted(out.files.items())).encode())
    told.update(b"" if parent is None else parent.info.run_id.encode())
    return told.hexdigest()[:32]


def _param(value: Any) -> str:
    """As MLflow writes a value; the whole of a long one is in the record."""
    return shorten(str(decode(value)), PARAM_MAX)


def _own_tags(store: Store, run: RunRecord, parent: Any) -> Iterator[tuple[str, str]]:
    facts = {name: fact.value for name, fact in store.facts(run.id).items()}
    for name, value in facts.items():
        if name.startswith("mlflow.source.") and isinstance(value, str):
            yield name, value  # it once came from there
    for theirs, ours in FACTS.items():
        if facts.get(ours) is not None:
            yield theirs, str(facts[ours])
    if run.notebook is not None:
        yield "mlflow.source.name", run.notebook
        yield "mlflow.source.type", "NOTEBOOK"
    if parent is not None:
        yield PARENT_TAG, parent.info.run_id
    told: Mapping[str, str | None] = {
        NAME_TAG: run.name, NOTE_TAG: run.notes, "nbtrack.status": run.status,
        "nbtrack.group": run.group, "nbtrack.reason": run.reason,
        "nbtrack.parent": run.parent,
    }  # fmt: skip
    yield from ((name, value) for name, value in told.items() if value)


def _datasets(
    inputs: list[InputRecord], out: Outgoing
) -> Iterator[tuple[str, dict[str, str]]]:
    """Data that was read, as MLflow's inputs: context, and what is said of it."""
    for record in inputs:
        digest = record.digest or record.detail.get("mlflow.digest") or "unknown"
        profile = {"num_rows": record.n_rows, "size_bytes": record.size_bytes}
        detail = json.dumps(dict(record.detail), default=str)
        yield "read", {
            "name": record.name[:_NAME_MAX], "digest": str(digest)[:_DIGEST_MAX],
            "source_type": "local", "source": json.dumps({"uri": record.name}),
            "schema": detail if len(detail) <= _PROFILE_MAX else "{}",
            "profile": json.dumps(profile),
        }  # fmt: skip
    for told in out.record["artifacts"]:
        if told["role"] == "input":
            ref = f"{told['name']}:v{told['version']}"
            digests = json.dumps([row[1] for row in told["files"]]).encode()
            yield "input", {
                "name": ref[:_NAME_MAX],
                "digest": hashlib.sha256(digests).hexdigest()[:_DIGEST_MAX],
                "source_type": "nbtrack", "source": json.dumps({"artifact": ref}),
            }  # fmt: skip


def _ms(text: str) -> int:
    return round(epoch_s(text) * 1000)
