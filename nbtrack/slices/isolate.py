"""What the kernel of the system keeps from a replay, where it lets us ask for it.

A network of its own in which nobody listens, so that a server that the session left
running does not answer; and its death with the process that asked for it. Every part
may be refused by the system, which is told and not raised.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def die_with(parent: int) -> None:
    """Be killed when the process that started this one dies."""
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def leave_network() -> bool:
    """Leave the network for an empty one; whether the system let us.

    Only for a process with one thread, before anything else.
    """
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) != 0:
        return False
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
        _raise_loopback()
    except OSError:
        pass  # the network is left all the same: processes cannot call one another
    return True


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
