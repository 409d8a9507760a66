"""One writer at a time: a lock beside a file, which the kernel takes back however its holder ends.

SQLite's own lock holds for one transaction; a run is many of them, and two runs at once would undo each other's work.
Who reads never waits for this lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ragqa.errors import IndexLocked, NotWritable
from ragqa.files import private_folder

PATIENCE = 10.0  # seconds
_PAUSE = 0.05  # seconds between two tries
_LONGEST = 1000  # bytes of what a holder says of itself

Say = Callable[[str], None]


def silent(message: str) -> None:
    """Says it to nobody."""


_held: set[Path] = set()  # by this process, which would else wait for itself


def lock_of(path: Path) -> Path:
    """The file that is locked while `path` is written; it stays, empty, when nobody does."""
    return path.with_name(f"{path.name}.lock")


@contextmanager
def writing_alone(path: Path, doing: str, patience: float = PATIENCE, say: Say = silent) -> Iterator[None]:
    """Be the only one who writes `path` until the end of the block; within another such block of it, nothing more.

    Args:
        doing: What others are told of this process, such as `ragqa index ~/notes`.
        patience: Seconds to wait for another process.
        say: Is told once whom is waited for.

    Raises:
        IndexLocked: It is still writing after that.
        NotWritable: There can be no lock, and so no writing.
    """
    lock = lock_of(path).absolute()
    if lock in _held:
        yield
        return
    descriptor = _locked(path, lock, patience, say)
    _held.add(lock)
    try:
        with suppress(OSError):  # a full disk: others wait all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {doing}\n".encode(errors="replace")[:_LONGEST], 0)
        yield
    finally:
        _held.discard(lock)
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def holder(path: Path) -> str:
    """Who writes `path` now, as `process 123 (ragqa index ~/notes)`; empty where nobody does."""
    lock = lock_of(path)
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return "" if _take(descriptor, fcntl.LOCK_SH) else _said(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path, lock: Path, patience: float, say: Say) -> int:
    """An open file with the lock on it."""
    deadline, told = time.monotonic() + patience, False
    while True:
        descriptor = _opened(path, lock)
        if _take(descriptor, fcntl.LOCK_EX):
            if _is_there(lock, descriptor):
                return descriptor
            os.close(descriptor)  # it was removed meanwhile, and another process may have locked the next one
            continue
        other = _said(descriptor)
        os.close(descriptor)
        if time.monotonic() >= deadline:
            raise IndexLocked(f"{path}: locked by {other}", "try again when it is done")
        if not told:
            say(f"waiting for {other}, which writes {path.name}")
            told = True
        time.sleep(_PAUSE)


def _opened(path: Path, lock: Path) -> int:
    try:
        private_folder(lock.parent)
        return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotWritable(f"{path}: cannot be written: {error.strerror}", "check space and permissions") from error


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def _is_there(lock: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(lock.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _said(descriptor: int) -> str:
    process, _, doing = os.pread(descriptor, _LONGEST, 0).decode(errors="replace").strip().partition(" ")
    return f"process {process} ({doing})" if process.isdigit() else "another process"
