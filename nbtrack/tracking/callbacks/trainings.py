"""One training of a framework, as its callback tells it to a run.

Steps and epochs are the framework's own. When a second training of the same run begins
at 0 again they go on where the first one ended, so that no point is covered. What is
logged here never raises Stop into the framework: it is asked to end by its own means,
and a second press on Stop ends it at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbtrack.records import Param
from nbtrack.tracking.callbacks.fits import MAX_DESCRIBED, softly
from nbtrack.tracking.callbacks.pace import PERF, Pace

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

EPOCH = "epoch"
MAX_LISTED = 16  # entries of one setting; more are a vocabulary, no setting


@dataclass(slots=True)
class _Reached:
    """How far the trainings of one framework came in a run."""

    step: int = 0
    epoch: float = 0


# What was told of each object of a run's trainings.
_settings: WeakKeyDictionary[Run, dict[str, list[Mapping[str, Any]]]] = (
    WeakKeyDictionary()
)
_reached: WeakKeyDictionary[Run, dict[str, _Reached]] = WeakKeyDictionary()


class Training:
    """What the callbacks of all frameworks do alike.

    Parameters
    ----------
    run : Run
        Where the training is recorded.
    framework : str
        Trainings of one framework continue one another's steps.
    soft : bool
        Whether the framework can be asked to end; not where other processes of the same
        training would wait for this one.
    """

    def __init__(self, run: Run, *, framework: str, soft: bool = True) -> None:
        self.run = run
        self.pace = Pace()
        self.is_open = True
        self._soft = soft
        self._reached = _reached.setdefault(run, {}).setdefault(framework, _Reached())
        self._step_offset = self._reached.step
        self._epoch_offset = self._reached.epoch

    def starts_at(self, step: int, epoch: float) -> None:
        """The framework's own counters before the first batch."""
        self._step_offset = max(0, self._reached.step - step)
        self._epoch_offset = max(0, self._reached.epoch - epoch)

    def set_epoch(self, epoch: float) -> None:
        """What is logged from now on belongs to this epoch of the framework."""
        self.run.set_axis(EPOCH, self._epoch_offset + epoch)

    def log(self, values: Mapping[str, Any], *, step: int) -> None:
        """Keep values at a step of the framework."""
        if values:
            with softly(self.run) if self._soft else nullcontext():
                self.run.log(values, step=self._step_offset + step)

    def should_stop(self) -> bool:
        """Whether Stop was pressed, and the framework shall end the training."""
        stop = self.run.stop
        if not stop.requested or self.run.status != "running":
            return False
        if not self._soft:
            self.run.check_stop()
            return False
        stop.honour()
        return True

    def keep(
        self, path: Path, *, name: str, metrics: Mapping[str, float], step: int
    ) -> None:
        """Keep a model file that the framework has just written."""
        from nbtrack.tracking.callbacks.framework_files import keep_file

        latest = self.run.latest_step()
        at = self._step_offset + step if latest is None else latest
        known = {**self.run.latest_metrics(), **metrics}
        judging = {k: v for k, v in known.items() if not k.startswith(PERF)}
        keep_file(self.run, path, name=name, step=at, metrics=judging)
        self.pace.mark()

    def reach(self, step: int, epoch: float) -> None:
        """So far the framework's counters have come."""
        reached = self._reached
        reached.step = max(reached.step, self._step_offset + step)
        reached.epoch = max(reached.epoch, self._epoch_offset + epoch)

    def end(self) -> None:
        """The training is over, for whatever reason; harmless when said twice."""
        if self.is_open:
            self.is_open = False
            self.run.drop_axis(EPOCH)


def log_settings(
    run: Run, base: str, settings: Mapping[str, Any], *, kind: str | None = None
) -> None:
    """Keep the class and settings of an object; long lists among them are left out."""
    from nbtrack.capture.values import flatten

    kept = {key: value for key, value in settings.items() if _is_setting(value)}
    leaves = flatten(kept, tell=lambda _: None)
    _log_as(run, base, {"": kind, **leaves} if kind else leaves)


def log_objects(run: Run, objects: Mapping[str, Any]) -> None:
    """Keep what optimizers, schedulers and loaders tell of themselves, by name."""
    for base, told in objects.items():
        _log_as(run, base, _told_by(told))


def log_torch_model(run: Run, model: Any, *, leave_out: frozenset[str]) -> None:
    """Keep class, layers, sizes and own settings of a torch module."""
    leaves = _told_by(model)
    _log_as(run, "model", {k: v for k, v in leaves.items() if k not in leave_out})
    tensors = [*model.parameters(), *model.buffers()]
    run.log_measured(
        model_bytes=sum(each.numel() * each.element_size() for each in tensors)
    )


def _told_by(described: Any) -> dict[str, Any]:
    """The class under an empty name, and what defines the object under its names."""
    from nbtrack.capture.objects import describe

    leaves = describe(described, name="it", tell=lambda _: None)
    return {name.removeprefix("it").removeprefix("."): value for name, value in leaves}


def _log_as(run: Run, base: str, leaves: Mapping[str, Any]) -> None:
    """Under `base`; a later training that was set otherwise under `base-2`, ..."""
    from nbtrack.redact import redact_param

    told = _settings.setdefault(run, {}).setdefault(base, [])
    if not leaves or leaves in told or len(told) >= MAX_DESCRIBED:
        return
    told.append(leaves)
    name = base if len(told) == 1 else f"{base}-{len(told)}"
    params = []
    for key, value in leaves.items():
        full = f"{name}.{key}" if key else name
        params.append(Param(full, redact_param(full, value)[0], "object"))
    run.log_params(params)


def _is_setting(value: Any) -> bool:
    if value is None or callable(value):
        return False
    sized = isinstance(value, list | tuple | set | dict)
    return not (sized and len(value) > MAX_LISTED)


def rank() -> int:
    """The rank of this process in torch.distributed; 0 where that is not in use."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available():
        return 0
    return int(distributed.get_rank()) if distributed.is_initialized() else 0
