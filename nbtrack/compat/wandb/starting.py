"""`wandb.init`: a run as it is asked for, new or gone on with; `finish`, `restore`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nbtrack.capture.values import unflatten
from nbtrack.compat.wandb import saved
from nbtrack.compat.wandb.configured import (
    DEFAULTS_FILE,
    from_file,
    in_notebook,
    parsed,
)
from nbtrack.compat.wandb.desk import desk
from nbtrack.compat.wandb.errors import CommError, Error, UsageError
from nbtrack.compat.wandb.live import Run
from nbtrack.compat.wandb.saying import say_ignored, say_once
from nbtrack.compat.wandb.settings import Asked, Settings, asked_of
from nbtrack.compat.wandb.summed import kept
from nbtrack.errors import RunNotFoundError
from nbtrack.text import did_you_mean

if TYPE_CHECKING:
    from nbtrack.compat.wandb.desk import Values
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run as Live


_UNUSED = {
    *("anonymous", "entity", "force", "magic", "monitor_gym", "save_code"),
    *("sync_tensorboard", "tensorboard"),
}


def init(
    entity: str | None = None,
    project: str | None = None,
    *,
    dir: str | os.PathLike[str] | None = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Sequence[str] | str | None = None,
    config: Any = None,  # a mapping, argparse's Namespace, absl's flags, a YAML file
    config_exclude_keys: Sequence[str] | None = None,
    config_include_keys: Sequence[str] | None = None,
    allow_val_change: bool | None = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    reinit: bool | str | None = None,
    resume: bool | str | None = None,
    resume_from: str | None = None,
    fork_from: str | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    **others: Any,  # what means nothing without a server
) -> Run:
    """Begin a run in the store of this folder, and make it `wandb.run`.

    Parameters
    ----------
    project : str, optional
        The experiment; default the notebook's name, else "default".
    entity : str, optional
        Is remembered for `run.path` only.
    group, notes, name, tags
        As in nbtrack; a name that is there already gets a number.
    job_type : str, optional
        Kept as the tag `job_type`.
    config : mapping, Namespace, flags or path of a YAML file, optional
        The params.
    id, resume : optional
        "allow": go on with the run of this id, or begin it; "must": only go on;
        "never": only begin; "auto" or True: go on with the last run of the project if
        its process died.
    fork_from : str, optional
        "id?_step=100": begin with the past of that run.
    mode : str, optional
        "disabled": record nothing. The others all record here.
    reinit : optional
        "finish_previous" (default in notebooks): end the runs that go on;
        "return_previous" (default in scripts): give back the one that goes on;
        "create_new": leave it the current one.
    dir : path, optional
        The folder whose store is meant. Default: the working folder.

    Returns
    -------
    Run
        Also a context manager.

    Raises
    ------
    UsageError
        For an unknown word, or a run that cannot be gone on with.

    Examples
    --------
    >>> import nbtrack.compat.wandb as wandb
    >>> with wandb.init(project="mnist", config={"lr": 0.1}) as run:
    ...     run.log({"loss": 0.5})
    >>> import nbtrack
    >>> nbtrack.runs()[["experiment", "params.lr"]].to_dict("records")
    [{'experiment': 'mnist', 'params.lr': 0.1}]
    """
    given = {
        "project": project, "name": name, "id": id, "group": group,
        "job_type": job_type, "tags": tags, "notes": notes, "mode": mode, "dir": dir,
        "reinit": reinit, "resume": resume, "fork_from": fork_from,
        "resume_from": resume_from,
    }  # fmt: skip
    asked = asked_of(given, settings)
    previous = None if desk.trial else _previous(asked)
    if previous is not None:
        return previous
    _say_unused({**others, "entity": entity})
    run = _begun(asked, entity=entity or "", allow_val_change=bool(allow_val_change))
    run.update_config(_defaults())
    config, desk.early_config = config or desk.early_config, None
    if config is not None:
        found = parsed(config, config_include_keys, config_exclude_keys)
        run.update_config(found)
    desk.adopt(run, as_current=asked.reinit != "create_new")
    return run


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """End the current run, if there is one."""
    if desk.run is not None:
        desk.run.finish(exit_code)


def login(*_: Any, **__: Any) -> bool:
    """True: there is nobody to log in to."""
    return True


def restore(
    name: str,
    run_path: str | None = None,
    replace: bool = False,
    root: str | None = None,
) -> IO[Any]:
    """A loose file of a run, copied below `root` (the run's folder) and opened.

    Raises
    ------
    CommError
        When there is no such run.
    ValueError
        When no run is named and none goes on, or the run has no such file.
    """
    from nbtrack.tracking.session import process_session

    if run_path is None and desk.run is None:
        raise ValueError(
            "run_path required when calling wandb.restore before wandb.init"
        )
    live = None if desk.run is None else desk.run.live
    run_id = (run_path or (live.id if live else "")).rpartition("/")[2]
    place = root or (desk.run.dir if desk.run is not None else ".")
    recorded = live is not None and live.is_recorded
    store = live.store if live and recorded else process_session().store_for()
    return saved.restored(store, run_id, name, root=place, replace=replace)


def _previous(asked: Asked) -> Run | None:
    """The run that goes on, where it is to be given back; else it may be ended."""
    if not desk.running or asked.reinit == "create_new":
        return None
    finishes = asked.reinit == "finish_previous" or (
        asked.reinit == "default" and in_notebook()
    )
    if finishes:
        desk.finish_all()
        return None
    if asked.resume == "must":
        raise Error(
            "Cannot resume a run while another run is active. You must either finish "
            "it using run.finish(), or use reinit='create_new' when calling "
            "wandb.init()."
        )
    say_once(
        f"previous {desk.running[-1].id}",
        "init() called while a run goes on: it is given back. Call finish() first, or "
        "reinit='finish_previous'",
    )
    return desk.running[-1]


def _say_unused(others: Mapping[str, Any]) -> None:
    """One line for what means nothing here; a slip is no such thing."""
    for word in others.keys() - _UNUSED:
        known = [*_UNUSED, *inspect.signature(init).parameters]
        raise TypeError(
            f"init() got an unexpected keyword argument {word!r}."
            f"{did_you_mean(word, known)}"
        )
    say_ignored("init", [word for word, value in others.items() if value])


def _defaults() -> dict[str, Any]:
    """What a file of this folder says for every run, as with wandb."""
    path = Path(DEFAULTS_FILE)
    return from_file(path) if path.is_file() else {}


def _begun(asked: Asked, *, entity: str, allow_val_change: bool) -> Run:
    trial, desk.trial = desk.trial, None
    if trial is not None and not asked.is_disabled:
        run = _in_trial(trial, asked, entity=entity)
    elif asked.is_disabled:
        from nbtrack.tracking.rank_runs import SilentRun

        run = Run(SilentRun(name=asked.name or "dummy", id="dummy"), asked)
    else:
        run = _recorded(asked, entity=entity, allow_val_change=allow_val_change)
    return run


def _recorded(asked: Asked, *, entity: str, allow_val_change: bool) -> Run:
    from nbtrack.tracking.session import process_session

    session = process_session()
    if asked.resume_from:
        raise UsageError(
            f"resume_from={asked.resume_from!r} would take points away: use fork_from, "
            "which begins a run with that past."
        )
    near = None if asked.dir is None else os.fspath(asked.dir)
    about: dict[str, Any] = {
        "experiment": asked.project,
        "group": asked.group,
        "notes": asked.notes or "",
        "tags": _tags(asked),
        "near": near,
        "parent": "" if _is_beside(session.current) else None,
    }
    if asked.fork_from:
        live = _forked(asked, about)
        return Run(live, asked, entity=entity, step=_next_step(live))
    store = session.store_for(near)
    store.recover()  # a run whose process died may be the one to go on with
    record = _to_resume(store, asked)
    run_id = asked.id if record is None else None
    live = session.start(
        asked.name, **about, id=run_id, resume=None if record is None else record.id
    )
    if record is None:
        return Run(live, asked, entity=entity, allow_val_change=allow_val_change)
    return _resumed(live, record, asked, entity=entity)


def _is_beside(current: Live | None) -> bool:
    """Whether another run of the script goes on, of which a new one is no part."""
    return any(run.live is current for run in desk.running)


def _to_resume(store: Store, asked: Asked) -> RunRecord | None:
    """The run to go on with, if any."""
    if asked.resume == "auto" and asked.id is None:
        newest = store.newest(asked.project)
        found = None if newest is None else store.run(newest)
        return found if found is not None and found.status == "crashed" else None
    if asked.id is None:
        if asked.resume == "must":
            raise UsageError("resume='must' needs the id of a run.")
        return None
    is_there = store.has_run(asked.id)
    if asked.resume == "must" and not is_there:
        raise UsageError(
            f"You provided an invalid value for the `resume` argument. The value "
            f"'must' is not a valid option for resuming a run ({asked.id}) that does "
            "not exist."
        )
    if is_there and asked.resume in (None, "never"):
        raise UsageError(
            f"There is a run {asked.id!r} already, and it is never written over: pass "
            "resume='allow' to go on with it, or another id."
        )
    return store.run(asked.id) if is_there else None


def _resumed(live: Live, record: RunRecord, asked: Asked, *, entity: str) -> Run:
    """The run with what its earlier life has left: step, config, summary."""
    run = Run(live, asked, entity=entity, step=_next_step(live), allow_val_change=True)
    params = {name: param.value for name, param in record.params.items()}
    run.config.take({str(k): v for k, v in unflatten(params).items()})
    run.take_up(record.metrics, kept(live.store.facts(live.id)))
    return run


def _next_step(live: Live) -> int:
    return max(live.next_steps().values(), default=0)


def _forked(asked: Asked, about: Mapping[str, Any]) -> Live:
    from nbtrack.tracking.fork import fork

    source, _, step = str(asked.fork_from).partition("?_step=")
    if not step.isdigit():
        raise UsageError(
            f"fork_from={asked.fork_from!r}: write id?_step=100, the run and its step."
        )
    said = {k: v for k, v in about.items() if v and k not in ("near", "parent")}
    try:
        return fork(source, step=int(step), name=asked.name, **said)
    except RunNotFoundError as exc:
        raise CommError(str(exc)) from exc


def _tags(asked: Asked) -> list[str]:
    """The tags as texts, with the job type as `job_type: train`."""
    job = [f"job_type: {asked.job_type}"] if asked.job_type else []
    return [*asked.run_tags, *job]


def _in_trial(trial: Values, asked: Asked, *, entity: str) -> Run:
    """The run that the sweep has begun for this call."""
    live = trial.live
    if _tags(asked):
        live.tag(*_tags(asked))
    if asked.notes:
        live.note(asked.notes)
    run = Run(live, asked, entity=entity, is_trial=True, sweep_id=trial.sweep_id)
    run.config.lock(trial.values)
    return run
