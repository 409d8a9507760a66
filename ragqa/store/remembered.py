"""What an index remembers so that no work is done twice: passages with their vectors, files that cannot be read."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from ragqa.document import Document, Refusal
from ragqa.store.rows import PASSAGE, read_path, stored_path

_LIKE = """SELECT key FROM documents WHERE id = ?1
  UNION SELECT key FROM (SELECT key FROM documents WHERE sha256 = ?2 AND type = ?3 LIMIT 1)"""


def kept_rows(db: apsw.Connection, document: Document) -> Iterator[tuple[bytes, bytes, tuple[Any, ...]]]:
    """Vector, signs and row of each passage of `document` as it was, and of one with the same bytes.

    A passage without signs, or whose vector or signs are damaged, is passed over.
    """
    found = (
        f"SELECT v.vector, v.crc32, t.signs, t.crc32, {PASSAGE} JOIN vectors v ON v.passage = p.key"
        f" JOIN tokens t ON t.passage = p.key WHERE p.document IN ({_LIKE})"
    )
    values = (document.id, document.sha256, document.type)
    for vector, vector_crc, signs, signs_crc, *row in db.execute(found, values):
        if signs and (zlib.crc32(vector), zlib.crc32(signs)) == (vector_crc, signs_crc):
            yield vector, signs, tuple(row)


def refused(db: apsw.Connection) -> dict[Path, Refusal]:
    rows = db.execute("SELECT path, sha256, size, mtime_ns, inode, reason, readers FROM refused")
    paths = ((read_path(path), rest) for path, *rest in rows)
    return {path: Refusal(path, *rest) for path, rest in paths}


def refuse(db: apsw.Connection, refusals: Iterable[Refusal]) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [
        (stored_path(one.path), one.sha256, one.size, one.mtime_ns, one.inode, one.reason, one.readers, now)
        for one in refusals
    ]
    db.executemany("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def pardon(db: apsw.Connection, paths: Iterable[Path]) -> None:
    db.executemany("DELETE FROM refused WHERE path = ?", [(stored_path(path),) for path in paths])
