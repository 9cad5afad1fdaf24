"""Plays cells in a real shell, and the script of them in a fresh namespace."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbtrack.capture.randomness import capture_states, states_to_keep
from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.script import Script, script_of

_PLAIN = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
_OF_SHELL = {"In", "Out", "exit", "quit", "get_ipython", "display"}


class Notebook:
    """A session in one shell: every cell is kept as it ran."""

    def __init__(self, shell: Any, folder: Path) -> None:
        self.shell = shell
        self._loop = asyncio.new_event_loop()
        self.folder = folder
        self.kept: list[KeptCell] = []
        shell.reset(new_session=True)
        shell.execution_count = 1

    def run(
        self, *sources: str, flow: FlowRecord | None = None, restore: bool = False
    ) -> Notebook:
        """Run cells, as Jupyter does."""
        for source in sources:
            before = capture_states(self.shell.user_ns) if restore else {}
            number = self.shell.execution_count
            with contextlib.redirect_stdout(io.StringIO()):
                result = self._loop.run_until_complete(self._cell(source))
            raised = result.error_before_exec or result.error_in_exec
            rng = {}
            if restore:
                after = capture_states(self.shell.user_ns)
                states = states_to_keep(before, after)
                rng = {name: state.packed() for name, state in states.items()}
            error = f"{type(raised).__name__}: {raised}" if raised else None
            cell = CellRecord(
                seq=len(self.kept),
                cell_id=None,
                execution=number,
                source=source,
                source_digest="",
                started_at="",
                ok=raised is None,
                error=error,
                rng=rng,
                flow=flow,
            )
            self.kept.append(KeptCell(cell, (), tuple(rng)))
        return self

    def close(self) -> None:
        """End what runs in the background."""

        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._loop.run_until_complete(end())
        self._loop.close()

    async def _cell(self, source: str) -> Any:
        """Within a running loop, and with time for tasks behind it: as a kernel."""
        result = await self.shell.run_cell_async(
            source,
            store_history=True,
            transformed_cell=self.shell.transform_cell(source),
        )
        await asyncio.sleep(0.001)
        return result

    @property
    def values(self) -> dict[str, Any]:
        """The user's variables."""
        return variables(self.shell.user_ns)

    def script(self, *only: int, title: str = "a test") -> Script:
        """The script of all cells, or of those alone."""
        kept = self.kept if not only else [self.kept[at] for at in only]
        return script_of(kept, title=title)

    def without_states(self) -> Script:
        """As if nobody had taken the generators' states."""
        return script_of([replace(k, restore=()) for k in self.kept], title="a test")


def variables(namespace: dict[str, Any]) -> dict[str, Any]:
    """What a user would call variables in it."""
    return {
        name: value
        for name, value in namespace.items()
        if name[:1] != "_" and name not in _OF_SHELL and not isinstance(value, _PLAIN)
    }


def played(script: Script, folder: Path) -> dict[str, Any]:
    """Run the script in a fresh namespace, in that folder: its variables."""
    path = script.write(folder)
    space: dict[str, Any] = {"__name__": "__main__", "__file__": str(path)}
    with same_process(folder):
        exec(compile(script.source, str(path), "exec", dont_inherit=True), space)
    return variables(space)


@contextlib.contextmanager
def same_process(folder: Path) -> Iterator[None]:
    """The process as it was, whatever a script does to it."""
    cwd, environ = os.getcwd(), dict(os.environ)
    path, argv = list(sys.path), sys.argv
    os.chdir(folder)
    sys.path.insert(0, "")
    try:
        with modules_forgotten(folder), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environ)
        sys.path[:], sys.argv = path, argv


@contextlib.contextmanager
def modules_forgotten(folder: Path) -> Iterator[None]:
    """What is imported from the folder meanwhile is forgotten for later tests."""
    before = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            if _is_local(sys.modules[name], folder):
                del sys.modules[name]


def _is_local(module: Any, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and (not os.path.isabs(file) or str(folder) in file)
