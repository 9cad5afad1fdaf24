"""`wandb.Api()`: reading runs and artifacts of the store of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from nbtrack.compat.wandb.api_run import ApiRun
from nbtrack.compat.wandb.artifact import Artifact
from nbtrack.compat.wandb.errors import CommError
from nbtrack.compat.wandb.filters import fits, value_of
from nbtrack.compat.wandb.saying import not_here, say_ignored
from nbtrack.compat.wandb.versions import Version
from nbtrack.errors import ArtifactNotFoundError, RunNotFoundError

if TYPE_CHECKING:
    from nbtrack.store import Store


class Runs:
    """Runs in order, as a sequence."""

    def __init__(self, found: list[ApiRun]) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[ApiRun]:
        return iter(self._found)

    @overload
    def __getitem__(self, at: int) -> ApiRun: ...
    @overload
    def __getitem__(self, at: slice) -> list[ApiRun]: ...
    def __getitem__(self, at: int | slice) -> ApiRun | list[ApiRun]:
        return self._found[at]

    def __repr__(self) -> str:
        return f"<Runs {self._found}>"


class Api:
    """Reads the store; it never writes.

    >>> import nbtrack.compat.wandb as wandb
    >>> with wandb.init(project="mnist", config={"lr": 0.1}) as run:
    ...     run.log({"loss": 0.5})
    >>> [found] = wandb.Api().runs("mnist", filters={"config.lr": {"$gte": 0.1}})
    >>> found.summary["loss"], found.history()["loss"].tolist()
    (0.5, [0.5])
    """

    def __init__(
        self, overrides: Mapping[str, Any] | None = None, **others: Any
    ) -> None:
        say_ignored("Api", (overrides or {}).keys() | others.keys())
        self.default_entity = ""

    def runs(
        self,
        path: str | None = None,
        filters: Mapping[str, Any] | None = None,
        order: str = "+created_at",
        per_page: int = 50,
        include_sweeps: bool = False,
        lazy: bool = True,
    ) -> Runs:
        """The runs of a project (`entity/project` or `project`), or all.

        Parameters
        ----------
        filters : mapping, optional
            `{"config.lr": 0.1}`, `{"summary_metrics.acc": {"$gt": 0.9}}`,
            `{"$or": [...]}`, `{"tags": {"$in": [...]}}`, state, group, display_name.
        order : str
            A name as in filters, with + or - before it.

        Raises
        ------
        UsageError
            For an unknown word in them.
        """
        store = _store()
        project = (path or "").strip("/").rpartition("/")[2] or None
        every = [ApiRun(store, record) for record in store.runs(experiment=project)]
        found = [run for run in every if fits(run, filters or {})]
        key = order.lstrip("+-")
        known = [run for run in found if _sorts(value_of(run, key))]
        rest = [run for run in found if not _sorts(value_of(run, key))]
        known.sort(key=lambda run: value_of(run, key), reverse=order.startswith("-"))
        return Runs([*known, *rest])

    def run(self, path: str) -> ApiRun:
        """One run by `entity/project/id`, `project/id` or its id.

        Raises
        ------
        CommError
            When there is none.
        """
        store = _store()
        try:
            return ApiRun(store, store.run(path.strip("/").rpartition("/")[2]))
        except RunNotFoundError as exc:
            raise CommError(f"Could not find run {path!r}: {exc}") from exc

    def artifact(self, name: str, type: str | None = None) -> Artifact:
        """A version of an artifact by `name:alias`, with a project before it or not.

        Raises
        ------
        CommError
            When there is none.
        ValueError
            When it is of another type.
        """
        store = _store()
        try:
            record = store.artifact(name.rpartition("/")[2])
        except ArtifactNotFoundError as exc:
            raise CommError(str(exc)) from exc
        if type is not None and type != record.type:
            raise ValueError(
                f"type {type} specified but this artifact is {record.type}"
            )
        made = Artifact(record.name, record.type)
        made.became(Version(store, record))
        return made

    def artifact_exists(self, name: str, type: str | None = None) -> bool:
        """Whether there is such a version."""
        try:
            self.artifact(name, type)
        except (CommError, ValueError):
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise not_here("Api", name)


def _store() -> Store:
    """The store of this folder, with what was logged in this process so far."""
    from nbtrack.tracking.session import process_session

    session = process_session()
    store = session.current.store if session.current else session.store_for()
    if session.current is not None:
        session.current.record()
    return store


def _sorts(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)
