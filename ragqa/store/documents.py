"""The rows of documents in all tables: put in, changed, taken out. Whose transaction it is began and will end it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import apsw
import numpy as np

from ragqa.document import RECORD_TYPE, Document, Passage, record_path
from ragqa.store.nearest import Nearest
from ragqa.store.rows import stored_blocks, stored_path, stored_places
from ragqa.types import Matrix, Signs

_NO_SIGNS = np.zeros((0, 0), np.uint8)


def put(
    db: apsw.Connection,
    nearest: Nearest,
    document: Document,
    passages: Sequence[Passage],
    vectors: Matrix,
    signs: Sequence[Signs],
) -> None:
    """Store a document in place of the one with its id or path; see `VectorStore.add`."""
    before = db.execute("SELECT id FROM documents WHERE id = ? OR path = ?", (document.id, stored_path(document.path)))
    take_out(db, nearest, [str(id) for (id,) in before.fetchall()])
    db.execute(
        "INSERT INTO documents (id, path, collection, sha256, size, mtime_ns, inode, type, title, date, stale,"
        " readers, passages, indexed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?)",
        (
            document.id,
            stored_path(document.path),
            document.collection,
            document.sha256,
            document.size,
            document.mtime_ns,
            document.inode,
            document.type,
            document.title,
            document.date,
            document.readers,
            len(passages),
            datetime.now(UTC).isoformat(timespec="seconds"),
        ),
    )
    key = db.last_insert_rowid()
    db.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", [(key, tag) for tag in document.tags])
    rows = zip(passages, signs or [_NO_SIGNS] * len(passages), strict=True)
    nearest.add([_put_passage(db, key, passage, tokens) for passage, tokens in rows], vectors, document.collection)


def _put_passage(db: apsw.Connection, document: int, passage: Passage, signs: Signs) -> int:
    db.execute(
        "INSERT INTO passages"
        " (document, ordinal, heading, blocks, places, text, char_start, char_end, line_start, line_end, crc32)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document,
            passage.ordinal,
            json.dumps(passage.heading, ensure_ascii=False),
            stored_blocks(passage.blocks),
            stored_places(passage.places),
            passage.text,
            passage.start,
            passage.end,
            passage.line_start,
            passage.line_end,
            zlib.crc32(passage.text.encode()),
        ),
    )
    key = db.last_insert_rowid()
    tokens = signs.tobytes()
    db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (key, tokens, zlib.crc32(tokens)))
    return key


def take_out(db: apsw.Connection, nearest: Nearest, document_ids: Iterable[str]) -> None:
    """Remove documents; one that is not there is passed over."""
    for id in document_ids:
        key = db.execute("SELECT key FROM documents WHERE id = ?", (id,)).get
        if key is not None:
            passages = db.execute("SELECT key FROM passages WHERE document = ?", (key,))
            nearest.remove([passage for (passage,) in passages])
            db.execute("DELETE FROM documents WHERE key = ?", (key,))


def relocate(db: apsw.Connection, document_id: str, new_id: str, path: Path, mtime_ns: int, inode: int) -> None:
    """Say that a document's file has moved; its passages and vectors stay."""
    db.execute(
        "UPDATE documents SET id = ?, path = ?, mtime_ns = ?, inode = ?, stale = '' WHERE id = ?",
        (new_id, stored_path(path), mtime_ns, inode, document_id),
    )


def touch(db: apsw.Connection, times: Mapping[str, tuple[int, int]]) -> None:
    """Remember new times and inodes, by id, of files whose bytes are the same."""
    rows = [(mtime_ns, inode, id) for id, (mtime_ns, inode) in times.items()]
    db.executemany("UPDATE documents SET mtime_ns = ?, inode = ?, stale = '' WHERE id = ?", rows)


def mark_stale(db: apsw.Connection, document_id: str, reason: str) -> None:
    db.execute("UPDATE documents SET stale = ? WHERE id = ?", (reason, document_id))


def rename_collection(db: apsw.Connection, nearest: Nearest, old: str, new: str) -> int:
    """Give a collection a name that none has; returns how many documents it has."""
    nearest.rename(old, new)
    db.execute(
        "UPDATE documents SET path = ? || substr(path, ?) WHERE collection = ? AND type = ?",
        (str(record_path(new)), len(str(record_path(old))) + 1, old, RECORD_TYPE),
    )
    db.execute("UPDATE documents SET collection = ? WHERE collection = ?", (new, old))
    return db.changes()
