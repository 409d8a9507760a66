"""The socket of the warm process, and the lock that says whose it is."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from ragqa.errors import NotWritable
from ragqa.warm.place import is_private

BACKLOG = 64
OWN_FOLDER = "set XDG_RUNTIME_DIR to a folder of your own"


class Meeting:
    """Where clients come to. A fork of the warm process leaves it with `leave`, which closes nothing for the others."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self.listener: socket.socket | None = None

    @classmethod
    def claim(cls, path: Path) -> Meeting | None:
        """Be the one process that may listen here; None where another one is.

        The lock goes with the process, however that ends, so a socket that is left behind is in nobody's way.

        Raises:
            NotWritable: The folder cannot be made, or others could enter it.
        """
        folder = path.parent
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not is_private(str(folder)):
                raise NotWritable(f"{folder}: not a folder of mode 0700 that is yours alone", OWN_FOLDER)
            lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise NotWritable(f"{error.filename or folder}: {error.strerror}", OWN_FOLDER) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return None
        return cls(path, lock)

    def listen(self) -> None:
        """Open the socket, mode 0600, in place of one that was left behind."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        umask = os.umask(0o177)
        try:
            listener.bind(str(self.path))
        finally:
            os.umask(umask)
        listener.listen(BACKLOG)
        listener.setblocking(False)
        self.listener = listener

    def close(self) -> None:
        """Take the socket away; clients that wait there run their commands themselves."""
        if self.listener:
            with suppress(FileNotFoundError):
                self.path.unlink()
            self.listener.close()
            self.listener = None

    def leave(self) -> None:
        """In a fork: have nothing to do with it any more."""
        os.close(self._lock)
        if self.listener:
            self.listener.close()
            self.listener = None
