"""`nbtrack ...`: look at a store, clean it up, send it elsewhere, from a terminal.

Every verb takes `--store` and `--json`. Exit status: 0 fine; 1 it is not so, in one
line on stderr; 2 the command line cannot be understood. Only `export`, `rerun` and
`run` run code, which is what they are for; a bundle from outside needs `--trust`.
"""

from __future__ import annotations

from nbtrack.cli.backup_verb import backup
from nbtrack.cli.bundle_verbs import export, import_, rerun
from nbtrack.cli.compare_verb import compare
from nbtrack.cli.completion_verb import completion
from nbtrack.cli.diff_verb import diff
from nbtrack.cli.doctor_verb import doctor
from nbtrack.cli.frame import Verbs
from nbtrack.cli.merge_verb import merge
from nbtrack.cli.models_verbs import card, models
from nbtrack.cli.purge_verb import purge
from nbtrack.cli.remote_verbs import pull, push
from nbtrack.cli.report_verb import report
from nbtrack.cli.run_script_verb import run
from nbtrack.cli.run_verbs import ls, show
from nbtrack.cli.salvage_verb import salvage
from nbtrack.cli.slice_verb import slice_
from nbtrack.cli.sql_verb import sql
from nbtrack.cli.store_verbs import artifacts, du, gc, verify


def main() -> None:
    """The entry point of the command."""
    command(prog_name="nbtrack")


command = Verbs(
    "nbtrack",
    help="Experiment tracking that lives in the notebook: what its store holds.",
    commands=[
        ls,
        show,
        compare,
        diff,
        sql,
        slice_,
        report,
        artifacts,
        du,
        gc,
        verify,
        push,
        pull,
        merge,
        export,
        rerun,
        import_,
        run,
        models,
        card,
        backup,
        salvage,
        doctor,
        purge,
        completion,
    ],
)
