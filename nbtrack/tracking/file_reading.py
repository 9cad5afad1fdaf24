"""Reads the files that a run has read: size and digest, in the background.

The digest is of the content that the run saw: a file that was changed or removed since
it was opened has none, and the record says so. Of a file above the limit a sample is
kept, and that is said as well.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.capture.digests.files import file_pieces, folder_digest, sample_digest
from nbtrack.capture.file_groups import FileGroup, grouped, shown_path
from nbtrack.capture.file_sweep import Stamp, stamp_of
from nbtrack.guard import guard
from nbtrack.records import InputRecord
from nbtrack.tracking.data_worker import FEATURE, Steps
from nbtrack.tracking.known_data import known_data

if TYPE_CHECKING:
    from nbtrack.tracking.data_reading import DataReading

PENDING = "still being read when the process ended"


class FileChanged(OSError):
    """A file is no longer what it was when the run opened it."""


def read_files(
    reading: DataReading, files: Iterable[tuple[Path, Stamp]], folder: Path
) -> list[str]:
    """Read these files soon; the names of the inputs that they are."""
    groups = grouped(files)
    most = reading.limits.n_inputs
    if len(groups) > most:
        reading.leave_out("files read", f"{len(groups) - most:,} more are not listed")
    return read_groups(reading, groups[:most], folder)


def read_groups(
    reading: DataReading,
    groups: list[FileGroup],
    folder: Path,
    *,
    name: str | None = None,
) -> list[str]:
    """The same for files and folders that are known as such."""
    records = [_pending(group, folder, name) for group in groups]
    if records:
        reading.submit(_read(reading, list(zip(groups, records, strict=True))))
    return [record.name for record in records]


def _pending(group: FileGroup, folder: Path, name: str | None) -> InputRecord:
    kind = "directory" if group.is_folder else "file"
    detail = {"files": len(group.files)} if group.is_folder else {}
    name = name or shown_path(group.path, folder)
    return InputRecord(name, kind, None, group.size_bytes, None, detail, PENDING)


def _read(reading: DataReading, found: list[tuple[FileGroup, InputRecord]]) -> Steps:
    reading.run.log_inputs([record for _, record in found])
    for group, record in found:
        yield 0.0
        read: InputRecord | None = None
        with guard(FEATURE):
            read = yield from _record(reading, group, record)
        if read is not None:
            reading.keep(read)


def _record(
    reading: DataReading, group: FileGroup, record: InputRecord
) -> Generator[float, None, InputRecord]:
    refusal = reading.limits.refusal(record.size_bytes, reading.used_bytes)
    if len(group.files) > reading.limits.n_files:
        refusal = f"{len(group.files):,} files, more than {reading.limits.n_files:,}"
    try:
        if refusal is not None and not _is_known(group):
            return _sampled(reading, group, record, refusal)
        reading.used_bytes += record.size_bytes or 0
        if group.is_folder:
            digest = yield from _folder_digest(group)
        else:
            digest = yield from _file_digest(*group.files[0])
    except OSError as exc:
        return replace(record, missing=_why(exc))
    return replace(record, digest=digest, missing=None)


def _sampled(
    reading: DataReading, group: FileGroup, record: InputRecord, refusal: str
) -> InputRecord:
    reading.leave_out(record.name, refusal)
    detail = dict(record.detail)
    if not group.is_folder:
        detail["sample_digest"] = sample_digest(group.path)
    return replace(record, missing=refusal, detail=detail)


def _is_known(group: FileGroup) -> bool:
    return not group.is_folder and known_data.file(group.path) is not None


def _folder_digest(group: FileGroup) -> Generator[float, None, str]:
    found: list[tuple[str, int, str]] = []
    for path, stamp in group.files:
        started = time.perf_counter()
        digest = yield from _file_digest(path, stamp)
        found.append((str(path.relative_to(group.path)), stamp[1], digest))
        yield time.perf_counter() - started
    return folder_digest(found)


def _file_digest(path: Path, stamp: Stamp) -> Generator[float, None, str]:
    if stamp_of(path) != stamp:
        raise _gone_or_changed(path)
    known = known_data.file(path)
    if known is not None:
        return known
    digest = hashlib.sha256()
    for piece in file_pieces(path):
        digest.update(piece)
        yield 0.0
    if stamp_of(path) != stamp:
        raise _gone_or_changed(path)
    known_data.put_file(path, stamp, digest.hexdigest())
    return digest.hexdigest()


def _gone_or_changed(path: Path) -> FileChanged:
    how = "changed" if path.exists() else "was removed"
    return FileChanged(f"{path.name} {how} after it was opened")


def _why(exc: OSError) -> str:
    return str(exc) if isinstance(exc, FileChanged) else str(exc.strerror or exc)
