"""Which of the things around the variables a cell reads, among those that were changed.

Only what some cell of the session has changed can matter, so a cell reads nothing here
in most sessions. Where it cannot be told, it reads: libraries ask the environment, the
folder and their settings without saying so.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from nbtrack.capture.dataflow.pseudo import (
    CONTEXT,
    CWD,
    ENVIRONMENT,
    FIGURES,
    MODULE,
)

if TYPE_CHECKING:
    from nbtrack.capture.dataflow.files_touched import Touched
    from nbtrack.capture.dataflow.recording import Begun

_OF_THE_FOLDER = frozenset(
    {"getcwd", "cwd", "listdir", "glob", "iglob", "rglob", "abspath", "resolve", "walk"}
    | {"exists", "isfile", "is_file", "iterdir", "scandir", "absolute", "open", "load"}
    | {"isdir", "is_dir", "read_text", "read_bytes", "fromfile", "loadtxt", "stat"}
)
_OF_THE_ENVIRONMENT = frozenset({"environ", "getenv", "expandvars", "expanduser"})
# What libraries look up by themselves, and what moves the bits of a result.
_ASKED_BY_LIBRARIES = re.compile(
    r"OMP_|MKL_|OPENBLAS_|NUMEXPR_|CUDA|CUBLAS|TORCH|PYTORCH|TF_|KERAS|JAX|XLA|ONEDNN|"
    r"ATEN_|TZ$|LC_|LANG|HF_|TRANSFORMERS|SKLEARN|NPY_|HOME$|TMP|PYTHON|HTTPS?_PROXY"
)
_KEY = re.compile(r"[A-Z_][A-Z0-9_]*")
_OF_THE_CLOCK = frozenset(
    {"localtime", "strftime", "mktime", "now", "today", "fromtimestamp", "ctime"}
    | {"astimezone", "timestamp", "tzset", "timezone", "tzname", "strptime"}
)
_OF_TEXTS = frozenset(
    {"to_string", "to_markdown", "to_html", "to_latex", "array2string", "array_str"}
    | {"array_repr", "str", "repr", "format", "__str__", "__repr__", "render"}
)
_BY_USE = {"timezone": _OF_THE_CLOCK, "shown": _OF_TEXTS}
# Settings that any code may depend on, whatever it imports.
_OF_ALL = frozenset({"warnings", "recursion", "locale"})


def reads_around(
    begun: Begun, roots: Collection[str], written: Collection[str], files: Touched
) -> Iterator[str]:
    """The pseudo-variables that the cell reads, of those in `written`."""
    found = begun.reads
    used = found.attributes | set(found.names)
    new_modules = len(sys.modules) > begun.n_modules
    for name in written:
        if name.startswith(CONTEXT):
            setting = name.removeprefix(CONTEXT)
            reads = setting in _OF_ALL or setting in roots
            if setting == "sys.path":
                reads = bool(found.imports) or files.ran_shell
            elif setting in _BY_USE:
                reads = not _BY_USE[setting].isdisjoint(used)
        elif name.startswith(ENVIRONMENT):
            reads = files.ran_shell or _reads_key(name, begun, used, new_modules)
        elif name == CWD:
            reads = _reads_folder(begun, used, files)
        elif name == FIGURES:
            reads = "matplotlib" in roots
        elif name.startswith(MODULE):
            module = name.removeprefix(MODULE)
            reads = module in roots or module == "builtins"  # which everybody uses
        else:
            continue
        if reads:
            yield name


def _reads_key(
    name: str, begun: Begun, used: Collection[str], new_modules: bool
) -> bool:
    key, found = name.removeprefix(ENVIRONMENT), begun.reads
    if key == "TZ" and not _OF_THE_CLOCK.isdisjoint(used):
        return True
    if key in begun.python or key in found.strings:
        return True
    if _ASKED_BY_LIBRARIES.match(key):
        return True if new_modules else not _OF_THE_ENVIRONMENT.isdisjoint(used)
    if _OF_THE_ENVIRONMENT.isdisjoint(used):
        return False
    # It asks for a key whose name is put together, or for all of them.
    return not any(map(_KEY.fullmatch, found.strings))


def _reads_folder(begun: Begun, used: Collection[str], files: Touched) -> bool:
    if files.ran_shell or files.reads or files.writes:
        return True
    return not _OF_THE_FOLDER.isdisjoint(used) or bool(
        re.search(r"\.to_|read_|save|load|open\(|import ", begun.python)
    )
