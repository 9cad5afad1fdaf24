"""`wandb.Run`: one run of nbtrack under the names that scripts of wandb use."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nbtrack.compat.wandb.alerts import AlertLevel, level_of
from nbtrack.compat.wandb.configured import Config, in_notebook
from nbtrack.compat.wandb.defined import Definitions, Metric
from nbtrack.compat.wandb.errors import UsageError
from nbtrack.compat.wandb.history import History
from nbtrack.compat.wandb.run_artifacts import LogsArtifacts
from nbtrack.compat.wandb.saved import SavedFiles
from nbtrack.compat.wandb.saying import not_here, say_once
from nbtrack.compat.wandb.settings import Asked
from nbtrack.compat.wandb.summed import Summary
from nbtrack.tracking.outcome import outcome_of

if TYPE_CHECKING:
    from nbtrack.records import MetricSummary
    from nbtrack.tracking.run import Run as Live

_WATCHED = {"gradients", "parameters", "all", None}


class Run(LogsArtifacts):
    """A run; made by `wandb.init`.

    `live` is nbtrack's own run behind it.
    """

    def __init__(
        self,
        live: Live,
        asked: Asked,
        *,
        config: Mapping[str, Any] | None = None,
        allow_val_change: bool = False,
        entity: str = "",
        step: int = 0,
        is_trial: bool = False,
        sweep_id: str | None = None,
    ) -> None:
        self.live = live
        self.entity = entity
        self.starting_step = step
        self.sweep_id = sweep_id
        self.is_finished = False
        self._asked = asked
        self._is_trial = is_trial  # ended by the sweep
        self._tags = asked.run_tags
        self._notes = asked.notes
        self.config = Config(
            live.log_params, allow_val_change=allow_val_change or in_notebook()
        )
        self.summary = Summary(live, started_at=live.started_at)
        self._defined = Definitions()
        self._history = History(live, self.summary, self._defined, step=step)
        self._files = SavedFiles(live)
        if config:
            self.config.update(config)

    # -- what is recorded

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        commit: bool | None = None,
    ) -> None:
        """Keep values: numbers as metrics, the rest by its kind; see `History`.

        Parameters
        ----------
        data : dict
            Names to values; nested dicts become dotted names.
        step : int, optional
            Default: the step that is open.
        commit : bool, optional
            Whether the next `log` begins a new step. Default: unless `step` is given.
        """
        self._refuse_finished("log")
        self._history.log(data, step, commit)

    def define_metric(
        self,
        name: str,
        step_metric: str | Metric | None = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        overwrite: bool | None = None,
        goal: str | None = None,
    ) -> Metric:
        """Say over which axis a metric is drawn, what its summary is, and its goal.

        `step_metric` is kept as an axis beside each point; a `summary` of "min" or
        "max" says the goal too, where `goal` ("minimize", "maximize") does not.
        """
        self._refuse_finished("define_metric")
        metric = self._defined.add(
            name, step_metric=step_metric, summary=summary, goal=goal, hidden=hidden,
            overwrite=overwrite,
        )  # fmt: skip
        self._history.define(metric)
        return metric

    def alert(
        self,
        title: str,
        text: str = "",
        level: str | AlertLevel | None = None,
        wait_duration: Any = None,
    ) -> None:
        """Let somebody hear of something; `Run.alert` says where it is shown."""
        self._refuse_finished("alert")
        self.live.alert(title, text, level_of(level))

    def watch(
        self,
        models: Any,
        criterion: Any = None,
        log: str | None = "gradients",
        log_freq: int = 1000,
        idx: int | None = None,
        log_graph: bool = False,
    ) -> None:
        """Keep histograms of a model's gradients and weights at every k-th pass."""
        from nbtrack.tracking.model_watch import watch

        if log not in _WATCHED:
            raise ValueError("log must be one of gradients, parameters, all or None")
        for model in models if isinstance(models, list | tuple) else [models]:
            if log is not None:
                watch(
                    model, log_freq, run=self.live,
                    gradients=log != "parameters", weights=log != "gradients",
                )  # fmt: skip

    def unwatch(self, models: Any = None) -> None:
        """End the watch of these models, or of all."""
        from nbtrack.tracking.model_watch import unwatch

        for model in models if isinstance(models, list | tuple) else [models]:
            unwatch(self.live, model)

    def save(
        self,
        glob_str: str | os.PathLike[str],
        base_path: str | os.PathLike[str] | None = None,
        policy: str = "live",
        glob: bool = True,
    ) -> list[str]:
        """Keep files with the run; they become the artifact `run-<id>-files`."""
        self._refuse_finished("save")
        return self._files.save(glob_str, base_path, policy, glob=glob)

    def restore(
        self,
        name: str,
        run_path: str | None = None,
        replace: bool = False,
        root: str | None = None,
    ) -> Any:
        """A file of this or another run, copied below `root` and opened."""
        from nbtrack.compat.wandb.starting import restore

        return restore(name, run_path or self.path, replace, root or self.dir)

    def log_code(self, *_: Any, **__: Any) -> None:
        """Nothing to do: nbtrack keeps the code of each run."""
        say_once("log_code", "log_code: the code of each run is kept without it")

    def mark_preempting(self) -> None:
        """Nothing to do: a run whose process dies shows as crashed, and resumes."""

    def pin_config_keys(self, keys: Sequence[str] = ()) -> None:
        """Nothing to do: there is no page of a server to pin them to."""

    def write_logs(self, text: str) -> None:
        """Keep a text with the run."""
        if not self.is_finished:
            self.live.log_text(text, "logs")

    def display(self, height: int = 420, hidden: bool = False) -> bool:
        """False: `nbtrack.show(run.id)` is the run's page."""
        return False

    # -- what it is

    @property
    def id(self) -> str:
        """Its id in the store."""
        return self.live.id

    @property
    def name(self) -> str:
        """For people; it can be changed."""
        return self.live.name

    @name.setter
    def name(self, name: str) -> None:
        self._edit(name=name)
        self.live.name = name

    @property
    def notes(self) -> str | None:
        """Markdown; it can be changed."""
        return self._notes

    @notes.setter
    def notes(self, notes: str) -> None:
        self._notes = notes
        self.live.note(notes)

    @property
    def tags(self) -> tuple[str, ...]:
        """They can be changed: `run.tags += ("baseline",)`."""
        return self._tags

    @tags.setter
    def tags(self, tags: Sequence[str]) -> None:
        before, self._tags = self._tags, tuple(tags)
        gone = [tag for tag in before if tag not in self._tags]
        if gone:
            self.live.untag(*gone)
        if self._tags:
            self.live.tag(*self._tags)

    @property
    def project(self) -> str:
        """The experiment."""
        return self.live.experiment or self._asked.project or ""

    @property
    def group(self) -> str:
        """What it shares with other runs."""
        return self._asked.group or ""

    @property
    def job_type(self) -> str:
        """Kept as the tag `job_type`."""
        return self._asked.job_type or ""

    @property
    def path(self) -> str:
        """`project/id`, with the entity before it where one was named."""
        return "/".join(part for part in (self.entity, self.project, self.id) if part)

    @property
    def dir(self) -> str:
        """A folder; what is written there is kept when the run ends."""
        return str(self._files.folder)

    @property
    def url(self) -> None:
        """None: there is no server. `nbtrack.show(run.id)` shows the run."""
        return

    @property
    def project_url(self) -> None:
        """None: there is no server."""
        return

    @property
    def sweep_url(self) -> None:
        """None: there is no server."""
        return

    @property
    def step(self) -> int:
        """The step that is open."""
        return self._history.step

    @property
    def start_time(self) -> float:
        """When it began, in seconds since the epoch."""
        return self.live.started_at

    @property
    def resumed(self) -> bool:
        """Whether it goes on with an earlier life."""
        return self.live.earlier is not None

    @property
    def offline(self) -> bool:
        """True: nothing goes over a network."""
        return True

    @property
    def disabled(self) -> bool:
        """Whether nothing is recorded."""
        return self._asked.is_disabled

    @property
    def config_static(self) -> dict[str, Any]:
        """The config as it is now."""
        return self.config.as_dict()

    def update_config(self, config: Mapping[str, Any]) -> None:
        """Settings as `init` got them; those of a sweep stand."""
        self.config.update(self.config.free(config))

    def take_up(
        self, metrics: Mapping[str, MetricSummary], by_hand: Mapping[str, Any]
    ) -> None:
        """What the earlier life of a run that goes on has left."""
        last = {name: metric.last for name, metric in metrics.items()}
        self.summary.take(last, by_hand)
        self._defined.earlier = metrics

    # -- its end

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """End the run; an `exit_code` other than 0 makes it failed."""
        if self.is_finished:
            return
        self._settle()
        if exit_code:
            self.live.finish("failed", reason=f"exit code {exit_code}")
        elif not self._is_trial:
            self.live.finish()

    def ended_by(self, exc: BaseException) -> None:
        """End the run by what went through the script."""
        if self.is_finished:
            return
        self._settle()
        if self._is_trial:  # the sweep sees the exception itself
            return
        status, error = outcome_of(exc)
        if status == "failed":
            self.live.log_failure(exc)
        self.live.finish(status, error=error)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is None:
            self.finish()
        else:
            self.ended_by(exc)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise not_here("Run", name)

    def __repr__(self) -> str:
        return f"<wandb Run {self.name!r} {self.id}>"

    # -- inside

    def _settle(self) -> None:
        from nbtrack.compat.wandb.desk import desk

        self.is_finished = True
        self.summary.settle(self._defined.special)
        desk.forget(self, self._files.settle())

    def _edit(self, **changed: Any) -> None:
        if self.live.is_recorded:
            event = {"kind": "run_changed", "run": self.id, "fields": changed}
            self.live.store.edit(event)

    def _refuse_finished(self, call: str) -> None:
        if self.is_finished:
            raise UsageError(
                f"Run ({self.id}) is finished. The call to `{call}` will be ignored. "
                "Please make sure that you are using an active run."
            )
