"""Puts the watch calls into exactly the tracked cell, between its parsing and running.

IPython hands every parsed cell to its AST transformers. This one stands among them only
while a tracked cell runs, acts on the tree that starts with our begin call (or on the
body of an inner `%%time` that was announced there), and never raises: IPython would
throw a raising transformer out with a warning. What it returns compiles, or is the tree
that it was given.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbtrack.capture.reread import recompile, without_warnings
from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.notebook.options import parse_options
from nbtrack.tracked.deferred import Prepared
from nbtrack.tracked.parts import WATCHING

if TYPE_CHECKING:
    from nbtrack.capture.watch import Watcher

# The cell magics that hand their body to the AST transformers and run it once, here.
PEELED_MAGICS = frozenset({"track", "nbtrack", "time", "capture"})


class CellRewriter:
    """The AST transformer of one shell; asks for one watcher per tracked cell."""

    def __init__(
        self,
        shell: Any,  # IPython's InteractiveShell, which has no types
        make_watcher: Callable[[Prepared], Watcher],
    ) -> None:
        self._shell = shell
        self._make_watcher = make_watcher
        self._prepared: dict[int, Prepared] = {}
        self._inner: list[Prepared] = []
        self._n_prepared = 0

    def take(self, token: int | None) -> Prepared | None:
        """What was prepared for a begin call; each is handed out once."""
        return None if token is None else self._prepared.pop(token, None)

    def forget(self) -> None:
        """Drop what was never used: its cell did not compile or did not get so far."""
        for prepared in self._prepared.values():
            prepared.discard()
        self._prepared.clear()
        self._inner.clear()

    def visit(self, tree: ast.Module) -> ast.Module:
        """IPython calls this with each parsed cell."""
        with guard(WATCHING):
            begin = begin_call(tree)
            if begin is not None:
                return self._begin_seen(tree, begin)
            if self._inner:
                return self._body_seen(tree)
        return tree

    def _begin_seen(self, tree: ast.Module, begin: ast.Call) -> ast.Module:
        prepared = self._prepare(begin)
        if prepared is None:
            return tree
        _futures_first(tree)
        if self._announce_inner(prepared, tree):
            return tree
        prepared.tree = tree
        return self._instrumented(prepared, tree)

    def _prepare(self, begin: ast.Call) -> Prepared | None:
        line = begin.args[0]
        try:
            options = parse_options(ast.literal_eval(line))
        except OptionError:
            return None  # the begin call says so when it runs
        self._n_prepared += 1
        prepared = Prepared(options)
        self._prepared[self._n_prepared] = prepared
        # The number is in the tree alone: tracebacks show the text, without it.
        begin.args = [line, ast.copy_location(ast.Constant(self._n_prepared), line)]
        with guard(WATCHING):
            if (options.zero_edit or options.watch) and not guard.is_off(WATCHING):
                prepared.watcher = self._make_watcher(prepared)
        return prepared

    def _announce_inner(self, prepared: Prepared, tree: ast.Module) -> bool:
        """Whether the cell is one inner cell magic; its body will come by, if any."""
        name, body = _inner_magic(tree.body[-1])
        if name in PEELED_MAGICS:
            try:
                python = self._shell.transform_cell(body)
                with without_warnings():  # the magic reads it again
                    prepared.tree = self._shell.compile.ast_parse(python)
            except SyntaxError:
                prepared.broken = True  # the magic says so; no run is begun
                return True
            prepared.inner = ast.dump(prepared.tree)
            self._inner.append(prepared)
        return name is not None

    def _body_seen(self, tree: ast.Module) -> ast.Module:
        seen = ast.dump(tree)
        for prepared in self._inner:
            if prepared.inner == seen:
                self._inner.remove(prepared)
                if self._announce_inner(prepared, tree):
                    return tree
                return self._instrumented(prepared, tree)
        return tree

    def _instrumented(self, prepared: Prepared, tree: ast.Module) -> ast.Module:
        if prepared.watcher is None:
            return tree
        made = prepared.watcher.instrument(tree, self._shell.user_ns)
        with guard(WATCHING):
            if made is tree or self._compiles(made, tree):
                return made
        return tree

    def _compiles(self, made: ast.Module, tree: ast.Module) -> bool:
        try:
            self._compile(made)
        except SyntaxError:
            # Mostly the user's own slip (`return` outside a function): then their tree
            # raises it here too, and IPython reports it as always.
            try:
                self._compile(tree)
            except SyntaxError:
                return False
            raise
        return True

    def _compile(self, tree: ast.Module) -> None:
        ast.fix_missing_locations(tree)
        recompile(tree, "<nbtrack>", flags=self._shell.compile.flags)


def begin_call(tree: ast.Module) -> ast.Call | None:
    """The begin call that `TrackTransform` wrote, where the cell starts with it.

    Examples
    --------
    >>> call = begin_call(ast.parse("__import__('nbtrack')._begin('base')"))
    >>> call.args[0].value
    'base'
    >>> begin_call(ast.parse("x = 1")) is None
    True
    """
    first = tree.body[0] if tree.body else None
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Call):
        return None
    call = first.value
    named = isinstance(call.func, ast.Attribute) and call.func.attr == "_begin"
    if (
        named
        and call.args
        and ast.unparse(call.func).startswith("__import__('nbtrack')")
    ):
        return call
    return None


def _futures_first(tree: ast.Module) -> None:
    """Let the docstring and `from __future__` lines stay in front, as Python demands.

    A cell is compiled statement by statement, where this changes nothing; `%%time`
    compiles it as one module.
    """
    begin, *rest = tree.body
    at = 0
    for index, node in enumerate(rest):
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if is_future:
            at = index + 1
        elif index or not isinstance(node, ast.Expr):
            break
    tree.body = [*rest[:at], begin, *rest[at:]]


def _inner_magic(node: ast.stmt) -> tuple[str | None, str]:
    """Name and body of `get_ipython().run_cell_magic(name, line, body)`."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return None, ""
    call = node.value
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "run_cell_magic":
        return None, ""
    name, _, body = (ast.literal_eval(arg) for arg in call.args)
    return str(name), str(body)
