"""The process of a tracked script: what runs in the place of `python script.py`.

Whatever the script does, it does as without us: its exceptions leave this process by
Python's own way, with its traceback, its exit status or its signal.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import CodeType
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.scripts.asked import Asked
from nbtrack.scripts.source import Source, read_source, source_of, watched_code
from nbtrack.scripts.stage import set_stage_for_module, set_stage_for_script
from nbtrack.scripts.traces import hide_our_frames_at_exit, without_our_frames
from nbtrack.scripts.tracked_script import TrackedScript, say
from nbtrack.tracked.deferred import Prepared
from nbtrack.tracked.options import checked_options
from nbtrack.tracked.parts import WATCHING

USAGE = 2  # the exit status where the command line is at fault


def main() -> None:
    """Run what the command line asks for; see `nbtrack.scripts.asked`."""
    asked, arguments = Asked.from_json(sys.argv[1]), sys.argv[2:]
    options = checked_options(**asked.options)
    tracked = TrackedScript(options, says_json=asked.says_json)
    uncaught: list[BaseException] = []
    atexit.register(_end_by_signal, uncaught)  # the first one: it is called last
    try:
        if asked.is_module:
            _run_module(asked.target, arguments, tracked, Prepared(options))
        else:
            _run_script(asked, arguments, tracked, Prepared(options))
    except BaseException as exc:
        uncaught.append(exc)
        hide_our_frames_at_exit()
        raise


def _run_script(
    asked: Asked, arguments: Sequence[str], tracked: TrackedScript, prepared: Prepared
) -> None:
    path = asked.target
    names = set_stage_for_script(path, arguments)
    source = read_source(names["__file__"])
    if source is None:  # it does not compile: Python says so best
        command = asked.plain_command(arguments)
        os.execv(command[0], command)  # noqa: S606
    code = _begun(source, tracked, prepared, names, _stem(path))
    _to_its_end(tracked, lambda: exec(code, names))  # noqa: S102 - it is asked for


def _run_module(
    module: str, arguments: Sequence[str], tracked: TrackedScript, prepared: Prepared
) -> None:
    """By Python's own `-m`, which asks us for the code when it has found it."""
    import runpy

    names = set_stage_for_module(module, arguments)
    find: Callable[..., Any] = runpy._get_module_details  # type: ignore[attr-defined]

    def found(name: str, *given: Any) -> Any:
        runpy._get_module_details = find  # type: ignore[attr-defined]
        name, spec, code = find(name, *given)
        names["__file__"] = spec.origin  # the run notes whose it is
        body = spec.loader.get_source(name) or ""
        source = source_of(spec.origin, body.encode("utf-8", "surrogatepass"), code)
        code = _begun(source, tracked, prepared, names, module.rpartition(".")[2])
        return name, spec, code

    runpy._get_module_details = found  # type: ignore[attr-defined]
    run: Callable[..., Any] = runpy._run_module_as_main  # type: ignore[attr-defined]
    _to_its_end(tracked, lambda: run(module))


def _begun(
    source: Source,
    tracked: TrackedScript,
    prepared: Prepared,
    names: dict[str, Any],
    experiment: str,
) -> CodeType:
    """The code to run, now that its run has begun."""
    code = watched_code(source, prepared, names)
    try:
        tracked.begin(source, prepared, experiment=experiment, namespace=names)
    except OptionError as exc:
        say(f"nbtrack: {exc}")
        raise SystemExit(USAGE) from None
    if not tracked.is_recorded:
        with guard(WATCHING):
            prepared.discard()
        return source.code
    return code


def _to_its_end(tracked: TrackedScript, run: Callable[[], object]) -> None:
    try:
        run()
    except BaseException as exc:
        without_our_frames(exc)
        tracked.end(exc)
        raise
    tracked.end(None)


def _end_by_signal(uncaught: list[BaseException]) -> None:
    """Let Ctrl-C end the process by its signal, as Python does.

    Python notes that a KeyboardInterrupt was not caught where it runs code from a text,
    and forgets it when it runs another one: a module with dataclasses that is imported
    at the end is enough.
    """
    if any(type(exc) is KeyboardInterrupt for exc in uncaught):
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - a text of our own


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
