"""nbtrack: experiment tracking that lives in the notebook.

Put `%%track` on top of the cell that trains; the run is recorded. The floors of the
house, imports only point down:

    5  notebook/  magics and panels          server/  the sidebar's REST       cli/
    4  tracked/   code recorded as it stands: what cells and scripts share
       scripts/   a plain script, tracked: `nbtrack run script.py`
       slices/    which cells made a result: script, proof
       interop/   runs of other trackers in, ours out
       sweeps/    a cell or a function with many values: trials, each a run
       bundles/   a run as one file that proves itself: export, verify, rerun
       compat/    other tools' interfaces on this store: wandb
    3  tracking/  Run: what the user holds   analysis/  answers from records; doctor
    2  capture/   what can be seen without asking: params, metrics, files, data flow
    1  store/     what is kept: journal, one writer, SQLite, blobs; backup, salvage
    0  records, metric_names, errors, text, redact, interrupts, guard: values, words
       and borders, standard library only

Public names load on first use, so that `import nbtrack` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtrack.tracking.callbacks import HOMES as _CALLBACKS  # a table, nothing more

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nbtrack.analysis.charts.box import plot_box
    from nbtrack.analysis.charts.parallel import plot_parallel
    from nbtrack.analysis.charts.scatter import plot_scatter
    from nbtrack.analysis.charts.trend import plot_trend
    from nbtrack.analysis.code_view import cells, code
    from nbtrack.analysis.confidence import mean_ci
    from nbtrack.analysis.data_view import diff_inputs, inputs
    from nbtrack.analysis.doctor.examine import doctor
    from nbtrack.analysis.environment_view import diff_environment, environment
    from nbtrack.analysis.groups import groups
    from nbtrack.analysis.lineage import lineage
    from nbtrack.analysis.media_view import media
    from nbtrack.analysis.metric_edits import delete_metric, edits, rename_metric, undo
    from nbtrack.analysis.plots import (
        join_predictions,
        plot_confusion,
        plot_histograms,
        plot_importance,
        plot_pr,
        plot_roc,
    )
    from nbtrack.analysis.runs_table import curve, runs, sql
    from nbtrack.analysis.statistics.paper_table import paper_table
    from nbtrack.analysis.statistics.significance import beats, beats_all
    from nbtrack.analysis.system_view import logs, system
    from nbtrack.bundles.export import export
    from nbtrack.bundles.importing.run_import import import_bundle
    from nbtrack.bundles.rerun import rerun
    from nbtrack.bundles.verify import verify
    from nbtrack.errors import BundleError, NbtrackError, RunStopped, StoreError
    from nbtrack.interop.export.exporting import export_runs
    from nbtrack.interop.importing import import_runs
    from nbtrack.interop.mlflow.push import push_runs
    from nbtrack.notebook.compare_magic import compare
    from nbtrack.notebook.media_display import show_media
    from nbtrack.notebook.panels.parallel import brush
    from nbtrack.notebook.run_page import show
    from nbtrack.notebook.sweep_panel import sweep_panel
    from nbtrack.slices.diff import diff
    from nbtrack.slices.report import report
    from nbtrack.slices.slice import slice
    from nbtrack.sweeps.api import sweep
    from nbtrack.sweeps.charts import plot_contour, plot_importances, plot_slice
    from nbtrack.sweeps.import_study import import_study
    from nbtrack.sweeps.optuna_callback import OptunaCallback
    from nbtrack.tracking.alerts import alert
    from nbtrack.tracking.artifacts import api as artifacts
    from nbtrack.tracking.autolog import autolog
    from nbtrack.tracking.backing_up import backup, salvage
    from nbtrack.tracking.callbacks import *  # noqa: F403  # the names of its table
    from nbtrack.tracking.checkpoint_table import checkpoints
    from nbtrack.tracking.checkpoints import load_checkpoint
    from nbtrack.tracking.decorator import track
    from nbtrack.tracking.epochs import epochs
    from nbtrack.tracking.fork import fork
    from nbtrack.tracking.merging import merge
    from nbtrack.tracking.model_watch import watch
    from nbtrack.tracking.models import api as models
    from nbtrack.tracking.opening import open
    from nbtrack.tracking.run import Run
    from nbtrack.tracking.session import current, log, start
    from nbtrack.tracking.settings import configure

_HOME = _CALLBACKS | {
    "_begin": "nbtrack.notebook.tracked_cell",  # line 1 of a tracked cell calls it
    "BundleError": "nbtrack.errors",
    "NbtrackError": "nbtrack.errors",
    "OptunaCallback": "nbtrack.sweeps.optuna_callback",
    "Run": "nbtrack.tracking.run",
    "RunStopped": "nbtrack.errors",
    "StoreError": "nbtrack.errors",
    "alert": "nbtrack.tracking.alerts",
    "artifacts": "nbtrack.tracking.artifacts.api",
    "autolog": "nbtrack.tracking.autolog",
    "backup": "nbtrack.tracking.backing_up",
    "beats": "nbtrack.analysis.statistics.significance",
    "beats_all": "nbtrack.analysis.statistics.significance",
    "brush": "nbtrack.notebook.panels.parallel",
    "cells": "nbtrack.analysis.code_view",
    "checkpoints": "nbtrack.tracking.checkpoint_table",
    "code": "nbtrack.analysis.code_view",
    "compare": "nbtrack.notebook.compare_magic",
    "configure": "nbtrack.tracking.settings",
    "current": "nbtrack.tracking.session",
    "curve": "nbtrack.analysis.runs_table",
    "delete_metric": "nbtrack.analysis.metric_edits",
    "diff": "nbtrack.slices.diff",
    "diff_environment": "nbtrack.analysis.environment_view",
    "diff_inputs": "nbtrack.analysis.data_view",
    "doctor": "nbtrack.analysis.doctor.examine",
    "edits": "nbtrack.analysis.metric_edits",
    "environment": "nbtrack.analysis.environment_view",
    "epochs": "nbtrack.tracking.epochs",
    "export": "nbtrack.bundles.export",
    "export_runs": "nbtrack.interop.export.exporting",
    "fork": "nbtrack.tracking.fork",
    "groups": "nbtrack.analysis.groups",
    "import_bundle": "nbtrack.bundles.importing.run_import",
    "import_runs": "nbtrack.interop.importing",
    "import_study": "nbtrack.sweeps.import_study",
    "inputs": "nbtrack.analysis.data_view",
    "join_predictions": "nbtrack.analysis.plots",
    "lineage": "nbtrack.analysis.lineage",
    "load_checkpoint": "nbtrack.tracking.checkpoints",
    "log": "nbtrack.tracking.session",
    "logs": "nbtrack.analysis.system_view",
    "mean_ci": "nbtrack.analysis.confidence",
    "media": "nbtrack.analysis.media_view",
    "merge": "nbtrack.tracking.merging",
    "models": "nbtrack.tracking.models.api",
    "open": "nbtrack.tracking.opening",
    "paper_table": "nbtrack.analysis.statistics.paper_table",
    "plot_box": "nbtrack.analysis.charts.box",
    "plot_confusion": "nbtrack.analysis.plots",
    "plot_contour": "nbtrack.sweeps.charts",
    "plot_histograms": "nbtrack.analysis.plots",
    "plot_importance": "nbtrack.analysis.plots",
    "plot_importances": "nbtrack.sweeps.charts",
    "plot_parallel": "nbtrack.analysis.charts.parallel",
    "plot_pr": "nbtrack.analysis.plots",
    "plot_roc": "nbtrack.analysis.plots",
    "plot_scatter": "nbtrack.analysis.charts.scatter",
    "plot_slice": "nbtrack.sweeps.charts",
    "plot_trend": "nbtrack.analysis.charts.trend",
    "push_runs": "nbtrack.interop.mlflow.push",
    "rename_metric": "nbtrack.analysis.metric_edits",
    "report": "nbtrack.slices.report",
    "rerun": "nbtrack.bundles.rerun",
    "runs": "nbtrack.analysis.runs_table",
    "salvage": "nbtrack.tracking.backing_up",
    "show": "nbtrack.notebook.run_page",
    "show_media": "nbtrack.notebook.media_display",
    "slice": "nbtrack.slices.slice",
    "sql": "nbtrack.analysis.runs_table",
    "start": "nbtrack.tracking.session",
    "sweep": "nbtrack.sweeps.api",
    "sweep_panel": "nbtrack.notebook.sweep_panel",
    "system": "nbtrack.analysis.system_view",
    "track": "nbtrack.tracking.decorator",
    "undo": "nbtrack.analysis.metric_edits",
    "verify": "nbtrack.bundles.verify",
    "watch": "nbtrack.tracking.model_watch",
}

_MODULES = {"artifacts", "models"}  # are used as `nbtrack.models.load(...)`

__all__ = [
    "BundleError",
    "NbtrackError",
    "OptunaCallback",
    "Run",
    "RunStopped",
    "StoreError",
    "alert",
    "artifacts",
    "autolog",
    "backup",
    "beats",
    "beats_all",
    "brush",
    "cells",
    "checkpoints",
    "code",
    "compare",
    "configure",
    "current",
    "curve",
    "delete_metric",
    "diff",
    "diff_environment",
    "diff_inputs",
    "doctor",
    "edits",
    "environment",
    "epochs",
    "export",
    "export_runs",
    "fork",
    "groups",
    "import_bundle",
    "import_runs",
    "import_study",
    "inputs",
    "join_predictions",
    "lineage",
    "load_checkpoint",
    "log",
    "logs",
    "mean_ci",
    "media",
    "merge",
    "models",
    "open",
    "paper_table",
    "plot_box",
    "plot_confusion",
    "plot_contour",
    "plot_histograms",
    "plot_importance",
    "plot_importances",
    "plot_parallel",
    "plot_pr",
    "plot_roc",
    "plot_scatter",
    "plot_slice",
    "plot_trend",
    "push_runs",
    "rename_metric",
    "report",
    "rerun",
    "runs",
    "salvage",
    "show",
    "show_media",
    "slice",
    "sql",
    "start",
    "sweep",
    "sweep_panel",
    "system",
    "track",
    "undo",
    "verify",
    "watch",
]
__all__ += _CALLBACKS
__all__.sort()


def __getattr__(name: str) -> Any:
    """Load a public name on first use and keep it, so later uses cost nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'nbtrack' has no attribute {name!r}")
    import importlib

    home = importlib.import_module(_HOME[name])
    value = home if name in _MODULES else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext nbtrack`: register the magics."""
    from nbtrack.notebook.magics import load_ipython_extension as load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext nbtrack`: take the magics and hooks away again."""
    from nbtrack.notebook.magics import unload_ipython_extension as unload

    unload(shell)
