"""SQLite files of other programs: opened for reading, asked, and never written or trusted."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

from ragqa.errors import UsageError
from ragqa.files import MAX_FILE_SIZE

SECONDS = 60.0  # for one row
_STEPS = 100_000  # of SQLite's machine between two looks at the clock
_MAGIC = b"SQLite format 3\0"
_WAL = 2  # in the byte of a header that says how it is written
_ALLOWED = {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE}


class ForeignFile:
    """An open file. Whatever is asked can only read it, and nothing else.

    Args:
        seconds: What one row may take.
    """

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self.path = path
        self.seconds = seconds
        self._deadline = 0.0
        self._db = apsw.Connection(_address(path), flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        self._db.execute("PRAGMA trusted_schema = OFF")
        self._db.execute("PRAGMA cell_size_check = ON")
        self._db.execute("PRAGMA mmap_size = 0")
        self._db.limit(apsw.SQLITE_LIMIT_LENGTH, 2 * MAX_FILE_SIZE)
        self._db.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
        self._db.set_authorizer(_only_reading)
        self._db.set_progress_handler(lambda: time.monotonic() > self._deadline, _STEPS)

    def rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[tuple[str, Any], ...]]:
        """What a query gives, row by row, each value with its column's name.

        Raises:
            UsageError: It cannot be asked of this file, or does more than read, or a row takes too long.
        """
        self._deadline = time.monotonic() + self.seconds
        try:
            for row in (cursor := self._db.execute(query, tuple(values))):
                yield tuple(zip((name for name, *_type in cursor.description), row, strict=True))
                self._deadline = time.monotonic() + self.seconds
        except apsw.InterruptError as error:
            raise UsageError(f"{self.path}: a row took over {self.seconds:g} s", "ask a simpler question") from error
        except apsw.AuthError as error:
            raise UsageError(f"{self.path}: {error}", "a query that only reads is wanted") from error
        except apsw.Error as error:
            raise UsageError(f"{self.path}: {error}") from error

    def close(self) -> None:
        self._db.close()


@contextmanager
def open_foreign(path: Path, seconds: float = SECONDS) -> Iterator[ForeignFile]:
    """An SQLite file for the length of a block.

    Raises:
        UsageError: It is none, or cannot be opened.
    """
    try:
        file = ForeignFile(path.expanduser().resolve(strict=True), seconds)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except apsw.Error as error:
        raise UsageError(f"{path}: cannot be opened: {error}") from error
    try:
        yield file
    finally:
        file.close()


def _address(path: Path) -> str:
    """The file as SQLite is to open it; one in WAL mode that nobody has open is left without a file beside it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path}: not a regular file")
        header = os.read(descriptor, 100)
    finally:
        os.close(descriptor)
    if not header.startswith(_MAGIC):
        raise UsageError(f"{path}: not an SQLite database")
    log = Path(f"{path}-wal")
    alone = header[18] == _WAL and not (log.exists() and log.stat().st_size)
    return f"file:{quote(os.fsencode(path))}?mode=ro" + ("&immutable=1" if alone else "")


def _only_reading(action: int, name: str | None, detail: str | None, *_of: str | None) -> int:
    if action == apsw.SQLITE_FUNCTION and detail == "load_extension":
        return apsw.SQLITE_DENY
    if action == apsw.SQLITE_PRAGMA:  # FTS5 asks for it when it is searched
        return apsw.SQLITE_OK if name == "data_version" else apsw.SQLITE_DENY
    return apsw.SQLITE_OK if action in _ALLOWED else apsw.SQLITE_DENY
