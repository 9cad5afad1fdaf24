"""`%%sweep`: the cell below it, run with many values; each trial is a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Arguments, Option, parse_arguments
from nbtrack.notebook.options import OPTIONS as TRACK_OPTIONS
from nbtrack.notebook.options import parse_options
from nbtrack.notebook.transform import magic_line
from nbtrack.sweeps.api import Asked, aim_of, count_of, parallel_of, plan_of
from nbtrack.sweeps.space import parse_space
from nbtrack.sweeps.sweep import Sweep
from nbtrack.text import shorten, visible

# What a trial takes over from `%%track`; the rest is the sweep's to say.
_PASSED_ON = frozenset(
    {"tag", "group", "watch", "no_watch", "notes", "seed", "experiment", "off"}
    | {"keep", "budget", "alert"}
)
OPTIONS = (
    Option("name", "one", ("--name",)),
    Option("n", "one", ("--n",)),
    Option("sampler", "one", ("--sampler",)),
    Option("metric", "one", ("--metric",)),
    Option("prune", "maybe", ("--prune",)),
    Option("parallel", "one", ("--parallel",)),
    Option("cluster", "one", ("--cluster",)),
    Option("resume", "one", ("--resume",)),
    Option("rerun_failed", "flag", ("--rerun-failed",)),
    Option("no_live", "flag", ("--no-live",)),
    *(option for option in TRACK_OPTIONS if option.name in _PASSED_ON),
)
_ASSIGNED = re.compile(r"(?P<name>[^\W\d][\w.]*)=(?!=)(?P<values>.*)", re.DOTALL)


def sweep_magic(line: str, cell: str, namespace: Mapping[str, Any]) -> Any:
    """Run a cell with the values of the line; without any, show the form for it.

    Returns
    -------
    Sweep or SweepPanel

    Raises
    ------
    OptionError, SweepError
        As `nbtrack.sweep` does.
    """
    if not line.strip():
        from nbtrack.notebook.sweep_panel import panel_of_cell

        return panel_of_cell(cell)
    text, own_line = without_track(cell)
    return _run(line, text, own_line, asked_of(line, text, namespace, own_line))


def _run(line: str, text: str, own_line: str, asked: Asked) -> Sweep:
    """Run it with the panel under the cell, which then shows what would be said."""
    from nbtrack.notebook.panels.sweep_live import SweepUnderCell
    from nbtrack.notebook.sweep_panel import followed
    from nbtrack.sweeps.launch import launch_cell

    whole = f"%%sweep {line.strip()}"
    under = SweepUnderCell(whole)

    def made(sweep: Sweep) -> None:
        followed(sweep, text, own_line, whole, asked)
        if not parse_arguments(line, OPTIONS).has("no_live"):
            under.begin(sweep)

    try:
        sweep = launch_cell(text, asked, made=made)
    finally:
        under.end()
    if under.is_shown:
        _say_nothing(sweep)
    return sweep


def _say_nothing(sweep: Sweep) -> None:
    """As the value of this cell, where its picture stands already; later it speaks."""

    def silent() -> None:
        del sweep._ipython_display_  # type: ignore[attr-defined]

    sweep._ipython_display_ = silent  # type: ignore[attr-defined]


def asked_of(
    line: str, cell: str, namespace: Mapping[str, Any], track_line: str = ""
) -> Asked:
    """What the line of `%%sweep` asks for.

    Parameters
    ----------
    track_line
        Of a `%%track` that stood above the cell: its options go to the trials.

    >>> asked = asked_of("lr=log(1e-4, .1) m=[.9] if lr > .01 --n 8", "loss = 1", {})
    >>> asked.space.names, asked.n, asked.aim.text
    (('lr', 'm'), 8, 'loss:min')
    """
    found = parse_arguments(line, OPTIONS)
    sampler = found.one("sampler") or "tpe"
    prune = found.one("prune") if found.has("prune") else "none"
    options = _options(found, track_line)
    seed = found.one("seed")
    cluster = _cluster(found.one("cluster"), namespace)
    return Asked(
        space=parse_space(_space(found.words), namespace),
        aim=aim_of(found.one("metric"), cell),
        plan=plan_of(sampler, prune or True, _whole(seed, "seed")),
        n=count_of(_whole(found.one("n"), "n", None), sampler),
        parallel=parallel_of(_whole(found.one("parallel"), "parallel", None), cluster),
        cluster=cluster,
        name=found.one("name"),
        resume=found.one("resume"),
        rerun_failed=found.has("rerun_failed"),
        options=options,
    )


def _space(words: list[str]) -> dict[str, str]:
    """`lr=log(1e-4, .1)`, and behind an `if` everything up to the next name."""
    space: dict[str, str] = {}
    name = ""
    in_condition = False
    for word in words:
        found = _ASSIGNED.fullmatch(word)
        if found is not None:
            name, in_condition = found["name"], False
            if name in space:
                raise OptionError(f"{name!r} is given twice.")
            space[name] = found["values"]
        elif name and (in_condition or word == "if"):
            in_condition = True
            space[name] += f" {word}"
        else:
            shown = shorten(visible(word), 60)
            raise OptionError(
                f"{shown} is no value of a name: write lr=log(1e-4, 1e-1) or "
                "bs=[32, 64], without spaces around the '='."
            )
    return space


def _options(found: Arguments, track_line: str) -> tuple[str, ...]:
    """The tokens for the trials, checked here once: not in forty of them."""
    above = parse_arguments(track_line, TRACK_OPTIONS)
    tokens: list[str] = []
    for option in TRACK_OPTIONS:
        if option.name not in _PASSED_ON:
            continue
        own = found.values.get(option.name)
        values = above.values.get(option.name) if own is None else own
        if values is None:
            continue
        if option.kind == "flag":
            tokens.append(option.flags[-1])
        for value in values:
            tokens += [option.flags[-1], value]
    parse_options(" ".join(tokens))
    return tuple(tokens)


def without_track(cell: str) -> tuple[str, str]:
    """The cell without a `%%track` on top of it, and that one's line."""
    first, _, rest = cell.lstrip("\n").partition("\n")
    found = magic_line().match(first.strip())
    return (cell, "") if found is None else (rest, found["line"].strip())


def _cluster(word: str | None, namespace: Mapping[str, Any]) -> Any:
    """What a variable of that name holds, or an address."""
    if word is None or ":" in word:
        return word
    if word not in namespace:
        raise OptionError(
            f"--cluster {word[:40]!r}: there is no such variable, and an address looks "
            "like tcp://host:8786."
        )
    return namespace[word]


def _whole(text: str | None, what: str, default: int | None = 0) -> Any:
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}", text):
        raise OptionError(f"--{what} needs a whole number, not {text[:40]!r}.")
    return int(text)
