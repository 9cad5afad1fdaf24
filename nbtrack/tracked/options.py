"""What is asked of a tracked cell or script: name, params, tags, what to leave out.

The texts are checked here, whoever took them from a line. The values of `-p` are
Python, evaluated once, later, in the user's namespace by `evaluate_params`; `-p
opt=adam` is the text "adam" as long as no variable looks like it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.records import Goal
from nbtrack.text import did_you_mean, shorten, visible
from nbtrack.tracking.settings import features_of

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
    """The options of one run; params still as the text that was typed."""

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


def checked_options(
    *,
    name: str | None = None,
    experiment: str | None = None,
    params: Sequence[str] = (),
    tags: Sequence[str] = (),
    group: str | None = None,
    notes: str = "",
    goals: Sequence[str] = (),
    watch: Sequence[str] = (),
    seed: str | None = None,
    live: bool = True,
    zero_edit: bool = True,
    resume: str | None = None,
    keep: Sequence[str] = (),
    budget: str | None = None,
    alerts: Sequence[str] = (),
    off: Sequence[str] = (),
) -> TrackOptions:
    """The options as they were typed, checked.

    Raises
    ------
    OptionError
        With the offending text and the way out.

    Examples
    --------
    >>> options = checked_options(name="base", params=["lr=.1"], goals=["acc:max"])
    >>> options.name, dict(options.params), dict(options.goals)
    ('base', {'lr': '.1'}, {'acc': 'max'})
    """
    features = features_of(" ".join(off))
    return TrackOptions(
        name=name,
        experiment=experiment,
        params=_params(params),
        tags=tuple(tags),
        group=group,
        notes=notes,
        goals=_goals(goals),
        watch=_names(watch),
        seed=_seed(seed),
        live=live,
        zero_edit=zero_edit and "watching" not in features,
        resume=resume,
        keep=_keep(keep),
        budget=_budget(budget),
        alerts=_alerts(alerts),
        off=features,
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


def _params(texts: Sequence[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and value.strip() and _WORD.fullmatch(name)):
            raise OptionError(f"Bad -p {shorten(visible(text), 60)}: write -p lr=0.1.")
        if name in params:
            raise OptionError(f"Param {name!r} was given twice.")
        params[name] = value.strip()
    return params


def _goals(texts: Sequence[str]) -> dict[str, Goal]:
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


def _names(texts: Sequence[str]) -> tuple[str, ...]:
    parts = [part for text in texts for part in text.split(",") if part]
    return tuple(dict.fromkeys(parts))


def _keep(words: Sequence[str]) -> str | None:
    if not words:
        return None
    from nbtrack.tracking.checkpoint_policy import keep_text, parse_keep

    return keep_text(parse_keep(",".join(words)))


def _budget(text: str | None) -> int | None:
    if text is None:
        return None
    from nbtrack.tracking.checkpoint_policy import parse_budget

    return parse_budget(text)


def _alerts(texts: Sequence[str]) -> tuple[str, ...]:
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
