"""Who takes the disk: the store's bytes by run, by artifact, or by type.

What several share is split evenly among them, so that the rows add up to what lies on
the disk; database, journal, cache and garbage are rows of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from nbtrack.errors import OptionError
from nbtrack.text import did_you_mean, shorten

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Store
    from nbtrack.store.owners import Owner

By = Literal["run", "artifact", "type"]
Key = tuple[str, str]  # what kind of row it is, and its name (a run's: its id)
_WAYS: dict[str, Callable[[Owner], Key]] = {
    "run": lambda o: ("run", o.run) if o.run else ("no run", ""),
    "artifact": lambda o: ("artifact", o.artifact) if o.artifact else ("media", ""),
    "type": lambda o: ("type", o.type),
}


def du(by: By = "run", *, store: Store | None = None) -> pd.DataFrame:
    """The bytes of the store by run, artifact or type, the largest first.

    Parameters
    ----------
    by : "run", "artifact" or "type"
        Who the bytes belong to. A chunk or file that several have is split evenly.

    Returns
    -------
    DataFrame
        `kind` ("run", "artifact", "type"; "media", "no run"; "garbage", "cache",
        "database", "journal", "rest"), `name`, `bytes`; for runs also `id`. The bytes
        add up to the sizes of all files in the store.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "labels")
    >>> table = du("artifact")
    >>> table.loc[table["kind"] == "artifact", ["name", "bytes"]].values.tolist()
    [['labels', 11]]
    """
    import pandas as pd

    from nbtrack.tracking.settled import settled

    rows = disk_use(settled(store), by)
    return pd.DataFrame(rows, columns=["kind", "name", "id", "bytes"]).drop(
        columns=[] if by == "run" else ["id"]
    )


def disk_use(store: Store, by: str) -> list[tuple[str, str, str, int]]:
    """The rows of `du`: kind, name, id of a run, bytes."""
    if by not in _WAYS:
        raise OptionError(
            f"by={shorten(repr(by), 40)} is none of run, artifact, type."
            f"{did_you_mean(str(by), _WAYS)}"
        )
    owners = store.file_owners()
    shares = _shared(owners, store.file_usage().by_digest, _WAYS[by])
    parts = store.folder_bytes()
    shares["garbage", ""] = max(0.0, parts.pop("blobs") - sum(shares.values()))
    for kind, n_bytes in parts.items():
        shares[kind, ""] += n_bytes
    names = {owner.run: owner.run_name or "" for owner in owners if owner.run}
    rows = [
        (kind, names.get(key, key) if kind == "run" else key,
         key if kind == "run" else "", n_bytes)
        for (kind, key), n_bytes in _whole(shares).items()
    ]  # fmt: skip
    return sorted((row for row in rows if row[3]), key=lambda row: -row[3])


def _shared(
    owners: Iterable[Owner], sizes: Mapping[str, float], way: Callable[[Owner], Key]
) -> defaultdict[Key, float]:
    """Each file split evenly among those that have it."""
    having: defaultdict[str, set[Key]] = defaultdict(set)
    for owner in owners:
        having[owner.digest].add(way(owner))
    shares: defaultdict[Key, float] = defaultdict(float)
    for digest, keys in having.items():
        for key in keys:
            shares[key] += sizes.get(digest, 0.0) / len(keys)
    return shares


def _whole(shares: Mapping[Key, float]) -> dict[Key, int]:
    """Whole bytes with the same sum: the largest rests are rounded up."""
    left = round(sum(shares.values())) - sum(int(share) for share in shares.values())
    by_rest = sorted(shares, key=lambda key: int(shares[key]) - shares[key])
    return {
        key: int(shares[key]) + (1 if nth < left else 0)
        for nth, key in enumerate(by_rest)
    }
