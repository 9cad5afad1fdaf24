"""Which checkpoints of a run are kept: the words of `keep`, the budget, the decision.

A pure decision over what was saved. The best is never given up where it is asked for,
nor is anything while nobody can tell which one is best; a budget takes the worst and
oldest first, and never the last one that is left. Reads and removes no file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nbtrack.errors import OptionError
from nbtrack.metric_names import goal_of, use_as_judge
from nbtrack.records import Goal
from nbtrack.text import did_you_mean, shorten, visible

WORDS = ("best", "last", "topN", "every:N", "all")
_TOP = re.compile(r"top[-_:]?(\d+)")
# `epoch=3-step=120-val_loss=0.31` and `checkpoint-500` are moments of one thing, but
# `resnet18` and `resnet50` are two.
_MOMENT = re.compile(
    r"(?i)(?<![a-z])((?:global_?)?step|epoch|ep|iter(?:ation)?|checkpoint|ckpt)"
    r"([-_= ]?)\d+"
)
_VALUE = re.compile(r"=-?\d+\.\d+(?:e-?\d+)?")


@dataclass(frozen=True, slots=True)
class KeepRule:
    """One word of `keep`: what it holds on to."""

    kind: Literal["best", "last", "top", "every", "all"]
    n: int = 1  # of how many, or every how many steps
    metric: str | None = None  # what best goes by; None: as everywhere


@dataclass(frozen=True, slots=True)
class KeepPolicy:
    """What a run keeps of its checkpoints; nothing is given up by default."""

    rules: tuple[KeepRule, ...] = (KeepRule("all"),)
    budget_bytes: int | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether there is nothing to decide."""
        return self.budget_bytes is None and any(r.kind == "all" for r in self.rules)


@dataclass(frozen=True, slots=True)
class Saved:
    """One checkpoint that was saved; the same content again has the same `digest`."""

    name: str
    digest: str
    size_bytes: int
    step: int | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """One that goes, and the reason in a few words."""

    saved: Saved
    why: str


def parse_keep(words: str | Iterable[str]) -> tuple[KeepRule, ...]:
    """The rules that `keep="best,last,top3"` names.

    Raises
    ------
    OptionError
        For an unknown word, a number below 1, or none at all.

    Examples
    --------
    >>> [rule.kind for rule in parse_keep("best:val_acc,last, top3")]
    ['best', 'last', 'top']
    """
    parts = words.split(",") if isinstance(words, str) else list(words)
    rules = [_rule(str(part).strip()) for part in parts if str(part).strip()]
    if not rules:
        raise OptionError(f"keep is empty. Use one or more of {', '.join(WORDS)}.")
    return tuple(dict.fromkeys(rules))


def parse_budget(size: int | str) -> int:
    """Bytes of `budget="5 GB"`; at least one.

    >>> parse_budget("1 KB")
    1024
    """
    from nbtrack.capture.data_sizes import parsed_size

    found = parsed_size(size)
    if found < 1:
        raise OptionError(f"budget={size!r} leaves no room. Give a size as '5 GB'.")
    return found


def _rule(text: str) -> KeepRule:
    word, colon, rest = text.partition(":")
    word, rest = word.strip().lower(), rest.strip()
    if word in ("best", "last", "all") and (not colon or (word == "best" and rest)):
        kind: Literal["best", "last", "all"] = word  # type: ignore[assignment]
        return KeepRule(kind, metric=rest or None)
    if word == "every" and rest.isdecimal() and int(rest):
        return KeepRule("every", int(rest))
    if (top := _TOP.fullmatch(word)) and int(top[1]) and bool(colon) == bool(rest):
        return KeepRule("top", int(top[1]), rest or None)
    hints = ("best", "last", "all", "top3", "every:10")
    raise OptionError(
        f"keep={shorten(visible(text), 40)!r} is unknown.{did_you_mean(word, hints)} "
        f"Use {', '.join(WORDS)}, and best:METRIC or topN:METRIC to name one."
    )


def family_of(name: str) -> str:
    """What names of the same thing at different moments share.

    >>> family_of("epoch=3-step=120-val_loss=0.31"), family_of("resnet18")
    ('epoch=#-step=#-val_loss=#', 'resnet18')
    """
    shared, found = _MOMENT.subn(r"\1\2#", name)
    return _VALUE.sub("=#", shared) if found else name


def decide(
    saved: Sequence[Saved],
    policy: KeepPolicy,
    goals: Mapping[str, Goal] | None = None,
    *,
    policies: Mapping[str, KeepPolicy] | None = None,
) -> list[GivenUp]:
    """What is given up of all that one run has saved, oldest first.

    Parameters
    ----------
    saved
        In the order of the saves. A content counts as kept while one of its saves is.
    policy
        For every name, and the budget of all names together.
    goals
        What the run said of its metrics; else their names say it.
    policies
        For single names instead.
    """
    families: dict[str, list[int]] = {}
    for nth, each in enumerate(saved):
        families.setdefault(family_of(each.name), []).append(nth)
    reasons: dict[int, str] = {}
    dear: set[int] = set()
    worst: dict[int, int] = {}  # how far down in its family
    for members in families.values():
        of_name = (policies or {}).get(saved[members[0]].name, policy)
        judge = _Judge([saved[nth] for nth in members], goals or {})
        kept = _kept_by(judge, of_name.rules)
        for place, nth in enumerate(members):
            if place not in kept:
                reasons[nth] = f"keep={keep_text(of_name.rules)}"
        dear |= {members[place] for place in _dearest(judge, kept, of_name.rules)}
        worst |= {members[place]: rank for place, rank in judge.places(None).items()}
    if policy.budget_bytes is not None:
        for nth in _over_budget(saved, reasons, dear, worst, policy.budget_bytes):
            reasons[nth] = "budget"
    return _freed(saved, reasons)


class _Judge:
    """Orders the saves of one family by a metric."""

    def __init__(self, saved: Sequence[Saved], goals: Mapping[str, Goal]) -> None:
        self.saved = saved
        self._goals = goals
        names = {name for each in saved for name in each.metrics}
        told = [name for name in names if self._goal(name)]
        self._usual = min(told, key=use_as_judge, default=None)

    def ranking(self, metric: str | None) -> list[int]:
        """The places of those that have the metric, the best first; ties: the older."""
        metric = metric or self._usual
        goal = self._goal(metric) if metric else None
        if metric is None or goal is None:
            return []
        with_it = [n for n, each in enumerate(self.saved) if metric in each.metrics]
        return sorted(with_it, key=lambda n: self._badness(n, metric, goal))

    def places(self, metric: str | None) -> dict[int, int]:
        """How far down each one is; those without the metric are the last."""
        ranking = self.ranking(metric)
        ranks = {place: rank for rank, place in enumerate(ranking)}
        return {n: ranks.get(n, len(ranking)) for n in range(len(self.saved))}

    def _goal(self, metric: str) -> Goal | None:
        return self._goals.get(metric) or goal_of(metric)

    def _badness(self, n: int, metric: str, goal: Goal) -> tuple[bool, float, int]:
        value = float(self.saved[n].metrics[metric])
        if math.isnan(value):
            return True, 0.0, n
        return False, value if goal == "min" else -value, n


def _kept_by(judge: _Judge, rules: Iterable[KeepRule]) -> set[int]:
    everything = set(range(len(judge.saved)))
    kept: set[int] = set()
    for rule in rules:
        if rule.kind == "all":
            return everything
        if rule.kind == "last":
            kept.add(len(judge.saved) - 1)
        elif rule.kind == "every":
            kept |= {n for n in everything if _is_nth(judge.saved[n].step, rule.n)}
        else:
            ranking = judge.ranking(rule.metric)
            if not ranking:  # nobody can tell which one is best
                return everything
            kept.update(ranking[: rule.n])
    return kept


def _is_nth(step: int | None, n: int) -> bool:
    return step is not None and step % n == 0


def _dearest(judge: _Judge, kept: set[int], rules: Iterable[KeepRule]) -> set[int]:
    """The best and the last of those that stay: no budget takes them."""
    metrics = [rule.metric for rule in rules if rule.kind in ("best", "top")] or [None]
    best = [judge.ranking(metric)[:1] for metric in metrics]
    found = {n for each in best for n in each} | {len(judge.saved) - 1}
    return (found & kept) or ({max(kept)} if kept else set())


def _over_budget(
    saved: Sequence[Saved],
    reasons: Mapping[int, str],
    dear: set[int],
    worst: Mapping[int, int],
    budget: int,
) -> list[int]:
    """The worst and then the oldest, until what is left fits or is dear."""
    kept = [nth for nth in range(len(saved)) if nth not in reasons]
    holders: dict[str, int] = {}
    for nth in kept:
        holders[saved[nth].digest] = holders.get(saved[nth].digest, 0) + 1
    total = sum({saved[n].digest: saved[n].size_bytes for n in kept}.values())
    gone = []
    for nth in sorted(set(kept) - dear, key=lambda n: (-worst[n], n)):
        if total <= budget:
            break
        gone.append(nth)
        digest = saved[nth].digest
        holders[digest] -= 1
        if not holders[digest]:
            total -= saved[nth].size_bytes
    return gone


def _freed(saved: Sequence[Saved], reasons: Mapping[int, str]) -> list[GivenUp]:
    """Those of which no other save of the same name and content stays."""
    staying = {
        (each.name, each.digest) for n, each in enumerate(saved) if n not in reasons
    }
    return [
        GivenUp(each, reasons[n])
        for n, each in enumerate(saved)
        if (each.name, each.digest) not in staying
    ]


def keep_text(rules: Iterable[KeepRule]) -> str:
    """The words that `parse_keep` reads back.

    >>> keep_text(parse_keep("best, top3:acc, every:5"))
    'best,top3:acc,every:5'
    """
    shown = []
    for rule in rules:
        number = str(rule.n) if rule.kind == "top" else ""
        after = f":{rule.n}" if rule.kind == "every" else ""
        shown.append(
            f"{rule.kind}{number}{after}{f':{rule.metric}' if rule.metric else ''}"
        )
    return ",".join(shown)
