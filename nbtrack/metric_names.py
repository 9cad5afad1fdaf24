"""What the name of a metric says: what it is, which way is better, and which chart.

All of it stands here, so that another family of metrics, or another role, is a word in
one table: capture asks which names to watch, the store which way is better, the panels
which metrics share a chart, in which order and colours. Pure text, no values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nbtrack.records import SYSTEM_PREFIX, Goal

# A variable with one of these words is watched; a plural of one of them says metric as
# well. Singular, lower case.
_METRIC_WORDS_TEXT = """
    loss acc accuracy err error f1 fbeta auc auroc auprc ppl perplexity lr mse rmse
    mae mape msle smape r2 score reward return bleu rouge meteor iou miou dice
    jaccard precision recall sensitivity specificity mcc kappa nll bce ce elbo kl
    kld wer cer psnr ssim fid mrr ndcg map map50 cost objective entropy logloss
    likelihood loglik regret inertia silhouette gradnorm bpc bpb top1 top5 lossi
    metric ll gnorm fitness penalty energy divergence sse rss aic bic nmi
"""
METRIC_WORDS = frozenset(_METRIC_WORDS_TEXT.split())
_MAX_WORDS = re.compile(
    r"acc|auc|f1|precision|recall|score|r2|iou|dice|bleu|rouge|reward|return|map\b|mrr|"
    r"ndcg|psnr|ssim|throughput|per_s\b|correct|success|win_rate|hit_rate",
    re.IGNORECASE,
)
_MIN_WORDS = re.compile(
    r"loss|err|cost|perplexity|ppl|mse|rmse|mae|mape|nll|wer|cer|fid|entropy|penalty|"
    r"regret|latency|duration|seconds|distance|divergence|\bkl\b",
    re.IGNORECASE,
)
# Best first: what tells most of a run, and stands at the top of its panel.
TELLING = ("acc", "f1", "auc", "score", "reward", "loss")


@dataclass(frozen=True, slots=True)
class Role:
    """What a metric of a family was computed on, by a word of its name."""

    name: str
    words: tuple[str, ...]
    colour: int  # of the palette; the same in every chart
    is_held_out: bool = False  # not what was trained on, so it tells more


# As they are drawn, the first one lowest: a plain name beside others is a loss per
# batch, and lies under them.
ROLES = (
    Role("", (), 0),
    Role("train", ("train", "training", "tr"), 0),
    Role("val", ("val", "valid", "validation", "dev", "eval"), 1, is_held_out=True),
    Role("test", ("test",), 2, is_held_out=True),
)
PLAIN_BESIDE_TRAIN = 3  # the colour of `loss` beside `train_loss`: not validation's

_ROLE_OF = {word: role.name for role in ROLES for word in role.words}
_PLACES = {role.name: place for place, role in enumerate(ROLES)}
# Greedy words first: "training" before "train", "validation" before "val".
_WORDS = "|".join(sorted(_ROLE_OF, key=len, reverse=True))
_PREFIX = re.compile(rf"^({_WORDS})[_./ -]+(.+)$", re.IGNORECASE)
# Searched for from the end alone: a name of somebody else's store may be a long one.
_SUFFIX = re.compile(rf"(?<=[_./ -])({_WORDS})$", re.IGNORECASE)


def goal_of(name: str) -> Goal | None:
    """The direction in which a metric of this name gets better, by its name alone.

    >>> goal_of("val_loss"), goal_of("acc"), goal_of("lr")
    ('min', 'max', None)
    """
    if name.startswith(SYSTEM_PREFIX):
        return None
    # Loss words win: `acc_loss` and `score_error` are to be made small.
    if _MIN_WORDS.search(name):
        return "min"
    return "max" if _MAX_WORDS.search(name) else None


def split_role(name: str) -> tuple[str, str]:
    """The family and the role of a metric.

    >>> split_role("val_loss"), split_role("acc/train"), split_role("lr")
    (('loss', 'val'), ('acc', 'train'), ('lr', ''))
    """
    if found := _PREFIX.match(name):
        return found[2], _ROLE_OF[found[1].lower()]
    found = _SUFFIX.search(name)
    if found and (family := name[: found.start()].rstrip("_./ -")):
        return family, _ROLE_OF[found[1].lower()]
    return name, ""


def place_of(role: str) -> int:
    """The place of a role within its family.

    >>> place_of("train") < place_of("val")
    True
    """
    return _PLACES[role]


def colour_of(role: str) -> int:
    """The colour of a role, where no other of the family has it."""
    return ROLES[_PLACES[role]].colour


def judges(metrics: Iterable[str]) -> list[str]:
    """Those of the metrics that can say which of two is better, the first one first.

    >>> judges(["lr", "acc", "loss", "val_acc"])
    ['val_acc', 'loss', 'acc']
    """
    return sorted((name for name in metrics if goal_of(name)), key=use_as_judge)


def use_as_judge(name: str) -> tuple[bool, bool, str]:
    """Sorts metrics: validation before training, loss before the rest, then by name."""
    words = name.lower()
    held_out = any(word in words for word in ("val", "test", "dev", "eval"))
    return not held_out, "loss" not in words, name
