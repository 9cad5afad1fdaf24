"""Which of several processes that train together this one is.

A training on many processes is one run, recorded by the first of them. Who that is
says torch.distributed where it is initialised, else the variables that launchers set
(torchrun, accelerate, Lightning, srun). Nothing is imported to find out, and nothing is
sent but where a run of all ranks was asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.text import shorten, visible

Ranks = Literal["first", "all", "own"]
_MODES = ("first", "all", "own")


@dataclass(frozen=True, slots=True)
class Place:
    """One process among those that train together."""

    rank: int
    world_size: int
    told_by: str  # "torch.distributed", or the variable that said so
    ranks: Ranks = "first"  # who records


def place_here(ranks: str | None = None) -> Place | None:
    """The place of this process; None where it is alone, or stands for itself.

    Parameters
    ----------
    ranks : "first", "all" or "own", optional
        Who records. Default: the variable `NBTRACK_RANKS`, else "first".

    Raises
    ------
    OptionError
        For another word.
    """
    mode = ranks or os.environ.get("NBTRACK_RANKS") or "first"
    if mode not in _MODES:
        shown = shorten(visible(repr(mode)), 40)
        raise OptionError(f"ranks={shown} is unknown. Use 'first', 'all' or 'own'.")
    if mode == "own":
        return None
    found = _by_torch() or place_in(os.environ)
    if found is None:
        return None
    return Place(*found, cast(Ranks, mode))


def place_in(environment: Mapping[str, str]) -> tuple[int, int, str] | None:
    """Rank, number of ranks, and the variable that says so.

    Examples
    --------
    >>> place_in({"RANK": "1", "WORLD_SIZE": "4"})
    (1, 4, 'RANK')
    >>> place_in({"RANK": "0", "WORLD_SIZE": "1"}) is None
    True
    """
    world_size = _number(environment, "WORLD_SIZE")
    if world_size > 1:
        if (rank := _number(environment, "RANK")) >= 0:
            return rank, world_size, "RANK"
        if (rank := _number(environment, "LOCAL_RANK")) >= 0:
            # Lightning says no more than this; of another node none is the first.
            node = max(0, _number(environment, "NODE_RANK"))
            return rank or node, world_size, "LOCAL_RANK"
    # Inside `srun` alone: a batch script has the number of tasks too, and is one.
    tasks = _number(environment, "SLURM_STEP_NUM_TASKS")
    rank = _number(environment, "SLURM_PROCID")
    if tasks > 1 and 0 <= rank < tasks and _number(environment, "SLURM_NTASKS") > 1:
        return rank, tasks, "SLURM_PROCID"
    return None


def group_is_there() -> bool:
    """Whether torch.distributed is initialised, for more processes than this one."""
    return _by_torch() is not None


def from_first(value: Any) -> Any:  # Any: what pickle can send
    """What the first rank calls this with, in every rank; all of them must call it."""
    box = [value]
    sys.modules["torch.distributed"].broadcast_object_list(box, src=0)
    return box[0]


def is_data_worker() -> bool:
    """Whether this process loads data for another one; a forked one is inert anyway."""
    data = sys.modules.get("torch.utils.data")
    return data is not None and data.get_worker_info() is not None


def backend() -> str | None:
    """The backend of torch.distributed, where it is initialised."""
    if not group_is_there():
        return None
    return str(sys.modules["torch.distributed"].get_backend())


def _by_torch() -> tuple[int, int, str] | None:
    distributed = sys.modules.get("torch.distributed")
    if distributed is None:
        return None
    with guard("asking torch.distributed"):
        if distributed.is_available() and distributed.is_initialized():
            size = distributed.get_world_size()
            if size > 1:
                return distributed.get_rank(), size, "torch.distributed"
    return None


def _number(environment: Mapping[str, str], name: str) -> int:
    """A variable as a number; -1 where it is none."""
    text = environment.get(name, "").strip()
    return int(text) if text.isdecimal() else -1
