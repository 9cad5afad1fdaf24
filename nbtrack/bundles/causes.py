"""Why a rerun gave something else: the causes of `nbtrack.diff`, with the bundle as A.

The bundle becomes a run of a store that is thrown away, and the two runs are compared
as any two. B is the rerun. What differs by design (the folder that it ran in, the name
of its environment) is no cause.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbtrack.analysis.diff.cause import WEAK, Cause
from nbtrack.bundles.importing.run_import import import_bundle
from nbtrack.slices.diff import diff_stored
from nbtrack.store import Store

_BY_DESIGN = ("python.environment", "container.", "ram.total_bytes", "os.kernel")


def causes_of_rerun(
    path: Path, again: tuple[Store, str], facts: Mapping[str, Any]
) -> tuple[Cause, ...]:
    """What may have made a rerun differ from its bundle, the likeliest first."""
    with (
        tempfile.TemporaryDirectory(prefix="nbtrack-causes-") as folder,
        Store.open(Path(folder) / ".nbtrack", create=True) as store,
    ):
        run = import_bundle(path, store=store)
        found = diff_stored((store, run.id), again).causes
    return tuple(c for c in found if c.rank < WEAK and not _is_by_design(c))


def _is_by_design(cause: Cause) -> bool:
    return cause.sentence.startswith(_BY_DESIGN)
