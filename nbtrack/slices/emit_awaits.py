"""Cells that await: each a function of its own, run on the one loop of the script.

Its names are the script's, by `global`. A cell that cannot be a function, for a star
import or an annotated name, is run from its text, as IPython does it.
"""

from __future__ import annotations

import ast
import inspect
import symtable
from collections.abc import Iterable, Mapping
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
    >>> cells_on_the_loop(cells, failed=frozenset())
    {1}
    """
    trees = {key: parsed(text) for key, text in texts.items()}
    said = {key: _words(tree, into_functions=False) for key, tree in trees.items()}
    telling = set(_ON_A_LOOP) | _functions_that_say(trees.values(), set(_ON_A_LOOP))
    return {
        key
        for key, words in said.items()
        if words & telling or (key in failed and words & _RUNS_ONE)
    }


def _functions_that_say(
    trees: Iterable[ast.Module | None], telling: set[str]
) -> set[str]:
    """The functions of the notebook that need a loop, and those that call them."""
    functions: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.FunctionDef):
                functions.setdefault(node.name, set()).update(_words(node))
            elif isinstance(node, ast.ClassDef):
                functions.setdefault(node.name, set()).add("__init__")
    found: set[str] = set()
    while True:
        new = {n for n, words in functions.items() if words & (telling | found)}
        if new <= found:
            return found
        found |= new


def _words(tree: ast.AST | None, *, into_functions: bool = True) -> set[str]:
    """The names and attributes in what runs; what is async has its loop anyway."""
    found: set[str] = set()
    open_nodes = list(ast.iter_child_nodes(tree)) if tree else []
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.FunctionDef | ast.Lambda) and not into_functions:
            continue
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        open_nodes.extend(ast.iter_child_nodes(node))
    return found
