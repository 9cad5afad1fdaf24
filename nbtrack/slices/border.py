"""The border around a replay: nothing of the session comes in, nothing gets out.

What the session wrote, or anything outside the proof's folder that changed since the
session began, cannot be read, listed or seen; nothing outside that folder is written;
nobody is called over a socket. Else a file that a dropped cell left would make a slice
seem whole. This holds for what goes through Python; see `nbtrack.slices.isolate` for
what the kernel of the system holds besides.
"""

from __future__ import annotations

import functools
import importlib
import os
import site
import sys
import sysconfig
from collections.abc import Callable, Iterable
from typing import Any

from nbtrack.slices.job import Borders

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SYSTEM = ("/proc", "/sys", "/dev", "/usr", "/lib", "/lib64", "/etc", "/bin", "/run")
_DEVICES = ("/dev", "/proc")
_MEMORY = "/dev/shm/"  # noqa: S108 - where Linux shows shared memory
_MANY = 10  # refusals are named, up to so many


class Border:
    """Looks at what Python is about to do, and refuses some of it."""

    def __init__(
        self, borders: Borders, inside: Iterable[str], *, own_network: bool = False
    ) -> None:
        self._inside = tuple(folder + os.sep for folder in inside)
        self._began_at = borders.began_at
        self._written = frozenset(borders.written)
        self._folders = frozenset(os.path.dirname(path) for path in borders.written)
        self._readable = frozenset(borders.readable)
        self._may_write = borders.allow_writes
        self._own_network = own_network
        self._system = tuple(f"{folder}{os.sep}" for folder in _system_folders())
        self._ports: set[int] = set()
        self.refused: dict[str, None] = {}
        self._looks: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._open,
            "os.listdir": self._list,
            "os.scandir": self._list,
            "os.rename": self._two_paths,
            "os.link": self._two_paths,
            "os.symlink": lambda args: self._write(args[1]),
            "socket.bind": self._bind,
            "socket.connect": self._connect,
            "socket.sendto": self._connect,
            "sqlite3.connect": self._database,
        }
        for event in ("mkdir", "rmdir", "remove", "truncate", "chmod", "chown"):
            self._looks[f"os.{event}"] = lambda args: self._write(args[0])
        self._looks["os.utime"] = lambda args: self._write(args[0])

    def raise_up(self) -> None:
        """From now on, for as long as the process lives."""
        sys.addaudithook(self._audit)
        for name in ("stat", "lstat", "access"):
            setattr(os, name, self._blind(getattr(os, name)))
        self._guard_shared_memory()

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        look = self._looks.get(event)
        if look is not None:
            look(args)

    # -- files -------------------------------------------------------------------

    def _open(self, args: tuple[Any, ...]) -> None:
        path, _, flags = args
        if isinstance(flags, int) and flags & _WRITING:
            self._write(path)
            if flags & (os.O_WRONLY | os.O_TRUNC):
                return
        self._read(path)

    def _read(self, path: Any) -> None:
        real = self._outside(path)
        if real is None or real.startswith(self._system):
            return
        if real in self._written:
            self._refuse(f"reads {real}, which the session may have written", real)
        if real not in self._readable and self._is_new(real):
            self._refuse(f"reads {real}, which changed since the session began", real)

    def _write(self, path: Any) -> None:
        real = self._outside(path)
        if real is None or self._may_write or _is_in(real, _DEVICES):
            return
        self._refuse(f"writes {real}: run it yourself, or allow_writes=True", real)

    def _list(self, args: tuple[Any, ...]) -> None:
        real = self._outside(args[0] if args[0] is not None else ".")
        if real is None or f"{real}/".startswith(self._system):
            return
        if real in self._folders or self._is_new(real):
            self._refuse(f"lists {real}, which changed since the session began", real)

    def _two_paths(self, args: tuple[Any, ...]) -> None:
        self._write(args[0])
        self._write(args[1])

    def _database(self, args: tuple[Any, ...]) -> None:
        name = os.fsdecode(args[0]) if isinstance(args[0], bytes | str) else args[0]
        if isinstance(name, str) and (name in ("", ":memory:") or name[:5] == "file:"):
            name = name.removeprefix("file:").partition("?")[0]
            if name in ("", ":memory:"):
                return
        self._read(name)
        self._write(name)

    def _outside(self, path: Any) -> str | None:
        """The path without links; None for what is no path or lies in the folder."""
        if isinstance(path, int):
            return None  # a file that is open already
        try:
            real = os.path.realpath(os.fsdecode(path))
        except (TypeError, ValueError, OSError):
            return None
        inside = f"{real}/".startswith(self._inside)
        return None if inside else real

    def _is_new(self, real: str) -> bool:
        try:
            return _stat(real).st_ctime >= self._began_at
        except OSError:
            return False

    def _blind(self, look: Callable[..., Any]) -> Callable[..., Any]:
        """`os.stat` and its like: what the session wrote is not there."""
        written = self._written

        @functools.wraps(look)
        def blind(path: Any, *args: Any, **named: Any) -> Any:
            if written and isinstance(path, str | os.PathLike):
                text = os.fspath(path)
                if isinstance(text, str) and os.path.abspath(text) in written:
                    raise FileNotFoundError(2, "No such file or directory", text)
            return look(path, *args, **named)

        return blind

    # -- everything else ---------------------------------------------------------

    def _bind(self, args: tuple[Any, ...]) -> None:
        address = args[1]
        if isinstance(address, tuple) and len(address) > 1:
            self._ports.add(address[1])

    def _connect(self, args: tuple[Any, ...]) -> None:
        address = args[1]
        if isinstance(address, tuple) and len(address) > 1:
            if not self._own_network and address[1] not in self._ports:
                self._refuse("uses the network", "the network")
        elif _is_socket_file(address) and self._outside(address) is not None:
            self._refuse(f"calls {os.fsdecode(address)}", "the network")

    def _guard_shared_memory(self) -> None:
        """Blocks of memory with a name that were there before are the session's."""
        try:
            module: Any = importlib.import_module("_posixshmem")  # no stubs for it
        except ImportError:
            return
        really = module.shm_open

        def shm_open(path: str, flags: int, mode: int = 0o777) -> int:
            if not flags & os.O_CREAT and self._is_older(path):
                self._refuse(f"reads the shared memory {path}", path)
            return int(really(path, flags, mode=mode))

        module.shm_open = shm_open

    def _is_older(self, block: str) -> bool:
        """Whether a block of memory was there before this process."""
        try:
            made_at = _stat(f"{_MEMORY}{block.strip('/')}").st_ctime
            return made_at < _stat("/proc/self").st_ctime
        except OSError:
            return False

    def _refuse(self, what: str, path: str) -> None:
        if len(self.refused) < _MANY:
            self.refused[what] = None
        raise PermissionError(1, f"not in a proof: it {what}", path)


_stat = os.stat  # the real one, before it is made blind


def _system_folders() -> list[str]:
    """Where programs and packages lie: the environment, which a slice does not make."""
    paths = sysconfig.get_paths()
    found = {sys.prefix, sys.base_prefix, *(paths[k] for k in ("purelib", "platlib"))}
    found |= {*site.getsitepackages(), site.getusersitepackages()}
    ours = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    return [*_SYSTEM, ours, *(os.path.realpath(path) for path in found)]


def _is_socket_file(address: Any) -> bool:
    """A path; not the name of an abstract socket, which a network of its own hides."""
    return isinstance(address, str | bytes) and address[:1] not in ("\0", b"\0", "")


def _is_in(real: str, folders: tuple[str, ...]) -> bool:
    return any(real.startswith(f"{folder}/") for folder in folders)
