"""What the line of `%%track` says: name, params, tags, goals and what to leave out.

Parsing needs no kernel. The values of `-p` are Python, evaluated once, later, in the
user's namespace by `evaluate_params`; `-p opt=adam` is the text "adam" as long as no
variable looks like it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Option, parse_arguments, unquoted
from nbtrack.records import Goal
from nbtrack.text import did_you_mean, shorten, visible
from nbtrack.tracking.settings import features_of

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

_WORD = re.compile(r"[^\W\d][\w.\-/]*")  # a param's name, or text without quotes
# What a slip in `-p` raises; anything else is an error of the user's own functions.
_SLIPS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NameError,
    SyntaxError,
    TypeError,
    ValueError,
)
_SEED_MAX = 2**32 - 1  # numpy takes no larger one


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """The options of one tracked cell; params still as the text that was typed."""

    name: str | None = None
    experiment: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    group: str | None = None
    notes: str = ""
    goals: Mapping[str, Goal] = field(default_factory=dict)
    watch: tuple[str, ...] = ()
    seed: int | None = None
    live: bool = True
    zero_edit: bool = True
    resume: str | None = None  # a run, or "last"
    keep: str | None = None  # words, see `nbtrack.configure`
    budget: int | None = None  # bytes
    alerts: tuple[str, ...] = ()  # rules, see `nbtrack.start`
    off: frozenset[str] = frozenset()  # features, see `nbtrack.configure`


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
    off = features_of(" ".join(found.many("off")))
    return TrackOptions(
        name=_name(found.words),
        experiment=found.one("experiment"),
        params=_params(found.values.get("param", [])),
        tags=found.many("tag"),
        group=found.one("group"),
        notes=found.one("notes") or "",
        goals=_goals(found.many("metric")),
        watch=_names(found.many("watch")),
        seed=_seed(found.one("seed")),
        live=not found.has("no_live"),
        zero_edit=not found.has("no_watch") and "watching" not in off,
        resume=found.one("resume"),
        keep=_keep(found.many("keep")),
        budget=_budget(found.one("budget")),
        alerts=_alerts(found.many("alert")),
        off=off,
    )


def evaluate_params(
    params: Mapping[str, str], namespace: dict[str, Any]
) -> dict[str, Any]:
    """The values of `-p`, evaluated as Python in the user's namespace.

    Raises
    ------
    OptionError
        When a value is no Python, or evaluating it raises.

    Examples
    --------
    >>> evaluate_params({"lr": "base / 10", "opt": "adam"}, {"base": 1.0})
    {'lr': 0.1, 'opt': 'adam'}
    """
    return {name: _evaluated(name, text, namespace) for name, text in params.items()}


def _evaluated(name: str, text: str, namespace: dict[str, Any]) -> Any:
    try:
        # The user typed this into their own kernel: it may do what any cell may.
        return eval(text, namespace)  # noqa: S307
    except _SLIPS as exc:
        hint = did_you_mean(text, [n for n in namespace if not n.startswith("_")])
        if _is_bare_word(text, exc) and not hint:
            return text
        shown = shorten(visible(f"{name}={text}"), 60)
        why = shorten(f"{type(exc).__name__}: {exc}", 100)
        raise OptionError(
            f"Bad -p {shown} ({why}).{hint} Text wants quotes: -p {name}='...'."
        ) from exc


def _is_bare_word(text: str, exc: Exception) -> bool:
    # `adam` and `resnet-18` stumble over a name that is not there, `v1.2b` over syntax.
    return bool(_WORD.fullmatch(text)) and isinstance(exc, NameError | SyntaxError)


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


def _params(texts: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for text in texts:
        bare = unquoted(text)
        name, equals, value = bare.partition("=")
        if not (equals and value.strip() and _WORD.fullmatch(name)):
            raise OptionError(f"Bad -p {shorten(visible(text), 60)}: write -p lr=0.1.")
        if name in params:
            raise OptionError(f"Param {name!r} was given twice.")
        params[name] = value.strip()
    return params


def _goals(texts: tuple[str, ...]) -> dict[str, Goal]:
    goals: dict[str, Goal] = {}
    for text in texts:
        name, _, word = text.rpartition(":")
        if not name or word not in ("min", "max"):
            raise OptionError(
                f"Bad -m {shorten(visible(text), 60)}: write -m val_loss:min or :max."
            )
        if name in goals:
            raise OptionError(f"Metric {name!r} was given twice.")
        goals[name] = "min" if word == "min" else "max"
    return goals


def _names(texts: tuple[str, ...]) -> tuple[str, ...]:
    parts = [part for text in texts for part in text.split(",") if part]
    return tuple(dict.fromkeys(parts))


def _keep(words: tuple[str, ...]) -> str | None:
    if not words:
        return None
    from nbtrack.tracking.checkpoint_policy import keep_text, parse_keep

    return keep_text(parse_keep(",".join(words)))


def _budget(text: str | None) -> int | None:
    if text is None:
        return None
    from nbtrack.tracking.checkpoint_policy import parse_budget

    return parse_budget(unquoted(text))


def _alerts(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts:
        return ()
    from nbtrack.store.alert_rules import parse_rules

    return tuple(rule.text for rule in parse_rules(texts))


def _seed(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) > _SEED_MAX:
        raise OptionError(
            f"--seed needs a whole number from 0 to 2**32 - 1, not {text[:40]!r}."
        )
    return int(text)
