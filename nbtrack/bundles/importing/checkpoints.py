"""The checkpoints of a bundle: safetensors alone, which hold tensors and no code."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbtrack.bundles.archive.checked_json import parse_json
from nbtrack.bundles.archive.fields import Fields, as_fields
from nbtrack.bundles.archive.limits import MAX_MEMBERS
from nbtrack.bundles.archive.reading import Bundle
from nbtrack.bundles.archive.trouble import refuse, shown
from nbtrack.bundles.importing.run_events import Event
from nbtrack.store import Store
from nbtrack.tracking.checkpoint_files import checkpoint_name

EXPECTED = "results/expected.json"
_FOLDER = "results/checkpoints/"
_SUFFIX = ".safetensors"
_MAX_HEADER = 10_000_000  # bytes; safetensors itself allows ten times that


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One that comes with its bytes."""

    name: str
    version: int
    member: str
    step: int | None
    metrics: dict[str, float]


def read_checkpoints(bundle: Bundle) -> list[Checkpoint]:
    """Those that have a member; of the others the bundle only tells.

    Raises
    ------
    BundleError
        For a member that is not there, or is no safetensors file.
    """
    if EXPECTED not in bundle.names:
        return []
    told = as_fields(bundle.json(EXPECTED), EXPECTED)
    if len(told.items("checkpoints")) > MAX_MEMBERS:
        refuse(f"{EXPECTED} has more than {MAX_MEMBERS:,} checkpoints")
    rows = [r for r in told.rows("checkpoints") if r.value.get("member") is not None]
    return [_checkpoint(bundle, row) for row in rows]


def keep_checkpoints(
    store: Store, found: list[Checkpoint], folder: Path, *, run: str, at: str | None
) -> Iterator[Event]:
    """Keep the files, unpacked in `folder`, and say of which run they are."""
    for checkpoint in found:
        kept = store.put_file(folder / checkpoint.member)
        yield {
            "kind": "checkpoint",
            "run": run,
            "name": checkpoint.name,
            "type": "checkpoint",
            "number": checkpoint.version,
            "digest": kept.digest,
            "size_bytes": kept.size_bytes,
            "path": f"{checkpoint.name}{_SUFFIX}",
            "step": checkpoint.step,
            "metrics": checkpoint.metrics,
            "created_at": at,
        }


def _checkpoint(bundle: Bundle, row: Fields) -> Checkpoint:
    member = row.text("member", limit=1_000)
    is_plain = member.startswith(_FOLDER) and member.endswith(_SUFFIX)
    if not is_plain or member not in bundle.names:
        row.wrong("member", f"a {_SUFFIX} file of {_FOLDER} that is there")
    _check_header(bundle, member)
    version = row.whole("version")
    if version < 0:
        row.wrong("version", "a number from 0")
    return Checkpoint(
        checkpoint_name(row.text("name", limit=1_000)), version, member,
        row.whole_or_none("step"), _metrics(row.fields("metrics")),
    )  # fmt: skip


def _check_header(bundle: Bundle, member: str) -> None:
    """Eight bytes of length, then JSON: nothing that could be unpickled."""
    head = b""
    for piece in bundle.pieces(member):
        head += piece
        length = int.from_bytes(head[:8], "little")
        if length > min(_MAX_HEADER, bundle.size_bytes(member) - 8):
            break
        if len(head) >= 8 + length:
            content = head[8 : 8 + length].rstrip(b" ")
            as_fields(parse_json(content, name=member), member)
            return
    refuse(f"Member {shown(member)} is no safetensors file")


def _metrics(told: Fields) -> dict[str, float]:
    found = {}
    for name in told.value:
        number = told.number_or_none(name)
        found[name] = math.nan if number is None else number
    return found
