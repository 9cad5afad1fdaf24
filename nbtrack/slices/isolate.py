"""What the kernel of the system keeps from a replay, where it lets us ask for it.

A network of its own in which nobody listens, so that a server that the session left
running does not answer; files that can be neither read nor written, whichever library
or program tries; and its death with the process that asked for it. Every part may be
refused by the system, which is told and not raised.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Collection, Sequence
from pathlib import PurePath

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_LOCKED_FLAGS = 2 | 4 | 8 | 1024 | 2048  # nosuid, nodev, noexec, noatime, nodiratime
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
# Landlock: numbers of its calls on every architecture, and bits of its rights.
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_ASK_VERSION, _BENEATH, _VERSION_NEEDED = 1, 1, 3
_WRITE_FILE, _READ_FILE, _TRUNCATE = 1 << 1, 1 << 2, 1 << 14
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_WRITING = _WRITE_FILE | _TRUNCATE | sum(1 << bit for bit in range(4, 14))
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def die_with(parent: int) -> None:
    """Be killed when the process that started this one dies."""
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def leave_network(*, and_mounts: bool = False) -> bool:
    """Leave the network for an empty one; whether the system let us.

    Only for a process with one thread, before anything else. With `and_mounts` also
    the common view of the file system, for `lay_over`.
    """
    user, group = os.getuid(), os.getgid()
    asked = _CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC
    if _libc().unshare(asked | (_CLONE_NEWNS if and_mounts else 0)) != 0:
        return False
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
        _raise_loopback()
    except OSError:
        pass  # the network is left all the same: processes cannot call one another
    return True


def lay_over(copy: str, folder: str, originals: Sequence[str]) -> bool:
    """Let this process see the copy where the folder is; whether the system let us.

    The originals (large files, a Python) are in the copy too then, to be read alone.
    """
    if _mount(None, "/", _MS_REC | _MS_PRIVATE) is False:
        return False
    for original in originals:
        place = os.path.join(copy, os.path.relpath(original, folder))
        if not _lay_to_be_read(original, place):
            return False
    if not _mount(copy, folder, _MS_BIND | _MS_REC):
        return False
    os.chdir(folder)  # by its path: what we stood in is below it now
    return True


def _lay_to_be_read(original: str, place: str) -> bool:
    if os.path.isdir(original):
        os.makedirs(place, exist_ok=True)
    else:
        if os.path.islink(place):
            os.unlink(place)
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
    if not _mount(original, place, _MS_BIND):
        return False
    kept = os.statvfs(place).f_flag & _LOCKED_FLAGS  # which we may not take away
    if _mount(None, place, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | kept):
        return True
    _libc().umount2(os.fsencode(place), 0)
    return False


def _mount(source: str | None, target: str, flags: int) -> bool:
    what = None if source is None else os.fsencode(source)
    done = _libc().mount(what, os.fsencode(target), None, ctypes.c_ulong(flags), None)
    return bool(done == 0)


def confine_files(
    folders: Collection[str], hidden: Collection[str], *, may_write: bool
) -> bool:
    """Write in these folders alone, and read none of the hidden files, for good.

    Holds for libraries in C and for subprocesses too (Landlock). Whether the system
    let us; a Linux before 6.2, or one without it, does not.
    """
    libc = _libc()
    if not confine_files_is_offered():
        return False
    handled = (0 if may_write else _WRITING) | (_READ_FILE if hidden else 0)
    if not handled:
        return True
    asked = struct.pack("Q", handled)
    rules = libc.syscall(_CREATE, asked, len(asked), 0)
    if rules < 0:
        return False
    try:
        for folder in (*folders, "/dev/shm"):  # noqa: S108 - shared memory of processes
            _allow(rules, folder, handled)
        for folder in ("/dev", "/proc"):
            _allow(rules, folder, handled & _OF_FILES)
        if hidden:
            _allow_but(rules, "/", frozenset(hidden))
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def confine_files_is_offered() -> bool:
    """Whether this system has what it takes.

    >>> isinstance(confine_files_is_offered(), bool)
    True
    """
    version = _libc().syscall(_CREATE, None, 0, _ASK_VERSION)
    return bool(version >= _VERSION_NEEDED)


def _allow_but(rules: int, folder: str, hidden: frozenset[str]) -> None:
    """Reading of all that is in a folder, but for the hidden files."""
    above = {os.path.dirname(path) for path in hidden}
    above |= {str(parent) for path in above for parent in PurePath(path).parents}
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.path in above:
            _allow_but(rules, entry.path, hidden)
        elif entry.path not in hidden and not entry.is_symlink():
            _allow(rules, entry.path, _READ_FILE)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        asked = struct.pack("=Qi", rights, handle)
        _libc().syscall(_ADD_RULE, rules, _BENEATH, asked, 0)
    finally:
        os.close(handle)


def _raise_loopback() -> None:
    """Processes of the replay may call one another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        (_, flags) = struct.unpack(
            "16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked)
        )
        up = struct.pack("16sh14x", b"lo", flags | _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, up)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _write(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
