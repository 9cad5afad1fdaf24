"""Where trials run: the seam between a sweep and the kernel, processes, a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from nbtrack.sweeps.boundary import Boundary
from nbtrack.sweeps.in_function import FunctionTrial
from nbtrack.sweeps.in_shell import TrialInShell
from nbtrack.sweeps.trial import Outcome, Reports, Task


class Executor(Protocol):
    """Runs trials, some at a time; all calls but `stop` come from one thread."""

    n_places: int

    def start(self, task: Task, *, report: Reports, began: Began) -> None:
        """Begin a trial; it may be over when this returns."""

    def wait(self, timeout_s: float) -> Outcome | None:
        """The next trial that has ended; None where none has within the time."""

    def stop(self, by: str) -> None:
        """Ask all trials that run to stop."""

    def close(self) -> None:
        """Leave nothing running."""


class Places(Executor, Protocol):
    """An executor whose trials have processes, and folders, of their own."""

    def work_apart(self, wrote: Sequence[str]) -> list[str]:
        """From now on trials that write these files do so in folders of their own.

        Returns those of the files that lie elsewhere, and are still shared.
        """


Began = Callable[[int, str], None]  # a trial's number, and the id of its run


class _OneByOne:
    """What is alike where a trial is over when `start` returns."""

    n_places = 1

    def __init__(self) -> None:
        self._done: Outcome | None = None
        self._running: TrialInShell | FunctionTrial | None = None

    def wait(self, timeout_s: float) -> Outcome | None:
        """What came of it."""
        done, self._done = self._done, None
        return done

    def stop(self, by: str) -> None:
        """Ask it to stop, from another thread."""
        if self._running is not None:
            self._running.stop(by)

    def close(self) -> None:
        """Nothing runs beside this thread."""


class KernelExecutor(_OneByOne):
    """In the notebook's own kernel, one after the other.

    Parameters
    ----------
    shell
        IPython's shell.
    python
        The cell as plain Python, by which its reads are known.
    """

    def __init__(self, shell: Any, python: str) -> None:  # Any: IPython has no types
        super().__init__()
        self._shell = shell
        self._python = python

    def start(self, task: Task, *, report: Reports, began: Began) -> None:
        """Run the trial to its end."""
        trial = TrialInShell(
            self._shell,
            task,
            report=report,
            began=lambda run: began(task.number, run),
        )
        self._running = trial
        self._done = trial.run(Boundary.of(self._python, self._shell.user_ns))
        self._running = None


class FunctionExecutor(_OneByOne):
    """Calls a function of the user's in this process, one trial after the other."""

    def __init__(
        self,
        function: Callable[..., Any],
        values: Callable[[Task], Mapping[str, Any]],
        about: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._function = function
        self._values = values
        self._about = about

    def start(self, task: Task, *, report: Reports, began: Began) -> None:
        """Call it and wait."""
        values = self._values(task)
        trial = FunctionTrial(self._function, values, task, self._about)
        self._running = trial
        self._done = trial.run(report, lambda run: began(task.number, run))
        self._running = None
