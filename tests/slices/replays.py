"""Plays the cells of a session, or a script, and says which metrics came out.

The ground truth and the judge of every slice: it shares no code with nbtrack. What a
metric is, is seen by a rewriting of its own: values of names that say metric, and what
is told to `nbtrack.log`. Everything here runs in a forked process and a folder of its
own (`farm.py`), so it may change the process as it likes.
"""

from __future__ import annotations

import ast
import io
import os
import pickle
import random
import re
import sys
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slices.corpus import Session, Step

METRIC = re.compile(r"loss|acc|err|score|mse|mae|metric|r2|f1|auc|reward|total|value")
SEEN = "_seen_by_the_harness"

Series = dict[str, list[float]]


class Recorder:
    """Keeps each series as it is told, in order."""

    def __init__(self) -> None:
        self.series: Series = {}

    def seen(self, name: str, value: Any) -> None:
        try:
            number = float(value.item() if hasattr(value, "item") else value)
        except (TypeError, ValueError, RuntimeError):
            return
        if not isinstance(value, str):
            self.series.setdefault(name, []).append(number)

    def log(self, values: Any = None, /, *, step: Any = None, **more: Any) -> None:
        for name, value in {**(values or {}), **more}.items():
            self.seen(name, value)


class Tell(ast.NodeTransformer):
    """After each assignment to a name that says metric, its value is told."""

    def __init__(self, *, after_line: int = 0) -> None:
        self._after = after_line

    def visit_Assign(self, node: ast.Assign) -> Any:
        return [node, *self._told(node, node.targets)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        return [node, *self._told(node, [node.target])]

    def _told(self, node: ast.stmt, targets: list[ast.expr]) -> Iterable[ast.stmt]:
        if node.lineno <= self._after:
            return
        for target in targets:
            parts = (
                target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            )
            for part in parts:
                if isinstance(part, ast.Name) and METRIC.search(part.id):
                    call = ast.parse(f"{SEEN}({part.id!r}, {part.id})").body[0]
                    for inner in ast.walk(call):
                        ast.copy_location(inner, node)
                    yield call


def play_cells(job: Mapping[str, Any]) -> dict[str, Any]:
    """Execute some of a session's cells, in the order given, in one IPython shell.

    `states`: position -> what `taken_states` took there; put back before each cell.
    `stop`: halt at an error of a cell, as Run All does.
    """
    session: Session = job["session"]
    positions: list[int] = job["positions"]
    shell, recorder = shell_of_process(), Recorder()
    _stand_in_for_nbtrack(recorder)
    shell.user_ns[SEEN] = recorder.seen
    if job.get("as_recorded"):
        sys.stdin = io.StringIO(session.stdin)
        pending = list(session.steps)
    else:
        write_files(session.files)
    raised, taken = [], {}
    for position in positions:
        step = session.cells[position - 1]
        if job.get("as_recorded"):
            while pending[0] is not step:
                write_files({pending[0].file: pending[0].text})
                del pending[0]
            del pending[0]
        if position == len(session.cells):
            shell.ast_transformers.append(Tell())
        if job.get("take"):
            taken[position] = taken_states(shell.user_ns)
        put_back(job.get("states", {}).get(position, {}), shell.user_ns)
        if not _ran(shell, step):
            raised.append(position)
            if job.get("stop"):
                break
    return {"series": recorder.series, "raised": raised, "states": taken}


def _ran(shell: Any, step: Step) -> bool:
    result = shell.run_cell(step.text, store_history=True, cell_id=step.id)
    return bool(result.success)


def play_script(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run a script as `python run.py` would, telling metrics of its tracked segment."""
    recorder = Recorder()
    _stand_in_for_nbtrack(recorder)
    write_files(job.get("given", {}))
    write_files(job.get("files", {}))
    path = Path.cwd() / "run.py"
    path.write_text(job["source"])
    main = types.ModuleType("__main__")
    main.__dict__.update({"__file__": str(path), SEEN: recorder.seen})
    sys.modules["__main__"] = main
    _without_shell()
    sys.argv = [str(path)]
    sys.path[0:0] = [str(path.parent)]
    error = None
    try:
        tree = Tell(after_line=_tracked_line(job["source"])).visit(
            ast.parse(job["source"])
        )
        exec(compile(tree, str(path), "exec"), main.__dict__)
    except BaseException as exc:
        error = f"{type(exc).__name__}: {exc}"
    return {"series": recorder.series, "error": error}


def _tracked_line(source: str) -> int:
    for number, line in enumerate(source.splitlines(), 1):
        if re.match(r"# %% \[.*tracked\]", line):
            return number
    return 0


def _stand_in_for_nbtrack(recorder: Recorder) -> None:
    import nbtrack

    nbtrack.log = recorder.log  # type: ignore[assignment]


def shell_of_process() -> Any:
    """The shell that stands ready in the warm process; one costs 60 ms."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    if sys.path[0] != "":
        sys.path.insert(0, "")  # as in a kernel: modules beside the notebook
    settings = Config()
    settings.HistoryManager.enabled = False
    # Nobody reads these tracebacks, 0.1 s each among the modules of the warm process.
    settings.InteractiveShell.xmode = "Minimal"
    return InteractiveShell.instance(config=settings)


def _without_shell() -> None:
    """As in a plain Python, where nobody answers `get_ipython()`."""
    import builtins

    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    for name in ("get_ipython", "display"):
        vars(builtins).pop(name, None)


def write_files(files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
            continue
        path.write_text(text + "\n" * (not text.endswith("\n")))
        # Two edits within a second: without this, a stale .pyc would be taken.
        _EDITS.append(name)
        os.utime(path, (1_700_000_000 + len(_EDITS) * 10,) * 2)


_EDITS: list[str] = []


def fresh_randomness() -> None:
    """A forked process inherits its parent's generators; a new process would not."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].seed()


def taken_states(namespace: Mapping[str, Any]) -> dict[str, bytes]:
    """States of all generators there are: of the libraries, and those in variables."""
    states: dict[str, Any] = {"random": random.getstate()}
    if numpy := sys.modules.get("numpy"):
        states["numpy"] = numpy.random.get_state()
    if torch := sys.modules.get("torch"):
        states["torch"] = torch.get_rng_state()
    for name, value in namespace.items():
        if not name.startswith("_") and (state := _state_of(value)) is not None:
            states["=" + name] = state
    return {name: pickle.dumps(state) for name, state in states.items()}


def _state_of(value: Any) -> Any:
    """The state of a generator object; None for anything else."""
    match f"{type(value).__module__}.{type(value).__qualname__}":
        case "numpy.random._generator.Generator":
            return value.bit_generator.state
        case "numpy.random.mtrand.RandomState" | "torch._C.Generator":
            return value.get_state()
        case "random.Random":
            return value.getstate()
    return None


def put_back(states: Mapping[str, bytes], namespace: Mapping[str, Any]) -> None:
    """Set generators to states taken earlier; those that do not exist are left out."""
    for name, packed in states.items():
        state = pickle.loads(packed)
        if name == "random":
            random.setstate(state)
        elif name == "numpy" and "numpy" in sys.modules:
            sys.modules["numpy"].random.set_state(state)
        elif name == "torch" and "torch" in sys.modules:
            sys.modules["torch"].set_rng_state(state)
        elif (holder := namespace.get(name[1:])) is not None and name[0] == "=":
            _put_back_into(holder, state)


def _put_back_into(holder: Any, state: Any) -> None:
    match f"{type(holder).__module__}.{type(holder).__qualname__}":
        case "numpy.random._generator.Generator":
            if type(holder.bit_generator).__name__ == state["bit_generator"]:
                holder.bit_generator.state = state
        case "numpy.random.mtrand.RandomState" | "torch._C.Generator":
            holder.set_state(state)
        case "random.Random":
            holder.setstate(state)
