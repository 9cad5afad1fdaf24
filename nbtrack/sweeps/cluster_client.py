"""The way to a Dask cluster: a client of the user's or one of ours, and its workers.

A sweep begins when at least one worker is there and all of them have this nbtrack.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbtrack.errors import MissingExtraError, OptionError, SweepError
from nbtrack.guard import tolerated
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.sweeps.api import Asked

WORKERS_S = 30.0  # until a worker has to be there
CONNECT_S = 10.0


@contextmanager
def on_cluster(asked: Asked, *, workers_s: float = WORKERS_S) -> Iterator[Asked]:
    """The same with a client that is connected; as it is, where none is asked for.

    A client that was given stays open.

    Raises
    ------
    MissingExtraError
        Where `distributed` is not installed.
    OptionError
        For what is no cluster, or a client of an event loop.
    SweepError
        When there is no scheduler or no worker, or a worker has not this nbtrack.
    """
    if asked.cluster is None:
        yield asked
        return
    client, is_ours = client_of(asked.cluster)
    try:
        n = ready_workers(client, workers_s)
        yield replace(asked, cluster=client, parallel=asked.parallel or n)
    finally:
        if is_ours:
            client.close()


def client_of(cluster: Any) -> tuple[Any, bool]:
    """A client, and whether it was made here; raises as `on_cluster` does."""
    try:
        from distributed import Client
    except ImportError as exc:
        raise MissingExtraError(
            "Sweeps over a cluster need Dask: pip install 'nbtrack[dask]'."
        ) from exc
    if isinstance(cluster, Client):
        if cluster.asynchronous:
            raise OptionError("Give a client that is not asynchronous=True.")
        return cluster, False
    address = getattr(cluster, "scheduler_address", cluster)
    if not isinstance(address, str) or ":" not in address:
        raise OptionError(
            f"cluster is {shorten(repr(cluster), 60)}: give a client of "
            "dask.distributed, or the address of a scheduler, like tcp://host:8786."
        )
    why: list[Exception] = []
    with tolerated(why.append):
        return Client(address, timeout=CONNECT_S, set_as_default=False), True
    raise SweepError(f"No Dask scheduler answers at {address}: {why[0]}") from why[0]


def ready_workers(client: Any, timeout_s: float) -> int:
    """How many workers there are, all with this nbtrack; waits for the first one.

    Raises
    ------
    SweepError
        When none came within the time, or nbtrack is missing there, or another one.
    """
    from distributed import TimeoutError

    if not client.nthreads():
        # A task, and not just waiting: clusters that adapt begin workers for tasks.
        try:
            client.submit(int, 1, pure=False).result(timeout=timeout_s)
        except TimeoutError as exc:
            raise SweepError(
                f"No worker of the Dask cluster at {client.scheduler.address} came "
                f"within {timeout_s:.0f} s: start one, as with cluster.scale(2)."
            ) from exc
    found = client.run(_version_probe())
    check_versions(found)
    return len(found)


def check_versions(found: dict[str, str]) -> None:
    """Whether workers, by address, have the nbtrack that runs here.

    Raises
    ------
    SweepError
        With the first address that has not.

    >>> check_versions({"tcp://a:1": "? No module named 'nbtrack'"})
    Traceback (most recent call last):
        ...
    nbtrack.errors.SweepError: The Dask worker tcp://a:1 has no nbtrack (No module \
named 'nbtrack'): install it there, with the same version as here.
    """
    import nbtrack

    for address, version in found.items():
        if version.startswith("?"):
            raise SweepError(
                f"The Dask worker {address} has no nbtrack ({version[2:]}): install it "
                "there, with the same version as here."
            )
        if version != nbtrack.__version__:
            raise SweepError(
                f"The Dask worker {address} has nbtrack {version}, and here it is "
                f"{nbtrack.__version__}: install the same there."
            )


def _version_probe() -> Any:
    """A function that goes by value: where nbtrack is missing, it still runs."""

    def version() -> str:
        try:
            import nbtrack
        except ImportError as exc:
            return f"? {exc}"
        return str(nbtrack.__version__)

    return version


def forget_topics(client: Any, prefix: str) -> None:
    """Take what was said under a topic, and its like, from the scheduler's memory.

    It keeps the last 1000 events of each topic otherwise, for as long as it lives.
    """
    client.unsubscribe_topic(prefix)

    def forget(dask_scheduler: Any) -> None:
        broker: Any = getattr(dask_scheduler, "_broker", None)  # not in older ones
        for topic in [
            t for t in getattr(broker, "_topics", ()) if t.startswith(prefix)
        ]:
            del broker._topics[topic]

    client.run_on_scheduler(forget)
