"""The command line that a script parses with argparse: its values are params.

Those that were given and those that were left as they are: both are what the run was
done with. The words themselves are not kept, and values go the way of all params, past
the search for secrets. Click, absl and their like hand out no such values.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbtrack.capture.late_imports import LateImports
from nbtrack.capture.opened_files import leave_no_frame
from nbtrack.guard import guard

if TYPE_CHECKING:
    from nbtrack.tracked.parts import Tracking

FEATURE = "command-line arguments"
_MODULE = "argparse"
_METHOD = "parse_known_args"  # what `parse_args` calls too


class ParsedArguments:
    """What comes of the command line, from its first parsing on."""

    feature = FEATURE
    setting = "params"

    def __init__(self) -> None:
        self._on: Tracking | None = None
        self._imports = LateImports(self._patch, feature=FEATURE)
        self._original: Callable[..., Any] | None = None
        self._twin: Callable[..., Any] | None = None
        self._inside = threading.local()
        self._pid = os.getpid()

    def begin(self, on: Tracking) -> None:
        """Listen to argparse, as soon as it is there."""
        self._on = on
        if _MODULE in sys.modules:
            self._patch(_MODULE)
        else:
            self._imports.await_modules(frozenset({_MODULE}))

    def end(self, on: Tracking) -> None:
        """Leave argparse as it was."""
        self._imports.await_modules(frozenset())
        if self._original is None:
            return
        parser = sys.modules[_MODULE].ArgumentParser
        if vars(parser).get(_METHOD) is self._twin:
            setattr(parser, _METHOD, self._original)

    def _patch(self, module: str) -> None:
        parser = sys.modules[module].ArgumentParser
        self._original = getattr(parser, _METHOD)
        self._twin = self._made(self._original)
        setattr(parser, _METHOD, self._twin)

    def _made(self, original: Callable[..., Any]) -> Callable[..., Any]:
        # Any: these are the user's arguments and argparse's result, passed through.
        @functools.wraps(original)
        def parse_known_args(*args: Any, **named: Any) -> Any:
            depth = getattr(self._inside, "depth", 0)
            self._inside.depth = depth + 1  # subcommands have parsers of their own
            try:
                found = original(*args, **named)
            except BaseException as exc:
                leave_no_frame(exc)
                raise
            finally:
                self._inside.depth = depth
            if depth == 0:
                with guard(FEATURE):
                    words = args[1] if len(args) > 1 else named.get("args")
                    self._parsed(words, found[0])
            return found

        return parse_known_args

    def _parsed(self, words: Any, found: object) -> None:
        on = self._on
        is_ours = os.getpid() == self._pid and is_of_command_line(words)
        if on is not None and on.capture is not None and is_ours:
            on.run.log_params(on.capture.of_command_line(found))


def is_of_command_line(words: Any) -> bool:
    """Whether it is this process's command line, or what another parser left of it.

    >>> is_of_command_line(None), is_of_command_line(["--of", "something else"])
    (True, False)
    """
    return words is None or set(map(str, words)) <= set(sys.argv[1:])
