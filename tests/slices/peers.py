"""What others would keep: Run-All, static def-use with may-mutate, ipyflow.

Each gives the positions of executed cells that it would run again; they are judged by
the same replay. ipyflow runs in an interpreter that has it (`NBTRACK_IPYFLOW_PYTHON`,
or this one): in-process and without its kernel, cell level, as it ships.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from slices.corpus import Session, notebook


def run_all(session: Session) -> list[int]:
    """Restart & Run All: the final notebook, from its top to the tracked cell."""
    return notebook(session)


@dataclass
class Names:
    """What a cell reads, sets, and may change, by its text alone."""

    reads: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)  # surely: at the top level of the cell
    changes: set[str] = field(default_factory=set)  # perhaps


def static_may_mutate(session: Session) -> list[int]:
    """Backwards from the tracked cell by names; receivers and arguments may change."""
    names = [names_of(step.text) for step in session.cells]
    kept = [len(names)]
    needed = set(names[-1].reads)
    for position in range(len(names) - 1, 0, -1):
        cell = names[position - 1]
        if needed & (cell.sets | cell.changes):
            kept.append(position)
            needed -= cell.sets
            needed |= cell.reads
    return sorted(kept)


def names_of(text: str) -> Names:
    from IPython.core.inputtransformer2 import TransformerManager

    found = Names()
    try:
        tree = ast.parse(TransformerManager().transform_cell(text))
    except SyntaxError:
        return found
    for statement in tree.body:
        found.sets |= set(_surely_set(statement))
    for node in ast.walk(tree):
        _add(node, found)
    # A name that the cell itself sets in its first statement is no read.
    if tree.body and isinstance(tree.body[0], ast.Assign):
        first = set(_surely_set(tree.body[0]))
        found.reads -= first - {
            n.id for n in ast.walk(tree.body[0].value) if isinstance(n, ast.Name)
        }
    return found


def _surely_set(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _plain_names(target)
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value:
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            for alias in aliases:
                yield (alias.asname or alias.name).split(".")[0]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.AsyncFunctionDef(name=name):
            yield name


def _plain_names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List | ast.Starred):
        for part in ast.iter_child_nodes(target):
            if isinstance(part, ast.expr):
                yield from _plain_names(part)


def _add(node: ast.AST, found: Names) -> None:
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            found.reads.add(name)
        case ast.Name(id=name):
            found.changes.add(name)
        case ast.Global(names=names):
            found.changes |= set(names)
        case ast.Attribute(ctx=ast.Store() | ast.Del()):
            found.changes |= _base(node)
        case ast.Subscript(ctx=ast.Store() | ast.Del()):
            found.changes |= _base(node)
        case ast.AugAssign(target=target):
            found.changes |= _base(target)
            found.reads |= _base(target)
        case ast.Call(func=func, args=args, keywords=keywords):
            if isinstance(func, ast.Attribute):
                found.changes |= _base(func)
            for argument in [*args, *(k.value for k in keywords)]:
                found.changes |= _base(argument)


def _base(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def ipyflow_python() -> str | None:
    """An interpreter that has ipyflow; None where there is none."""
    if told := os.environ.get("NBTRACK_IPYFLOW_PYTHON"):
        return told
    return sys.executable if importlib.util.find_spec("ipyflow") else None


def ipyflow_slice(job: Mapping[str, Any]) -> list[int]:
    """Run the session under ipyflow's shell; its slice of the last cell."""
    from IPython.core.interactiveshell import InteractiveShell
    from slices.replays import Recorder, _stand_in_for_nbtrack, write_files

    InteractiveShell.clear_instance()
    from ipyflow.data_model.cell import Cell
    from ipyflow.shell.interactiveshell import IPyflowInteractiveShell
    from traitlets.config import Config

    settings = Config()
    settings.HistoryManager.enabled = False
    shell = IPyflowInteractiveShell.instance(config=settings)
    session: Session = job["session"]
    sys.stdin = io.StringIO(session.stdin)
    _stand_in_for_nbtrack(Recorder())
    numbers: dict[str, int] = {}
    for step in session.steps:
        if step.file is not None:
            write_files({step.file: step.text})
            continue
        # Its cell ids are numbers where no front end tells positions.
        number = numbers.setdefault(step.id, len(numbers))
        Cell.set_cell_positions({n: n for n in numbers.values()})
        shell.run_cell(step.text, store_history=True, cell_id=number)
    last = len(session.cells)
    kept = Cell.at_counter(last).make_cell_dict_slice()
    return sorted({int(number) for number in kept} | {last})
