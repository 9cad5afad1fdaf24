"""`nbtrack.merge`: the runs of another store, into this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.tracking.settled import settled

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.store.merge.report import MergeReport


def merge(other: str | Path, into: Store | str | Path | None = None) -> MergeReport:
    """Take all runs of another store into this one, with all that belongs to them.

    Params, tags, points, cells, texts, facts, inputs, rich values, artifacts with their
    files, models, and edits that can be undone. Ids and times stay. To merge again
    changes nothing; a merge that is cut short leaves whole runs, and goes on next time.

    Of what is in both stores:

    - a run that went on in the other gets what it recorded there, and keeps the name,
      group, experiment, tags, notes and place in the trash that it has here (tags that
      are only there are added). One that went on in both stays as it is here, and so
      does one whose metrics were renamed or deleted in either;
    - a version of an artifact with another content than the version of that number here
      gets the next free number: `renumbered` says which. Aliases here stay where they
      are; `latest` and `best` move only where every version here is known there;
    - a model whose history goes on there is taken over; one that went different ways
      stays as it is here.

    Left out and told: runs that go on in the other store now, what is damaged there.
    Never taken: the state of `resume`, which would be unpickled; commands to runs.

    Parameters
    ----------
    other : path
        A `.nbtrack` folder, or the folder it stands in. It is only read; older versions
        of the store are brought up to date in a copy of its database.
    into : Store or path, optional
        By default the store of this folder.

    Returns
    -------
    MergeReport
        `new`, `updated`, `n_there`, `skipped`, `versions`, `renumbered`, `models`,
        `notices`.

    Raises
    ------
    StoreError
        Where there is no store, it is this one, or one of a newer nbtrack; or this one
        cannot be written.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.store import Store
    >>> with nbtrack.start("base", params={"lr": 0.1}) as run:
    ...     nbtrack.log(loss=0.5)
    >>> with Store.open("another") as another:
    ...     report = nbtrack.merge(run.store.path, another)
    ...     len(report.new), another.run("base").metrics["loss"].best
    (1, 0.5)
    """
    if not isinstance(into, str | Path):
        return settled(into).merge(other)
    from nbtrack.store import Store

    with Store.open(into) as store:
        return store.merge(other)
