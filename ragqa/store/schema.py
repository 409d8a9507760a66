"""The tables of an index, and how a connection to it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import apsw
import sqlite_vec

from ragqa import database
from ragqa.database import BUSY_MS, Kind
from ragqa.files import composed
from ragqa.lock import Say, silent
from ragqa.migrate import opened_up_to_date
from ragqa.store import nearest

APPLICATION_ID = 0x72616771  # "ragq"
SCHEMA_VERSION = 5

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
  inode INTEGER NOT NULL,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  date TEXT NOT NULL,
  stale TEXT NOT NULL,
  readers TEXT NOT NULL,
  passages INTEGER NOT NULL,
  indexed_at TEXT NOT NULL
);
CREATE INDEX documents_by_bytes ON documents (sha256);
CREATE TABLE tags (
  document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (document, tag)
) WITHOUT ROWID;
CREATE TABLE refused (
  path NOT NULL PRIMARY KEY,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  reason TEXT NOT NULL,
  readers TEXT NOT NULL,
  refused_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE passages (
  key INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  heading TEXT NOT NULL,
  blocks TEXT NOT NULL,
  places TEXT NOT NULL,
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

MIGRATIONS = {
    # What a document is, was known by the suffix alone then.
    4: """
ALTER TABLE documents ADD COLUMN inode INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN type TEXT NOT NULL DEFAULT 'text';
ALTER TABLE documents ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN date TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN stale TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN readers TEXT NOT NULL DEFAULT '';
ALTER TABLE passages ADD COLUMN places TEXT NOT NULL DEFAULT '[]';
UPDATE documents SET type = 'markdown'
  WHERE lower(CAST(path AS TEXT)) GLOB '*.md' OR lower(CAST(path AS TEXT)) GLOB '*.markdown';
UPDATE documents SET type = 'diff'
  WHERE lower(CAST(path AS TEXT)) GLOB '*.diff' OR lower(CAST(path AS TEXT)) GLOB '*.patch';
CREATE INDEX documents_by_bytes ON documents (sha256);
CREATE TABLE tags (
  document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (document, tag)
) WITHOUT ROWID;
CREATE TABLE refused (
  path NOT NULL PRIMARY KEY,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  reason TEXT NOT NULL,
  readers TEXT NOT NULL,
  refused_at TEXT NOT NULL
) WITHOUT ROWID;
""",
}

INDEX = Kind(
    name="an index",
    application_id=APPLICATION_ID,
    version=SCHEMA_VERSION,
    tables=SCHEMA + nearest.TABLES,
    kept="what was indexed before",
    strange="name another file with `--db FILE`",
    old="delete it and index again",
    damaged="run `ragqa check --repair`, or restore a copy",
    migrations=MIGRATIONS,
)


def open_current(path: Path, flags: int, busy_ms: int = BUSY_MS, say: Say = silent) -> apsw.Connection:
    """Open an index as `connect` does, and first bring one of an older version up to date."""
    return opened_up_to_date(path, INDEX, flags, lambda some: connect(path, some, busy_ms), say)


def connect(path: Path, flags: int, busy_ms: int = BUSY_MS) -> apsw.Connection:
    """Open the file with sqlite-vec loaded, and with what filters compare names by."""
    connection = database.connect(path, flags, busy_ms=busy_ms)
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)
    connection.create_scalar_function("composed", composed, 1, deterministic=True)  # type: ignore[arg-type]
    return connection


def make_schema(connection: apsw.Connection, path: Path, describe: Callable[[], Mapping[str, str]]) -> None:
    """Make the tables if there are none; another process may be doing the same.

    Args:
        describe: What `meta` shall hold; asked for only when the index is new.

    Raises:
        IndexDamaged: The file is a database of something else; nothing in it is changed.
    """
    meta = describe() if database.is_empty(connection) else {}

    def fill() -> None:
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())

    database.make_tables(connection, path, INDEX, fill)


def check_version(connection: apsw.Connection, path: Path) -> None:
    """Refuse a file that this version cannot read; raises IndexDamaged."""
    database.check_version(connection, path, INDEX)


def errors_explained(path: Path) -> AbstractContextManager[None]:
    """Turn SQLite's and the file system's errors into ragqa's."""
    return database.errors_explained(path, INDEX)
