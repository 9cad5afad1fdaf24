"""What Ctrl-C cannot leave half done: waits, threads, errors that hide an interrupt.

An interrupt comes between two bytecodes of the main thread. The standard condition is
entered by a function in Python: one that is interrupted on its way out has taken a lock
that nobody gives back, and the writer, the next cell, the end of the process wait for
it for ever (seen once in about 500 interrupts). The lock of these is entered in C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from queue import SimpleQueue


class Changes(threading.Condition):
    """A condition that is never left locked by Ctrl-C.

    >>> changes = Changes()
    >>> with changes:
    ...     changes.wait(0.0)
    False
    """

    # Looked up by `with` in C, and what is found is the lock's own method, in C too.
    __enter__ = property(attrgetter("_lock.__enter__"))
    __exit__ = property(attrgetter("_lock.__exit__"))


class Signal(threading.Event):
    """An event that is never left locked by Ctrl-C.

    >>> signal = Signal()
    >>> signal.set()
    >>> signal.wait(0.0)
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self._cond = Changes(threading.Lock())


class Thread(threading.Thread):
    """A daemon whose start Ctrl-C does not leave waiting for the one who started it.

    >>> thread = Thread(lambda: print("works"), name="nbtrack-example")
    >>> thread.start()
    works
    >>> thread.join()
    """

    def __init__(self, work: Callable[[], object], *, name: str) -> None:
        super().__init__(target=work, name=name, daemon=True)
        self._started = Signal()


class Worker:
    """One thread that does jobs one after another until it is told to end.

    The standard library's pools take conditions at each submission, in Python, which
    Ctrl-C leaves locked; the end of the process then waits for their threads for ever.

    >>> worker = Worker(name="nbtrack-example")
    >>> worker.submit(lambda: print("done"))
    >>> worker.end(wait=True)
    done
    """

    def __init__(self, *, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = Thread(self._work, name=name)
        self._thread.start()

    def submit(self, job: Callable[[], object]) -> None:
        """Have a job done behind those before it; it must not raise."""
        self._jobs.put(job)

    def end(self, *, wait: bool) -> None:
        """No more jobs; the thread ends behind the last one."""
        self._jobs.put(None)
        if wait:
            self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # what it held is let go before the next one comes


def interrupt_behind(
    exc: BaseException | None, handled: BaseException | None
) -> KeyboardInterrupt | None:
    """The Ctrl-C that an error came of, if any.

    `shutil.rmtree` closes a handle twice when it is interrupted, and a condition lets
    go of a lock that it has not got: the error is theirs, the interrupt the user's.
    `handled` is what was being handled before: an interrupt in there is an older one.

    >>> interrupt_behind(ValueError(), None) is None
    True
    """
    while exc is not None and exc is not handled:
        if isinstance(exc, KeyboardInterrupt):
            return exc
        exc = exc.__context__
    return None
