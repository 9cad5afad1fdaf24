"""The machine under a run, and what the run printed: `nbtrack.system`, `.logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.analysis.code_view import settled_store
from nbtrack.analysis.runs_table import store_here
from nbtrack.records import SYSTEM_PREFIX, TextRecord

if TYPE_CHECKING:
    import pandas as pd


def system(run: str = "last") -> pd.DataFrame:
    """CPU, memory, disk, network and GPU while a run lived, a row for each sample.

    Parameters
    ----------
    run : str
        Id, name, the beginning of an id, or "last".

    Returns
    -------
    DataFrame
        By the time of the sample (UTC), with a column for each series: `cpu_percent`,
        `rss_bytes`, `gpu0_util_percent`, ... What a sample lacks is NaN; without any
        sample the frame is empty.

    Raises
    ------
    RunNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> float(system(run.id)["rss_bytes"].max()) > 1e6
    True
    """
    import numpy as np
    import pandas as pd

    store = store_here()
    found = store.run(run)
    columns = {}
    for name in found.system:
        curve = store.curve(found.id, name)
        at = pd.to_datetime(np.asarray(curve.at), unit="s", utc=True)
        column = pd.Series(np.asarray(curve.values), index=at)
        # A clock that was set back may give two samples the same time.
        column = column[~column.index.duplicated(keep="last")]
        columns[name.removeprefix(SYSTEM_PREFIX)] = column
    frame = pd.DataFrame(columns)
    return frame.sort_index().rename_axis("at")


class Logs(str):
    """What a run printed; as a text it is both streams, stdout first."""

    __slots__ = ("left_out", "stderr", "stdout")

    stdout: str
    stderr: str
    left_out: str | None  # what is not in it, and why

    def __new__(cls, stdout: str, stderr: str, left_out: str | None = None) -> Logs:
        """Both streams, one after the other."""
        between = "\n" if stdout and stderr and not stdout.endswith("\n") else ""
        logs = super().__new__(cls, f"{stdout}{between}{stderr}")
        logs.stdout, logs.stderr, logs.left_out = stdout, stderr, left_out
        return logs


def logs(run: str = "last") -> Logs:
    """What a run printed, with progress bars as their last line and without secrets.

    Parameters
    ----------
    run : str
        Id, name, the beginning of an id, or "last".

    Returns
    -------
    str
        Its `.stdout` and `.stderr` are the two streams, `.left_out` says what is not
        in it: of more than 1 MB the middle.

    Raises
    ------
    RunNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     print("loss 0.5")
    loss 0.5
    >>> logs("last").stdout.split()
    ['loss', '0.5']
    """
    store = settled_store()
    found = store.run(run)
    out, err = (_text(store.texts(found.id, role)) for role in ("stdout", "stderr"))
    reasons = [f"{text.role}: {text.missing}" for text in (out, err) if text.missing]
    return Logs(out.body or "", err.body or "", "; ".join(reasons) or None)


def _text(found: list[TextRecord]) -> TextRecord:
    return found[0] if found else TextRecord("", "", None)
