"""What an alert waits for, as people write it: `loss > 10`, `stalled 10m`, `nan`.

A run keeps its rules as texts, in the fact `alerts.rules`, so that whoever reads the
store knows them too: a process that hangs or is gone cannot say so itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from operator import ge, gt, le, lt

from nbtrack.errors import OptionError
from nbtrack.metric_names import goal_of
from nbtrack.records import Goal
from nbtrack.text import did_you_mean, shorten, visible

RULES_FACT = "alerts.rules"
DEFAULT_RULES = ("nan",)
RULES_MAX = 50  # of one run
OF_STATUS = ("finished", "failed", "crashed")
_TEXT_MAX = 200
_FORMS = (
    "Write 'loss > 10', 'val_acc < .2', 'nan', 'stalled 10m', 'plateau val_loss 20', "
    "'finished', 'failed' or 'crashed'."
)
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">": gt, ">=": ge, "<": lt, "<=": le,
}  # fmt: skip
# Of words with one space between them, from their first to their last.
_THRESHOLD = re.compile(
    r"\A(?P<metric>[^<>]+?) ?(?P<sign>>=|<=|>|<) ?(?P<bound>[^<>=]+)\Z"
)
_PLATEAU = re.compile(r"\Aplateau (?P<metric>.+?) (?P<n>\d{1,9})(?: (?P<goal>\w+))?\Z")
_STALLED = re.compile(r"\Astalled (?P<n>\d{0,9}\.?\d{1,9}) ?(?P<unit>[a-z]+)\Z")
_UNITS_S = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hour": 3600.0, "hours": 3600.0,
}  # fmt: skip
_SHORTEST_S, _LONGEST_S = 0.1, 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to wait for; made by `parse_rule`."""

    text: str
    kind: str  # nan, threshold, plateau, stalled, finished, failed, crashed
    metric: str | None = None
    sign: str = ""  # of a threshold
    bound: float = 0.0
    n: int = 0  # steps of a plateau
    goal: Goal | None = None  # of its metric, where the rule says it
    after_s: float = 0.0  # until a run counts as stalled

    def concerns(self, metric: str) -> bool:
        """Whether points of this metric can raise it."""
        return self.kind == "nan" or self.metric == metric

    def holds(self, value: float) -> bool:
        """Whether one value is what a `nan` or a threshold waits for.

        >>> parse_rule("loss > 10").holds(11.0), parse_rule("nan").holds(float("inf"))
        (True, True)
        """
        if self.kind == "nan":
            return not math.isfinite(value)
        return self.kind == "threshold" and _HOLDS[self.sign](value, self.bound)


def parse_rule(text: str) -> Rule:
    """Read one rule.

    Raises
    ------
    OptionError
        With the text and how a rule is written.

    Examples
    --------
    >>> rule = parse_rule("val_acc<.2")
    >>> rule.kind, rule.metric, rule.sign, rule.bound
    ('threshold', 'val_acc', '<', 0.2)
    >>> parse_rule("stalled 10m").after_s
    600.0
    """
    words = " ".join(str(text).split())
    if 0 < len(words) <= _TEXT_MAX:
        if words == "nan" or words in OF_STATUS:
            return Rule(words, words)
        for form, rule_of in (
            (_PLATEAU, _plateau), (_STALLED, _stalled), (_THRESHOLD, _threshold)
        ):  # fmt: skip
            found = form.match(words)
            if found is not None:
                return rule_of(words, found)
    hint = did_you_mean(words, ["nan", *OF_STATUS, "stalled 10m"])
    raise OptionError(f"Alert {_shown(words)} is not understood.{hint} {_FORMS}")


def parse_rules(texts: Iterable[str] | str) -> tuple[Rule, ...]:
    """Read several rules, as a list or as one text with commas; each counts once.

    Raises
    ------
    OptionError
        For a text that is no rule, or more than 50.

    Examples
    --------
    >>> [rule.text for rule in parse_rules("nan, loss > 10, nan")]
    ['nan', 'loss > 10']
    """
    if isinstance(texts, str):
        texts = [part for part in texts.split(",") if part.strip()]
    rules = {rule.text: rule for rule in map(parse_rule, texts)}
    if len(rules) > RULES_MAX:
        raise OptionError(f"{len(rules)} alerts are too many: {RULES_MAX} at most.")
    return tuple(rules.values())


def known_rules(texts: object) -> tuple[Rule, ...]:
    """The rules that a store holds; what is none, as of a newer nbtrack, is left out.

    >>> known_rules(["nan", "loss is odd", 3]) == (parse_rule("nan"),)
    True
    """
    found = []
    for text in texts if isinstance(texts, list) else []:
        with suppress(OptionError):
            found.append(parse_rule(text))
    return tuple(found[:RULES_MAX])


def _threshold(text: str, found: re.Match[str]) -> Rule:
    try:
        bound = float(found["bound"])
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise OptionError(
            f"Alert {_shown(text)} compares with {_shown(found['bound'])}, which is no "
            "number. Write 'loss > 10'; what is not finite is 'nan'."
        )
    return Rule(text, "threshold", found["metric"], found["sign"], bound)


def _plateau(text: str, found: re.Match[str]) -> Rule:
    metric, n, word = found["metric"], int(found["n"]), found["goal"]
    if word not in (None, "min", "max") or n < 1:
        raise OptionError(f"Alert {_shown(text)}: write 'plateau val_loss 20 min'.")
    if word is None and goal_of(metric) is None:
        raise OptionError(
            f"Alert {_shown(text)}: whether {_shown(metric)} should fall or rise is "
            f"not known by its name. Write {_shown(f'plateau {metric} {n} min')}, "
            "or max."
        )
    goal: Goal | None = "min" if word == "min" else "max" if word == "max" else None
    return Rule(text, "plateau", metric, n=n, goal=goal)


def _stalled(text: str, found: re.Match[str]) -> Rule:
    after_s = float(found["n"]) * _UNITS_S.get(found["unit"], math.nan)
    if not _SHORTEST_S <= after_s <= _LONGEST_S:
        raise OptionError(
            f"Alert {_shown(text)}: write 'stalled 30s', 'stalled 10m' or "
            "'stalled 2h', 30 days at most."
        )
    return Rule(text, "stalled", after_s=after_s)


def _shown(text: str) -> str:
    return repr(shorten(visible(text), 60))
