"""Reads the corpus of tricky sessions: notebooks as they were really executed.

A file is one session: a docstring with the trap in one line, `# key: value` lines,
then the cells in the order of EXECUTION, each under a `# %%` line. The last one is the
tracked cell. On a `# %%` line stand, all of them optional:

    id=a         the cell of the notebook; the same id again is the same cell, run
                 again or edited. Without it, a cell of its own.
    above=a      where the cell stands in the notebook (by default below all others)
    deleted      after this execution the cell was deleted from the notebook
    raises       an error is what its author got, and left there
    file=NAME    no cell: a file that somebody else wrote into the folder at this moment

Keys: `kind` (the category), `provable` (yes; no: a right proof says UNPROVEN; maybe),
`stdin` (what a person types), `rng` (yes: replays put recorded states back).
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "sessions"
TRUTH = Path(__file__).parent / "truth.json"
TRACKED = "tracked"

# Kinds of traps by group, as the table shows them.
_GROUPS_TEXT = """
    change in place: method mutation, alias, view, out=, nested container, heapq, deque,
        dict views, mutable default, pandas inplace, weakref caches
    functions: closure cell, lru_cache, late-binding globals, decorators with state,
        registry decorator, nonlocal counters, partial, import inside functions,
        global statement, exec/globals
    classes: class monkeypatch, metaclass registry, class attributes, property setters,
        descriptors, context managers, dataclass factories, callbacks, widget handlers
    order of cells: re-run increments, deleted cell, edited function, raising cell,
        out of order, Out[n], del, conditional definitions, exceptions in loops,
        long realistic
    names: star import, walrus in comprehension, shadowed builtins, unpacking,
        redefinition of imported names
    hidden position: generator position, file-handle position, C-extension state
    surroundings: module attribute, os.environ, %env, %cd, cwd, sys.path,
        numeric context, implicit figure
    files: ! shell writes, files, DB side effects, pickle, json config, csv, np.save,
        shelve, tempfile, %%writefile, local module edited, %run, %autoreload,
        subprocess workers
    magics: %%capture, %%time, semicolon output, top-level await
    libraries: warm-start, torch hooks, optimizer state, schedulers, BatchNorm buffers,
        sklearn pipelines
    randomness: RNG order, DataLoader generator
    beyond reach: time, network, input(), threads
"""
GROUPS = {
    name.strip(): [kind.strip() for kind in kinds.replace("\n", " ").split(",")]
    for name, kinds in re.findall(
        r"^ {4}(\w[^:]*):((?:.*\n)(?: {8}.*\n)*)", _GROUPS_TEXT, re.MULTILINE
    )
}
GROUP_OF = {kind: group for group, kinds in GROUPS.items() for kind in kinds}

_LINE = re.compile(r"^# %%(.*)\n", re.MULTILINE)
_KEY = re.compile(r"^# (kind|provable|stdin|rng): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One execution of a cell, or a file that appeared before the next one."""

    text: str
    id: str
    above: str | None = None
    deleted: bool = False
    file: str | None = None
    raises: bool = False


@dataclass(frozen=True)
class Session:
    name: str
    trap: str
    kind: str
    steps: tuple[Step, ...]
    provable: str = "yes"
    stdin: str = ""
    rng: bool = False

    @property
    def cells(self) -> list[Step]:
        """The executions, in order; positions in the truth count these from 1."""
        return [step for step in self.steps if step.file is None]

    @property
    def files(self) -> dict[str, str]:
        """What others wrote, as it lies there at the end."""
        return {step.file: step.text for step in self.steps if step.file is not None}


@dataclass(frozen=True)
class Truth:
    """What brute force found; positions are those of executed cells, from 1."""

    minimal: (
        list[int] | None
    )  # by plain re-execution; None: it never comes out the same
    minimal_with_states: list[int] | None  # recorded states of generators put back
    exact: bool = True  # False: too many subsets, each cell alone was tried

    @property
    def size(self) -> int | None:
        """Cells of the smallest script that gives the number."""
        found = [m for m in (self.minimal, self.minimal_with_states) if m is not None]
        return min((len(m) for m in found), default=None)


def sessions(pattern: str = "*") -> list[Session]:
    return [read(path) for path in sorted(FOLDER.glob(f"{pattern}.py"))]


def read(path: Path) -> Session:
    return parse(path.stem, path.read_text())


def parse(name: str, text: str) -> Session:
    head, *parts = _LINE.split(text)
    keys: dict[str, Any] = dict(_KEY.findall(head))
    steps = [_step(parts[i], parts[i + 1], i // 2) for i in range(0, len(parts), 2)]
    stdin = keys.get("stdin", "").replace("\\n", "\n")
    return Session(
        name=name,
        trap=ast.get_docstring(ast.parse(head)) or "",
        kind=keys.get("kind", "other"),
        steps=tuple(steps),
        provable=keys.get("provable", "yes"),
        stdin=stdin and stdin + "\n",
        rng=keys.get("rng") == "yes",
    )


def _step(line: str, body: str, place: int) -> Step:
    words = dict(word.partition("=")[::2] for word in line.split())
    return Step(
        text=body.strip("\n"),
        id=words.get("id", f"cell-{place}"),
        above=words.get("above"),
        deleted="deleted" in words,
        file=words.get("file"),
        raises="raises" in words,
    )


def notebook(session: Session) -> list[int]:
    """Positions of the last executions, in the final notebook's order."""
    order: list[str] = []
    latest: dict[str, int] = {}
    for place, step in enumerate(session.cells, 1):
        if step.id not in order:
            at = order.index(step.above) if step.above else len(order)
            order.insert(at, step.id)
        latest[step.id] = place
        if step.deleted:
            order.remove(step.id)
    tracked = session.cells[-1].id
    return [latest[cell] for cell in order[: order.index(tracked) + 1]]


@dataclass(frozen=True)
class Truths:
    by_name: dict[str, Truth] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Truths:
        if not TRUTH.exists():
            return cls()
        kept = json.loads(TRUTH.read_text())
        return cls({name: Truth(**value) for name, value in kept.items()})
