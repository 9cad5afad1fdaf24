"""Every public name, magic and verb once, in an environment of the wheel alone.

Run there as a script, it prints what each did as JSON: nothing, or the error that it
ended in, with what it printed. `test_bare_install.py` judges.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

# Two groups of runs with all that the others look at.
STAGE = """
import logging
import nbtrack, random
from pathlib import Path
%load_ext nbtrack
Path("data.csv").write_text("x,y\\n1,2\\n3,4\\n")
Path("weights.bin").write_bytes(b"w" * 100)
for at, name in enumerate(["a", "b", "c", "d"]):
    with nbtrack.start(name, params={"lr": at / 10}, group="gh"[at % 2]) as run:
        for epoch in nbtrack.epochs(3):
            nbtrack.log(loss=1 / (epoch + 1 + at), acc=epoch / 5)
        run.log_roc([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.3])
        run.log_pr([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.3])
        run.log_confusion_matrix([0, 1, 0, 1], [0, 1, 1, 1])
        run.log_importance({"x": 0.4, "y": 0.6})
        run.log_histogram([1.0, 2.0, 3.0], "weights")
        run.log_predictions([0, 1, 0, 1], [0, 1, 1, 1], ids=["p", "q", "r", "s"])
        run.log_artifact("weights.bin", "weights", type="model", aliases=["agreed"])
        run.log_artifact("data.csv", "data")
        run.log_artifact({"classes": ["cat", "dog"]}, "labels")
nbtrack.models.register("weights:agreed", "pets")
registered = nbtrack.models.versions("pets")
run = nbtrack.start("open")
class Model: pass
def lesson(rate): nbtrack.log(loss=rate)
others = nbtrack.export_runs("others", format="json")
"""

# What begins with "%" is a magic; a name without a call needs no more than its import.
NAMES = {
    "BundleError": "nbtrack.BundleError('x')",
    "KerasCallback": "nbtrack.KerasCallback()",
    "LightGBMCallback": "nbtrack.LightGBMCallback()",
    "LightningCallback": "nbtrack.LightningCallback()",
    "NbtrackError": "nbtrack.NbtrackError('x')",
    "OptunaCallback": "nbtrack.OptunaCallback()",
    "Run": "nbtrack.Run",
    "RunStopped": "nbtrack.RunStopped('x')",
    "StoreError": "nbtrack.StoreError('x')",
    "TorchCallback": "nbtrack.TorchCallback(Model(), run=run)",
    "TransformersCallback": "nbtrack.TransformersCallback()",
    "XGBoostCallback": "nbtrack.XGBoostCallback()",
    "alert": "nbtrack.alert('look')",
    "artifacts": "nbtrack.artifacts.list()",
    "autolog": "nbtrack.autolog()",
    "backup": "nbtrack.backup('copy')",
    "beats": "nbtrack.beats('g', 'h', 'loss', pair_on=None)",
    "beats_all": "nbtrack.beats_all('g', ['h'], 'loss', pair_on=None)",
    "brush": "nbtrack.brush(nbtrack.compare('a', 'b'))",
    "cells": "nbtrack.cells('a')",
    "checkpoints": "nbtrack.checkpoints('a')",
    "code": "nbtrack.code('a')",
    "compare": "nbtrack.compare('a', 'b')",
    "configure": "nbtrack.configure()",
    "current": "nbtrack.current()",
    "curve": "nbtrack.curve('a', 'loss')",
    "delete_metric": "nbtrack.delete_metric('acc', ['d'])",
    "diff": "nbtrack.diff('a', 'b')",
    "diff_environment": "nbtrack.diff_environment('a')",
    "diff_inputs": "nbtrack.diff_inputs('a', 'b')",
    "doctor": "nbtrack.doctor()",
    "edits": "nbtrack.edits()",
    "environment": "nbtrack.environment('a')",
    "epochs": "list(nbtrack.epochs(2))",
    "export": "nbtrack.export('cell', offline=True)",
    "export_runs": "nbtrack.export_runs('table', ['a'], format='parquet')",
    "fork": "nbtrack.fork('a', step=1).finish()",
    "groups": "nbtrack.groups()",
    "import_bundle": "nbtrack.import_bundle('no.nbt.zip')",
    "import_runs": "nbtrack.import_runs('others', store='elsewhere')",
    "import_study": "nbtrack.import_study('s', 'sqlite:///studies.db')",
    "inputs": "nbtrack.inputs('a')",
    "join_predictions": "nbtrack.join_predictions('a', 'b')",
    "lineage": "nbtrack.lineage('a')",
    "load_checkpoint": "nbtrack.load_checkpoint('cell')",
    "log": "nbtrack.log(loss=1)",
    "logs": "nbtrack.logs('a')",
    "mean_ci": "nbtrack.mean_ci([1, 2, 3])",
    "media": "nbtrack.media('a')",
    "merge": "nbtrack.merge('elsewhere')",
    "models": "nbtrack.models.list()",
    "open": "nbtrack.open()",
    "paper_table": "nbtrack.paper_table()",
    "plot_box": "nbtrack.plot_box('loss')",
    "plot_confusion": "nbtrack.plot_confusion('a')",
    "plot_contour": "nbtrack.plot_contour('s')",
    "plot_histograms": "nbtrack.plot_histograms('a')",
    "plot_importance": "nbtrack.plot_importance('a')",
    "plot_importances": "nbtrack.plot_importances('s')",
    "plot_parallel": "nbtrack.plot_parallel()",
    "plot_pr": "nbtrack.plot_pr('a')",
    "plot_roc": "nbtrack.plot_roc('a', 'b')",
    "plot_scatter": "nbtrack.plot_scatter('lr', 'loss')",
    "plot_slice": "nbtrack.plot_slice('s')",
    "plot_trend": "nbtrack.plot_trend('loss')",
    "push_runs": "nbtrack.push_runs('http://127.0.0.1:9', ['a'])",
    "rename_metric": "nbtrack.rename_metric('acc', 'accuracy', ['c'])",
    "report": "nbtrack.report('a', 'b', path='report.html')",
    "rerun": "nbtrack.rerun('cell')",
    "runs": "nbtrack.runs()",
    "salvage": "nbtrack.salvage('.nbtrack', 'salvaged')",
    "show": "nbtrack.show('a')",
    "show_media": "nbtrack.show_media('a')",
    "slice": "nbtrack.slice('cell').source",
    "sql": "nbtrack.sql('select count(*) from runs')",
    "start": "nbtrack.start('another').finish()",
    "sweep": "nbtrack.sweep(lesson, {'rate': [1, 2]}, metric='loss:min')",
    "sweep_panel": "nbtrack.sweep_panel()",
    "system": "nbtrack.system('a')",
    "track": "nbtrack.track(lesson)(1)",
    "undo": "nbtrack.undo()",
    "verify": "nbtrack.verify('no.nbt.zip')",
    "watch": "nbtrack.watch(Model(), run=run)",
}

RUN_METHODS = {
    "checkpoint": "run.checkpoint({'w': [1]}, name='mine')",
    "log": "run.log({'loss': 1.5})",
    "log_artifact": "run.log_artifact('data.csv', 'more')",
    "log_artifact of an address": "run.log_artifact('s3://bucket/data.csv', 'far')",
    "log_audio": "run.log_audio([0.0] * 800, 'sound', rate=8000)",
    "log_dataset": "run.log_dataset({'x': [1, 2]}, 'frame')",
    "log_figure": "run.log_figure(Model(), 'figure')",
    "log_html": "run.log_html('<b>x</b>', 'page')",
    "log_image": "run.log_image([[0, 255], [255, 0]], 'picture')",
    "log_image of a file": "run.log_image('picture.jpg', 'photo')",
    "log_shap": "run.log_shap([[0.1, 0.2]], ['x', 'y'])",
    "log_table": "run.log_table([{'x': 1}], 'table')",
    "log_text": "run.log_text('hello', 'said')",
    "log_video": "run.log_video(b'GIF89a', 'film')",
    "use_artifact": "run.use_artifact('labels')",
}
ARTIFACTS = {
    "alias": "nbtrack.artifacts.alias('labels', 'fine')",
    "delete": "nbtrack.artifacts.delete('data:v0')",
    "diff": "nbtrack.artifacts.diff('labels:latest', 'weights:latest')",
    "du": "nbtrack.artifacts.du()",
    "edit": "nbtrack.artifacts.edit('labels', description='x')",
    "files": "nbtrack.artifacts.files('labels')",
    "find": "nbtrack.artifacts.find('labels')",
    "gc": "nbtrack.artifacts.gc()",
    "get": "nbtrack.artifacts.get('labels')",
    "lineage": "nbtrack.artifacts.lineage('labels')",
    "list": "nbtrack.artifacts.list()",
    "on": "nbtrack.artifacts.on('labels', print)",
    "pull": "nbtrack.artifacts.pull('pushed')",
    "push": "nbtrack.artifacts.push('pushed')",
    "push to S3": "nbtrack.artifacts.push('s3://bucket/pushed')",
    "unalias": "nbtrack.artifacts.unalias('labels:fine')",
    "verify": "nbtrack.artifacts.verify()",
}
MODELS = {
    "alias": "nbtrack.models.alias('pets@1.0.0', 'mine')",
    "approve": "nbtrack.models.approve('pets@1.0.0', note='seen')",
    "card": "nbtrack.models.card('pets@1.0.0')",
    "compare": "nbtrack.models.compare('pets', 'loss')",
    "edit": "nbtrack.models.edit('pets@1.0.0', notes='x')",
    "events": "nbtrack.models.events('pets')",
    "find": "nbtrack.models.find('pets@1.0.0')",
    "list": "nbtrack.models.list()",
    "load": "nbtrack.models.load('pets@1.0.0')",
    "promote": "nbtrack.models.promote('pets@1.0.0', 'staging', note='good')",
    "register": "nbtrack.models.register('labels', 'names')",
    "delete": "nbtrack.models.delete('names@1.0.0', note='no use')",
    "rollback": "nbtrack.models.rollback('pets', note='worse')",
    "unalias": "nbtrack.models.unalias('pets@1.0.0', 'mine')",
    "versions": "nbtrack.models.versions('pets')",
}
MAGICS = {
    "%%nbtrack": "%%nbtrack other\nfor i in range(3):\n    loss = i",
    "%%sweep": "%%sweep tempo=[1, 2] --metric loss:min\ntempo = 1\nloss = tempo",
    "%%track": "%%track cell\nrate = 0.5\nfor i in range(3):\n    loss = i * rate",
    "%artifacts": "%artifacts",
    "%compare": "%compare a b",
    "%diff": "%diff a b",
    "%export": "%export cell --offline --no-proof",
    "%lineage": "%lineage a",
    "%media": "%media a",
    "%models": "%models",
    "%panel": "%panel a",
    "%panel sweep": "%panel sweep",
    "%report": "%report a b --output report2.html",
    "%rerun": "%rerun cell",
    "%restore": "%restore cell",
    "%runs": "%runs loss < 5 --by group",
    "%show": "%show a",
    "%slice": "%slice cell --prove",
    "%track_config": "%track_config",
    "%track_status": "%track_status",
    "%verify": "%verify no.nbt.zip",
}
VERBS = {
    "artifacts": "artifacts",
    "backup": "backup --output second-copy",
    "card": "card pets@1.0.0",
    "compare": "compare a b",
    "completion": "completion bash",
    "diff": "diff a b",
    "doctor": "doctor",
    "du": "du",
    "export": "export cell --offline",
    "export --format": "export a --format parquet --output frames",
    "gc": "gc --dry-run",
    "import": "import others",
    "ls": "ls",
    "merge": "merge copy",
    "models": "models",
    "pull": "pull pushed",
    "purge": "purge d --yes",
    "push": "push pushed",
    "push to MLflow": "push http://127.0.0.1:9",
    "report": "report a b --output report3.html",
    "rerun": "rerun cell",
    "run": "run script.py",
    "salvage": "salvage --store copy --output salvaged-again",
    "show": "show a",
    "slice": "slice cell",
    "sql": "sql 'select count(*) from runs'",
    "verify": "verify",
}


def main() -> None:
    """Walk in this folder, and print what each step ended in."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    steps = {"stage": STAGE, **MAGICS, **NAMES}
    steps |= {f"Run.{name}": code for name, code in RUN_METHODS.items()}
    steps |= {f"artifacts.{name}": code for name, code in ARTIFACTS.items()}
    steps |= {f"models.{name}": code for name, code in MODELS.items()}
    Path("picture.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"x" * 100)
    Path("script.py").write_text("import nbtrack\nnbtrack.log(loss=1)\n")
    ended = {name: typed(shell, code) for name, code in steps.items()}
    shell.run_cell("run.finish()")
    ended |= {f"nbtrack {name}": said(verb) for name, verb in VERBS.items()}
    Path("ended.json").write_text(json.dumps(ended))


def typed(shell, code: str) -> tuple[str, str]:
    """What the cell ended in, and all that it showed."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        result = shell.run_cell(code, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    ended = f"{type(error).__name__}: {error}" if error else ""
    return ended, "" if error else shown.getvalue()


def said(verb: str) -> tuple[str, str]:
    """What the verb ended in, and all that it showed."""
    command = f"{sys.executable} -m nbtrack {verb}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    return done.stderr if done.returncode else "", done.stdout + done.stderr


if __name__ == "__main__":
    main()
