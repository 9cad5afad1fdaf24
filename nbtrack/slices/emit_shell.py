"""Commands of a shell in a cell: kept where they made files or gave a value.

What installs, and what only shows something, is left out with a note. A command runs
in the script as it ran in the notebook: its own failure raises nothing.
"""

from __future__ import annotations

import re

from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_expand import filled
from nbtrack.slices.emit_text import string_by_lines

_INSTALLS = re.compile(
    r"(?:sudo\s+)?(?:(?:\S*python[\d.]*|\{sys\.executable\}|\$\{?sys\.executable\}?)"
    r"\s+-m\s+)?(?:pip[\d.]*|conda|mamba|micromamba|uv|apt|apt-get|brew|npm|poetry)\b"
)
_SHOWS = re.compile(
    r"(?:ls|ll|cat|head|tail|pwd|echo|nvidia-smi|free|df|du|top|ps|which|whoami|uname|"
    r"date|lscpu|wc|tree|file|stat|hostname|env|printenv|less|more|grep|sort|uniq|cd)\b[^>;&]*"
)


def ran(command: str, emission: Emission) -> str:
    """`!command` as a statement.

    >>> ran("ls -l", Emission([]))
    '# left out: !ls -l'
    >>> ran("unzip data.zip", Emission([]))
    "__import__('subprocess').run('unzip data.zip', shell=True, check=False)"
    """
    if not _is_kept(command, emission):
        return emission.left_out(f"!{command}")
    text = filled(command, emission)
    call = f"__import__('subprocess').run({text}, shell=True, check=False)"
    if "_exit_code" in emission.words:
        return f"_exit_code = {call}.returncode"
    return call


def lines_of(command: str, emission: Emission, *, as_statement: bool) -> str:
    """`files = !command`: the lines that it wrote."""
    command = command.removeprefix("!")
    if as_statement and not _is_kept(command, emission) and not _is_shown(emission):
        return emission.left_out(f"!!{command}")
    if _INSTALLS.match(command.strip()):
        emission.left_out(f"!{command}")
        emission.need("_nb_Lines")
        return "_nb_Lines()"
    emission.need("_nb_lines")
    return f"_nb_lines({filled(command, emission)})"


def script_magic(name: str, line: str, body: str, emission: Emission) -> str:
    """`%%bash` and its like: the body goes to the program's input."""
    program, options = _program(name, line)
    assigned = dict(re.findall(r"--(out|err|proc)[ =]+(\w+)", options))
    if not assigned and not _any_line_is_kept(body, emission):
        return emission.left_out(f"%%{name} {line}")
    check = "--no-raise-error" not in options and "--bg" not in options
    pipes = ", capture_output=True" if assigned else ""
    call = (
        f"__import__('subprocess').run({program!r}, input={string_by_lines(body)}, "
        f"text=True, check={check}{pipes})"
    )
    if not assigned:
        return call
    lines = [f"_nb_done = {call}"]
    for stream, variable in assigned.items():
        value = {"out": ".stdout", "err": ".stderr"}.get(stream, "")
        lines.append(f"{variable} = _nb_done{value}")
    return "\n".join([*lines, "del _nb_done"])


def _program(name: str, line: str) -> tuple[list[str], str]:
    """The command of the magic, and its own options."""
    options, rest = [], line.split()
    while rest and rest[0].startswith("--"):
        options.append(rest.pop(0))
        if options[-1] in {"--out", "--err", "--proc"} and rest:
            options.append(rest.pop(0))
    if name != "script":
        rest = [{"pypy": "pypy3"}.get(name, name), *rest]
    return rest, " ".join(options)


def _is_kept(command: str, emission: Emission) -> bool:
    if _INSTALLS.match(command.strip()):
        return False
    wrote = emission.wrote_files()
    if wrote is None:
        parts = (part.strip() for part in command.split("|"))
        return not all(_SHOWS.fullmatch(part) for part in parts)
    return wrote


def _any_line_is_kept(body: str, emission: Emission) -> bool:
    lines = [line.strip() for line in body.split("\n")]
    commands = [line for line in lines if line and not line.startswith("#")]
    return any(_is_kept(line, emission) for line in commands)


def _is_shown(emission: Emission) -> bool:
    """Whether a value that a cell shows is read somewhere, as `_` or `Out`."""
    return bool(emission.words & {"_", "__", "___", "Out", "_oh"})
