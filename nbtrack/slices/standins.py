"""What a script of a slice needs in place of IPython and of nbtrack.

Nothing here is called by the package: `standins_of` copies the parts that a script
uses into it, without their annotations, so that it runs alone. Each imports what it
needs inside, and leaves no name but its own in the script.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any  # the values are those of the user's cells

__all__: list[str] = []


def _nb_here() -> str:
    """The folder of the script: what belongs to it lies beside it."""
    import os

    return os.path.dirname(os.path.abspath(globals().get("__file__") or "run.py"))


def _nb_put_back(name: str, packed: str) -> None:
    """Let a random generator go on from where it was in the notebook."""
    import base64
    import json
    import zlib

    plain = zlib.decompress(base64.b64decode(packed))
    kind, header, body = plain.split(b"\n", 2)
    state = kind.decode(), json.loads(header), body
    _nb_set_state(_nb_generator(name, *state), *state)


def _nb_generator(name: str, kind: str, header: dict[str, Any], body: bytes) -> Any:
    """The generator of that name; a variable that is not there is made."""
    if name.startswith("variable:"):
        variable, _, attribute = name.removeprefix("variable:").partition(".")
        if attribute:
            return globals()[variable].__dict__[attribute]
        if variable not in globals():
            globals()[variable] = _nb_new_generator(kind, header)
        return globals()[variable]
    if name == "random":
        import random

        return random._inst
    if name == "numpy":
        import numpy as np

        return np.random.mtrand._rand
    import torch

    if name == "torch":
        return torch.default_generator
    torch.cuda.init()
    return torch.cuda.default_generators[int(name.rpartition(".")[2])]


def _nb_new_generator(kind: str, header: dict[str, Any]) -> Any:
    """A generator of that kind, in any state."""
    if kind == "random":
        import random

        return random.Random()  # noqa: S311 - it gets the state of the user's own
    if kind.startswith("torch:"):
        import torch

        return torch.Generator(kind.removeprefix("torch:"))
    import numpy as np

    bits = getattr(np.random, header["bit_generator"])()
    old = kind == "numpy"
    return np.random.RandomState(bits) if old else np.random.Generator(bits)


def _nb_set_state(
    generator: Any, kind: str, header: dict[str, Any], body: bytes
) -> None:
    """Put a generator into a state."""
    if kind == "random":
        import random
        import struct

        words = struct.unpack("<625I", body)
        state = (header["version"], words, header["gauss"])
        random.Random.setstate(generator, state)
    elif kind.startswith("torch:"):
        import torch

        bits = torch.frombuffer(bytearray(body), dtype=torch.uint8)
        generator.set_state(bits)
    elif kind == "numpy":
        generator.set_state(_nb_with_arrays(header, body)[0])
    else:
        generator.bit_generator.state = _nb_with_arrays(header, body)[0]


def _nb_with_arrays(value: Any, body: bytes) -> tuple[Any, bytes]:
    """The state of a generator of NumPy, with its arrays out of `body`."""
    import numpy as np

    if not isinstance(value, dict):
        return value, body
    if value.keys() == {"dtype", "n"}:
        dtype, n = np.dtype(value["dtype"]), int(value["n"])
        array = np.frombuffer(body, dtype, count=n).astype(dtype.newbyteorder("="))
        return array, body[n * dtype.itemsize :]
    found = {}
    for key, item in value.items():
        found[key], body = _nb_with_arrays(item, body)
    return found, body


def _nb_seed(seed: int, *names: str) -> None:
    """What `%%track --seed` does: seed what is imported, or is about to be."""
    import random
    import sys

    random.seed(seed)
    wanted = {*names, *sys.modules}
    if "numpy" in wanted:
        import numpy as np

        np.random.seed(seed)
    if "torch" in wanted:
        import torch

        torch.manual_seed(seed)


def _nb_load(path: str) -> Any:
    """A value that was saved, and is not computed by this script."""
    import os
    import pickle

    with open(os.path.join(_nb_folder, path), "rb") as file:
        return pickle.load(file)  # noqa: S301 - it was written with this script


_nb_folder = _nb_here()  # now, as a cell may go elsewhere


def _nb_cd(path: str) -> str:
    """`%cd`: one that cannot be gone to is said, and raises nothing."""
    import os
    import sys

    been = globals().setdefault("_dh", [os.getcwd()])
    if path == "-":
        if len(been) < 2:
            raise LookupError("%cd -: no previous folder")
        path = been[-2]
    elif path[:1] == "-" and path[1:].isdigit():
        path = been[int(path[1:])]
    try:
        os.chdir(os.path.expanduser(path or "~"))
    except OSError as exc:
        sys.stderr.write(f"{exc}\n")
    else:
        been.append(os.getcwd())
    return os.getcwd()


def _nb_filled(make: Any, text: str) -> str:
    """`!ls {x.name}`: where it cannot be filled in, the line stays as it is."""
    import contextlib

    with contextlib.suppress(Exception):
        return str(make())
    return text


class _nb_Lines(list):  # type: ignore[type-arg]  # as IPython's SList is one
    """The lines that a command wrote."""

    @property
    def n(self) -> str:
        return "\n".join(self)

    @property
    def s(self) -> str:
        return " ".join(self)

    @property
    def l(self) -> list[str]:  # noqa: E743 - the name that IPython gave it
        return self

    def grep(self, pattern: str, prune: bool = False) -> _nb_Lines:
        import re

        found = (bool(re.search(pattern, line, re.IGNORECASE)) for line in self)
        kept = zip(self, found, strict=True)
        return _nb_Lines(line for line, hit in kept if hit != prune)

    def fields(self, *numbers: int) -> Any:
        if not numbers:
            return [line.split() for line in self]
        rows = (line.split() for line in self)
        picked = ([r[n] for n in numbers if -len(r) <= n < len(r)] for r in rows)
        return _nb_Lines(" ".join(row) for row in picked)


def _nb_lines(command: str) -> _nb_Lines:
    """`files = !ls`: what a command writes, line by line."""
    import os
    import subprocess

    done = subprocess.run(  # noqa: S602 - the user's own command
        command,
        shell=True,
        executable=os.environ.get("SHELL") or None,  # as IPython does for these
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return _nb_Lines(done.stdout.splitlines())


def _nb_write(path: str, mode: str, text: str) -> None:
    """`%%writefile`: the text becomes a file now."""
    import os

    path = os.path.expanduser(path)
    with open(path, mode, encoding="utf-8") as file:
        file.write(text)


class _nb_Capture:
    """`%%capture out`: what was printed, as text."""

    def __init__(self) -> None:
        import contextlib
        import io

        self._out, self._err = io.StringIO(), io.StringIO()
        self._into = contextlib.ExitStack()
        self.outputs: list[Any] = []

    def __enter__(self) -> _nb_Capture:
        import contextlib

        self._into.enter_context(contextlib.redirect_stdout(self._out))
        self._into.enter_context(contextlib.redirect_stderr(self._err))
        return self

    def __exit__(self, *raised: object) -> None:
        self._into.close()

    @property
    def stdout(self) -> str:
        return self._out.getvalue()

    @property
    def stderr(self) -> str:
        return self._err.getvalue()

    def __str__(self) -> str:
        return self.stdout

    def show(self) -> None:
        import sys

        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)

    __call__ = show


class _nb_SaysErrors:
    """`%run` shows what the file raised, and the cell goes on."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        import traceback

        if error is None or not isinstance(error, (Exception, SystemExit)):
            return False
        if not isinstance(error, SystemExit):
            traceback.print_exception(kind, error, trace)
        return True


def _nb_run(
    path: str, arguments: list[str], *, within: bool = False, name: str = "__main__"
) -> None:
    """`%run`: a file in a namespace of its own, whose names are then the script's."""
    import os
    import sys
    import types

    beside = _nb_files.get(path)
    file = os.path.join(_nb_folder, beside) if beside else os.path.expanduser(path)
    with open(file, "rb") as opened:
        code = compile(opened.read(), path, "exec", dont_inherit=True)
    module = sys.modules["__main__"] if within else types.ModuleType(name)
    space = globals() if within else module.__dict__
    before, folder = (sys.argv, sys.modules.get(name)), os.path.dirname(path)
    outer: dict[str, Any] = {
        key: space[key] for key in ("__name__", "__file__") if key in space
    }
    space.update(__name__=name, __file__=os.path.abspath(path))
    sys.argv, sys.modules[name] = [path, *arguments], module
    sys.path.insert(0, os.path.abspath(folder))
    try:
        with _nb_SaysErrors():
            exec(code, space)  # noqa: S102 - the user's own file
    finally:
        sys.path.remove(os.path.abspath(folder))
        sys.argv = before[0]
        if before[1] is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before[1]
    if within:
        del space["__file__"]
        space.update(outer)
    else:
        _nb_kept.append(module)  # its functions read their globals from it
        hidden = {"__name__", "__file__"}
        globals().update({k: v for k, v in space.items() if k not in hidden})


def _nb_run_notebook(path: str) -> None:
    """`%run other.ipynb`: its cells, which were made a file, in our namespace."""
    import os

    with open(os.path.join(_nb_folder, _nb_files[path]), "rb") as opened:
        exec(compile(opened.read(), path, "exec"), globals())  # noqa: S102


_nb_files: dict[str, str] = {}  # path as `%run` has it -> the file beside the script
_nb_kept: list[Any] = []


def _nb_shown(number: int | None, value: Any) -> None:
    """The value of a cell's last line: Out[n], _n, and the latest as _."""
    if value is None:
        return
    space = globals()
    latest = ["_", "__", "___"]
    if all(space[name] is was for name, was in zip(latest, _nb_last, strict=True)):
        _nb_last[:] = [value, *_nb_last[:2]]
        space.update(zip(latest, _nb_last, strict=True))
    if number is not None:
        space["Out"][number] = space[f"_{number}"] = value


_nb_last: list[Any] = ["", "", ""]


def _nb_typed(number: int | None, text: str) -> None:
    """The text of a cell that is about to run: In[n], _in, and those before as _i."""
    space = globals()
    space["_iii"], space["_ii"] = space.get("_ii", ""), space.get("_i", "")
    space["_i"] = _nb_texts[-1] if _nb_texts else ""
    _nb_texts.append(text)
    if number is not None:
        typed = space["In"]
        typed.extend([""] * (number + 1 - len(typed)))
        typed[number] = space[f"_i{number}"] = text


_nb_texts: list[str] = []


class _nb_Loop:
    """The one event loop of the script: tasks live on from cell to cell."""

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        self._loop.run_until_complete(work)
        self.turn(0.0)

    def run_text(self, text: str, name: str) -> None:
        """A cell that cannot be a function, as it can have no star import."""
        import ast
        import inspect

        allowed = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(text, name, "exec", flags=allowed)
        made = eval(code, globals())  # noqa: S307 - the user's own cell
        if inspect.iscoroutine(made):
            self._loop.run_until_complete(made)
        self.turn(0.0)

    def turn(self, seconds: float) -> None:
        """Let what runs in the background go on, as it did between two cells."""
        import asyncio

        async def wait() -> None:
            for _ in range(3):
                await asyncio.sleep(0)
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            if tasks and seconds:
                await asyncio.wait(tasks, timeout=seconds)

        self._loop.run_until_complete(wait())

    def close(self) -> None:
        import asyncio

        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._loop.run_until_complete(end())
        self._loop.close()
        asyncio.set_event_loop(None)


def _nb_wait_for_threads(seconds: float) -> None:
    """Threads that a cell started had this long until the next one."""
    import threading
    import time

    until = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread not in (threading.main_thread(), threading.current_thread()):
            thread.join(max(0.0, until - time.monotonic()))


def _nb_close_figures() -> None:
    """A notebook shows the figures of a cell at its end, and closes them."""
    import sys

    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def _nb_timed(function: Any) -> Any:
    """`%timeit -o`: one call is timed here, not many."""
    import time
    import types

    start = time.perf_counter()
    function()
    took = time.perf_counter() - start
    numbers = {"average": took, "best": took, "worst": took, "stdev": 0.0}
    runs = {"all_runs": [took], "timings": [took], "loops": 1, "repeat": 1}
    return types.SimpleNamespace(**numbers, **runs, compile_time=0.0)


class _nb_Handle:
    """What `display(x, display_id=True)` returns; here it shows nothing."""

    def display(self, *objects: Any, **options: Any) -> None:
        pass

    update = display


def display(*objects: Any, **options: Any) -> Any:
    """Shows nothing: this is no notebook."""
    return _nb_Handle() if options.get("display_id") else None


class _nb_Shell:
    """Stands in for IPython's shell: what cannot be done without it does nothing."""

    kernel = events = display_pub = display_formatter = property(lambda self: self)
    user_ns = user_global_ns = property(lambda self: globals())

    @property
    def config(self) -> dict[str, Any]:
        return {"IPKernelApp": {}}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *arguments, **options: None

    def ev(self, text: str) -> Any:
        return eval(text, globals())  # noqa: S307 - the user's own

    def ex(self, text: str) -> None:
        exec(text, globals())  # noqa: S102

    def push(self, names: dict[str, Any], *options: Any, **more: Any) -> None:
        globals().update(names)


_nb_Shell.__name__ = "ZMQInteractiveShell"  # which code asks for


def get_ipython() -> _nb_Shell:
    """The stand-in for the shell."""
    return _nb_shell


_nb_shell = _nb_Shell()
