"""Which names say "metric", and the series name that a list of such values gets.

Words are read from snake_case and camelCase. Pure text: nothing here looks at values.
"""

from __future__ import annotations

import re
from itertools import pairwise

from nbtrack.metric_names import METRIC_WORDS

_PHRASES = frozenset(
    {("learning", "rate"), ("r", "squared"), ("success", "rate")}
    | {("grad", "norm"), ("gradient", "norm")}
)
# A name with one of these is a function, a setting, or a best-so-far (which the
# summary has anyway).
_NEVER_TEXT = """
    fn func function functions criterion criteria scorer meter meters scaler lambda
    fig figure ax axes axis df logger callback best min max minimum maximum lowest
    highest prev previous old threshold thresh tol tolerance patience config cfg
    kwargs args bar pbar fmt format
"""
_NEVER = frozenset(_NEVER_TEXT.split())
# What a name is about stands last: `loss_label` is a label, `label_loss` a loss.
_NOT_BEHIND_TEXT = """
    scale weight weights coef factor name names type mode key keys msg message str
    string text label labels mask id ids idx index plot color matrix file path dir
    module layer target scheduler schedule shape dim size dtype
"""
_NOT_BEHIND = frozenset(_NOT_BEHIND_TEXT.split())
_CONTAINERS = (
    "history|hist|list|logs|log|curves|curve|values|vals|array|arr|all|tracker|track|"
    "records|record|trace|buffer"
)
_ACCUMULATOR_WORDS_TEXT = """
    running total sum cum cumulative accum accumulated epoch
"""
_ACCUMULATOR_WORDS = frozenset(_ACCUMULATOR_WORDS_TEXT.split())
_SPLIT_WORDS_TEXT = """
    train training val valid validation test testing dev eval
"""
SPLIT_WORDS = frozenset(_SPLIT_WORDS_TEXT.split())
_EVALUATION_WORDS = (SPLIT_WORDS - {"train", "training"}) | {
    "evaluate",
    "validate",
    "estimate",
}
# `vloss`, `trainacc`, `lossi`: glued spellings that tutorials use.
_GLUED = re.compile(r"(?:loss|accuracy|acc|error)$|^loss(?!les|y)")
_WORD = re.compile(
    r"(?:(?<![A-Za-z])[fr]|[FR])[12](?:s(?![a-zA-Z])|(?![0-9a-zA-Z]))|top[15]|map50|mAP|"
    r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+"
)


def words_of(name: str) -> list[str]:
    """The lower-case words of a snake_case or camelCase name.

    >>> words_of("valF1"), words_of("train_losses"), words_of("r2_test")
    (['val', 'f1'], ['train', 'losses'], ['r2', 'test'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def singular(word: str) -> str:
    """The metric word that `word` is the plural of, else `word` itself.

    >>> singular("losses"), singular("accuracies"), singular("errs"), singular("mse")
    ('loss', 'accuracy', 'err', 'mse')
    """
    endings = (("ies", "y"), ("es", ""), ("s", ""))
    for ending, instead in endings:
        stem = word.removesuffix(ending) + instead
        if word.endswith(ending) and (stem in METRIC_WORDS or _GLUED.search(stem)):
            return stem
    return word


def says_metric(name: str) -> bool:
    """Whether a value of this name is a metric by its name.

    >>> [says_metric(n) for n in ("loss", "val_acc", "label_loss", "learning_rate")]
    [True, True, True, True]
    >>> [says_metric(n) for n in ("loss_fn", "best_loss", "loss_label", "epochs")]
    [False, False, False, False]
    """
    words = words_of(name)
    if not words or _NEVER.intersection(words):
        return False
    last = _last_metric_word(words)
    if last is not None:
        return not _NOT_BEHIND.intersection(words[last:])
    return words[0] in SPLIT_WORDS and words[1:] == ["l"]  # d2l's `train_l`


def _last_metric_word(words: list[str]) -> int | None:
    found = [i for i, word in enumerate(words) if _is_metric_word(word)]
    found += [i for i, two in enumerate(pairwise(words), 1) if two in _PHRASES]
    return max(found, default=None)


def series_name(name: str) -> str | None:
    """The series of values kept under `name`; None where it says no metric.

    >>> [series_name(n) for n in ("losses", "train_accs", "loss_history", "errors_")]
    ['loss', 'train_acc', 'loss', 'error']
    """
    if not says_metric(name):
        return None
    bare = re.sub(rf"(?i)^all_|_?(?:{_CONTAINERS})$", "", name.strip("_"))
    bare = bare if says_metric(bare) else name.strip("_")
    return _WORD.sub(lambda match: _singular_as_written(match.group()), bare)


def is_accumulator_name(name: str) -> bool:
    """Whether the name says that the value is a sum on its way.

    >>> is_accumulator_name("running_loss"), is_accumulator_name("loss")
    (True, False)
    """
    return bool(_ACCUMULATOR_WORDS.intersection(words_of(name)))


def says_rate(name: str) -> bool:
    """Whether a value of this name is a learning rate: a curve in a loop, else a param.

    >>> says_rate("lr"), says_rate("test_acc")
    (True, False)
    """
    return not {"lr", "lrs", "rate"}.isdisjoint(words_of(name))


def says_evaluation(name: str) -> bool:
    """Whether a function of this name evaluates rather than trains.

    >>> says_evaluation("evaluate"), says_evaluation("train_epoch")
    (True, False)
    """
    return bool(_EVALUATION_WORDS.intersection(words_of(name)))


def entry_name(base: str, key: str) -> str:
    """The series of `base = {key: value}`.

    >>> entry_name("losses", "val"), entry_name("metrics", "f1"), entry_name("acc", "a")
    ('val_loss', 'f1', 'acc.a')
    """
    if any(_is_metric_word(word) for word in words_of(key)):
        return key
    base = series_name(base) or base
    return f"{key}_{base}" if key.lower() in SPLIT_WORDS else f"{base}.{key}"


def _is_metric_word(word: str) -> bool:
    stem = singular(word)
    return stem in METRIC_WORDS or bool(_GLUED.search(stem))


def _singular_as_written(word: str) -> str:
    stem = singular(word.lower())
    return word if stem == word.lower() else word[:1] + stem[1:]
