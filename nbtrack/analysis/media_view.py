"""Rich values read back: pictures as arrays, tables as frames, curves as numbers.

Nothing that is read here is ever run: HTML stays a text, pickles are not used. A
picture needs no imaging library where nbtrack wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from nbtrack.errors import MissingExtraError, NbtrackError, OptionError
from nbtrack.records import MediaRecord, RunRecord
from nbtrack.text import clean_name, did_you_mean, shorten, visible
from nbtrack.tracking.media.content import JSON

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

PLOTLY = "application/vnd.plotly.v1+json"


class Histogram(NamedTuple):
    """How often values fall between two edges."""

    counts: np.ndarray[Any, Any]
    edges: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class RichValue:
    """One rich value of a run at a step; `load()` gives it back."""

    record: MediaRecord
    run: str  # the name of its run
    store: Store = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Under which it was logged."""
        return self.record.name

    @property
    def type(self) -> str:
        """What it is: "image", "table", "roc"..."""
        return self.record.type

    @property
    def step(self) -> int:
        """At which it was logged."""
        return self.record.step

    @property
    def data(self) -> dict[str, Any]:
        """What is known of it without a look into its file."""
        return dict(self.record.data or {})

    @property
    def caption(self) -> str | None:
        """What was written under it."""
        return self.data.get("caption")

    def body(self) -> bytes | None:
        """The bytes of its file; None for a value that has none.

        Raises
        ------
        StoreError
            When the file is not there any more.
        """
        digest = self.record.digest
        return None if digest is None else self.store.file_path(digest).read_bytes()

    def main(self) -> dict[str, Any]:
        """Its data, with what was too large to stand in the record itself."""
        if self.record.mime != JSON:
            return self.data
        return {**self.data, **json.loads(self.body() or b"{}")}

    def load(self) -> Any:  # Any: what was logged
        """The value: an array, a frame, a text, a plotly figure, a `Histogram`.

        Returns
        -------
        object
            Pictures and drawn figures: an array of pixels (other formats than PNG
            need Pillow). Tables and predictions: the frame. Confusion matrices, ROC
            and precision-recall curves: a frame. Importance and SHAP: a series of
            features. Histograms: counts and edges. Texts and HTML: the text. Sound
            and film: the bytes.

        Raises
        ------
        MissingExtraError
            When plotly or another package is needed.
        StoreError
            When its file is not there any more.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.log_histogram([1, 1, 2], "ages", bins=2)
        >>> nbtrack.media(run)[0].load().counts.tolist()
        [2, 1]
        """
        load = _LOADERS.get(self.type)
        return self.main() if load is None else load(self)


def media(
    run: Run | RunRecord | str = "last",
    name: str | None = None,
    *,
    store: Store | None = None,
) -> list[RichValue]:
    """The rich values of a run, by name and step.

    Parameters
    ----------
    run : Run, RunRecord or str
        The run, or its id, name, the beginning of an id, or "last".
    name : str, optional
        Only those of this name.
    store : Store, optional
        Default: the live run's own, else the one of this folder.

    Raises
    ------
    RunNotFoundError, OptionError
        When there is no such run, or nothing of that name, with a hint.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log_text("a sample", "sample")
    >>> [value.load() for value in nbtrack.media("base", "sample")]
    ['a sample']
    """
    store, record = find_run(run, store)
    name = None if name is None else clean_name(name)
    found = [
        RichValue(value, record.name, store) for value in store.media(record.id, name)
    ]
    if name is not None and not found:
        known = sorted({value.name for value in store.media(record.id)})
        raise _no_such_value(name, record.name, known)
    return found


def find_run(
    run: Run | RunRecord | str, store: Store | None = None
) -> tuple[Store, RunRecord]:
    """The run and its store, with everything written that was logged so far.

    Raises
    ------
    RunNotFoundError
        When there is no such run.
    """
    from nbtrack.analysis.runs_table import store_here
    from nbtrack.tracking.media.keeping import settle
    from nbtrack.tracking.run import Run

    settle()
    if isinstance(run, Run):
        return run.store, run.record()
    store = store or store_here()
    if isinstance(run, RunRecord):
        return store, run
    _flush(store)
    return store, store.run(run)


def _flush(store: Store) -> None:
    """A run of this process may have said something a moment ago."""
    from nbtrack.tracking.session import process_session

    current = process_session().current
    if current is not None and current.store is store:
        current.record()


def _no_such_value(name: str, run: str, known: list[str]) -> NbtrackError:
    shown = shorten(visible(name), 60)
    there = ", ".join(visible(one) for one in known[:10]) or "nothing"
    hint = did_you_mean(name, known) or f" There is: {there}."
    return OptionError(f"Run {visible(run)!r} has no rich value {shown!r}.{hint}")


# ---- by type


def _picture(value: RichValue) -> Any:
    from io import BytesIO

    from nbtrack.tracking.media.png import decode_png

    body = value.body() or b""
    if value.record.mime == "image/png":
        return decode_png(body)
    if value.record.mime == "image/svg+xml":
        return body.decode("utf-8", "replace")
    try:
        import numpy as np
        from PIL import Image
    except ImportError as exc:
        raise MissingExtraError(
            f"A picture of type {value.record.mime} needs Pillow: `pip install pillow`"
            ", or take its bytes (`.body()`)."
        ) from exc
    with Image.open(BytesIO(body)) as picture:
        return np.asarray(picture)


def _figure(value: RichValue) -> Any:
    if value.record.mime != PLOTLY:
        return _picture(value)
    told = json.loads(value.body() or b"{}")
    return plotly_graph_objects().Figure(_unpacked(told))


def _unpacked(value: Any) -> Any:
    """Plotly's JSON with its packed arrays as arrays."""
    import base64

    import numpy as np

    if isinstance(value, list):
        return [_unpacked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not {"bdata", "dtype"} <= value.keys():
        return {key: _unpacked(item) for key, item in value.items()}
    array = np.frombuffer(base64.b64decode(value["bdata"]), np.dtype(value["dtype"]))
    shape = [int(n) for n in str(value.get("shape", len(array))).split(",")]
    return array.reshape(shape)


def plotly_graph_objects() -> Any:
    """The module of plotly's figures.

    Raises
    ------
    MissingExtraError
        Where plotly is not installed.
    """
    try:
        import plotly.graph_objects as go
    except ImportError as exc:
        raise MissingExtraError(
            "Plots need plotly: `pip install 'nbtrack[lab]'`."
        ) from exc
    return go


def _table(value: RichValue) -> pd.DataFrame:
    from nbtrack.tracking.media.columns import from_columns
    from nbtrack.tracking.media.tables import PARQUET, read_parquet

    if value.record.mime != PARQUET:
        return from_columns(value.main()["table"])
    try:
        return read_parquet(value.body() or b"")
    except ImportError as exc:
        raise MissingExtraError(
            "This table is kept as parquet: `pip install 'nbtrack[data]'`."
        ) from exc


def _histogram(value: RichValue) -> Histogram:
    import numpy as np

    from nbtrack.tracking.media.histograms import edges_of

    return Histogram(np.asarray(value.data["counts"]), edges_of(value.data))


def _text(value: RichValue) -> str:
    body = value.body()
    return str(value.data["text"]) if body is None else body.decode("utf-8", "replace")


def _confusion(value: RichValue) -> pd.DataFrame:
    import pandas as pd

    told = value.main()
    labels = told["labels"]
    return pd.DataFrame(
        told["matrix"],
        index=pd.Index(labels, name="true"),
        columns=pd.Index(labels, name="predicted"),
    )


def _curve(value: RichValue) -> pd.DataFrame:
    import pandas as pd

    x, y = _AXES[value.type]
    parts = [
        pd.DataFrame(
            {
                "label": [curve["label"]] * len(curve["x"]),
                x: curve["x"],
                y: curve["y"],
                "threshold": pd.Series(curve["thresholds"], dtype="float64"),
            }
        )
        for curve in value.main()["curves"]
    ]
    return pd.concat(parts, ignore_index=True)


def _features(value: RichValue) -> pd.Series[Any]:
    import pandas as pd

    told = value.main()
    series: pd.Series[Any] = pd.Series(
        told["values"], index=told["names"], dtype="float64", name=told.get("kind")
    )
    return series


_AXES: Mapping[str, tuple[str, str]] = {
    "roc": ("false_positive_rate", "true_positive_rate"),
    "pr": ("recall", "precision"),
}
_LOADERS: dict[str, Callable[[RichValue], Any]] = {
    "image": _picture,
    "figure": _figure,
    "table": _table,
    "predictions": _table,
    "histogram": _histogram,
    "text": _text,
    "html": _text,
    "audio": RichValue.body,
    "video": RichValue.body,
    "confusion_matrix": _confusion,
    "roc": _curve,
    "pr": _curve,
    "importance": _features,
    "shap": _features,
}
