"""What known objects tell about themselves: class, hyper-parameters, sizes.

Optimizers, modules, losses, schedulers, loaders and data sets of torch; estimators and
splitters of scikit-learn and of libraries that follow it. They are told by the names of
their base classes, so nothing is imported here. Reading may raise anything: callers
stand at the border (`guard.tolerated`), each part of a description on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nbtrack.capture.accumulators import is_tracked_name
from nbtrack.capture.values import (
    Leaf,
    NotRecordedError,
    Tell,
    as_mapping,
    encode,
    flatten_one,
    key_text,
)
from nbtrack.guard import tolerated

MAX_LAYERS = 32  # lines of a layer list; more are counted in one line
_HOW_NOT_WHAT = frozenset(
    {
        "foreach",
        "maximize",
        "capturable",
        "differentiable",
        "fused",
        "decoupled_weight_decay",
    }
)
_SCHEDULER_STATE = frozenset(
    {
        "last_epoch",
        "verbose",
        "best",
        "num_bad_epochs",
        "cooldown_counter",
        "mode_worse",
    }
    | {"last_lr", "T_cur", "total_steps_done"}
)
_LIKE_SKLEARN = frozenset({"sklearn", "xgboost", "lightgbm", "catboost", "imblearn"})
Described = Iterator[Leaf]
Any_ = Any  # an object of a library that is not imported here


def is_describable(value: object) -> bool:
    """Whether `describe` has something to say about a value.

    >>> is_describable(3)
    False
    """
    return not isinstance(value, type) and _describer(type(value)) is not None


def is_described_class(kind: object) -> bool:
    """Whether the instances of a class are describable.

    >>> is_described_class(int)
    False
    """
    return isinstance(kind, type) and _describer(kind) is not None


def own_settings(value: object, name: str) -> list[Leaf]:
    """Class and settings of an object whose class the notebook defines.

    Numbers, texts and config objects among its attributes; counts, results and what
    starts with an underscore are left out.

    >>> class Trainer:
    ...     def __init__(self):
    ...         self.lr, self.best_loss, self.data = 0.1, 0.5, object()
    >>> own_settings(Trainer(), "trainer")
    [('trainer', 'Trainer'), ('trainer.lr', 0.1)]
    """
    leaves: list[Leaf] = []
    for key, told in vars(value).items():
        if key.startswith("_") or is_tracked_name(key):
            continue
        config = as_mapping(told) is not None and not isinstance(told, dict)
        if _is_number_or_text(told) or config:
            leaves.extend(flatten_one(f"{name}.{key_text(key)}", told))
    return [(name, type(value).__name__), *leaves] if leaves else []


def describe(value: object, *, name: str, tell: Tell) -> list[Leaf]:
    """The class of an object under `name`, and what defines it under `name.…`.

    >>> describe(3, name="n", tell=print)
    []
    """
    describer = _describer(type(value))
    if describer is None:
        return []
    value = _unwrapped(value)
    leaves: list[Leaf] = [(name, type(value).__name__)]
    with tolerated(lambda exc: tell(_not_described(name, exc))):
        for part, told in describer(value, tell, name):
            leaves.extend(_leaves(f"{name}.{part}", told, tell))
    return leaves


def _leaves(name: str, told: object, tell: Tell) -> list[Leaf]:
    """Parts that cannot be kept are left out in silence: nobody wrote them down."""
    if as_mapping(told) is not None:
        return flatten_one(name, told, tell=tell)
    try:
        return [(name, encode(told, tell, name=name))]
    except NotRecordedError:
        return []


def _not_described(name: str, exc: Exception) -> str:
    return f"{name} not described ({type(exc).__name__}: {exc})"[:200]


def _describer(kind: type) -> Callable[[Any_, Tell, str], Described] | None:
    for base in kind.__mro__:
        found = _BY_BASE.get((base.__module__, base.__name__))
        if found is not None:
            return found
        if base.__module__.partition(".")[0] in _LIKE_SKLEARN and callable(
            getattr(kind, "get_params", None)
        ):
            return _estimator
        if base.__module__ == "sklearn.model_selection._split":
            return _splitter
    return None


def _unwrapped(value: Any_) -> Any_:
    """The module inside DataParallel, DDP and torch.compile."""
    for _ in range(4):
        kind = type(value).__name__
        if kind == "OptimizedModule":
            value = value._orig_mod
        elif kind in (
            "DataParallel",
            "DistributedDataParallel",
            "FullyShardedDataParallel",
        ):
            value = value.module
        else:
            break
    return value


# ---- torch


def _optimizer(value: Any_, tell: Tell, name: str) -> Described:
    # `defaults` are what it was made with; a scheduler moves `param_groups` only.
    for key, told in value.defaults.items():
        if (key not in _HOW_NOT_WHAT or told) and told is not None:
            yield key_text(key), _plain(told)
    groups = value.param_groups
    if len(groups) > 1:
        yield "groups", len(groups)
        for index, group in enumerate(groups):
            yield from _group(index, group, value.defaults)


def _group(index: int, group: Any_, defaults: Any_) -> Described:
    for key in defaults:
        own = (
            group.get("initial_lr", group.get("lr")) if key == "lr" else group.get(key)
        )
        if own is not None and _plain(own) != _plain(defaults[key]):
            yield f"group{index}.{key_text(key)}", _plain(own)


def _module(value: Any_, tell: Tell, name: str) -> Described:
    if type(value).__module__ == "torch.nn.modules.loss":
        yield from _loss(value, tell, name)
        return
    sizes = [(p.numel(), p.requires_grad) for p in value.parameters()]
    yield "parameters", sum(n for n, _ in sizes)
    yield "trainable", sum(n for n, trained in sizes if trained)
    layers = _layers(value)
    if layers:
        yield "layers", layers
    yield from _own_settings(value)


def _layers(value: Any_) -> list[str]:
    """The modules that hold no others, as torch prints them."""
    leaves = [module for module in value.modules() if not module._modules]
    if leaves == [value]:
        return []
    shown = [f"{type(m).__name__}({m.extra_repr()})" for m in leaves[:MAX_LAYERS]]
    n_more = len(leaves) - len(shown)
    return [*shown, f"… {n_more} more"] if n_more else shown


def _own_settings(value: Any_) -> Described:
    """Numbers and texts that a module of the user's keeps as attributes."""
    if type(value).__module__.startswith("torch."):
        return
    for key, told in vars(value).items():
        if not key.startswith("_") and key != "training" and _is_number_or_text(told):
            yield key, told


def _loss(value: Any_, tell: Tell, name: str) -> Described:
    constants = getattr(value, "__constants__", ())
    own = [key for key in vars(value) if not key.startswith("_") and key != "training"]
    for key in dict.fromkeys((*constants, *own)):
        told = getattr(value, key, None)
        if _is_number_or_text(told):
            yield key, told


def _scheduler(value: Any_, tell: Tell, name: str) -> Described:
    for key, told in vars(value).items():
        if key.startswith("_") or key in _SCHEDULER_STATE:
            continue
        if type(told).__name__ == "Counter":  # the milestones of MultiStepLR
            told = sorted(told.elements())
        if _is_number_or_text(told) or _is_short_list(told):
            yield key, told


def _loader(value: Any_, tell: Tell, name: str) -> Described:
    if value.batch_size is not None:
        yield "batch_size", value.batch_size
    yield from _length("batches", value, tell, name)
    yield "shuffle", type(value.sampler).__name__ == "RandomSampler"
    yield "drop_last", value.drop_last
    yield "num_workers", value.num_workers
    yield "dataset", type(value.dataset).__name__
    yield from _length("samples", value.dataset, tell, f"{name}.dataset")


def _dataset(value: Any_, tell: Tell, name: str) -> Described:
    yield from _length("samples", value, tell, name)
    if type(value).__name__ == "Subset":
        yield "dataset", type(value.dataset).__name__
    yield from (leaf for leaf in _own_settings(value) if not _is_state(leaf[0]))


def _is_state(key: str) -> bool:
    return key in ("index", "pos", "position")


def _length(key: str, value: Any_, tell: Tell, name: str) -> Described:
    if not hasattr(type(value), "__len__") or _is_iterable_only(value):
        return
    lengths: list[int] = []
    with tolerated(lambda exc: tell(_not_described(name, exc))):
        lengths.append(len(value))
    for length in lengths:
        yield key, length


def _is_iterable_only(value: Any_) -> bool:
    """A loader of a stream has `__len__` and raises; that is no news."""
    inner = getattr(value, "dataset", value)
    return any(base.__name__ == "IterableDataset" for base in type(inner).__mro__)


# ---- scikit-learn


def _estimator(value: Any_, tell: Tell, name: str) -> Described:
    for key, told in sorted(value.get_params(deep=True).items()):
        path = ".".join(key_text(part) for part in key.split("__"))
        if key == "steps" or (isinstance(told, list) and _are_named(told)):
            yield path, [item[0] for item in told]
        elif hasattr(told, "get_params") and not isinstance(told, type):
            yield path, type(told).__name__
        else:
            yield path, _function_name(told)


def _are_named(told: list[Any]) -> bool:
    return bool(told) and all(
        isinstance(item, tuple) and len(item) > 1 and isinstance(item[0], str)
        for item in told
    )


def _function_name(told: Any_) -> Any_:
    return getattr(told, "__name__", told) if callable(told) else told


def _splitter(value: Any_, tell: Tell, name: str) -> Described:
    for key, told in vars(value).items():
        if not key.startswith("_") and _is_number_or_text(told):
            yield key, told


# ---- values


def _plain(value: Any_) -> Any_:
    """A learning rate may be a 0-d tensor."""
    return (
        value.item()
        if hasattr(value, "item") and not isinstance(value, float)
        else value
    )


def _is_number_or_text(value: object) -> bool:
    return isinstance(value, bool | int | float | str)


def _is_short_list(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and 0 < len(value) <= MAX_LAYERS
        and all(_is_number_or_text(item) for item in value)
    )


_BY_BASE: dict[tuple[str, str], Callable[[Any_, Tell, str], Described]] = {
    ("torch.optim.optimizer", "Optimizer"): _optimizer,
    ("torch.nn.modules.module", "Module"): _module,
    ("torch.optim.lr_scheduler", "LRScheduler"): _scheduler,
    ("torch.optim.lr_scheduler", "ReduceLROnPlateau"): _scheduler,
    ("torch.utils.data.dataloader", "DataLoader"): _loader,
    ("torch.utils.data.dataset", "Dataset"): _dataset,
    ("sklearn.base", "BaseEstimator"): _estimator,
}
