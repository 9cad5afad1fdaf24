"""`nbtrack.watch(model)`: how gradients and weights are spread, now and then.

Every k-th backward pass the gradients and weights of each layer are counted into 64
bins on their own device, and the norm of all gradients becomes the metric `grad_norm`.
In between two parameters have a hook, the first and the last that a pass came to: a
pass that reaches neither is not counted. The counts leave the device once a look, and
are waited for in the background. The hooks go when the run ends.

Gradients are seen as a backward pass left them: scaled where a GradScaler is used, and
summed up where they are accumulated. Of tensors with more than 65,536 entries an even
share is counted; norms are always of all. Nothing here changes a tensor.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.records import MediaRecord
from nbtrack.tracking.media.content import kind_of
from nbtrack.tracking.media.histograms import N_BINS, histogram_data

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nbtrack.tracking.run import Run

FEATURE = "watching models"
ENTRIES_MAX = 2**16  # of one tensor; of more a share, within 3 % a bin, 0.3 ms each
NORM = "grad_norm"
_KINDS = ("gradients", "weights")
_WIDE = 1e30  # beyond, widths of bins overflow in 32 bits

_watches: WeakKeyDictionary[Run, dict[int, ModelWatch]] = WeakKeyDictionary()


def watch(
    model: nn.Module,
    every: int = 100,
    *,
    gradients: bool = True,
    weights: bool = True,
    run: Run | None = None,
) -> None:
    """Keep histograms of a model's gradients and weights at every k-th backward pass.

    Parameters
    ----------
    model : torch.nn.Module
        Also compiled, partly frozen, or with shared parameters.
    every : int
        In backward passes, the first one included.
    gradients, weights : bool
        Which of them.
    run : Run, optional
        Default: the current run. It ends with the run.

    Raises
    ------
    OptionError
        When `model` is no module of torch, or `every` is below 1.

    Examples
    --------
    >>> import nbtrack, torch
    >>> model = torch.nn.Linear(4, 2)
    >>> with nbtrack.start() as run:
    ...     nbtrack.watch(model, every=1)
    ...     model(torch.ones(3, 4)).sum().backward()
    >>> [value.name for value in nbtrack.media(run)]
    ['gradients/bias', 'gradients/weight', 'weights/bias', 'weights/weight']
    """
    if not isinstance(every, int) or every < 1:
        raise OptionError(f"every={every!r}: give a number of backward passes, from 1.")
    if not _is_module(model):
        raise OptionError(f"watch() takes a torch.nn.Module, not {kind_of(model)}.")
    run = run or _current()
    if run is None:
        guard.warn_once(
            "watch without a run",
            "nbtrack.watch() was called without a run: nothing is watched. Put %%track "
            "on the cell or use `with nbtrack.start():`.",
        )
        return
    with guard(FEATURE):
        watched = ModelWatch(model, run, every, gradients=gradients, weights=weights)
        watched.begin()
    from nbtrack.tracking.known_models import remember_model

    remember_model(run, model)


def unwatch(run: Run, model: nn.Module | None = None) -> None:
    """End the watch of a model before the run ends; of all of them without one.

    Examples
    --------
    >>> import nbtrack, torch
    >>> model = torch.nn.Linear(4, 2)
    >>> with nbtrack.start() as run:
    ...     nbtrack.watch(model, every=1)
    ...     unwatch(run, model)
    ...     model(torch.ones(3, 4)).sum().backward()
    >>> nbtrack.media(run)
    []
    """
    watched = _watched(run)
    for found in list(watched) if model is None else [id(model)]:
        if found in watched:
            watched.pop(found).end()


class ModelWatch:
    """The hooks on one model for one run; `begin` and `end`."""

    def __init__(
        self, model: nn.Module, run: Run, every: int, *, gradients: bool, weights: bool
    ) -> None:
        self._model = model
        self._run = run
        self._every = every
        self._gradients = gradients
        self._weights = weights
        self._handles: dict[int, Any] = {}
        self._reached: list[int] = []  # in this pass, while every parameter is hooked
        self._pass = -1  # the engine's number of the backward pass that was seen last
        self._n_passes = 0
        self._number_of_pass = _pass_counter()

    def begin(self) -> None:
        """Hook every parameter that is trained; another watch of this model ends."""
        before = _watched(self._run).pop(id(self._model), None)
        if before is not None:
            before.end()
            self._n_passes = before._n_passes  # steps go on, they do not come again
        else:
            self._n_passes = self._passes_before()
        _watched(self._run)[id(self._model)] = self
        self._hook(None)
        self._run.when_media_end(self.end)
        if not self._handles:
            guard.warn_once(
                f"nothing to watch {self._run.id}",
                "nbtrack.watch(): no parameter of the model is trained "
                "(requires_grad), so nothing is watched so far.",
            )

    def end(self) -> None:
        """Leave the model as it was."""
        while self._handles:
            self._handles.popitem()[1].remove()

    def _passes_before(self) -> int:
        """How far a resumed run had come; it goes on with a look."""
        steps = [self._run.last_media_step(f"{kind}/") for kind in _KINDS]
        last = max((step for step in steps if step is not None), default=None)
        return 0 if last is None else last + self._every

    # -- in the training's thread, or the engine's

    def _hook(self, chosen: Collection[int] | None) -> None:
        """Hook these parameters, or all that are trained; let go of the others."""
        for parameter in self._model.parameters():
            is_wanted = parameter.requires_grad and (
                chosen is None or id(parameter) in chosen
            )
            if is_wanted and id(parameter) not in self._handles:
                self._handles[id(parameter)] = (
                    parameter.register_post_accumulate_grad_hook(self._on_gradient)
                )
            elif not is_wanted and id(parameter) in self._handles:
                self._handles.pop(id(parameter)).remove()

    def _on_gradient(self, parameter: torch.Tensor) -> None:
        """A parameter has its gradient; the first of a pass counts it."""
        now = self._number_of_pass()
        if now != self._pass:
            self._pass = now
            self._begin_pass()
        self._reached.append(id(parameter))

    def _begin_pass(self) -> None:
        import torch

        step, self._n_passes = self._n_passes, self._n_passes + 1
        self._reached = []
        if step % self._every == 0:
            torch.autograd.Variable._execution_engine.queue_callback(
                lambda: self._after_backward(step)
            )
        elif (step + 1) % self._every == 0:  # the next pass will be looked at
            with guard(FEATURE):
                self._hook(None)

    def _after_backward(self, step: int) -> None:
        """The pass is done: all gradients are there."""
        if self._run.status != "running" or guard.is_off(FEATURE):
            self.end()
            return
        with guard(FEATURE):
            self._look(step)
            if self._every > 2:  # else there is hardly a pass in between
                self._hook({self._reached[0], self._reached[-1]})

    def _look(self, step: int) -> None:
        import torch

        run, at, axes = self._run, time.time(), self._run.axes_now
        with torch.no_grad():
            spreads = [_spread(name, tensor) for name, tensor in self._tensors()]
        collect = _collected(spreads)

        def records() -> Iterator[MediaRecord]:
            told = collect()
            squares = [
                data["norm"] ** 2 for name, data in told if name.startswith("grad")
            ]
            if squares:
                run.point(run.declare(NORM), step, math.sqrt(sum(squares)), at)
            for name, data in told:
                data = {**data, "axes": axes} if axes else data
                yield MediaRecord(name, "histogram", step, at, data=data)

        run.keep_records(records, kind="histogram", size_bytes=0)

    def _tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """What there is to look at, shared parameters once."""
        named = list(_unwrapped(self._model).named_parameters())
        if self._gradients:
            for name, parameter in named:
                if parameter.grad is not None:
                    yield f"gradients/{name}", parameter.grad
        if self._weights:
            for name, parameter in named:
                yield f"weights/{name}", parameter


# ---- how a tensor is spread


@dataclass(frozen=True, slots=True)
class _Spread:
    """Counts of one tensor: numbers already, or a row that a device still computes."""

    name: str
    n: int
    n_counted: int
    is_sparse: bool
    norm: float | torch.Tensor
    row: list[float] | torch.Tensor  # counts, lowest, highest, NaN, infinite

    def data(self, row: list[float], norm: float) -> dict[str, Any]:
        """What is kept of it."""
        low, high, n_nan, n_inf = row[N_BINS:]
        if low > high:  # no finite number in it
            low = high = 0.0
        if low == high:
            low, high = low - 0.5, high + 0.5
        data = histogram_data(
            [int(count) for count in row[:N_BINS]], low, high, n=self.n,
            n_nan=int(n_nan), n_inf=int(n_inf), sparse=self.is_sparse,
            sampled=self.n_counted if self.n_counted < self.n else None,
        )  # fmt: skip
        return data | {"norm": norm}


def _spread(name: str, tensor: torch.Tensor) -> _Spread:
    """Look at one tensor where it is."""
    import torch

    if hasattr(tensor, "to_local"):  # sharded: a collective call would wait for others
        tensor = tensor.to_local()
    is_sparse = tensor.layout != torch.strided
    values = tensor.detach()
    if is_sparse:
        values = values.coalesce() if values.layout == torch.sparse_coo else values
        values = values.values()  # the entries that are stored
    on_cpu = values.device.type == "cpu"
    norm = _norm(values)
    sample = _sampled(values)
    row = _row_on_cpu(sample) if on_cpu else _row_on_device(sample)
    return _Spread(
        name, tensor.numel() if not is_sparse else values.numel(), sample.numel(),
        is_sparse, float(norm) if on_cpu else norm, row,
    )  # fmt: skip


def _norm(values: torch.Tensor) -> torch.Tensor:
    import torch

    if values.is_complex() or values.is_floating_point():
        return torch.linalg.vector_norm(values, dtype=_wide_type(values))
    return torch.linalg.vector_norm(values.float())


def _wide_type(values: torch.Tensor) -> torch.dtype | None:
    """16 bits overflow in a sum of squares."""
    import torch

    return torch.float32 if values.dtype in (torch.float16, torch.bfloat16) else None


def _sampled(values: torch.Tensor) -> torch.Tensor:
    """At most so many entries, evenly spread, flat and in 32 bits."""
    flat = values.reshape(-1)
    if flat.is_complex():
        flat = flat.abs()
    every = -(-flat.numel() // ENTRIES_MAX)
    while every > 1 and math.gcd(every, flat.numel()) > 1:
        every += 1  # else a stride may meet the same column of every row
    return flat[::every].float()


def _row_on_cpu(values: torch.Tensor) -> list[float]:
    import torch

    n_nan = n_inf = 0
    if not values.numel():
        return [0.0] * N_BINS + [1.0, 0.0, 0.0, 0.0]
    low, high = (float(end) for end in torch.aminmax(values))
    if not (math.isfinite(low) and math.isfinite(high)):
        n_nan, n = int(torch.isnan(values).sum()), values.numel()
        values = values[torch.isfinite(values)]
        n_inf = n - n_nan - values.numel()
        if not values.numel():
            return [0.0] * N_BINS + [1.0, 0.0, float(n_nan), float(n_inf)]
        low, high = (float(end) for end in torch.aminmax(values))
    if max(-low, high) > _WIDE:
        values = values.double()
    start, width = (low, high - low) if low < high else (low - 0.5, 1.0)
    places = ((values - start) * (N_BINS / width)).long().clamp_(0, N_BINS - 1)
    # torch.histc takes four times as long.
    counts: list[float] = torch.bincount(places, minlength=N_BINS).tolist()
    return [*counts, low, high, float(n_nan), float(n_inf)]


def _row_on_device(values: torch.Tensor) -> torch.Tensor:
    """The same without a look at any number, which would wait for the device."""
    import torch

    if not values.numel():
        return torch.tensor([0.0] * N_BINS + [1.0, 0.0, 0.0, 0.0], device=values.device)
    finite = torch.isfinite(values)
    low = torch.where(finite, values, math.inf).amin()
    high = torch.where(finite, values, -math.inf).amax()
    width = torch.where(high > low, high - low, torch.ones_like(low))
    middle = torch.where(high > low, 0.0, 0.5)  # one value only: the bin in the middle
    places = ((values - low) / width + middle) * N_BINS
    places = torch.where(finite, places, 0.0).clamp(0, N_BINS - 1).long()
    counts = torch.zeros(N_BINS, device=values.device)
    counts.scatter_add_(0, places, finite.float())
    n_nan = torch.isnan(values).sum().float()
    n_inf = torch.isinf(values).sum().float()
    return torch.cat([counts, torch.stack([low, high, n_nan, n_inf])])


def _collected(
    spreads: list[_Spread],
) -> Callable[[], list[tuple[str, dict[str, Any]]]]:
    """One transfer a device for all rows that are not numbers yet; read later."""
    import torch

    by_device: dict[Any, list[_Spread]] = {}
    for spread in spreads:
        if isinstance(spread.row, torch.Tensor):
            by_device.setdefault(spread.row.device, []).append(spread)
    sheets = [_Sheet(device, waiting) for device, waiting in by_device.items()]

    def collect() -> list[tuple[str, dict[str, Any]]]:
        read = {name: row for sheet in sheets for name, row in sheet.read()}
        return [
            (one.name, one.data(row[:-1], row[-1]))
            for one in spreads
            for row in [read.get(one.name) or [*one.row, float(one.norm)]]
        ]

    return collect


class _Sheet:
    """The rows of one device, ready when the device says so."""

    def __init__(self, device: Any, spreads: list[_Spread]) -> None:
        import torch

        self._names = [spread.name for spread in spreads]
        rows = [
            torch.cat([torch.as_tensor(s.row), torch.as_tensor(s.norm).reshape(1)])
            for s in spreads
        ]
        self._rows = torch.stack(rows)
        self._done = None
        if device.type == "cuda":
            self._done = torch.cuda.Event()
            self._done.record(torch.cuda.current_stream(device))

    def read(self) -> list[tuple[str, list[float]]]:
        """Wait for the device, then fetch all rows at once."""
        if self._done is not None:
            self._done.synchronize()
        return list(zip(self._names, self._rows.cpu().tolist(), strict=True))


# ---- around


def _pass_counter() -> Callable[[], int]:
    """Which backward pass is under way, by the engine's own numbers."""
    import torch

    number: Callable[[], int] = torch._C._current_graph_task_id
    return number


def _is_module(model: object) -> bool:
    import sys

    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def _unwrapped(model: nn.Module) -> Any:
    from nbtrack.tracking.checkpoint_objects import unwrapped

    return unwrapped(model)


def _current() -> Run | None:
    from nbtrack.tracking.session import process_session

    return process_session().current


def _watched(run: Run) -> dict[int, ModelWatch]:
    """The models that a run watches."""
    return _watches.setdefault(run, {})
