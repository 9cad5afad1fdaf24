"""Which metrics belong in one chart, and which of them tell how well a run does.

`loss`, `train_loss` and `val/loss` are one family; the part that differs is the role.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nbtrack.analysis.wire import MetricMeta
from nbtrack.records import MetricSummary

_ROLE_WORDS = {
    "train": "train",
    "training": "train",
    "tr": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "eval": "val",
    "test": "test",
}
# Greedy words first: "training" before "train", "validation" before "val".
_WORDS = "|".join(sorted(_ROLE_WORDS, key=len, reverse=True))
_PREFIX = re.compile(rf"^({_WORDS})[_./ -]+(.+)$", re.IGNORECASE)
# Searched for from the end alone: a name of somebody else's store may be a long one.
_SUFFIX = re.compile(rf"(?<=[_./ -])({_WORDS})$", re.IGNORECASE)

_TELLING = ("acc", "f1", "auc", "score", "reward", "loss")  # headline, best first
# A plain name beside others is a loss per batch: drawn first, it lies under them.
_ROLE_ORDER = {"": 0, "train": 1, "val": 2, "test": 3}
HEADLINE_MAX = 2


def split_role(name: str) -> tuple[str, str]:
    """The family and the role of a metric.

    >>> split_role("val_loss"), split_role("acc/train"), split_role("lr")
    (('loss', 'val'), ('acc', 'train'), ('lr', ''))
    """
    if found := _PREFIX.match(name):
        return found[2], _ROLE_WORDS[found[1].lower()]
    found = _SUFFIX.search(name)
    if found and (family := name[: found.start()].rstrip("_./ -")):
        return family, _ROLE_WORDS[found[1].lower()]
    return name, ""


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
        for meta in sorted(family, key=lambda one: _ROLE_ORDER.get(one["role"], 4))
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
    words = (i for i, word in enumerate(_TELLING) if word in family.lower())
    return (role not in ("val", "test"), next(words, len(_TELLING)))
