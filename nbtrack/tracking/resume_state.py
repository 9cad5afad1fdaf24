"""What a loop of epochs needs to go on after a crash: one file, kept up to date.

    .nbtrack/resume/<run id>.<loop>.pt or .json    replaced at each epoch's end

It holds the number of the epoch, the states of the objects that were given, those of
all random generators in sight, and the next step of each metric, so that an epoch that
was cut off is done again over its own points. It is read without unpickling.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from nbtrack.guard import guard
from nbtrack.text import shorten
from nbtrack.tracking.ranks import from_first, group_is_there
from nbtrack.tracking.run import Run

FOLDER = "resume"
FORMAT = 1
_PLAIN = (str, int, float, bool, type(None), bytes, complex)

# Loops that were begun in this life of a run, and what callbacks told of it.
_begun: WeakKeyDictionary[Run, int] = WeakKeyDictionary()
_known: WeakKeyDictionary[Run, dict[str, Any]] = WeakKeyDictionary()


def remember(run: Run, objects: Mapping[str, Any]) -> None:
    """What a loop with `resume=True` keeps too: a callback knows the model."""
    _known.setdefault(run, {}).update(objects)


@dataclass(frozen=True, slots=True)
class ResumeState:
    """The keeper of one loop's state; `given` by name, as the user gave them."""

    run: Run
    loop: str
    number: int  # of the loop in its run: a cell may have two of one name
    given: Mapping[str, Any]  # Any: modules, optimizers, generators, dicts

    @classmethod
    def of(cls, run: Run, loop: str, given: Mapping[str, Any]) -> ResumeState:
        """The keeper of the loop that begins now."""
        number = _begun[run] = _begun.get(run, 0) + 1
        return cls(run, loop, number, given)

    @property
    def objects(self) -> dict[str, Any]:
        """Everything whose state is kept."""
        return {**_known.get(self.run, {}), **self.given}

    def save(self, epoch: int) -> None:
        """Keep the state of now as that after `epoch`; trouble is said in one line."""
        if not self.run.is_recorded:
            return
        with guard("the state to resume from"):
            from nbtrack.capture.randomness import capture_states

            rng = capture_states(_variables())
            state: dict[str, Any] = {
                "format": FORMAT,
                "loop": self.loop,
                "epoch": epoch,
                "n_loops": _begun[self.run],  # those inside this one were counted too
                "steps": self.run.next_steps(),
                "rng": {name: found.packed() for name, found in rng.items()},
                "objects": {k: _state_of(v) for k, v in self.objects.items()},
            }
            for name, kept in state["objects"].items():
                _check(kept, f"state[{shorten(name, 40)!r}]")
            _write(self._path, state)

    def restore(self) -> int:
        """Put everything back; the number of the epoch to begin with."""
        with guard("the state to resume from"):
            state = self._kept()
            if state is None or state["loop"] != self.loop:
                return 0
            self._put_back(state)
            return int(state["epoch"]) + 1
        return 0

    def _kept(self) -> Mapping[str, Any] | None:
        """The state in the store; other ranks get it from the first one."""
        state = _read(self._path) if self.run.is_recorded else None
        if self.run.place is not None and group_is_there():
            state = from_first(state)
        return state

    def _put_back(self, state: Mapping[str, Any]) -> None:
        from nbtrack.capture.randomness import restore_states

        if not self.objects:
            guard.warn_once(
                f"resume {self.run.id}",
                "epochs(resume=True) goes on behind the last epoch, but knows of no "
                "model: give state={'model': model, 'optimizer': optimizer}",
            )
        for name, thing in self.objects.items():
            if name in state["objects"]:
                _load_into(thing, state["objects"][name])
            else:
                guard.warn_once(
                    f"resume {self.run.id} {name}",
                    f"no state of {shorten(name, 40)!r} was kept: it starts anew",
                )
        _begun[self.run] = int(state["n_loops"])
        if self.run.is_recorded:  # another rank has random numbers of its own
            self.run.continue_from(state["steps"])
            restore_states(state["rng"], _variables())

    @property
    def _path(self) -> Path:
        return self.run.store.path / FOLDER / f"{self.run.id}.{self.number}"


def _variables() -> dict[str, Any]:
    """The notebook's or script's own names, among which generators are looked for."""
    return vars(sys.modules["__main__"])


def _state_of(thing: Any) -> Any:
    for ask in ("state_dict", "get_state"):
        method = getattr(thing, ask, None)
        if callable(method):
            return method()
    return dict(thing)  # a dict of the user's own; else its error says what it is


def _check(value: Any, where: str) -> None:
    """Refuse at the save what could only be read back by running code from a file.

    Raises
    ------
    TypeError
        Naming the place and the type.
    """
    tensor = getattr(sys.modules.get("torch"), "Tensor", ())
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check(item, f"{where}[{shorten(repr(key), 40)}]")
    elif isinstance(value, list | tuple | set):
        for item in value:
            _check(item, where)
    elif not isinstance(value, (*_PLAIN, tensor) if tensor else _PLAIN):
        raise TypeError(
            f"{where} holds a {type(value).__name__}, and only numbers, texts, lists, "
            "dicts and tensors can be kept"
        )


def _load_into(thing: Any, state: Any) -> None:
    for put in ("load_state_dict", "set_state"):
        method = getattr(thing, put, None)
        if callable(method):
            method(state)
            return
    thing.update(state)


def _write(path: Path, state: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    torch = sys.modules.get("torch")
    if torch is None:
        suffix, body = ".json", json.dumps(state).encode()
    else:
        suffix, body = ".pt", _torch_bytes(torch, state)
    aside = path.with_name(f".{path.name}-{os.getpid()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path.with_name(path.name + suffix))


def _torch_bytes(torch: Any, state: Mapping[str, Any]) -> bytes:
    from nbtrack.capture.file_patches import patches

    buffer = io.BytesIO()
    with patches.unwatched():
        torch.save(dict(state), buffer)
    return buffer.getvalue()


def _read(path: Path) -> Mapping[str, Any] | None:
    """The newest state of the run; None where there is none."""
    both = [path.with_name(path.name + suffix) for suffix in (".pt", ".json")]
    found = [file for file in both if file.is_file()]
    if not found:
        return None
    newest = max(found, key=lambda p: p.stat().st_mtime_ns)
    if newest.suffix == ".json":
        state: Mapping[str, Any] = json.loads(newest.read_bytes())
        return state
    import torch

    from nbtrack.capture.file_patches import patches

    with patches.unwatched():
        loaded: Mapping[str, Any] = torch.load(newest, weights_only=True)
    return loaded
