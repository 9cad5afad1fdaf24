"""Runs as stages of DVC: `dvc.yaml`, and beside it a folder for each.

    dvc.yaml                    a stage for each run
    <run>/params.yaml           its params, nested
    <run>/metrics.json          the last value of each metric
    <run>/plots/<metric>.csv    step, value
    <run>/files/<artifact>/...  what it logged

The command of a stage runs the recorded cells again and fails where they do not give
the same (`nbtrack rerun`). What stands beside it is that of the recorded run, and is
kept (`persist`). A run that has no cells cannot be run again: its stage is `frozen`.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbtrack.bundles.contents.member_names import safe_stem
from nbtrack.capture.values import unflatten
from nbtrack.errors import OptionError
from nbtrack.interop.export.folder import ExportFolder
from nbtrack.interop.export.task import ExportTask
from nbtrack.interop.yaml_text import read_yaml, write_yaml
from nbtrack.records import ArtifactFile, RunRecord
from nbtrack.slices.slice import slice_of_record
from nbtrack.store import Store
from nbtrack.text import csv_cell, shorten, visible

FILE = "dvc.yaml"
_OURS = "# Written by nbtrack: it adds and renews stages here.\n"
_KEPT = {"cache": False, "persist": True}
_DESCRIPTION_MAX = 200
Stage = dict[str, Any]


def write_dvc(task: ExportTask, folder: ExportFolder) -> None:
    """Write a stage for each run; stages of other runs stay."""
    stages = _stages_there(folder)
    for run in task.records():
        name = f"{safe_stem(run.name)}-{run.id}"
        stages[name] = _Stage(task, folder, run, name).written()
    folder.put(FILE, _OURS + write_yaml({"stages": stages}))


def _stages_there(folder: ExportFolder) -> dict[str, Any]:
    path = folder.path / FILE
    if not path.is_file():
        return {}
    text = path.read_text("utf-8", "replace")
    if not text.startswith(_OURS):
        shown = shorten(visible(repr(str(path))))
        raise OptionError(
            f"{shown} is there already and not nbtrack's: export into a folder of its "
            "own below it. DVC finds stages in every folder of a repository."
        )
    return dict((read_yaml(text) or {}).get("stages") or {})


class _Stage:
    """The stage of one run, and the files of its folder."""

    def __init__(
        self, task: ExportTask, folder: ExportFolder, run: RunRecord, name: str
    ) -> None:
        self._task = task
        self._store: Store = task.store
        self._folder = folder
        self._run = run
        self._name = name

    def written(self) -> Stage:
        """Write the files; the stage that names them."""
        run = self._run
        where = shlex.quote(os.path.relpath(self._store.path, self._folder.path))
        stage: Stage = {
            "desc": _plain(f"run {run.name}, {run.status}, {run.started_at}"),
            "cmd": f"nbtrack rerun {run.id} --store {where}".replace("${", r"\${"),
            "deps": list(self._dependencies()),
            "params": [{self._params(): None}] if run.params else [],
            "outs": [{path: _KEPT} for path in self._outputs()],
            "metrics": [{self._metrics(): _KEPT}],
            "plots": [
                {path: {**_KEPT, "x": "step", "y": "value"}} for path in self._plots()
            ],
        }
        if slice_of_record(self._store, run) is None:
            stage["frozen"] = True
        return {key: value for key, value in stage.items() if value != []}

    def _params(self) -> str:
        values = {name: param.value for name, param in self._run.params.items()}
        return self._put("params.yaml", write_yaml(unflatten(values)))

    def _metrics(self) -> str:
        last = {
            name: m.last if abs(m.last) < float("inf") else str(m.last)
            for name, m in self._run.metrics.items()
        }
        return self._put("metrics.json", json.dumps(last, indent=2) + "\n")

    def _plots(self) -> Iterator[str]:
        for name in self._run.metrics:
            curve = self._store.curve(self._run.id, name)
            self._task.n_points += len(curve)
            buffer = io.StringIO(newline="")
            writer = csv.writer(buffer, lineterminator="\n")
            writer.writerow(["step", "value"])
            rows = zip(curve.steps, curve.values, strict=True)
            writer.writerows(map(csv_cell, row) for row in rows)
            yield self._put(f"plots/{safe_stem(name)}.csv", buffer.getvalue())

    def _outputs(self) -> Iterator[str]:
        """The files of what it logged: those that are kept."""
        known: set[str] = set()
        for use in self._store.artifact_uses(run=self._run.id, role="output"):
            for file in self._store.artifact_files(use.version_id):
                path = self._copied(f"{safe_stem(use.name)}-v{use.version}", file)
                if path is not None and path not in known:
                    known.add(path)
                    yield path

    def _copied(self, artifact: str, file: ArtifactFile) -> str | None:
        digest = file.digest
        if digest is None or file.uri is not None or not self._store.has_file(digest):
            return None
        inside = "/".join(map(_safe_file, file.path.split("/")))
        name = f"{self._name}/files/{artifact}/{inside}"
        path = self._folder.path / name
        if path.is_file() and path.stat().st_size == file.size_bytes:
            self._folder.n_unchanged += 1
        else:
            self._folder.stream(name, self._store.file_pieces(digest))
        return name

    def _dependencies(self) -> Iterator[str]:
        """Files that it read and modules that it used, where they still are."""
        read = [i.name for i in self._store.inputs(self._run.id) if i.type == "file"]
        read += [text.name for text in self._store.texts(self._run.id, "module")]
        folder = Path(self._run.notebook or ".").parent
        for name in dict.fromkeys(read):
            path = folder / name
            if path.is_file() and "${" not in name:
                yield os.path.relpath(path, self._folder.path)

    def _put(self, name: str, text: str) -> str:
        self._folder.put(f"{self._name}/{name}", text)
        return f"{self._name}/{name}"


def _safe_file(name: str) -> str:
    """A part of a path, its ending kept."""
    stem, dot, ending = name.rpartition(".")
    return f"{safe_stem(stem)}.{safe_stem(ending)}" if dot and stem else safe_stem(name)


def _plain(text: str) -> str:
    """DVC puts values where it reads `${...}`."""
    return shorten(visible(text), _DESCRIPTION_MAX).replace("${", "$ {")
