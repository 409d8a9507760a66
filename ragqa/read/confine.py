"""What the process that reads strangers' files may do: take bytes in, think within bounds, and give text back.

Each system enforces what it can. Linux gives a network of its own with no way out of it, where its settings allow
that, and Landlock: no file is written, made, removed or run, whatever code asks. Limits hold on every Unix, and
the hook everywhere, but only for Python's own code. What the system enforces is reported, because what it does not
goes unnoticed. Reading other files is forbidden nowhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys

NETWORK, WRITING = "network", "writing"  # what can be taken away, whatever code asks

_DIE_WITH_PARENT, _NO_NEW_PRIVILEGES = 1, 38  # of Linux's prctl
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # of unshare
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # system calls, the same on every machine
_ASK_VERSION = 1
_TRUNCATING = 3  # the version that also knows of cutting files off
_READING = 0b1100  # the bits of a Landlock ruleset for reading files and listing folders
_FORBIDDEN = (
    *("socket.", "subprocess.", "shutil.", "pty."),
    *("os.exec", "os.fork", "os.posix_spawn", "os.system", "os.spawn", "os.kill"),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def confine(memory: int) -> list[str]:
    """Give up, for good, what reading a document needs not.

    Args:
        memory: Bytes of address space.

    Returns:
        What the system took away: of NETWORK and WRITING, those that it enforces.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    held = _confine_on_linux() if sys.platform == "linux" else []
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):  # a system that knows no such limit
            resource.setrlimit(limit, (value, value))
    sys.addaudithook(_refuse)
    return held


def _confine_on_linux() -> list[str]:
    libc = ctypes.CDLL(None)
    libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    held = [] if libc.unshare(_NEW_NETWORK) and libc.unshare(_NEW_USER | _NEW_NETWORK) else [NETWORK]
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION)
    if version > 0:
        rules = _landlock_rules(version)
        ruleset = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
        if libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0 and version >= _TRUNCATING:
            held.append(WRITING)
    return held


def _landlock_rules(version: int) -> bytes:
    """Forbids all that the version knows of but reading; later ones also know of the network and of signals."""
    files = (1 << {1: 13, 2: 14}.get(version, 15)) - 1
    rules = [files & ~_READING]
    if version >= 4:
        rules.append(0b11)  # TCP, either way
    if version >= 6:
        rules.append(0b11)  # sockets without a file, signals to processes outside
    return struct.pack(f"={len(rules)}Q", *rules)


def _refuse(event: str, details: tuple[object, ...]) -> None:
    writes = event == "open" and isinstance(details[2], int) and details[2] & _WRITING
    if writes or event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event}: not while a document is read")
