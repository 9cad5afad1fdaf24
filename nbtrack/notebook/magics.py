"""`%load_ext nbtrack`: everything that a shell gains by it, and how to lose it again.

Loading twice is harmless, unloading leaves the shell as it was, and a magic that
somebody else registered under one of our names stays theirs: `%%nbtrack` is the name of
`%%track` that nobody else has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.notebook import shared_rerun
from nbtrack.notebook.cells import CellHooks, Typed
from nbtrack.notebook.display import show_line
from nbtrack.notebook.rewrite import CellRewriter
from nbtrack.notebook.shared_rerun import is_ipythons
from nbtrack.notebook.tracked_cell import begin_tracked
from nbtrack.notebook.transform import MAGIC_NAMES, TrackTransform
from nbtrack.tracked.deferred import DeferredSink, Prepared

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

_ATTRIBUTE = "_nbtrack_extension"  # where a shell holds it, from load to unload
Magic = Callable[..., Any]


class Extension:
    """nbtrack within one shell."""

    def __init__(self, shell: Any) -> None:  # Any: IPython has no types
        from nbtrack.capture.session import SessionLog
        from nbtrack.tracked.cell_log import CellLog

        self.shell = shell
        self.log = SessionLog()
        self.kept = CellLog(self.log)
        self.rewriter = CellRewriter(shell, _watcher_of)
        self.hooks = CellHooks(
            shell, rewriter=self.rewriter, log=self.log, kept=self.kept
        )
        self._transform = TrackTransform(())
        # Kind, name, ours, and what stood there before.
        self._registered: list[tuple[str, str, Magic, Magic | None]] = []

    def load(self) -> None:
        """Register the magics, the transformation and the hooks."""
        from nbtrack.capture.dataflow.session_start import session_starts
        from nbtrack.capture.session import VALUES
        from nbtrack.notebook.earlier_cells import earlier_cells
        from nbtrack.tracked.cell_log import FEATURE
        from nbtrack.tracking.background import background
        from nbtrack.tracking.session import process_session

        ours = [
            name for name in MAGIC_NAMES if self._register("cell", name, self.track)
        ]
        self._register("cell", "sweep", self.sweep)
        for name, magic in self._line_magics().items():
            self._register("line", name, magic)
        self._transform = TrackTransform(ours)
        self.shell.input_transformers_cleanup.append(self._transform)
        self.hooks.install()
        process_session().tell = show_line
        process_session().on_start = self._run_started
        process_session().executed = self.log
        process_session().whereabouts = self._whereabouts
        self.log.start = session_starts()
        background.submit(self.log.get_ready, feature=VALUES)
        with guard(FEATURE):
            self.log.cells[:0] = earlier_cells(self.shell)

    def unload(self) -> None:
        """Take everything away again."""
        from nbtrack.tracking.session import process_session, tell_on_stderr

        process_session().tell = tell_on_stderr
        process_session().on_start = None
        process_session().executed = None
        process_session().whereabouts = dict
        cleanup = self.shell.input_transformers_cleanup
        if self._transform in cleanup:
            cleanup.remove(self._transform)
        self.hooks.remove()
        for kind, name, magic, before in self._registered:
            table = self.shell.magics_manager.magics[kind]
            if table.get(name) is not magic:
                continue
            if before is None:
                del table[name]
            else:
                table[name] = before
        self._registered.clear()

    def _whereabouts(self) -> dict[str, str | int | None]:
        """The notebook, and the cell that runs in this thread."""
        from nbtrack.notebook.notebook_name import notebook_path

        notebook = notebook_path(self.shell.user_ns)
        open_cells = self.hooks.open_cells
        return {
            "notebook": str(notebook) if notebook else None,
            "cell_id": open_cells[-1].cell_id if open_cells else None,
            "execution": open_cells[-1].execution if open_cells else None,
        }

    def _run_started(self, run: Run) -> None:
        self.log.is_tracking = True
        self.kept.run_started(run)

    def begin(self, line: str, token: int | None) -> None:
        """The first line of a tracked cell is running."""
        prepared = self.rewriter.take(token)
        open_cells = self.hooks.open_cells
        if open_cells:
            begin_tracked(open_cells[-1], prepared, line, self.log)
        else:
            guard.warn_once("silent cell", "a cell that runs silently is not recorded")

    def track(self, line: str, cell: str) -> Any:
        """Record this cell as a run: %%track [NAME] [options].

        -p, --param lr=0.1  a param; the value is Python (repeat it for more)
        -t, --tag first    a tag, or 'key: value' (repeatable)
        -g, --group folds  the group
        -m, --metric val_loss:min  which way a metric gets better (repeatable)
        -w, --watch a b    values to record beside those whose name says metric
        --no-watch         record only what is logged or listed with --watch
        --no-live          no live panel
        --notes 'text'     notes, in markdown
        --seed 7           seed random, NumPy and PyTorch first
        --experiment name  default: the notebook's name
        --alert 'loss > 10'  say so; also 'stalled 10m', finished, ... (repeatable)
        --resume last      go on with a run instead of beginning one
        --keep best,last   which checkpoints stay; default: all, or the store's setting
        --budget 5GB       how much the checkpoints may take; default: no limit
        --off system data  features not to capture; see %track_config
        """
        # Only code that calls run_cell_magic comes here; a cell that is typed goes
        # through the transformation, which keeps its display, its awaits and its lines.
        name = "track" if "track" in self._cell_names() else "nbtrack"
        with self.hooks.running(Typed(f"%%{name} {line}\n{cell}")) as python:
            return _run_here(self.shell, python)

    def sweep(self, line: str, cell: str) -> Any:
        """Run this cell with many values, each time as a run: %%sweep SPACE [options].

        %%sweep lr=log(1e-4, 1e-1) bs=[32, 64] --n 20 --metric val_loss:min
        %%sweep opt=[adam, sgd] m=uniform(0, .99) if opt == "sgd" --sampler grid

        lr=log(1e-4, 1e-1)  uniform(0, 1)  int(1, 8)  step(0, 1, .25)  [32, 64]
        --n 20              how many trials; default: 20, of a grid all
        --metric loss:min   what to make small or large; default: as the names tell
        --sampler tpe       grid, random, tpe, gp or halving; default: tpe
        --prune             stop bad trials early; --prune=asha, hyperband, median
        --parallel 2        so many at a time, in processes of their own; default: 1
        --cluster client    on a Dask cluster: a variable, or tcp://host:8786
        --name lr-search    default: sweep-1, sweep-2 ...
        --resume last       go on with a sweep
        --rerun-failed      with --resume: also run what failed again
        --no-live           no panel under the cell

        Without a space a form stands under the cell, made from its values: tick, start,
        watch; nothing runs before. `%panel sweep` shows it again.

        The options -t -g --notes --seed --experiment --off --keep --budget --alert
        --watch --no-watch of %%track go to every trial. It returns the sweep.
        """
        from nbtrack.errors import NbtrackError
        from nbtrack.notebook.sweep_magic import sweep_magic
        from nbtrack.notebook.tracked_cell import usage_error

        try:
            return sweep_magic(line, cell, self.shell.user_ns)
        except NbtrackError as exc:
            raise usage_error(exc) from exc

    def _cell_names(self) -> list[str]:
        return [name for kind, name, *_ in self._registered if kind == "cell"]

    def _line_magics(self) -> dict[str, Magic]:
        from nbtrack.notebook.line_magics import LINE_MAGICS

        return LINE_MAGICS

    def _register(self, kind: str, name: str, magic: Magic) -> bool:
        from IPython.core.magic import no_var_expand

        there = self.shell.magics_manager.magics[kind].get(name)
        if (kind, name) == ("line", shared_rerun.NAME):
            there = self.shell.find_line_magic(name)  # which loads it
        if (kind, name) == ("line", shared_rerun.NAME) and is_ipythons(there):
            magic = shared_rerun.shared(magic, there)
        elif there is not None:
            marks = "%%" if kind == "cell" else "%"
            instead = "; use %%nbtrack" if name == "track" else ""
            show_line(
                f"nbtrack: {marks}{name} is somebody else's and stays so{instead}"
            )
            return False
        magic = no_var_expand(_unbound(magic))
        self.shell.register_magic_function(magic, kind, name)
        self._registered.append((kind, name, magic, there))
        return True


def load_ipython_extension(shell: Any) -> None:
    """Load nbtrack into a shell; a second time changes nothing."""
    if getattr(shell, _ATTRIBUTE, None) is None:
        extension = Extension(shell)
        extension.load()
        setattr(shell, _ATTRIBUTE, extension)


def unload_ipython_extension(shell: Any) -> None:
    """Leave the shell as it was before loading."""
    extension: Extension | None = getattr(shell, _ATTRIBUTE, None)
    if extension is not None:
        extension.unload()
        setattr(shell, _ATTRIBUTE, None)


def extension_of_this_shell() -> Extension | None:
    """The extension of the shell that runs here, if there is one and it is loaded."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, _ATTRIBUTE, None)


def _watcher_of(prepared: Prepared) -> Any:
    from nbtrack.capture.watch import Watcher

    options = prepared.options
    sink: DeferredSink = prepared.sink
    return Watcher(sink, watch=options.watch, zero_edit=options.zero_edit)


def _unbound(magic: Magic) -> Magic:
    """A plain function, as attributes cannot be set on methods; the help text stays."""

    def call(*args: Any) -> Any:
        return magic(*args)

    call.__doc__ = magic.__doc__
    return call


def _run_here(shell: Any, python: str) -> Any:
    """Run a cell's Python as `%%time` does; returns the value of a last expression."""
    import ast

    filename = shell.compile.cache(python, shell.execution_count)
    tree = shell.transform_ast(shell.compile.ast_parse(python, filename=filename))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(shell.compile(tree, filename, "exec"), shell.user_ns)  # noqa: S102
    if last is None:
        return None
    code = shell.compile(ast.Expression(last.value), filename, "eval")
    return eval(code, shell.user_ns)  # noqa: S307
