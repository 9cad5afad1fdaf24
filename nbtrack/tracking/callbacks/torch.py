"""TorchCallback: per-epoch metrics and checkpoints for plain PyTorch loops.

It keeps sums on the device of the loss and reads them once an epoch, so no batch waits
for it. A failure of ours is warned of once and the training goes on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.capture.module_size import modules_bytes
from nbtrack.errors import MissingExtraError, OptionError
from nbtrack.guard import guard
from nbtrack.metric_names import goal_of, judges
from nbtrack.records import Goal, is_better
from nbtrack.tracking.callbacks.means import Means
from nbtrack.tracking.checkpoint_objects import unwrapped
from nbtrack.tracking.checkpoint_policy import KeepPolicy, parse_keep
from nbtrack.tracking.checkpoints import keep_by, save_checkpoint
from nbtrack.tracking.epochs import epochs
from nbtrack.tracking.known_models import claim_model
from nbtrack.tracking.resume_state import remember
from nbtrack.tracking.run import Run

if TYPE_CHECKING:
    from torch import nn, optim

Keep = Literal["best", "all", "none"]
_SAVING = ("best", "all", "none")  # say when to save; other words say what stays


class TorchCallback:
    """Logs the means of each epoch and saves the model, in a loop that you write.

    Parameters
    ----------
    model : torch.nn.Module, optional
        What is saved; without one nothing is.
    optimizer : torch.optim.Optimizer, optional
        Saved with the model; its learning rate is logged as `lr`.
    scheduler : optional
        Saved with the model.
    checkpoint_every : int
        Look after every so many epochs whether to save.
    keep : "best", "all", "none", or words such as "best,last,top3"
        Save when `monitor` got better, each time, or never. With other words save each
        time, and let only those stay; see `nbtrack.configure`.
    monitor : str, optional
        The metric that judges. Default: the validation loss when there is one, else
        the first metric whose name says whether it should be small or large.
    goal : "min" or "max", optional
        Which direction of `monitor` is better; by default its name says so.
    name : str, optional
        Of the checkpoints; default: the model's class in lower case.
    prefix : str
        Put before the names that `batch_end` gets, so that the means stand beside
        `val_...` in one chart.
    run : Run, optional
        Default: the run that is current when it is first needed.

    Raises
    ------
    OptionError
        For an unknown `keep` or `goal`, or a `monitor` whose direction is unknown.
    MissingExtraError
        Without PyTorch: `pip install "nbtrack[torch]"`.

    Examples
    --------
    >>> import nbtrack, torch
    >>> model = torch.nn.Linear(2, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> x = torch.randn(4, 16, 2)
    >>> with nbtrack.start("linear") as run:
    ...     callback = nbtrack.TorchCallback(model, optimizer)
    ...     for epoch in callback.epochs(3):
    ...         for batch in x:
    ...             loss = model(batch).pow(2).mean()
    ...             optimizer.zero_grad()
    ...             loss.backward()
    ...             optimizer.step()
    ...             callback.batch_end(loss=loss, n=16)
    ...         means = callback.epoch_end(val_loss=model(x).pow(2).mean())
    >>> state = nbtrack.load_checkpoint(run, "best")
    >>> sorted(state)
    ['epoch', 'metrics', 'model', 'optimizer']
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        optimizer: optim.Optimizer | None = None,
        *,
        scheduler: Any = None,  # every scheduler of torch and of others
        checkpoint_every: int = 1,
        keep: Keep | str = "best",
        monitor: str | None = None,
        goal: Goal | None = None,
        name: str | None = None,
        prefix: str = "train_",
        run: Run | None = None,
    ) -> None:
        _check_torch()
        _check_options(keep, goal, monitor, checkpoint_every)
        self._rules = () if keep in _SAVING else parse_keep(keep)
        self.epoch = 0
        self._parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
        self._every = checkpoint_every
        self._keep = keep
        self._monitor, self._goal = monitor, goal
        self._name = name
        self._prefix = prefix
        self._run = run
        self._bound: Run | None = None
        self._means = Means()
        self._n_samples = self._n_tokens = 0  # in the epoch of now
        self._best: float | None = None
        self._metrics: dict[str, float] = {}
        self._unsaved = self._open = False
        self._epoch_began = time.monotonic()
        self._batch_ended = self._epoch_began
        with guard("TorchCallback"):
            self._tell_state(run or _current())

    def batch_end(self, *, n: int = 1, n_tokens: int = 0, **values: Any) -> None:
        """Take the values of a batch of `n` samples into the means of the epoch.

        Where `n` or `n_tokens` is given, `epoch_end` logs `perf/samples_per_s` and
        `perf/tokens_per_s` beside `perf/it_per_s`. Tensors stay on their device and are
        not waited for; a tensor of several elements counts with its mean.

        Raises
        ------
        RunStopped
            After Stop was pressed, outside a loop over `epochs`.
        """
        run = self._bind()
        self._open = self._unsaved = True
        with guard("TorchCallback"):
            self._means.add(values, n)
            self._n_samples += n
            self._n_tokens += n_tokens
            self._batch_ended = time.monotonic()
        if run is not None and run.stop.requested:
            run.check_stop()

    def epoch_end(self, **values: Any) -> dict[str, float]:
        """Log the means and `values`, save by policy, and begin the next epoch.

        Returns
        -------
        dict
            What was logged, by name.
        """
        run = self._bind()
        metrics: dict[str, float] = {}
        with guard("TorchCallback"):
            metrics = self._epoch_metrics(values)
        epoch, self.epoch = self.epoch, self.epoch + 1
        self._metrics, self._open = metrics, False
        self._means, self._n_samples, self._n_tokens = Means(), 0, 0
        if run is not None:
            run.set_axis("epoch", epoch)
            run.log(metrics, step=epoch)
            with guard("TorchCallback"):
                if self._is_due(epoch) and self._is_worth_keeping(metrics):
                    self._save(run, epoch)
        self._epoch_began = self._batch_ended = time.monotonic()
        return metrics

    def epochs(self, n: int, *, resume: bool = False) -> Iterator[int]:
        """Loop as `nbtrack.epochs` does; ends an epoch that the body did not end.

        With `resume=True` a resumed run goes on behind its last epoch, with the model,
        the optimizer and the scheduler as they were then.
        """
        for epoch in epochs(n, run=self._run, resume=resume):
            self.epoch, self._open = epoch, True
            self._epoch_began = self._batch_ended = time.monotonic()
            yield epoch
            if self._open:
                self.epoch_end()

    def save(self) -> None:
        """Save a checkpoint now, unless the last one holds this very state."""
        run = self._bind()
        if run is not None and self._unsaved:
            with guard("TorchCallback"):
                self._save(run, max(0, self.epoch if self._open else self.epoch - 1))

    def state_dict(self) -> dict[str, Any]:
        """What the callback itself has to remember when its run is resumed."""
        return {"epoch": self.epoch, "best": self._best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.epoch, self._best = state["epoch"], state["best"]

    def __enter__(self) -> TorchCallback:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is None and self._open and self._means:
            self.epoch_end()

    def _bind(self) -> Run | None:
        """The run, and from its first use a checkpoint when Stop ends it."""
        run = self._run or _current()
        if run is None:
            guard.warn_once(
                "TorchCallback without a run",
                "TorchCallback was used without a run: nothing is recorded. Put "
                "%%track on the cell or use `with nbtrack.start():`.",
            )
        elif run is not self._bound:
            self._bound = run
            if self._parts["model"] is not None and self._keep != "none":
                run.stop.before_stop.append(self.save)
                with guard("TorchCallback"):
                    self._take_over(run)
        return run

    def _take_over(self, run: Run) -> None:
        """Nobody else saves the model; of what is saved of it, the rules' stays."""
        model = unwrapped(self._parts["model"])
        claim_model(run, model)
        claim_model(run, self._parts["model"])
        if not self._rules or not run.is_recorded:
            return
        if self._monitor is not None and self._goal is not None:
            run.set_goal(self._monitor, self._goal)
        rules = (
            replace(rule, metric=rule.metric or self._monitor)
            if rule.kind in ("best", "top")
            else rule
            for rule in self._rules
        )
        keep_by(run, self._name_of(model), KeepPolicy(tuple(rules)))

    def _name_of(self, model: Any) -> str:
        return self._name or type(model).__name__.lower()

    def _tell_state(self, run: Run | None) -> None:
        """Let `epochs(resume=True)` know of the model without being given it."""
        if run is not None:
            parts = {k: unwrapped(v) for k, v in self._parts.items() if v is not None}
            remember(run, {**parts, "callback": self})

    def _epoch_metrics(self, values: Mapping[str, Any]) -> dict[str, float]:
        means = self._means.read()
        metrics = {self._prefixed(name): value for name, value in means.items()}
        metrics |= {name: _number(value) for name, value in values.items()}
        optimizer = self._parts["optimizer"]
        if optimizer is not None:
            metrics["lr"] = float(optimizer.param_groups[0]["lr"])
        return metrics | self._speed()

    def _speed(self) -> dict[str, float]:
        seconds, n_batches = (
            self._batch_ended - self._epoch_began,
            self._means.n_batches,
        )
        if not n_batches or seconds <= 0:
            return {}
        speed = {"perf/it_per_s": n_batches / seconds}
        if self._n_samples != n_batches:  # else nobody said how many there are
            speed["perf/samples_per_s"] = self._n_samples / seconds
        if self._n_tokens:
            speed["perf/tokens_per_s"] = self._n_tokens / seconds
        return speed

    def _prefixed(self, name: str) -> str:
        return name if name.startswith(self._prefix) else self._prefix + name

    def _is_due(self, epoch: int) -> bool:
        if self._parts["model"] is None or self._keep == "none":
            return False
        self._unsaved = True
        return (epoch + 1) % self._every == 0

    def _is_worth_keeping(self, metrics: Mapping[str, float]) -> bool:
        if self._keep != "best":
            return True
        monitor = self._monitor or _judge(metrics)
        if monitor is None or monitor not in metrics:
            guard.warn_once(
                f"monitor {monitor}",
                f"TorchCallback: there is no metric {monitor!r} to judge by, so every "
                f"epoch is saved. There are: {', '.join(metrics) or 'none'}.",
            )
            return True
        value, goal = metrics[monitor], self._goal or goal_of(monitor) or "min"
        better = self._best is None or is_better(value, self._best, goal)
        if better:
            self._best = value
        return better

    def _save(self, run: Run, epoch: int) -> None:
        model = self._parts["model"]
        state: dict[str, Any] = {
            part: unwrapped(what).state_dict()
            for part, what in self._parts.items()
            if what is not None
        }
        state |= {"epoch": epoch, "metrics": dict(self._metrics)}
        name = self._name_of(unwrapped(model))
        metrics = {**run.latest_metrics(), **self._metrics}
        save_checkpoint(run, state, name=name, step=epoch, metrics=metrics)
        run.log_measured(model_bytes=modules_bytes([model]))
        self._unsaved = False


def _check_torch() -> None:
    from importlib.util import find_spec

    if sys.modules.get("torch") is not None or find_spec("torch") is not None:
        return
    raise MissingExtraError(
        "TorchCallback needs PyTorch, which is not installed here. "
        'Install it with: pip install "nbtrack[torch]"'
    )


def _check_options(
    keep: str, goal: str | None, monitor: str | None, checkpoint_every: int
) -> None:
    if keep not in _SAVING:
        try:
            parse_keep(keep)
        except OptionError as exc:
            raise OptionError(f"{exc} Or 'none'.") from exc
    if goal not in (None, "min", "max"):
        raise OptionError(f"goal={goal!r} is unknown. Use 'min' or 'max'.")
    if checkpoint_every < 1:
        raise OptionError(f"checkpoint_every={checkpoint_every} is less than 1.")
    if monitor is not None and goal is None and goal_of(monitor) is None:
        raise OptionError(
            f"monitor={monitor!r}: its name does not say whether it should be small or "
            "large. Add goal='min' or goal='max'."
        )


def _judge(metrics: Mapping[str, float]) -> str | None:
    return next(iter(judges(metrics)), None)


def _number(value: Any) -> Any:
    """A tensor as a float; other numbers as they are, `Run.log` knows them."""
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def _current() -> Run | None:
    from nbtrack.tracking.session import process_session

    return process_session().current
