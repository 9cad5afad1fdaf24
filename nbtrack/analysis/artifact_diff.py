"""What differs between two versions of artifacts: files, tensors, words, metrics.

Works on versions of one artifact and of two. Files are compared by digest, tensors one
at a time; nothing is unpickled, and what could not be looked into is said with why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.tensor_diff import TensorChange, diff_tensors
from nbtrack.analysis.tensor_files import UnseenError, is_tensor_file, open_tensors
from nbtrack.errors import RunNotFoundError
from nbtrack.records import ArtifactFile, ArtifactRecord, RunRecord

if TYPE_CHECKING:
    import pandas

    from nbtrack.store import Store


@dataclass(frozen=True, slots=True)
class FileChange:
    """What became of one file."""

    path: str
    change: str  # "added", "removed", "changed"
    size_a: int | None
    size_b: int | None
    a: ArtifactFile | None
    b: ArtifactFile | None


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A piece of metadata, a tag, or a text, that differs; None: not there."""

    part: str  # "metadata", "tag", "alias", "text"
    name: str
    a: Any  # a JSON value
    b: Any


@dataclass(frozen=True, slots=True)
class MetricPair:
    """A metric beside the two versions, and the best of it in the runs that made them.

    Of a metric without a goal the last value stands for the best.
    """

    name: str
    a: float | None
    b: float | None
    run_a: float | None
    run_b: float | None


@dataclass(frozen=True, slots=True, repr=False)
class ArtifactDiff:
    """The differences of version `b` from version `a`; see `nbtrack.artifacts.diff`."""

    a: ArtifactRecord
    b: ArtifactRecord
    files: tuple[FileChange, ...]
    n_same_files: int
    tensors: tuple[TensorChange, ...]  # of the files that changed, also the same ones
    values: tuple[ValueChange, ...]
    metrics: tuple[MetricPair, ...]
    unseen: Mapping[str, str]  # files that could not be looked into -> why
    run_names: tuple[str | None, str | None] = (None, None)

    @property
    def is_same(self) -> bool:
        """Whether the two have the same content."""
        return not self.files

    def to_frame(self) -> pandas.DataFrame:
        """One row for each difference and each metric.

        Returns
        -------
        DataFrame
            part (file, tensor, metadata, tag, alias, text, metric), name, change, a, b
            (sizes, shapes, values), and of tensors norm_a, norm_b, change_norm,
            max_abs_change.
        """
        import pandas

        columns = ["part", "name", "change", "a", "b", "norm_a", "norm_b"]
        rows = [_padded(row) for row in self._rows()]
        return pandas.DataFrame(
            rows, columns=[*columns, "change_norm", "max_abs_change"]
        )

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        for file in self.files:
            yield "file", file.path, file.change, file.size_a, file.size_b
        for t in self.tensors:
            if t.change != "same":
                yield (
                    "tensor", f"{t.path}/{t.name}", t.change, t.shape_a, t.shape_b,
                    t.norm_a, t.norm_b, t.change_norm, t.max_abs_change,
                )  # fmt: skip
        for each in self.values:
            yield each.part, each.name, change_of(each.a, each.b), each.a, each.b
        for metric in self.metrics:
            change = change_of(metric.a, metric.b)
            yield "metric", metric.name, change, metric.a, metric.b

    def __repr__(self) -> str:
        from nbtrack.analysis.artifact_diff_view import diff_text

        return diff_text(self)

    def _repr_html_(self) -> str:
        from nbtrack.analysis.artifact_diff_view import diff_html

        return diff_html(self)


def diff_artifacts(store: Store, a: ArtifactRecord, b: ArtifactRecord) -> ArtifactDiff:
    """Compare two versions of a store.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     one = run.log_artifact({"a": 1}, "settings", metadata={"by": "hand"})
    ...     two = run.log_artifact({"a": 2}, "settings")
    >>> found = diff_artifacts(run.store, one.record(), two.record())
    >>> found.files[0].path, found.values[0].name, found.is_same
    ('settings.json', 'by', False)
    """
    files, n_same = _diff_files(store.artifact_files(a.id), store.artifact_files(b.id))
    unseen: dict[str, str] = {}
    tensors: list[TensorChange] = []
    for file in files:
        if file.change == "changed" and is_tensor_file(file.path):
            tensors += _diff_inside(store, file, (a, b), unseen)
    runs = _run(store, a), _run(store, b)
    return ArtifactDiff(
        a, b, tuple(files), n_same, tuple(tensors), tuple(_diff_values(a, b)),
        tuple(_pairs(a, b, *runs)), unseen,
        (runs[0].name if runs[0] else None, runs[1].name if runs[1] else None),
    )  # fmt: skip


def change_of(a: object, b: object) -> str:
    """What became of a value that is None where it is not there.

    >>> change_of(None, 1), change_of(1, 1)
    ('added', 'same')
    """
    if a is None or b is None:
        return "same" if a is b else ("added" if a is None else "removed")
    return "same" if a == b else "changed"


def _diff_files(
    a: list[ArtifactFile], b: list[ArtifactFile]
) -> tuple[list[FileChange], int]:
    """What differs, and how many do not; two single files are one, however named."""
    old = {file.path: file for file in a}
    new = {file.path: file for file in b}
    if len(a) == len(b) == 1:
        new = {a[0].path: b[0]}
    changes: list[FileChange] = []
    n_same = 0
    for path in sorted({*old, *new}):
        one, other = old.get(path), new.get(path)
        if one is not None and other is not None and _content(one) == _content(other):
            n_same += 1
            continue
        size_a = one.size_bytes if one else None
        size_b = other.size_bytes if other else None
        change = change_of(one, other)
        changes.append(FileChange(path, change, size_a, size_b, one, other))
    return changes, n_same


def _content(file: ArtifactFile) -> tuple[str | None, ...]:
    """What makes two files the same; a copy of what a reference names counts too."""
    if file.digest is not None:
        return (file.digest,)
    return file.uri, file.etag


def _diff_inside(
    store: Store,
    file: FileChange,
    records: tuple[ArtifactRecord, ArtifactRecord],
    unseen: dict[str, str],
) -> list[TensorChange]:
    with ExitStack() as stack:
        try:
            sides = [
                open_tensors(store, *_kept(side, record), stack)
                for side, record in zip((file.a, file.b), records, strict=True)
            ]
            return diff_tensors(file.path, *sides)
        except UnseenError as exc:
            unseen[file.path] = str(exc)
        except (OSError, ValueError) as exc:  # it breaks off in the middle
            unseen[file.path] = f"it cannot be read: {exc}"
    return []


def _kept(file: ArtifactFile | None, record: ArtifactRecord) -> tuple[str, str]:
    assert file is not None
    if record.gone_at is not None:
        raise UnseenError(f"the bytes of {record.ref} are gone ({record.gone_why})")
    if file.uri is not None or file.digest is None:
        raise UnseenError(f"of {record.ref} only its address is kept")
    return file.digest, file.path


def _diff_values(a: ArtifactRecord, b: ArtifactRecord) -> Iterator[ValueChange]:
    old, new = dict(_flat(a.metadata)), dict(_flat(b.metadata))
    yield from _changes("metadata", old, new)
    # A tag without a value is there all the same.
    tags = [{k: v or "yes" for k, v in record.tags.items()} for record in (a, b)]
    yield from _changes("tag", *tags)
    aliases = [dict.fromkeys(record.aliases, "yes") for record in (a, b)]
    yield from _changes("alias", *aliases)
    for name in ("type", "description"):
        one, other = getattr(a, name), getattr(b, name)
        if one != other:
            yield ValueChange("text", name, one or None, other or None)


def _changes(
    part: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[ValueChange]:
    for name in sorted({*old, *new}):
        if name not in old or name not in new or old[name] != new[name]:
            yield ValueChange(part, name, old.get(name), new.get(name))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _pairs(
    a: ArtifactRecord,
    b: ArtifactRecord,
    run_a: RunRecord | None,
    run_b: RunRecord | None,
) -> Iterator[MetricPair]:
    best_a, best_b = _bests(run_a), _bests(run_b)
    for name in sorted({*a.metrics, *b.metrics, *best_a, *best_b}):
        yield MetricPair(
            name, a.metrics.get(name), b.metrics.get(name),
            best_a.get(name), best_b.get(name),
        )  # fmt: skip


def _bests(run: RunRecord | None) -> dict[str, float]:
    if run is None:
        return {}
    return {name: metric.best for name, metric in run.metrics.items()}


def _run(store: Store, record: ArtifactRecord) -> RunRecord | None:
    if record.run is None:
        return None
    try:
        return store.run(record.run)
    except RunNotFoundError:  # purged
        return None


def _padded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row + (None,) * (9 - len(row))
