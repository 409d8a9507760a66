"""Whether an index is whole: every table against every other, and every checksum."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Any

import apsw

from ragqa.document import Passage
from ragqa.store.nearest import Nearest
from ragqa.store.rows import read_passage
from ragqa.store.tiling import tiling_faults

# Tables that hold one row for each passage, and the column that names it.
BESIDE_PASSAGES = {"vectors": "passage", "tokens": "passage", "passages_fts_docsize": "id"}

_AS_BYTES = """
SELECT p.key, d.id, p.ordinal, CAST(p.text AS BLOB), p.char_start, p.char_end, p.line_start, p.line_end,
  CAST(p.heading AS BLOB), CAST(p.blocks AS BLOB), CAST(p.places AS BLOB), d.path
  FROM passages p JOIN documents d ON d.key = p.document ORDER BY p.document, p.ordinal
"""  # as texts, bytes that are no UTF-8 could not be read at all


def faults(db: apsw.Connection, nearest: Nearest) -> Iterator[str]:
    """Yield what is wrong, a line each; nothing when all is well, whoever is writing."""
    with db:  # one moment: between two statements a document may come or go
        with suppress(apsw.Error):  # what is wrong is found below
            db.execute("SELECT rowid FROM passages_fts WHERE rowid = 0")  # else FTS5 checks what it remembers
        for (line,) in db.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"SQLite: {line}"
        yield from _missing_rows(db)
        yield from _damaged_rows(db, nearest.dim)
        yield from _wrong_documents(db)
        yield from _wrong_sketches(db, nearest)
    yield from _wrong_words(db)


def _wrong_words(db: apsw.Connection) -> Iterator[str]:
    """One statement, and so of one moment. It waits for who writes, which a transaction that has read could not."""
    try:
        db.execute("INSERT INTO passages_fts (passages_fts, rank) VALUES ('integrity-check', 1)")
    except apsw.ReadOnlyError:
        pass  # FTS5 writes nothing when it checks, but asks as if it did; the rows are counted all the same
    except apsw.CorruptError:
        yield "full-text index: does not agree with the passages"


def _missing_rows(db: apsw.Connection) -> Iterator[str]:
    for table, _row, _parent, _key in db.execute("PRAGMA foreign_key_check"):
        yield f"{table}: a row that belongs to nothing"
    rows = db.execute(
        "SELECT d.id, d.passages, count(p.key) FROM documents d LEFT JOIN passages p ON p.document = d.key"
        " GROUP BY d.key HAVING d.passages != count(p.key)"
    )
    for id, expected, found in rows:
        yield f"{id}: {found} of {expected} passages"
    for table, column in BESIDE_PASSAGES.items():
        missing = db.execute(
            "SELECT d.id, p.ordinal FROM passages p JOIN documents d ON d.key = p.document"
            f" WHERE p.key NOT IN (SELECT {column} FROM {table})"
        )
        for id, ordinal in missing:
            yield f"{id}#{ordinal}: not in {table}"
        extra = db.execute(f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT key FROM passages)").get
        if extra:
            yield f"{table}: {extra} rows without a passage"


def _damaged_rows(db: apsw.Connection, dim: int) -> Iterator[str]:
    rows = db.execute(
        "SELECT d.id, p.ordinal, CAST(p.text AS BLOB), p.crc32, v.vector, v.crc32, t.signs, t.crc32"
        " FROM passages p JOIN documents d ON d.key = p.document"
        " JOIN vectors v ON v.passage = p.key JOIN tokens t ON t.passage = p.key"
    )
    for id, ordinal, text, text_crc, vector, vector_crc, signs, signs_crc in rows:
        if zlib.crc32(text) != text_crc:
            yield f"{id}#{ordinal}: its text is damaged"
        if zlib.crc32(signs) != signs_crc or len(signs) % -(-dim // 8):
            yield f"{id}#{ordinal}: the vectors of its tokens are damaged"
        if zlib.crc32(vector) != vector_crc or len(vector) != 4 * dim:
            yield f"{id}#{ordinal}: its vector is damaged"


def _wrong_documents(db: apsw.Connection) -> Iterator[str]:
    """Documents whose passages do not make up a text, or are not told as they should be, and tags of none."""
    strays = db.execute("SELECT count(*) FROM tags WHERE document NOT IN (SELECT key FROM documents)").get
    if strays:
        yield f"tags: {strays} rows without a document"
    rows = db.execute(_AS_BYTES)
    for id, of_one in groupby(rows, key=itemgetter(1)):
        try:
            for ordinal, reason in tiling_faults(map(_passage, of_one)):
                yield f"{id}#{ordinal}: {reason}"
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            yield f"{id}: what its passages are made of cannot be read ({error})"


def _passage(row: tuple[Any, ...]) -> Passage:
    """Whatever bytes its text holds; its checksum is compared elsewhere."""
    return read_passage((*row[:3], row[3].decode(errors="replace"), *row[4:]))


def _wrong_sketches(db: apsw.Connection, nearest: Nearest) -> Iterator[str]:
    place = "SELECT d.id || '#' || p.ordinal FROM passages p JOIN documents d ON d.key = p.document WHERE p.key = ?"
    for passage, reason in nearest.faults():
        yield f"{db.execute(place, (passage,)).get or f'passage {passage}'}: {reason}"
    strangers = db.execute(
        "SELECT d.id, p.ordinal FROM vectors v JOIN sketches s ON s.key = v.sketches"
        " JOIN passages p ON p.key = v.passage JOIN documents d ON d.key = p.document"
        " WHERE s.collection != d.collection"
    )
    for id, ordinal in strangers:
        yield f"{id}#{ordinal}: its sketch is in another collection"
