"""The checkpoints of a run as a bundle has them: tensors alone, and what each is.

A file that holds tensors is written anew as safetensors, which nobody has to run to
read. Everything else is named with its digest and stays out, and so does what is gone.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.tensor_files import (
    TORCH_SUFFIXES,
    UnseenError,
    is_tensor_file,
    open_tensors,
)
from nbtrack.bundles.contents.json_text import finite
from nbtrack.bundles.contents.member_names import MemberNames
from nbtrack.bundles.contents.tensor_bytes import read_tensors, size_of
from nbtrack.errors import StoreError
from nbtrack.text import shorten, shown_bytes, visible

if TYPE_CHECKING:
    from nbtrack.records import CheckpointRecord, RunRecord
    from nbtrack.store import Store

FOLDER = "results/checkpoints"
MOST_BYTES = 500_000_000
NAMED = 5  # tensors in a remark
_PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".sav", ".model"})
_NO_PICKLE = (
    "a pickle is not put into a bundle: who opens it runs what is in it. Save the "
    "tensors alone, as with safetensors, numpy.savez or torch.save(model.state_dict())"
)


def checkpoint_members(
    store: Store, record: RunRecord, *, most_bytes: int = MOST_BYTES
) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """The files of checkpoints, and what `results/expected.json` says of each.

    Parameters
    ----------
    store, record
        The run; its store is only read.
    most_bytes
        Of all files together; the latest checkpoints come first, and what does not fit
        is told by the digests of its tensors alone. 0: no files.

    Returns
    -------
    members, entries
        `results/checkpoints/NAME-vN.safetensors` -> its bytes; the entries in the
        order in which they were saved, as `schemas/expected.schema.json` has them.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> checkpoint_members(run.store, run.record())
    ({}, [])
    """
    names = MemberNames(FOLDER)
    kept = record.checkpoints
    paths = [names.take(f"{c.name}-v{c.version}", ".safetensors") for c in kept]
    members: dict[str, bytes] = {}
    entries: dict[int, dict[str, Any]] = {}
    left = most_bytes
    for at in reversed(range(len(kept))):
        entries[at], body = _entry(store, kept[at], paths[at], left)
        if body is not None:
            members[paths[at]] = body
            left -= len(body)
    ordered = {path: members[path] for path in sorted(members)}
    return ordered, [entries[at] for at in range(len(kept))]


def tensor_digests(store: Store, checkpoint: CheckpointRecord) -> dict[str, Any]:
    """What each tensor of a kept checkpoint is, as `checkpoint_members` tells it.

    Returns
    -------
    dict
        By name: `dtype`, `shape`, and `sha256` of its little-endian bytes.

    Raises
    ------
    UnseenError
        When the file cannot be read without running code, or at all.

    Examples
    --------
    >>> import nbtrack, numpy
    >>> with nbtrack.start("base") as run:
    ...     numpy.savez("w.npz", a=numpy.zeros(2))
    ...     run.checkpoint("w.npz")
    >>> tensor_digests(run.store, run.record().checkpoints[0])["a"]["dtype"]
    'float64'
    """
    name = PurePosixPath(checkpoint.path).name
    with ExitStack() as stack:
        tensors = open_tensors(store, checkpoint.digest, name, stack)
        return dict(read_tensors(tensors, with_body=False).about)


def _entry(
    store: Store, checkpoint: CheckpointRecord, path: str, left: int
) -> tuple[dict[str, Any], bytes | None]:
    entry: dict[str, Any] = {
        "name": checkpoint.name,
        "version": checkpoint.version,
        "step": checkpoint.step,
        "member": None,
        "sha256": checkpoint.digest,
        "metrics": finite(dict(checkpoint.metrics)),
        "tensors": None,
        "why": _why_closed(checkpoint),
    }
    if entry["why"] is not None:
        return entry, None
    body = None
    try:
        with ExitStack() as stack:
            name = PurePosixPath(checkpoint.path).name
            tensors = open_tensors(store, checkpoint.digest, name, stack)
            fits = 0 < size_of(tensors) <= left
            found = read_tensors(tensors, with_body=fits)
            entry["tensors"], body = dict(found.about), found.body
            entry["why"] = _why_not_all(found.left_out, size_of(tensors), fits=fits)
    except UnseenError as exc:
        entry["tensors"], entry["why"] = None, _why_unseen(name, str(exc))
    except StoreError as exc:
        entry["why"] = f"its bytes cannot be read: {shorten(visible(str(exc)), 200)}"
    if body is not None:
        entry["member"] = path
    return entry, body


def _why_closed(checkpoint: CheckpointRecord) -> str | None:
    """Why a file is not looked into at all."""
    if checkpoint.gone_at is not None:
        return f"its bytes are not kept any more ({checkpoint.gone_why or 'deleted'})"
    suffix = PurePosixPath(checkpoint.path).suffix.lower()
    if suffix in _PICKLES:
        return _NO_PICKLE
    if not is_tensor_file(checkpoint.path):
        shown = shorten(repr(visible(suffix)), 30) if suffix else "without a suffix"
        return (
            f"a file {shown} is not put into a bundle: what is in it is not known to "
            "be tensors alone. Save them with safetensors, numpy.savez or torch.save"
        )
    return None


def _why_not_all(
    left_out: tuple[str, ...], size_bytes: int, *, fits: bool
) -> str | None:
    if not fits and size_bytes:
        return (
            f"its {shown_bytes(size_bytes)} are more than there was room for: "
            "its tensors are told by their digests"
        )
    if not left_out:
        return None if size_bytes else "there are no tensors in it"
    names = ", ".join(shorten(visible(name), 40) for name in left_out[:NAMED])
    more = f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
    return f"without {names}{more}: safetensors has no such type"


def _why_unseen(name: str, said: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    if "pickled" in said and suffix in TORCH_SUFFIXES:
        return _NO_PICKLE
    return f"it cannot be looked into: {shorten(visible(said), 200)}"
