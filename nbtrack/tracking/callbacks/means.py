"""Means over the samples of an epoch, summed where the values are.

A tensor's sum stays on its device: adding to it never waits for the device, and only
`read` does, once an epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Means:
    """Sums of values times samples, by name. False while nothing was added."""

    def __init__(self) -> None:
        self.n_batches = 0
        self._sums: dict[str, Any] = {}  # floats, or tensors without dimensions
        self._n: dict[str, int] = {}

    def __bool__(self) -> bool:
        return self.n_batches > 0

    def add(self, values: Mapping[str, Any], n: int) -> None:
        """Add the values of a batch of `n` samples."""
        self.n_batches += 1
        for name, value in values.items():
            if hasattr(value, "detach"):
                self._add_tensor(name, value.detach(), n)
            else:
                self._sums[name] = self._sums.get(name, 0.0) + float(value) * n
            self._n[name] = self._n.get(name, 0) + n

    def read(self) -> dict[str, float]:
        """The means; waits for the devices."""
        return {
            name: float(total) / self._n[name] if self._n[name] else float("nan")
            for name, total in self._sums.items()
        }

    def _add_tensor(self, name: str, value: Any, n: int) -> None:
        import torch

        if value.numel() != 1:
            value = value.float().mean()
        total = self._sums.get(name)
        if total is None or not hasattr(total, "device"):
            # Float64 so that a million small losses still add up; mps has none.
            kind = torch.float32 if value.device.type == "mps" else torch.float64
            start = total or 0.0
            total = torch.full((), start, dtype=kind, device=value.device)
            self._sums[name] = total
        if value.device != total.device:
            value = value.to(total.device)
        total.add_(value.reshape(()), alpha=n)
