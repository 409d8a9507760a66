"""Removed text leaves no byte in an SQLite file, in its log, and in copies beside it."""

from __future__ import annotations

from glob import escape
from pathlib import Path

import apsw

from ragqa.database import version_of, writing
from ragqa.errors import IndexLocked, NotWritable
from ragqa.files import clear_left_behind

COPIES = ("schema-*.bak", "reindexing*", "repairing*")  # beside a file; what is removed from it is in them, too


def require_unread(connection: apsw.Connection, path: Path) -> None:
    """Before something is removed: refuse it while another process reads what stands there now.

    Else it would be removed, and its text stay in the log; and nothing would be left to name when that is to go.

    Raises:
        IndexLocked: One does.
    """
    with writing(connection):
        connection.pragma("user_version", version_of(connection))  # a page, which then has to come out of the log
    if not _log_emptied(connection):
        raise IndexLocked(
            f"{path}: another process is reading; nothing was removed", "run the same command again when it is done"
        )


def _log_emptied(connection: apsw.Connection) -> bool:
    """Whether all that stands in the log could be moved into the file."""
    busy, _pages, _written = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
    return not busy


def erase(connection: apsw.Connection, path: Path, words: str) -> None:
    """Leave no byte of removed text behind: what SQLite keeps in its log goes, and copies beside the file.

    Those are of older versions, and of what was broken off while it copied or made anew: nobody else writes.

    Args:
        words: The FTS5 table of the text. Words by which it parts its pages stay when their text goes, `secure-delete`
            or not, so it is made anew.

    Raises:
        IndexLocked: Another process is using the file.
        NotWritable: The disk is too full to write what stays.
        OSError: A copy cannot be removed.
    """
    clear_left_behind(path.parent)
    for kind in COPIES:
        for old in path.parent.glob(f"{escape(path.name)}.{kind}"):
            old.unlink(missing_ok=True)
    kept = f"{path}: removed, but some of its text is still there, because"
    try:
        with writing(connection):
            connection.execute(f"INSERT INTO {words} ({words}) VALUES ('rebuild')")
        gone = _log_emptied(connection)
    except apsw.FullError as error:
        raise NotWritable(f"{kept} there is no space left", "free some space and run the same command again") from error
    except apsw.BusyError:
        gone = False
    if not gone:
        raise IndexLocked(f"{kept} another process is using it", "run the same command again when it is done")
