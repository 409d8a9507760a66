"""The process that reads strangers' files: `python -m ragqa.read.child MEMORY SECONDS`, asked by `apart.Child`."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from importlib import import_module
from typing import Any, BinaryIO

from ragqa.errors import BadInput
from ragqa.read.apart import LENGTH, reply_of
from ragqa.read.formats import BY_NAME, read_bytes

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # of Linux's unshare
_DIE_WITH_PARENT, _NO_NEW_PRIVILEGES = 1, 38  # of Linux's prctl
_FORBIDDEN = ("socket.", "subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "os.system", "ctypes.dlopen")


def main(memory: int, seconds: float) -> None:
    """Answer requests until there are no more."""
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no reply
    _confine(memory)
    while head := _head(requests):
        content = requests.read(int(head["size"]))
        # In case the process that asked is gone and cannot end this one: the signal does, even inside a library.
        signal.setitimer(signal.ITIMER_REAL, seconds + 5)
        reply = _reply(str(head["format"]), content, str(head["name"]))
        signal.setitimer(signal.ITIMER_REAL, 0)
        message = json.dumps(reply).encode()
        replies.write(len(message).to_bytes(LENGTH, "big") + message)
        replies.flush()


def _head(requests: BinaryIO) -> dict[str, Any] | None:
    length = requests.read(LENGTH)
    return json.loads(requests.read(int.from_bytes(length, "big"))) if length else None


def _reply(format: str, content: bytes, name: str) -> dict[str, Any]:
    try:
        return reply_of(read_bytes(BY_NAME[format], content, name))
    except BadInput as error:
        return {"message": error.message, "reason": error.reason}
    except MemoryError:
        return {"message": f"{name}: takes too much memory", "reason": "takes too much memory", "ended": True}
    except Exception:  # a parser may fail in any way on what it was not made for
        reason = f"cannot be read as {format}"
        return {"message": f"{name}: {reason}", "reason": reason}


def _confine(memory: int) -> None:
    """No network, no files written, no programs run, no more memory than allowed, no life without the parent.

    What the system enforces differs: Linux gives a network of its own with no way out of it, where its settings
    allow that. The audit hook holds everywhere, for Python's code.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        if libc.unshare(_NEW_NETWORK):
            libc.unshare(_NEW_USER | _NEW_NETWORK)
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):  # a system that knows no such limit
            resource.setrlimit(limit, (value, value))
    import_module("pypdfium2")  # its library cannot be opened any more once that is refused
    sys.addaudithook(_refuse)


def _refuse(event: str, _details: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event}: not while a document is read")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
