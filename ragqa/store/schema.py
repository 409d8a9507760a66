"""The tables of an index, how a connection to it is opened, and what SQLite's errors mean."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import apsw
import sqlite_vec

from ragqa.errors import IndexDamaged, IndexLocked, NotWritable, RagqaError
from ragqa.store import nearest

APPLICATION_ID = 0x72616771  # "ragq"
SCHEMA_VERSION = 4
BUSY_MS = 10_000

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  path NOT NULL UNIQUE,
  collection TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  passages INTEGER NOT NULL,
  indexed_at TEXT NOT NULL
);
CREATE TABLE passages (
  key INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  heading TEXT NOT NULL,
  blocks TEXT NOT NULL,
  text TEXT NOT NULL,
  char_start INTEGER NOT NULL,
  char_end INTEGER NOT NULL,
  line_start INTEGER NOT NULL,
  line_end INTEGER NOT NULL,
  crc32 INTEGER NOT NULL,
  UNIQUE (document, ordinal)
);
CREATE TABLE tokens (
  passage INTEGER PRIMARY KEY REFERENCES passages(key) ON DELETE CASCADE,
  signs BLOB NOT NULL,
  crc32 INTEGER NOT NULL
);
CREATE VIRTUAL TABLE passages_fts USING fts5 (
  heading, text, content='passages', content_rowid='key', tokenize='porter unicode61 remove_diacritics 2'
);
INSERT INTO passages_fts (passages_fts, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER passages_inserted AFTER INSERT ON passages BEGIN
  INSERT INTO passages_fts (rowid, heading, text) VALUES (new.key, new.heading, new.text);
END;
CREATE TRIGGER passages_deleted AFTER DELETE ON passages BEGIN
  INSERT INTO passages_fts (passages_fts, rowid, heading, text) VALUES ('delete', old.key, old.heading, old.text);
END;
"""


def connect(path: Path, flags: int) -> apsw.Connection:
    """Open the file with sqlite-vec loaded and the settings that durability and strangers' files ask for."""
    connection = apsw.Connection(os.fspath(path), flags=flags)
    connection.set_busy_timeout(BUSY_MS)
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def make_schema(connection: apsw.Connection, path: Path, describe: Callable[[], Mapping[str, str]]) -> None:
    """Make the tables if there are none; another process may be doing the same.

    Args:
        describe: What `meta` shall hold; asked for only when the index is new.

    Raises:
        IndexDamaged: The file is a database of something else; nothing in it is changed.
    """
    if not _empty(connection):
        check_version(connection, path)
        return
    meta = describe()
    _switch_to_wal(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _empty(connection):
            connection.execute(SCHEMA + nearest.TABLES)
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", SCHEMA_VERSION)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    check_version(connection, path)


def _empty(connection: apsw.Connection) -> bool:
    return not connection.execute("SELECT 1 FROM sqlite_schema").get


def _switch_to_wal(connection: apsw.Connection) -> None:
    """Set WAL mode; SQLite's own waiting does not cover this, so it is tried until another process is done."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.pragma("journal_mode", "wal")
            return
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def check_version(connection: apsw.Connection, path: Path) -> None:
    """Refuse a file that this version cannot read; raises IndexDamaged."""
    version = connection.pragma("user_version")
    if connection.pragma("application_id") != APPLICATION_ID:
        raise IndexDamaged(f"{path}: not an index of ragqa", "name another file with `--db FILE`")
    if version != SCHEMA_VERSION:
        hint = "upgrade ragqa" if int(str(version)) > SCHEMA_VERSION else "delete it and index again"
        raise IndexDamaged(f"{path}: made by another version of ragqa (schema {version})", hint)


@contextmanager
def errors_explained(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into ragqa's."""
    try:
        yield
    except apsw.FullError as error:
        raise NotWritable(f"{path}: no space left", "free some space; what was indexed before is whole") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise IndexLocked(f"{path}: another process is writing", "try again when it is done") from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, apsw.AuthError) as error:
        raise NotWritable(f"{path}: cannot be opened or written: {error}", "check its owner and mode") from error
    except (apsw.IOError, OSError) as error:
        raise NotWritable(f"{path}: {error}", "check space and permissions") from error
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, KeyError, ValueError) as error:
        hint = "restore a copy, or delete it and index again"
        raise IndexDamaged(f"{path}: damaged, or not an index of ragqa: {error}", hint) from error
    except apsw.Error as error:
        raise RagqaError(f"{path}: {error}") from error
