"""What the line of `%%track` says: name, params, tags, goals and what to leave out.

Parsing needs no kernel; what the words mean is checked by `nbtrack.tracked.options`.
"""

from __future__ import annotations

from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Option, parse_arguments, unquoted
from nbtrack.text import shorten, visible
from nbtrack.tracked.options import TrackOptions, checked_options

OPTIONS = (
    Option("param", "many", ("-p", "--param")),
    Option("tag", "many", ("-t", "--tag")),
    Option("group", "one", ("-g", "--group")),
    Option("metric", "many", ("-m", "--metric")),
    Option("watch", "words", ("-w", "--watch")),
    Option("no_live", "flag", ("--no-live",)),
    Option("no_watch", "flag", ("--no-watch",)),
    Option("notes", "one", ("--notes",)),
    Option("seed", "one", ("--seed",)),
    Option("experiment", "one", ("--experiment",)),
    Option("off", "words", ("--off",)),
    Option("keep", "many", ("--keep",)),
    Option("budget", "one", ("--budget",)),
    Option("alert", "many", ("--alert",)),
    Option("resume", "one", ("--resume",)),
)


def parse_options(line: str) -> TrackOptions:
    """Read the line of `%%track`.

    Raises
    ------
    OptionError
        With the offending text and the way out.

    Examples
    --------
    >>> options = parse_options("base -p lr=.1 -t first -m val_loss:min")
    >>> options.name, dict(options.params), dict(options.goals)
    ('base', {'lr': '.1'}, {'val_loss': 'min'})
    """
    found = parse_arguments(line, OPTIONS)
    return checked_options(
        name=_name(found.words),
        experiment=found.one("experiment"),
        params=[unquoted(text) for text in found.values.get("param", [])],
        tags=found.many("tag"),
        group=found.one("group"),
        notes=found.one("notes") or "",
        goals=found.many("metric"),
        watch=found.many("watch"),
        seed=found.one("seed"),
        live=not found.has("no_live"),
        zero_edit=not found.has("no_watch"),
        resume=found.one("resume"),
        keep=found.many("keep"),
        budget=found.one("budget"),
        alerts=found.many("alert"),
        off=found.many("off"),
    )


def _name(words: list[str]) -> str | None:
    for word in words:
        if "=" in word and word[0] not in "'\"":
            shown = shorten(visible(word), 60)
            raise OptionError(f"{shown} looks like a param: write -p {shown}.")
    if len(words) > 1:
        listed = " and ".join(shorten(visible(word), 40) for word in words[:2])
        raise OptionError(
            f"Two names: {listed}. Quote a name with spaces; params are -p name=value."
        )
    return unquoted(words[0]) if words else None
