"""Cells that await: each a function of its own, run on the one loop of the script.

Its names are the script's, by `global`. A cell that cannot be a function, for a star
import or an annotated name, is run from its text, as IPython does it.
"""

from __future__ import annotations

import ast
import inspect
import re
import symtable
from collections.abc import Mapping
from types import CodeType

from nbtrack.slices.emit_cell import parsed
from nbtrack.slices.emit_text import indented, string_by_lines

_ON_A_LOOP = frozenset(
    {"create_task", "ensure_future", "get_running_loop", "get_event_loop"}
    | {"current_task", "all_tasks", "call_soon", "call_later", "gather"}
)
_RUNS_ONE = frozenset({"run_until_complete", "run"})


def is_async(text: str) -> bool:
    """Whether the cell awaits at its top level.

    >>> is_async("x = await f()"), is_async("async def f(): await g()")
    (True, False)
    """
    if compiles(text):
        return False
    code = _compiled(text, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return bool(code and code.co_flags & inspect.CO_COROUTINE)


def compiles(text: str) -> bool:
    """Whether a script may hold the text.

    >>> compiles("x = await f()")
    False
    """
    return _compiled(text) is not None


def _compiled(text: str, flags: int = 0) -> CodeType | None:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made: CodeType = compile(
                text, "cell", "exec", flags=flags, dont_inherit=True
            )
            return made
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def on_the_loop(text: str, name: str) -> str:
    """The cell as a function that the loop runs.

    >>> print(on_the_loop("x = await f()", "cell_3"))
    async def _cell_3():
        global x
        x = await f()
    _nb_loop.run(_cell_3())
    """
    function = f"async def _{name}():"
    body = indented(text, "    ")
    names = _bound_in(f"{function}\n{body}\n    pass\n")
    if names is not None:
        head = f"    global {', '.join(names)}\n" if names else ""
        code = f"{function}\n{head}{body}\n_nb_loop.run(_{name}())"
        if compiles(code):
            return code
    return f"_nb_loop.run_text({string_by_lines(text)}, {name!r})"


def _bound_in(function: str) -> list[str] | None:
    """The names that a function binds; None where it cannot be one."""
    try:
        table = symtable.symtable(function, "cell", "exec").get_children()[0]
    except (SyntaxError, ValueError, RecursionError):
        return None
    assert isinstance(table, symtable.Function)
    return sorted(name for name in table.get_locals() if name.isidentifier())


def cells_on_the_loop(texts: Mapping[int, str], *, failed: frozenset[int]) -> set[int]:
    """Which cells that do not await need a running loop all the same, by their keys.

    In a notebook a loop runs around every cell: what makes a task is one of these, and
    so is what uses a function of the notebook that does.

    >>> cells = {0: "def go(): return asyncio.create_task(f())", 1: "go()", 2: "x = 1"}
    >>> sorted(cells_on_the_loop(cells, failed=frozenset()))
    [0, 1]
    """
    found: set[int] = set()
    words = {key: _words_outside_async(text) for key, text in texts.items()}
    telling = set(_ON_A_LOOP)
    while True:
        new = {
            key
            for key, said in words.items()
            if key not in found
            and (said & telling or (key in failed and said & _RUNS_ONE))
        }
        if not new:
            return found
        found |= new
        telling |= {name for key in new for name in _functions_in(texts[key])}


def _words_outside_async(text: str) -> set[str]:
    tree = parsed(text)
    found: set[str] = set()
    open_nodes: list[ast.AST] = [tree] if tree else []
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        open_nodes.extend(ast.iter_child_nodes(node))
    return found if re.search(r"\w", text) else set()


def _functions_in(text: str) -> set[str]:
    tree = parsed(text)
    if tree is None:
        return set()
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in tree.body if isinstance(node, kinds)}
