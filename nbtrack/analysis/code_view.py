"""The code of a run as values: which commit, which diff, which modules, which cells.

What git or the session did not tell is None, and `missing` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbtrack.analysis.runs_table import store_here

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.records import Fact, TextRecord
    from nbtrack.store import Store

SETTLE_S = 5.0  # the longest that a reader waits for what is still being looked at
_PLAIN = {
    "seq": "int64",
    "execution": "Int64",
    "cell_id": "object",
    "source": "object",
    "duration_s": "float64",
    "ok": "boolean",
    "error": "object",
}
_GROUPS = ("git.", "script.", "notebook.")
CELL_COLUMNS = (
    *("seq", "execution", "cell_id", "source", "digest"),
    *("started_at", "duration_s", "ok", "error"),
)


@dataclass(frozen=True, slots=True)
class ModuleCode:
    """A local module or script: its digest, and its text where HEAD has another."""

    digest: str | None  # sha256 of the file
    text: str | None = None  # without secrets; None and no note: committed exactly so
    note: str | None = None  # why there is no text, or that another one ran


@dataclass(frozen=True, slots=True)
class Code:
    """What is known of the code of one run; see `nbtrack.code`."""

    commit: str | None = None
    branch: str | None = None
    remote: str | None = None
    dirty: bool | None = None
    folder: str | None = None  # where it ran, as seen from the root of the repository
    changed: tuple[str, ...] = ()  # files that differ from the commit
    diff: str | None = None  # for `git apply` at the commit
    diff_digest: str | None = None
    modules: Mapping[str, ModuleCode] = field(default_factory=dict)  # by path
    script: Mapping[str, ModuleCode] = field(default_factory=dict)  # one, or none
    notebook: str | None = None
    notebook_digest: str | None = None  # of the file as it was saved last
    source: str | None = None  # of the tracked cell
    source_digest: str | None = None
    missing: Mapping[str, str] = field(default_factory=dict)  # name -> reason

    def __repr__(self) -> str:
        at = (self.commit or "no commit")[:10]
        edited = " edited" if self.dirty else ""
        return f"<Code {at}{edited}, {len(self.modules)} local modules>"


def code(run: str = "last") -> Code:
    """Which code a run is of: commit, diff, local modules, the tracked cell.

    Parameters
    ----------
    run : str
        Id, name, the beginning of an id, or "last".

    Returns
    -------
    Code
        `commit`, `branch`, `remote`, `dirty`, `changed`, `diff`; `modules`, by path,
        each with `digest`, `text` (None: committed exactly so) and `note`; `script`,
        `notebook_digest`, `source`; `missing` has the reason for what is not known.
        Texts are without secrets, digests are of the raw text.

    Raises
    ------
    RunNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.analysis.code_view import code
    >>> with nbtrack.start("base"):
    ...     pass
    >>> code("base").missing["git.commit"]
    'no repository around this folder'
    """
    store = settled_store()
    record = store.run(run)
    facts, texts = store.facts(record.id), store.texts(record.id)
    return _code_of(facts, texts, record.source, record.source_digest)


def cells(run: str = "last") -> pd.DataFrame:
    """Every cell that was executed in the session of a run, in order, one row each.

    Those that were edited, deleted or run again since are there as they ran, and so
    are those after the run.

    Parameters
    ----------
    run : str
        Id, name, the beginning of an id, or "last".

    Returns
    -------
    DataFrame
        `seq, execution, cell_id, source, digest, started_at, duration_s, ok, error`;
        a cell without a start ran before nbtrack was loaded. The source is without
        secrets, the digest is the sha256 of what was typed.

    Raises
    ------
    RunNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.analysis.code_view import cells
    >>> with nbtrack.start("a script has no cells"):
    ...     pass
    >>> len(cells("last"))
    0
    """
    import pandas as pd

    store = settled_store()
    rows = store.cells(store.run(run).id)
    columns = {name: [getattr(row, name) for row in rows] for name in _PLAIN}
    columns["digest"] = [row.source_digest for row in rows]
    columns["started_at"] = [row.started_at or None for row in rows]
    frame = pd.DataFrame(columns, columns=CELL_COLUMNS, dtype="object")
    times = pd.to_datetime(frame["started_at"], format="ISO8601", utc=True)
    return frame.assign(started_at=times).astype(_PLAIN)


def settled_store() -> Store:
    """The store of this folder, when what is still being looked at is in it."""
    from nbtrack.tracking.background import background

    store = store_here()
    background.settle(SETTLE_S)
    if not store.read_only:
        store.journal.flush(SETTLE_S)
    return store


def _code_of(
    facts: Mapping[str, Fact],
    texts: list[TextRecord],
    source: str | None,
    source_digest: str | None,
) -> Code:
    def known(name: str) -> object:
        return facts[name].value if name in facts else None

    diff = next((text for text in texts if text.role == "diff"), None)
    missing = {
        name: fact.missing
        for name, fact in facts.items()
        if fact.missing and name.startswith(_GROUPS)
    }
    if diff is not None and (note := _note_on(diff)):
        missing["diff"] = note
    return Code(
        commit=_text(known("git.commit")),
        branch=_text(known("git.branch")),
        remote=_text(known("git.remote")),
        dirty=_flag(known("git.dirty")),
        folder=_text(known("git.folder")),
        changed=_names(known("git.changed")),
        diff=diff.body if diff else None,
        diff_digest=diff.digest if diff else None,
        modules=_modules(texts, "module"),
        script=_modules(texts, "script"),
        notebook=_text(known("notebook.path")),
        notebook_digest=_text(known("notebook.digest")),
        source=source,
        source_digest=source_digest,
        missing=missing,
    )


def _note_on(diff: TextRecord) -> str | None:
    notes = [diff.missing] if diff.missing else []
    if diff.n_redacted:
        notes.append(f"without {diff.n_redacted} secrets: it may not apply as it is")
    return "; ".join(notes) or None


def _modules(texts: list[TextRecord], role: str) -> dict[str, ModuleCode]:
    return {
        text.name: ModuleCode(text.digest, text.body, text.missing)
        for text in texts
        if text.role == role
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
