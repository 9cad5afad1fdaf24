"""Which metrics belong in one chart, and which of them tell how well a run does.

`loss`, `train_loss` and `val/loss` are one family; the part that differs is the role.
"""

from __future__ import annotations

from collections.abc import Iterable

from nbtrack.analysis.wire import MetricMeta
from nbtrack.metric_names import ROLES, TELLING, split_role
from nbtrack.records import MetricSummary

HEADLINE_MAX = 2
_HELD_OUT = {role.name for role in ROLES if role.is_held_out}


def in_order(metrics: Iterable[MetricMeta]) -> list[MetricMeta]:
    """As they are shown: by family, with a goal first, train before validation."""
    known = list(metrics)
    families: dict[str, list[MetricMeta]] = {}
    for meta in known:
        families.setdefault(meta["family"], []).append(meta)
    ranked = sorted(
        families.values(), key=lambda family: not any(meta["goal"] for meta in family)
    )
    return [
        meta
        for family in ranked
        for meta in sorted(family, key=lambda one: one["place"])
    ]


def headline(metrics: Iterable[MetricSummary]) -> list[str]:
    """The metrics whose best value stands at the top, at most two.

    Only those with a goal; a validation metric tells more than one of training.
    """
    telling = [metric for metric in metrics if metric.goal and metric.n > metric.n_nan]
    # sorted() is stable: equals stay in the order in which they appeared.
    ranked = sorted(telling, key=lambda metric: _rank(metric.name))
    chosen: dict[str, str] = {}
    for metric in ranked:
        chosen.setdefault(split_role(metric.name)[0], metric.name)
    return list(chosen.values())[:HEADLINE_MAX]


def _rank(name: str) -> tuple[int, int]:
    family, role = split_role(name)
    words = (i for i, word in enumerate(TELLING) if word in family.lower())
    return (role not in _HELD_OUT, next(words, len(TELLING)))
