"""All that is known of one run, as plain sections, and the files it left and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nbtrack.analysis.reproducibility import origin_of
from nbtrack.analysis.run_page import Known, Row, Section, headline, sections_of
from nbtrack.records import ArtifactFile, ArtifactUse
from nbtrack.server.desk import Desk
from nbtrack.store import Store
from nbtrack.text import shorten

ROWS_MAX = 1_000  # of one section
CELL_CHARS = 1_000
TEXT_CHARS = 100_000  # of one text; a page of several still comes at once
TEXTS_MAX = 50
FILES_MAX = 1_000  # of all artifacts together


def page(desk: Desk, run_id: str) -> dict[str, Any]:
    """The sections of a run's page, and its artifacts with their files."""
    store = desk.stores.of_run(run_id)
    known = Known.of(store, run_id)
    return {
        "run": run_id,
        "headline": headline(known.record),
        "origin": _origin(known),
        "sections": list(map(_section, sections_of(known))),
        "files": list(_artifacts(store, known)),
    }


def _origin(known: Known) -> dict[str, str] | None:
    """The run that a rerun repeats, where it is in the same store."""
    run = origin_of(known.facts)
    if run is None or run not in known.relatives:
        return None
    return {"run": run, "name": shorten(known.relatives[run], CELL_CHARS)}


def _section(section: Section) -> dict[str, Any]:
    rows = [
        [shorten(text, CELL_CHARS) for text in row] for row in section.rows[:ROWS_MAX]
    ]
    texts = [[title, _cut(body)] for title, body in section.texts[:TEXTS_MAX]]
    return {
        "title": section.title,
        "rows": [*rows, *_more(section.rows, ROWS_MAX)],
        "texts": [*texts, *([*row, ""] for row in _more(section.texts, TEXTS_MAX))],
    }


def _more(every: Sequence[Row | tuple[str, str]], most: int) -> list[list[str]]:
    n_left = len(every) - most
    return [[f"… {n_left} more"]] if n_left > 0 else []


def _cut(text: str) -> str:
    n_left = len(text) - TEXT_CHARS
    return f"{text[:TEXT_CHARS]}\n… {n_left} characters more" if n_left > 0 else text


def _artifacts(store: Store, known: Known) -> Iterator[dict[str, Any]]:
    """What the run used, then what it logged, as in the section of its page."""
    n_left = FILES_MAX
    seen: set[tuple[str, int]] = set()
    logged = [use for use in known.uses if use.role == "output"]
    used = [use for use in known.uses if use.role == "input"]
    for use in [*used, *logged[::-1]]:
        if (use.role, use.version_id) in seen or n_left <= 0:
            continue
        seen.add((use.role, use.version_id))
        files = store.artifact_files(use.version_id)[:n_left]
        n_left -= max(len(files), 1)
        yield _artifact(use, known, files)


def _artifact(
    use: ArtifactUse, known: Known, files: Sequence[ArtifactFile]
) -> dict[str, Any]:
    version = known.versions.get(use.version_id)
    is_gone = version is None or version.gone_at is not None
    return {
        "artifact": f"{use.name}:v{use.version}",
        "type": use.type,
        "role": "used" if use.role == "input" else "logged",
        "aliases": list(version.aliases) if version else [],
        "gone": ((version and version.gone_why) or "gone") if is_gone else None,
        "files": [_file(file) for file in files],
    }


def _file(file: ArtifactFile) -> dict[str, Any]:
    """A file; its digest is null where its bytes lie elsewhere."""
    return {
        "path": file.path,
        "size_bytes": file.size_bytes,
        "digest": file.digest if file.uri is None else None,
    }
