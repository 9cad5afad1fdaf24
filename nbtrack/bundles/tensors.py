"""Whether the checkpoints of a rerun hold the same tensors as those of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbtrack.bundles.contents.checkpoints import tensor_digests
from nbtrack.records import CheckpointRecord, RunRecord
from nbtrack.store import Store
from nbtrack.text import visible


def same_tensors(
    expected: Mapping[str, Any], store: Store, again: RunRecord
) -> tuple[str, ...]:
    """What is not the same about the checkpoints, a sentence each; () where all is.

    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> same_tensors({"checkpoints": []}, nbtrack.open(), run.record())
    ()
    """
    return tuple(_differences(expected, store, again))


def _differences(
    expected: Mapping[str, Any], store: Store, again: RunRecord
) -> Iterator[str]:
    now = {(c.name, c.version): c for c in again.checkpoints}
    for told in expected["checkpoints"]:
        shown = f"checkpoint {visible(str(told['name']))} v{told['version']}"
        found = now.get((told["name"], told["version"]))
        if found is None:
            yield f"{shown}: the rerun saved none"
        elif found.digest != told["sha256"] and told["tensors"] is not None:
            yield from _other_tensors(shown, told["tensors"], store, found)


def _other_tensors(
    shown: str, was: Mapping[str, Any], store: Store, found: CheckpointRecord
) -> Iterator[str]:
    now = tensor_digests(store, found)
    others = [n for n in sorted(was.keys() | now.keys()) if was.get(n) != now.get(n)]
    if others:
        yield f"{shown}: {visible(others[0])} is another, {len(others)} of {len(was)}"
