"""`%runs`, `%panel`, `%track_config`...: each parses its line and calls one function.

What they need is imported when they are used, so that loading the extension is quick.
A mistake in a line is shown as one line; the Python twins raise as usual.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from nbtrack.errors import NbtrackError

LineMagic = Callable[[str], Any]  # Any: what a magic returns is shown by the notebook


def _friendly(magic: LineMagic) -> LineMagic:
    """Our own errors as one line without a traceback, as IPython shows UsageError."""

    @wraps(magic)
    def call(line: str) -> Any:
        from nbtrack.notebook.tracked_cell import usage_error

        slip: NbtrackError | None = None
        try:
            return magic(line)
        except NbtrackError as exc:
            slip = exc
        raise usage_error(slip)

    return call


@_friendly
def runs(line: str) -> Any:
    """Show runs, or change some: %runs [QUERY] [options].

    %runs loss < .3 and params.opt == "adam" --sort val_acc --last 20
    %runs status == "finished" --by group     means with a 95 % interval
    %runs rename base-3 better                %runs note base-3 'too slow'
    %runs tag base-3 baseline 'data: mnist'   %runs untag base-3 baseline
    %runs trash base-3                        %runs restore base-3
    %runs trash --where loss > 5              %runs experiment dgits digits
    %runs metric rename los loss [RUN...]     %runs metric delete oops [RUN...]
    %runs undo                                takes back one of these last four

    -n, --last 20      the newest so many
    -s, --sort NAME    by a column, the best first; -NAME turns it round
    -c, --cols NAME    these columns alone, as params.lr best.loss
    --trashed          what lies in the trash
    --by group         one row for a group, or with parent for a nested set of runs

    It returns the table; its `.df` is the frame of `nbtrack.runs(QUERY)`.
    """
    from nbtrack.notebook.runs_magic import runs_magic

    return runs_magic(line)


@_friendly
def compare(line: str) -> Any:
    """Show runs side by side: %compare [RUN... | QUERY] [options].

    %compare base-3 base-4                  %compare loss < .3 --sort val_acc
    %compare --top 5 --by val_acc --x epoch --smooth .6
    %compare --group params.opt --bands --baseline base-3

    -w, --where QUERY  the query as an option, where runs are named too
    -n, --last 20      the newest so many
    -s, --sort NAME    by a column, the best first; -NAME turns it round
    --top 5            the best so many of the metric of --by
    --by val_acc       the metric of --top; default: the one that judges
    -c, --cols NAME    these columns alone
    --hide NAME        all columns but these
    --all-params       params that are the same in all runs, too
    -g, --group NAME   put runs with the same value of a column together
    --pin RUN          these rows stay on top
    -b, --baseline RUN  differences to this run stand in each cell
    --select RUN       whose curves are drawn, up to 7; default: the best five
    -m, --metric NAME  of the curves; default: the one that judges
    -x, --x epoch      step, time, relative, a loop counter or a metric; default: step
    --smooth .6        0 (as they are) to below 1
    --log-x            a logarithmic axis of steps
    --log-y            a logarithmic axis of values
    --clip             the y axis leaves outliers out
    --bands            mean and range of each group, in place of its runs
    --store PATH       the runs of these stores, side by side

    It returns the panel: `.df`, `.selection`, `.line`, and every part to set.
    """
    from nbtrack.notebook.compare_magic import compare_magic

    return compare_magic(line)


@_friendly
def panel(line: str) -> Any:
    """Show the picture of a run here: %panel [RUN], by default the last one.

    A run that goes on is shown live, also when another kernel records it.
    %panel sweep: the last sweep, or a form to sweep the last tracked cell.
    """
    from nbtrack.notebook.panel_magic import show_panel

    return show_panel(line)


@_friendly
def show(line: str) -> Any:
    """Show all that is known of a run: %show [RUN], by default the last one.

    Its code, data, environment, randomness, what it printed, and what is not known.
    """
    from nbtrack.notebook.run_page import show_magic

    return show_magic(line)


@_friendly
def track_status(line: str) -> None:
    """Say where runs are kept, which one is recorded, and what is switched off."""
    from nbtrack.errors import OptionError
    from nbtrack.notebook.display import show_line
    from nbtrack.notebook.status import status_lines

    if line.strip():
        raise OptionError(f"%track_status takes nothing after it, not {line[:40]!r}.")
    for text in status_lines():
        show_line(text)


@_friendly
def track_config(line: str) -> None:
    """Show what is captured here, or switch it off: %track_config [off WORDS | on].

    %track_config off system output     %track_config on
    """
    from nbtrack.notebook.config_magic import config_lines
    from nbtrack.notebook.display import show_line

    for text in config_lines(line):
        show_line(text)


@_friendly
def media(line: str) -> Any:
    """Show rich values over steps, runs side by side: %media [RUN...] [--name NAME].

    %media                        the last run
    %media base-1 base-3 --name sample

    -n, --name NAME    only values of this name
    """
    from nbtrack.notebook.media_display import media_magic

    return media_magic(line)


@_friendly
def slice(line: str) -> Any:
    """Show which cells made a run or a variable: %slice [RUN|VARIABLE] [options].

    By default the last run. `run:x` and `var:x` say which, where both are called x;
    without that the run is meant.

    --prove            run its script in a fresh process: does it give the same?
    --shrink 30        leave cells out one by one for that many seconds, if it holds
    --timeout 60       seconds for one try
    --allow-writes     let the script write outside the folder of the proof
    --source           show the script alone
    -o, --out run.py   write the script, or into a folder, with the files it needs

    It returns the view; its `.slice` is what `nbtrack.slice(...)` gives.
    """
    from nbtrack.notebook.slice_magic import slice_magic

    return slice_magic(line)


@_friendly
def restore(line: str) -> None:
    """Put the cells that made a run or a variable below: %restore [RUN|VARIABLE].

    As new cells in JupyterLab with nbtrack's extension, else as one; none is run.
    """
    from nbtrack.notebook.slice_magic import restore_magic

    restore_magic(line)


@_friendly
def artifacts(line: str) -> Any:
    """Show versions of artifacts, or change one: %artifacts [WORDS] [options].

    %artifacts                        all of them, the newest first
    %artifacts mlp --type model       of a name, a run, an alias, a tag, a model; mlp*
    %artifacts show mlp:v3            files, metadata, lineage, the line that loads it
    %artifacts diff mlp:v2 mlp:v3     what changed
    %artifacts alias mlp:v3 prod      %artifacts unalias mlp:prod
    %artifacts note mlp:v3 'text'     %artifacts tag mlp:v3 checked    untag
    %artifacts verify [mlp:v3]        are its files, or all, as they were logged?

    -t, --type model   of one type: model, dataset, checkpoint, ...
    --gone             those whose files were given up
    -n, --last 500     the newest so many; default: 100

    It returns the table; its `.df` is a pandas frame.
    """
    from nbtrack.notebook.artifacts_magic import artifacts_magic

    return artifacts_magic(line)


@_friendly
def lineage(line: str) -> Any:
    """Show where it is from and what came of it: %lineage [RUN|ARTIFACT] [options].

    By default of the last run. The graph has each run and version, or by type.

    --up               only what led to it
    --down             only what came of it
    --depth 2          at most so many steps away
    --grouped          one node for an artifact, an experiment, a kind of data
    --walk             from the best value over these runs to its data and code
    -m, --metric NAME  with --walk: of that metric; default: the one that judges
    --all              of all that the store knows

    It returns what `nbtrack.lineage(...)` gives.
    """
    from nbtrack.notebook.artifacts_magic import lineage_magic

    return lineage_magic(line)


@_friendly
def models(line: str) -> Any:
    """Show registered models, or change one: %models [NAME[@VERSION]] [options].

    %models                             all of them, and what is in production
    %models fraud                       its versions; %models events fraud: all changes
    %models fraud@1.2.0                 signature, parts, history, how to load it
    %models card fraud@production       its model card
    %models compare fraud val_loss      one metric over the versions
    %models approve fraud@1.2.0 'looked at 100 mistakes'
    %models promote fraud@1.2.0 staging 'beats the old one'
    %models rollback fraud 'too slow'   what was in production before
    %models alias fraud@1.2.0 champion  unalias; note fraud@1.2.0 'text'

    --force            of promote: past staging; never without an approval
    --to 1.0.0         of rollback: this version; default: the one before
    --goal min         of compare: min or max; default: the metric's own goal

    A table's `.df` is a pandas frame. The changes are functions of `nbtrack.models`.
    """
    from nbtrack.notebook.models_magic import models_magic

    return models_magic(line)


@_friendly
def diff(line: str) -> Any:
    """Show why two runs differ: %diff A [B] [--other PATH], B by default the last one.

    What most likely made the difference, then params, code side by side, data,
    packages, environment, random numbers and metrics; and what was not recorded.

    --other PATH       B lies in the store of that folder, which is only read

    It returns what `nbtrack.diff(...)` gives: `.causes`, `.to_frame("params")`.
    """
    from nbtrack.notebook.diff_magic import diff_magic

    return diff_magic(line)


@_friendly
def report(line: str) -> Any:
    """Write a report of runs: %report [RUN... | QUERY] [options].

    %report loss < .3 --title 'Week 3' -o week3.html      needs no network, no script
    %report base-1 base-2 --diff base-1 base-2 -o week3.md
    %report -o week3.html             again, with the selection that stands in it

    -o, --output FILE  default: report.html; .md gives Markdown with charts beside it
    --title TEXT       default: how many runs of which experiment
    --format html      html or md; default: by the ending of FILE
    --diff A B         whose difference it explains; default the second and the best
    --cards            model cards of all versions that the runs made

    And of %compare: --where --last --sort --cols --hide --all-params --group --pin
    --baseline --select --metric --x --smooth --log-x --log-y --clip --bands.

    It returns the path, and shows a link to the file.
    """
    from nbtrack.notebook.report_magic import report_magic

    return report_magic(line)


@_friendly
def export(line: str) -> Any:
    """Export a run as a reproducibility bundle: %export [RUN] [options].

    By default the last run. Its cells are run again by a fresh process in a fresh
    folder first: what does not give the same result is exported as UNPROVEN.

    -o, --output FILE  default: <name of the run>.nbt.zip
    --repeat 3         run it so often: the spread of a metric is the noise allowed
    --data auto        auto, embed, ref or none: which files that cells read go in
    --private 'x/*'    of these files the digest alone; repeat it
    --tolerance acc=.01   how far off a rerun may be; repeat it
    --timeout 60       seconds for one run of the cells; default: 3 x its time + 60
    --allow-writes     let the cells write outside their folder
    --offline          do not ask the package index for hashes
    --no-proof         run nothing: the bundle says UNPROVEN

    It returns the link; its `.path` is the file.
    """
    from nbtrack.notebook.bundle_magics import export_magic

    return export_magic(line)


@_friendly
def verify(line: str) -> Any:
    """Look at a bundle, and run nothing of it: %verify FILE.

    Is it INTACT, is what it needs installed, are its data here? Its `.of` has it all.
    """
    from nbtrack.notebook.bundle_magics import verify_magic

    return verify_magic(line)


@_friendly
def rerun(line: str) -> Any:
    """Run a bundle or a run again, and say whether it gives the same: %rerun FILE|RUN.

    A bundle runs in a fresh environment from its lock, a run in this one; without a
    network, in a clean folder. The rerun is itself a run, tagged `rerun` and `verdict`.

    --trust            run a bundle that is not yours; it is remembered
    --env current      this environment; locked: a fresh one, default for a bundle
    --find-links DIR   wheels that no index has; repeat it
    --network          let the cells use the network
    --set lr=.1        what if: another value; repeat it
    --timeout 60       seconds for the cells; default: 3 x their time + 60

    IPython's own %rerun, which runs earlier input again, stays for what is its own:
    no word at all, numbers and ranges of cells, -l, -g and -f.

    It returns the verdict's view; `.of` has `.verdict`, `.metrics`, `.causes`.
    """
    from nbtrack.notebook.bundle_magics import rerun_magic

    return rerun_magic(line)


LINE_MAGICS: dict[str, LineMagic] = {
    "artifacts": artifacts,
    "compare": compare,
    "diff": diff,
    "export": export,
    "lineage": lineage,
    "media": media,
    "models": models,
    "runs": runs,
    "panel": panel,
    "report": report,
    "rerun": rerun,
    "restore": restore,
    "show": show,
    "slice": slice,
    "track_config": track_config,
    "track_status": track_status,
    "verify": verify,
}
