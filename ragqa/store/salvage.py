"""What can still be read of a damaged index.

It is read from a copy, so that nothing is ever written to the damaged file, and row by row: a page that is gone costs
the documents whose rows were on it, and no others. Neither SQLite's indexes nor the tables for searching are trusted;
they can be made anew.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import numpy as np

from ragqa import database
from ragqa.document import DocumentRecord, Passage
from ragqa.errors import IndexDamaged
from ragqa.files import clear_left_behind, file_at, unfinished
from ragqa.store.rows import read_passage, read_path
from ragqa.store.schema import APPLICATION_ID, SCHEMA_VERSION, errors_explained
from ragqa.store.tiling import tiling_faults
from ragqa.types import Signs, Vector

UNREADABLE = (apsw.Error, ValueError, TypeError, KeyError, OverflowError)
_ROWS = {
    "documents": "id, path, collection, sha256, size, mtime_ns, passages, indexed_at, inode, type, title, date, stale,"
    " readers",
    "passages": "key, '', ordinal, CAST(text AS BLOB), char_start, char_end, line_start, line_end, heading, blocks,"
    " places, '', crc32",
}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A document that is whole.

    Attributes:
        vectors, signs: Of each passage; None where they are damaged or gone.
    """

    record: DocumentRecord
    passages: list[Passage]
    vectors: list[Vector | None]
    signs: list[Signs | None]


@dataclass(frozen=True, slots=True)
class Lost:
    """A document that is not whole: its id, or what it is called where that cannot be read, and why."""

    id: str
    reason: str


class Wreck:
    """A damaged index, opened as far as that goes. Made by `opened_wreck`.

    Attributes:
        about: What `meta` holds.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self.about = {str(key): str(value) for key, value in db.execute("SELECT key, value FROM meta")}
        self.dim = int(self.about["dim"])
        if not {"fingerprint", "model", "centre"} <= set(self.about):
            raise ValueError("it does not say how it was made")

    def documents(self) -> Iterator[Salvaged | Lost]:
        """Every document of which a trace is left."""
        passages = self._passages()
        for key in sorted({*self._keys("documents"), *passages}):
            yield self._document(key, sorted(passages.get(key, [])))

    def refused(self) -> list[tuple[Any, ...]]:
        """The rows of files that could not be read, as far as they are there."""
        rows: list[tuple[Any, ...]] = []
        with suppress(*UNREADABLE):
            rows.extend(self._db.execute("SELECT * FROM refused"))
        return rows

    def _document(self, key: int, passages: list[tuple[int, int]]) -> Salvaged | Lost:
        try:
            record = self._record(key)
        except UNREADABLE:
            return Lost(f"document {key}", "its record cannot be read")
        try:
            found = [self._passage(passage, record.id) for _ordinal, passage in passages]
        except UNREADABLE as error:
            return Lost(record.id, f"its text is damaged ({error})")
        if len(found) != record.passages or any(tiling_faults(found)):
            return Lost(record.id, f"{len(found)} of {record.passages} passages can be read")
        keys = [passage for _ordinal, passage in passages]
        return Salvaged(record, found, [*map(self._vector, keys)], [*map(self._signs, keys)])

    def _record(self, key: int) -> DocumentRecord:
        id, path, *rest = self._row("documents", key)
        tags: list[str] = []
        with suppress(*UNREADABLE):  # a document without its tags is still that document
            tags.extend(tag for (tag,) in self._db.execute("SELECT tag FROM tags WHERE document = ?", (key,)))
        values: tuple[Any, ...] = (id, read_path(path), *rest, tuple(tags))
        return DocumentRecord(*values)

    def _passage(self, key: int, document: str) -> Passage:
        *row, crc = self._row("passages", key)
        text = row[3]
        if zlib.crc32(text) != crc:
            raise ValueError("checksum")
        row[1], row[3] = document, text.decode()
        return read_passage(tuple(row))

    def _vector(self, passage: int) -> Vector | None:
        blob = self._beside("vectors", "vector", passage)
        return None if blob is None or len(blob) != 4 * self.dim else np.frombuffer(blob, "<f4")

    def _signs(self, passage: int) -> Signs | None:
        blob, width = self._beside("tokens", "signs", passage), -(-self.dim // 8)
        return None if blob is None or len(blob) % width else np.frombuffer(blob, np.uint8).reshape(-1, width)

    def _beside(self, table: str, column: str, passage: int) -> bytes | None:
        with suppress(*UNREADABLE):
            ((blob, crc),) = self._db.execute(f"SELECT {column}, crc32 FROM {table} WHERE passage = ?", (passage,))
            if isinstance(blob, bytes) and zlib.crc32(blob) == crc:
                return blob
        return None

    def _row(self, table: str, key: int) -> list[Any]:
        (row,) = self._db.execute(f"SELECT {_ROWS[table]} FROM {table} NOT INDEXED WHERE key = ?", (key,))
        return [*row]

    def _passages(self) -> dict[int, list[tuple[int, int]]]:
        """Ordinal and key of the passages of each document."""
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for key in self._keys("passages"):
            with suppress(*UNREADABLE):
                one = "SELECT document, ordinal FROM passages NOT INDEXED WHERE key = ?"
                for document, ordinal in self._db.execute(one, (key,)):
                    found[int(document)].append((int(ordinal), key))
        return found

    def _keys(self, table: str) -> range:
        """Where rows can be: from both ends as far as they can be read, and everything between."""
        found: list[int] = []
        for source in ("NOT INDEXED ORDER BY key", "NOT INDEXED ORDER BY key DESC", ""):
            with suppress(*UNREADABLE):
                found.extend(int(key) for (key,) in self._db.execute(f"SELECT key FROM {table} {source}"))
        return range(min(found), max(found) + 1) if found else range(0)

    def close(self) -> None:
        self._db.close()


@contextmanager
def opened_wreck(path: Path) -> Iterator[Wreck]:
    """Open a copy of a damaged index.

    The log beside it is taken for part of it, unless more can be read without it: it may be another file's.

    Raises:
        IndexDamaged: Nothing can be read, or it is no index.
    """
    clear_left_behind(path.parent)
    with TemporaryDirectory(dir=path.parent, prefix=unfinished()) as folder:
        with errors_explained(path):
            opened = [_opened(path, Path(folder) / name, log=log) for name, log in (("with", True), ("without", False))]
        wrecks = [wreck for wreck in opened if wreck]
        try:
            if not wrecks:
                raise IndexDamaged(
                    f"{path}: nothing can be read of it", "restore a backup, or move it away and index again"
                )
            yield max(wrecks, key=_readable)
        finally:
            for wreck in wrecks:
                wreck.close()


def begun_to_keep(path: Path) -> Path | None:
    """The second name of an index, if a repair that gave it one was killed before a new index took its place.

    None as well where both names have a log, and not the same one.
    """
    for second in sorted(path.parent.glob(f"{escape(path.name)}.damaged-*Z"), reverse=True):
        logs = [file_at(database.log_of(one)) for one in (path, second) if database.has_log(one)]
        if file_at(second) == file_at(path) and len({*logs}) < 2:
            return second
    return None


def log_kept_elsewhere(path: Path) -> Path | None:
    """The log of an index whose repair was killed after the log had lost its place beside it."""
    second = None if database.has_log(path) else begun_to_keep(path)
    return database.log_of(second) if second and database.has_log(second) else None


def _opened(path: Path, copy: Path, *, log: bool) -> Wreck | None:
    """A copy of the index, with its log or without it; None where there is no log, or nothing can be read."""
    beside = log_kept_elsewhere(path) or database.log_of(path)
    if log and not (beside.exists() and beside.stat().st_size):
        return None
    shutil.copyfile(path, copy)
    if log:
        shutil.copyfile(beside, database.log_of(copy))
    db = apsw.Connection(os.fspath(copy), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.pragma("writable_schema", True)  # first of all: so that a file that was cut short is opened
        db.pragma("trusted_schema", False)
        db.pragma("cell_size_check", True)
        if db.pragma("application_id") == APPLICATION_ID and db.pragma("user_version") == SCHEMA_VERSION:
            return Wreck(db)
    except UNREADABLE:
        pass
    db.close()
    return None


def _readable(wreck: Wreck) -> int:
    return sum(isinstance(found, Salvaged) for found in wreck.documents())
