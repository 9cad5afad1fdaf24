"""`%%name` cells as Python: the body unwrapped, written to a file, or left out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_expand import filled
from nbtrack.slices.emit_line_magics import AGG, once, without_flags
from nbtrack.slices.emit_shell import lines_of, script_magic
from nbtrack.slices.emit_text import indented, string_by_lines

_UNWRAPPED = frozenset(
    {"time", "prun", "lprun", "mprun", "debug", "snakeviz", "scalene"}
)
_SCRIPTS = frozenset(
    {"bash", "sh", "script", "python", "python3", "perl", "ruby", "pypy", "python2"}
)


def cell_magic(
    name: str,
    line: str,
    body: str,
    emission: Emission,
    inner: Callable[[str], str],
) -> str:
    r"""The code for a cell magic.

    >>> cell_magic("time", "", "x = 1  # one\n", Emission([]), str.strip)
    'x = 1  # one'
    """
    line = line.strip()
    if name in _UNWRAPPED:
        return inner(body)
    if name == "capture":
        return _captured(line, inner(body), emission)
    if name in {"timeit", "memit"}:
        return _repeated(name, line, body, emission, inner)
    if name in {"writefile", "file"}:
        return _written(line, body, emission)
    if name in _SCRIPTS:
        return script_magic(name, line, body, emission)
    if name in {"sx", "system", "!"}:
        return lines_of(f"{line}\n{body}".strip(), emission, as_statement=True)
    if name == "matplotlib":
        return f"{AGG}\n{inner(body)}"
    return emission.left_out(f"%%{name} {line}".strip())


def _captured(line: str, code: str, emission: Emission) -> str:
    words = [word for word in line.split() if not word.startswith("--")]
    out = words[0] if words else ""
    rest = (cell.source or "" for cell in emission.cells)
    n_read = sum(len(re.findall(rf"\b{re.escape(out)}\b", text)) for text in rest)
    if not out.isidentifier() or n_read < 2:  # itself, and nowhere else
        return code
    emission.need("_nb_Capture")
    return f"with _nb_Capture() as {out}:\n{indented(code or 'pass', '    ')}\n    pass"


def _repeated(
    name: str,
    line: str,
    body: str,
    emission: Emission,
    inner: Callable[[str], str],
) -> str:
    emission.note(f"%%{name} of {emission.label} runs its code once here")
    setup = inner(without_flags(line))
    return once("\n".join(part for part in (setup, inner(body)) if part))


def _written(line: str, body: str, emission: Emission) -> str:
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    mode = "a" if {"-a", "--append"} & set(words) else "w"
    paths = [word for word in words if word not in {"-a", "--append"}]
    if len(paths) != 1:
        return emission.left_out(f"%%writefile {line}")
    emission.need("_nb_write")
    path = filled(paths[0], emission)
    return f"_nb_write({path}, {mode!r}, {string_by_lines(body)})"
