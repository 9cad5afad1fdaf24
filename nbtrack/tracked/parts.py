"""The parts that a tracked cell and a tracked script share: params, watching, files.

Each begins with the run and ends with the code, under a guard of its own: a part that
fails is said once and off for the session, the others and the code go on without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from nbtrack.tracked.deferred import Prepared

if TYPE_CHECKING:
    from nbtrack.capture.files import FileWatch
    from nbtrack.capture.params import CellCapture
    from nbtrack.capture.session import SessionLog
    from nbtrack.capture.watch import WatchReport
    from nbtrack.records import RunRecord
    from nbtrack.tracking.run import Run

WATCHING = "watching"


@dataclass
class Tracking:
    """What the parts of one tracked cell or script share."""

    run: Run
    prepared: Prepared
    python: str  # the code, at its own lines
    params: dict[str, Any]  # of `-p`, evaluated
    namespace: dict[str, Any]
    log: SessionLog
    capture: CellCapture | None = None  # of the params, from their begin on
    names_read: list[str] = field(default_factory=list)  # from earlier cells
    watched: WatchReport | None = None
    notices: list[str] = field(default_factory=list)
    record: RunRecord | None = None  # at the very end


class Part(Protocol):
    """One thing that is done beside recording."""

    feature: str  # as a warning names it
    setting: str  # as `nbtrack.configure(off=...)` names it

    def begin(self, on: Tracking) -> None:
        """The run has begun; the first line of the user's code is next."""

    def end(self, on: Tracking) -> None:
        """The user's code is done; the run still takes values."""


class Seeding:
    """`--seed N`: what is kept of it; that was done before the run began."""

    feature = "seeding"
    setting = "seeding"

    def begin(self, on: Tracking) -> None:
        """Tell the seed."""
        from nbtrack.records import Param
        from nbtrack.tracking.background import background
        from nbtrack.tracking.randomness_part import FEATURE, seeded_by_option

        seed = on.prepared.options.seed
        if seed is not None:
            on.run.log_params([Param("seed", seed, "option")])
            facts = seeded_by_option(seed)
            background.submit(partial(on.run.log_facts, facts), feature=FEATURE)

    def end(self, on: Tracking) -> None:
        """Nothing: the generators stay where the code left them."""


class Params:
    """The inputs that the code really read."""

    feature = "reading params"
    setting = "params"

    def begin(self, on: Tracking) -> None:
        """Options, literals, inherited values, objects that are there already."""
        from nbtrack.capture.params import CellCapture

        capture = CellCapture(on.python, on.namespace, on.log, options=on.params)
        try:
            on.run.log_params(capture.at_start())
        except SyntaxError:
            return  # the user's own slip (`return` outside a function): the cell says
        on.capture, on.names_read = capture, capture.names_read

    def end(self, on: Tracking) -> None:
        """Objects that the code made, and how far its loops came."""
        if on.capture is not None:
            seen = on.watched
            loops, names = (seen.loops, seen.watched) if seen else ([], [])
            params = on.capture.at_end(on.namespace, loops, watched=names)
            on.run.log_params(params)
            on.notices += on.capture.notices
            self._keep_model_size(on, on.capture.object_names)

    def _keep_model_size(self, on: Tracking, names: set[str]) -> None:
        from nbtrack.capture.module_size import modules_bytes

        found = modules_bytes(map(on.namespace.get, sorted(names)))
        on.run.log_measured(model_bytes=found)


class Watching:
    """The metrics that the code computes; its own lines were rewritten before."""

    feature = WATCHING
    setting = "watching"

    def begin(self, on: Tracking) -> None:
        """Connect the watch calls to the run, and look into the functions called."""
        on.prepared.sink.attach(on.run)
        if on.prepared.watcher is not None:
            on.prepared.watcher.instrument_functions(
                on.prepared.tree, on.namespace, on.log.source_of
            )

    def end(self, on: Tracking) -> None:
        """Put the functions back and take what was seen."""
        if on.prepared.watcher is not None:
            on.watched = on.prepared.watcher.finish()
            on.notices += [
                f"{name} ({why})" for name, why in on.watched.skipped.items()
            ]


class Files:
    """The files that the code saves."""

    feature = "file capture"
    setting = "files"

    def __init__(self) -> None:
        self._watch: FileWatch | None = None

    def begin(self, on: Tracking) -> None:
        """Watch the savers."""
        from nbtrack.capture.files import FileWatch

        self._watch = FileWatch(on.run, namespace=on.namespace)
        self._watch.start()

    def end(self, on: Tracking) -> None:
        """Put the savers back."""
        if self._watch is not None:
            self._watch.stop()
