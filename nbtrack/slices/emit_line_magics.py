"""`%name line` as Python: what it does, without IPython.

What only shows or installs something is left out, as is what we do not know; both with
a note. Nothing is run here, and no file but that of `%run` is read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_expand import filled
from nbtrack.slices.emit_run import run_magic
from nbtrack.slices.emit_shell import lines_of, ran
from nbtrack.slices.emit_text import Places, indented

Inner = Callable[[str], str]
AGG = '__import__("matplotlib").use("agg")'
_TIMED = frozenset({"time", "prun", "lprun", "mprun", "snakeviz", "scalene", "debug"})
_REPEATED = frozenset({"timeit", "memit"})
_COMMANDS = frozenset({"mkdir", "rmdir", "rm", "cp", "mv", "ln", "cat", "ls", "ll"})
# A flag of %time, %timeit, %prun or %memit, with its number or name.
_FLAG = re.compile(
    r"\s*(?:--no-raise-error|-[nrtTslfmDpb][ ]*(?:\d+|\S+)|-[tcpqovri]+)(?=\s|$)"
)


def line_magic(
    name: str, line: str, emission: Emission, inner: Inner, *, as_statement: bool
) -> str:
    """The code for a line magic; a comment where it is left out.

    >>> line_magic("env", "A=1", Emission([]), str, as_statement=True)
    "__import__('os').environ['A'] = '1'"
    """
    line = line.strip()
    if name in _TIMED:
        return _timed(name, line, emission, inner, as_statement)
    if name in _REPEATED:
        return _repeated(name, line, emission, inner, as_statement)
    if name in {"sx", "system"}:
        return lines_of(line, emission, as_statement=as_statement)
    if name in _COMMANDS and as_statement:
        return ran(f"{name} {line}".strip(), emission)
    if name == "run" and as_statement:
        return run_magic(line, emission, inner)
    if name in {"env", "set_env", "unset_env"}:
        return _environment(name, line, emission)
    if name in {"cd", "pushd", "popd", "pwd"}:
        return _folder(name, line, emission)
    if name in {"matplotlib", "pylab"} and as_statement:
        return AGG if name == "matplotlib" else _pylab(line)
    if name == "xdel" and as_statement:
        return (
            f"del {line}"
            if line.isidentifier()
            else emission.left_out(_typed(name, line))
        )
    if name == "who_ls" and not line:
        return "sorted(name for name in globals() if name[0] != '_')"
    why = "was left out"
    if name == "store" and "-r" in line.split():
        why = "was left out: it brought variables from another session"
    return emission.left_out(_typed(name, line), why)


def _typed(name: str, line: str) -> str:
    return f"%{name} {line}".strip()


def without_flags(line: str) -> str:
    """`-n 10 f(x)` is `f(x)`.

    >>> without_flags("-n 10 -r3 -q f(x)")
    'f(x)'
    """
    while found := _FLAG.match(line):
        line = line[found.end() :]
    return line.strip()


def _timed(
    name: str, line: str, emission: Emission, inner: Inner, as_statement: bool
) -> str:
    code = line.removeprefix("--no-raise-error").strip()
    code = inner(code if name == "time" else without_flags(line))
    if not code:
        return emission.left_out(_typed(name, line))
    if as_statement:
        return code
    value = expression_in(code)
    if value is None:
        return emission.left_out(_typed(name, line))
    return value if name == "time" else "None"


def _repeated(
    name: str, line: str, emission: Emission, inner: Inner, as_statement: bool
) -> str:
    """Once, where the notebook ran it many times; its names do not stay."""
    code = inner(without_flags(line))
    emission.note(f"%{name} of {emission.label} runs its code once here")
    if not as_statement:
        emission.need("_nb_timed")
        value = expression_in(code)
        return f"_nb_timed(lambda: {value})" if value else emission.left_out(line)
    if expression_in(code):
        return code
    return once(code)


def once(code: str) -> str:
    """Code in a function of its own, so that its names do not stay.

    >>> print(once("x = 1"))
    def _nb_once():
        x = 1
    _nb_once()
    """
    return f"def _nb_once():\n{indented(code or 'pass', '    ')}\n_nb_once()"


def expression_in(code: str) -> str | None:
    """The one expression of a line, without a comment behind it.

    >>> expression_in("f(x)  # twice"), expression_in("y = f(x)")
    ('f(x)', None)
    """
    import ast

    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return None
    node = tree.body[0] if len(tree.body) == 1 else None
    if not isinstance(node, ast.Expr) or node.end_lineno != 1:
        return None
    start, end = Places(code).of(node)
    return code[start:end]


def _environment(name: str, line: str, emission: Emission) -> str:
    environ = "__import__('os').environ"
    if name == "unset_env":
        return f"{environ}.pop({filled(line, emission)}, None)"
    split = "=" if "=" in line else " "
    key, is_set, value = line.partition(split)
    if not line:
        return f"dict({environ})"
    if not is_set:
        return f"{environ}.get({filled(line, emission)})"
    key, value = key.strip(), value.strip()
    if re.search(r"\s", key):
        return emission.left_out(_typed(name, line))
    return f"{environ}[{filled(key, emission)}] = {filled(value, emission)}"


def _folder(name: str, line: str, emission: Emission) -> str:
    if name == "pwd":
        return "__import__('os').getcwd()"
    emission.need("_nb_cd")
    if name == "popd":
        return '_nb_cd("-")'
    words = [w for w in _words(line) if w != "-q"]
    if len(words) > 1 or (words and words[0] in {"-b", "--foo"}):
        return emission.left_out(_typed(name, line))
    return f"_nb_cd({filled(words[0] if words else '', emission)})"


def _words(line: str) -> list[str]:
    try:
        found = shlex.split(line)
    except ValueError:
        return [line]
    # `%cd my folder` is one path: only a quoted one has a blank for a shell.
    rest = [w for w in found if w != "-q"]
    return found if len(rest) < 2 or rest[0] == "-b" else [" ".join(rest)]


def _pylab(line: str) -> str:
    lines = [
        AGG,
        "import numpy, matplotlib",
        "from matplotlib import pylab, mlab, pyplot",
        "np, plt = numpy, pyplot",
    ]
    if "--no-import-all" not in line:
        lines += ["from matplotlib.pylab import *", "from numpy import *"]
    return "\n".join(lines)
