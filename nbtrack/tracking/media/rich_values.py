"""Rich values of a live run: the part of `Run` that takes pictures, tables, curves.

Every call copies what it is given, returns, and never raises for a reason of ours:
what cannot be kept is one warning for its name, which says why and what to do.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.guard import guard
from nbtrack.tracking.described import Described
from nbtrack.tracking.media.keeping import (
    FEATURE,
    Moment,
    Steps,
    checked_name,
    is_forked,
    later,
    record_of,
    submit,
    telling,
)
from nbtrack.tracking.recorder import Recorder

if TYPE_CHECKING:
    from nbtrack.records import MediaRecord
    from nbtrack.store import Store
    from nbtrack.tracking.media.content import Snapshot
    from nbtrack.tracking.resume import Earlier

_first_use = threading.Lock()  # of rich values in a run, by threads that share it


class RichValues(Recorder, Described):
    """Takes rich values of one run; `Run` is one.

    Without `step` a value's step is how often its name was logged before. Axes that
    are set (`epoch`) are kept beside it.
    """

    store: Store
    earlier: Earlier | None  # of a run that was resumed
    _media_steps: Steps | None = None  # made at first use: most runs have none
    _media_ends: list[Callable[[], None]]

    # -- what is looked at -----------------------------------------------------------

    def log_image(
        self,
        image: Any,  # an array, a tensor, a Pillow image, a file, or a list of these
        name: str,
        *,
        step: int | None = None,
        caption: str | None = None,
    ) -> None:
        """Keep a picture; a list of them, or a batch, becomes one sheet.

        Parameters
        ----------
        image : array, tensor, PIL.Image, path, bytes, figure, or a list
            Height x width (x 1, 3 or 4), colours first for tensors. Floats are black
            at 0 and white at 1; where one lies outside, the range is stretched and
            the record says so.
        name : str
            The same name at later steps makes a series.
        step : int, optional
            Default: how often this name was logged before.
        caption : str, optional
            A line under it.

        Examples
        --------
        >>> import nbtrack, numpy as np
        >>> with nbtrack.start() as run:
        ...     run.log_image(np.zeros((8, 8, 3)), "sample", caption="all black")
        >>> nbtrack.media(run, "sample")[0].load().shape
        (8, 8, 3)
        """

        def take() -> Snapshot:
            from nbtrack.tracking.media import figures, images

            if figures.is_matplotlib(image):
                return figures.snapshot_of(image)
            return images.snapshot_of(image)

        self._keep(name, take, kind="image", step=step, caption=caption)

    def log_figure(
        self,
        figure: Any,  # of matplotlib or plotly
        name: str,
        *,
        step: int | None = None,
        caption: str | None = None,
    ) -> None:
        """Keep a figure: matplotlib's as a PNG, plotly's as its data.

        Figures that are shown in a tracked cell are kept without this call.
        """

        def take() -> Snapshot:
            from nbtrack.tracking.media.figures import snapshot_of

            return snapshot_of(figure)

        self._keep(name, take, kind="figure", step=step, caption=caption)

    def log_table(
        self,
        table: Any,  # a frame, rows, columns, an array
        name: str,
        *,
        columns: Sequence[Any] | None = None,
        step: int | None = None,
    ) -> None:
        """Keep a table, so that it is read back equal.

        Parameters
        ----------
        table : DataFrame, list of dicts or rows, dict of columns, or 2-d array
            As it is now; it may change afterwards.
        columns : sequence, optional
            The names, where the rows have none.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.log_table([{"word": "cat", "n": 2}], "words")
        >>> nbtrack.media(run, "words")[0].load().to_dict("records")
        [{'word': 'cat', 'n': 2}]
        """

        def take() -> Snapshot:
            from nbtrack.tracking.media.tables import snapshot_of

            return snapshot_of(table, columns)

        self._keep(name, take, kind="table", step=step)

    def log_histogram(
        self,
        values: Any,  # numbers of a kind, or (counts, edges)
        name: str,
        *,
        bins: int = 64,
        step: int | None = None,
    ) -> None:
        """Keep how values are spread, in equal bins; NaN and infinities are counted."""

        def take() -> Snapshot:
            from nbtrack.tracking.media.histograms import snapshot_of

            return snapshot_of(values, bins)

        self._keep(name, take, kind="histogram", step=step)

    def log_text(self, text: str, name: str, *, step: int | None = None) -> None:
        """Keep a text, without secrets."""

        def take() -> Snapshot:
            from nbtrack.tracking.media.texts import text_snapshot

            return text_snapshot(text)

        self._keep(name, take, kind="text", step=step)

    def log_html(
        self,
        html: Any,  # a text, or an object with an HTML view
        name: str,
        *,
        step: int | None = None,
    ) -> None:
        """Keep HTML; it is only ever shown in a sandbox, where no script runs."""

        def take() -> Snapshot:
            from nbtrack.tracking.media.texts import html_snapshot

            return html_snapshot(html)

        self._keep(name, take, kind="html", step=step)

    def log_audio(
        self,
        sound: Any,  # a file, its bytes, or samples
        name: str,
        *,
        rate: int | None = None,
        step: int | None = None,
        caption: str | None = None,
    ) -> None:
        """Keep a sound: a file, or samples between -1 and 1 with their `rate`."""

        def take() -> Snapshot:
            from nbtrack.tracking.media.sound import audio_snapshot

            return audio_snapshot(sound, rate)

        self._keep(name, take, kind="audio", step=step, caption=caption)

    def log_video(
        self,
        film: str | os.PathLike[str] | bytes,
        name: str,
        *,
        step: int | None = None,
        caption: str | None = None,
    ) -> None:
        """Keep a film: an MP4, WebM, OGV or GIF file, or its bytes."""

        def take() -> Snapshot:
            from nbtrack.tracking.media.sound import video_snapshot

            return video_snapshot(film)

        self._keep(name, take, kind="video", step=step, caption=caption)

    # -- what is judged --------------------------------------------------------------

    def log_confusion_matrix(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        labels: Sequence[Any] | None = None,
        name: str = "confusion_matrix",
        step: int | None = None,
    ) -> None:
        """Keep how often each class was taken for which, as numbers.

        Parameters
        ----------
        y_true, y_pred : arrays, tensors, series or lists
            One class a sample.
        labels : sequence, optional
            The classes in the order wanted, or names for classes numbered from 0.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.log_confusion_matrix([0, 1, 1], [0, 1, 0], labels=["cat", "dog"])
        >>> nbtrack.media(run, "confusion_matrix")[0].load().loc["dog", "cat"].item()
        1
        """

        def take() -> Snapshot:
            from nbtrack.tracking.media.scores import confusion_snapshot

            return confusion_snapshot(y_true, y_pred, labels)

        self._keep(name, take, kind="confusion matrix", step=step)

    def log_roc(
        self,
        y_true: Any,
        y_score: Any,
        *,
        labels: Sequence[Any] | None = None,
        pos_label: Any = None,
        name: str = "roc",
        step: int | None = None,
    ) -> None:
        """Keep a ROC curve as numbers, and its area as the metric `roc.auc`.

        Parameters
        ----------
        y_true : array
            The class of each sample.
        y_score : array
            A score a sample for two classes; for more a column a class, each then
            judged against the rest, and the metric is their mean.
        labels : sequence, optional
            The classes in the order of the columns. Default: sorted.
        pos_label : optional
            Of two classes, the one that scores speak for. Default: the second.
        """
        self._keep_curve(y_true, y_score, "roc", labels, pos_label, name, step)

    def log_pr(
        self,
        y_true: Any,
        y_score: Any,
        *,
        labels: Sequence[Any] | None = None,
        pos_label: Any = None,
        name: str = "pr",
        step: int | None = None,
    ) -> None:
        """Keep precision against recall, and `pr.average_precision`; see `log_roc`."""
        self._keep_curve(y_true, y_score, "pr", labels, pos_label, name, step)

    def log_importance(
        self,
        what: Any,  # numbers, a mapping, a series, an estimator
        names: Sequence[str] | None = None,
        *,
        kind: str | None = None,
        name: str = "importance",
        step: int | None = None,
    ) -> None:
        """Keep how much each feature mattered.

        Parameters
        ----------
        what : mapping, numbers, or a fitted estimator
            Of scikit-learn (also in a pipeline or a search), XGBoost or LightGBM; or
            what `permutation_importance` returned.
        names : sequence of str, optional
            Of the features, where `what` does not know them.
        kind : str, optional
            "gain", "split", "permutation"...: what the numbers are.
        """

        def take() -> Snapshot:
            from nbtrack.tracking.media.importance import importance_snapshot

            return importance_snapshot(what, names, kind)

        self._keep(name, take, kind="importance", step=step)

    def log_shap(
        self,
        values: Any,  # an array, a list of them, a shap.Explanation
        feature_names: Sequence[str] | None = None,
        *,
        data: Any = None,  # the rows that were explained
        name: str = "shap",
        step: int | None = None,
    ) -> None:
        """Keep SHAP values: the mean size of each feature, and a sample of rows."""

        def take() -> Snapshot:
            from nbtrack.tracking.media.importance import shap_snapshot

            return shap_snapshot(values, feature_names, data)

        self._keep(name, take, kind="SHAP values", step=step)

    def log_predictions(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        ids: Sequence[Any] | None = None,
        scores: Any = None,
        task: Literal["classification", "regression"] | None = None,
        name: str = "predictions",
        step: int | None = None,
    ) -> None:
        """Keep predictions one by one; `nbtrack.join_predictions` compares two runs.

        Parameters
        ----------
        ids : sequence, optional
            By which two runs are joined. Default: the number of the row.
        scores : array, optional
            One a sample, or samples x classes.
        task : str, optional
            Default: regression where `y_true` has fractions.
        """

        def take() -> Snapshot:
            from nbtrack.tracking.media.predictions import snapshot_of

            return snapshot_of(y_true, y_pred, ids=ids, scores=scores, task=task)

        self._keep(name, take, kind="predictions", step=step)

    # -- inside ----------------------------------------------------------------------

    @property
    def has_rich_values(self) -> bool:
        """Whether any were logged, so that the end of the run waits for them."""
        return self._media_steps is not None

    def keep_snapshot(
        self, name: str, snapshot: Snapshot, *, kind: str, step: int | None = None
    ) -> None:
        """Keep a value that somebody copied already."""
        self._keep(name, lambda: snapshot, kind=kind, step=step)

    def keep_records(
        self, make: Callable[[], Iterable[MediaRecord]], *, kind: str, size_bytes: int
    ) -> None:
        """Keep rows that are made in the background of `size_bytes` held until then."""
        self._expect_media()

        def write() -> None:
            with telling(self.id, kind, None):
                for record in make():
                    self.log_media(record)

        with telling(self.id, kind, None):
            later(write, size_bytes=size_bytes)

    def when_media_end(self, call: Callable[[], None]) -> None:
        """Call this when the run is about to end and still takes values."""
        self._expect_media()
        self._media_ends.append(call)

    def end_rich_values(self) -> None:
        """The run is about to end: what watches for it lets go."""
        while self._media_ends:
            with guard(FEATURE):
                self._media_ends.pop()()

    @property
    def axes_now(self) -> dict[str, float]:
        """Where the run is (`epoch`), as what is logged now is kept with."""
        return dict(self._axes)

    def _keep_curve(
        self,
        y_true: Any,
        y_score: Any,
        kind: Literal["roc", "pr"],
        labels: Sequence[Any] | None,
        pos_label: Any,
        name: str,
        step: int | None,
    ) -> None:
        def take() -> Snapshot:
            from nbtrack.tracking.media.scores import curve_snapshot

            return curve_snapshot(
                y_true, y_score, kind=kind, labels=labels, pos_label=pos_label
            )

        shown = "ROC curve" if kind == "roc" else "precision-recall curve"
        self._keep(name, take, kind=shown, step=step)

    def _keep(
        self,
        name: object,
        take: Callable[[], Snapshot],
        *,
        kind: str,
        step: object = None,
        caption: str | None = None,
    ) -> None:
        """Copy the value now, write it later; what goes wrong is said once a name."""
        if is_forked():
            return
        with guard(FEATURE), telling(self.id, kind, name) as raised:
            if self.status != "running":
                self._late_point()
                return
            clean, snapshot = checked_name(name), take()
            about: dict[str, Any] = {} if caption is None else {"caption": str(caption)}
            if self._axes:
                about["axes"] = self.axes_now
            moment = Moment(
                kind, clean, self._media_step(clean, step), time.time(), about
            )
            submit(moment, snapshot, self._write_media)
        self.n_dropped += len(raised)

    def last_media_step(self, prefix: str) -> int | None:
        """Of a resumed run: the last step of values so named in its earlier life."""
        last = self._expect_media().last
        return max(
            (last[name] for name in last if name.startswith(prefix)), default=None
        )

    def _expect_media(self) -> Steps:
        with _first_use:
            if self._media_steps is None:
                earlier = self.store.media(self.id) if self.earlier else ()
                self._media_ends, self._media_steps = [], Steps(earlier)
            return self._media_steps

    def _media_step(self, name: str, step: object) -> int:
        steps = self._expect_media()
        given = None if step is None else self._as_step(step)
        return steps.next(name) if given is None else steps.went_to(name, given)

    def _write_media(self, moment: Moment, snapshot: Snapshot) -> None:
        """What the background does with a value."""
        with telling(self.id, moment.kind, moment.name) as raised:
            content = snapshot.encode()
            self.log_media(record_of(self.store, moment, content))
            self._log_beside(moment, content.metrics)
        self.n_dropped += len(raised)

    def _log_beside(self, moment: Moment, metrics: Mapping[str, float]) -> None:
        # Not `log`: Stop must reach the training's thread and not this one.
        if metrics:
            named = {f"{moment.name}.{key}": value for key, value in metrics.items()}
            self._log(named, moment.step, moment.at)
