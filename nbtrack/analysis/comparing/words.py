"""The words of a line that says which runs: their names, or a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbtrack.errors import RunNotFoundError

if TYPE_CHECKING:
    from nbtrack.analysis.comparing.source import Source


def runs_or_query(
    store: Source, words: Sequence[str], names: Sequence[str]
) -> tuple[list[str], str]:
    """Names of runs where every word is one, else a query.

    Parameters
    ----------
    words
        As they were typed.
    names
        The same without quotes around them.

    Raises
    ------
    RunNotFoundError
        For words that can only be names, of which one is no run's.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> runs_or_query(run.store, ["base"], ["base"])
    (['base'], '')
    >>> runs_or_query(run.store, ["loss", "<", ".3"], ["loss", "<", ".3"])
    ([], 'loss < .3')
    """
    missing: RunNotFoundError | None = None
    for name in names:
        try:
            store.run(name)
        except RunNotFoundError as exc:
            missing = exc
    if missing is None:
        return list(names), ""
    if all(word.replace("-", "").replace("_", "").isalnum() for word in words):
        raise missing
    return [], names[0] if len(words) == 1 else " ".join(words)
