"""The index in one SQLite file: apsw, sqlite-vec and FTS5.

Vectors and the sketches that find them are `Nearest`'s. The sketches and FTS5 hold nothing that cannot be made anew
from `documents`, `passages` and `vectors`; the vectors of tokens are read from `tokens` for the few passages that are
read closely.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from ragqa.database import back_up, copy, source_explained, writing
from ragqa.document import Document, DocumentRecord, Passage, Refusal
from ragqa.erase import erase, require_unread
from ragqa.errors import FingerprintMismatch, NotWritable
from ragqa.files import file_at
from ragqa.store import documents, fts, require_unit_length
from ragqa.store.filter import condition_of
from ragqa.store.integrity import faults
from ragqa.store.nearest import EXACT, Nearest
from ragqa.store.remembered import kept_rows, pardon, refuse, refused
from ragqa.store.rows import (
    PASSAGE,
    RECORD,
    batched,
    document_record,
    read_calibration,
    read_passage,
    read_path,
    stored_calibration,
)
from ragqa.store.schema import INDEX, errors_explained
from ragqa.types import Calibration, Filter, Hit, Matrix, Mention, Signs, Vector


class SQLiteStore:
    """An open index. Made by `open_index` or `create_index`, never by itself."""

    def __init__(self, connection: apsw.Connection, path: Path, exact: int = EXACT) -> None:
        self._db = connection
        self.path = path
        self._file = file_at(path)
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        self.fingerprint = str(meta["fingerprint"])
        self.model = str(meta["model"])
        self.dim = int(str(meta["dim"]))
        self._nearest = Nearest(connection, self.dim, exact)
        self.calibration = read_calibration(meta.get("calibration"), self.fingerprint)
        self.centre = np.frombuffer(base64.b64decode(str(meta["centre"])), "<f4").reshape(self.dim)

    @property
    def read_only(self) -> bool:
        return self._db.readonly("main")

    def known(self, where: Filter | None = None) -> Mapping[str, DocumentRecord]:
        condition, values = condition_of(where)
        with errors_explained(self.path):
            rows = self._db.execute(f"SELECT {RECORD} WHERE 1{condition} ORDER BY d.id", values)
            return {row[0]: document_record(row) for row in rows}

    def record(self, document_id: str) -> DocumentRecord | None:
        with errors_explained(self.path):
            rows = self._db.execute(f"SELECT {RECORD} WHERE d.id = ?", (document_id,)).fetchall()
            return document_record(rows[0]) if rows else None

    def collections(self) -> list[str]:
        """Their names, in order."""
        with errors_explained(self.path):
            return [str(name) for (name,) in self._db.execute("SELECT DISTINCT collection FROM documents ORDER BY 1")]

    def rename_collection(self, old: str, new: str) -> int:
        """Give a collection a name that none has; returns how many documents it has."""
        with errors_explained(self.path), self._writing():
            return documents.rename_collection(self._db, self._nearest, old, new)

    def passages_of(self, document_id: str) -> list[Passage]:
        with errors_explained(self.path):
            rows = self._db.execute(f"SELECT {PASSAGE} WHERE d.id = ? ORDER BY p.ordinal", (document_id,))
            return [read_passage(row) for row in rows]

    def count_documents(self, where: Filter | None = None) -> int:
        condition, values = condition_of(where)
        with errors_explained(self.path):
            return int(self._db.execute(f"SELECT count(*) FROM documents d WHERE 1{condition}", tuple(values)).get)

    def extent(self) -> tuple[int, str]:
        """How many documents there are, and when the latest was indexed, in ISO 8601 and UTC; empty without any."""
        with errors_explained(self.path):
            count, last = self._db.execute("SELECT count(*), max(indexed_at) FROM documents").fetchall()[0]
            return int(str(count)), str(last or "")

    def add(
        self, document: Document, passages: Sequence[Passage], vectors: Matrix, signs: Sequence[Signs] = ()
    ) -> None:
        require_unit_length(vectors)
        with errors_explained(self.path), self._writing():
            documents.put(self._db, self._nearest, document, passages, vectors, signs)

    def relocate(self, document_id: str, new_id: str, path: Path, mtime_ns: int, inode: int) -> None:
        with errors_explained(self.path), self._writing():
            documents.relocate(self._db, document_id, new_id, path, mtime_ns, inode)

    def touch(self, times: Mapping[str, tuple[int, int]]) -> None:
        with errors_explained(self.path), self._writing():
            documents.touch(self._db, times)

    def mark_stale(self, document_id: str, reason: str) -> None:
        with errors_explained(self.path), self._writing():
            documents.mark_stale(self._db, document_id, reason)

    def kept(self, document: Document) -> Iterator[tuple[Passage, Vector, Signs]]:
        width = -(-self.dim // 8)
        with errors_explained(self.path):
            for vector, signs, row in kept_rows(self._db, document):
                yield read_passage(row), np.frombuffer(vector, "<f4"), np.frombuffer(signs, np.uint8).reshape(-1, width)

    def refused(self) -> Mapping[Path, Refusal]:
        with errors_explained(self.path):
            return refused(self._db)

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        with errors_explained(self.path), self._writing():
            refuse(self._db, refusals)

    def pardon(self, paths: Iterable[Path]) -> None:
        with errors_explained(self.path), self._writing():
            pardon(self._db, paths)

    def remove(self, document_id: str) -> None:
        self.forget([document_id])

    def forget(self, document_ids: Iterable[str], refused: Iterable[Path] = ()) -> None:
        """Remove documents, and what is remembered of files that could not be read; all of it or nothing."""
        with errors_explained(self.path), self._writing():
            documents.take_out(self._db, self._nearest, document_ids)
            pardon(self._db, refused)

    def require_unread(self) -> None:
        """Refuse to forget while another process reads: of what is removed then, text would stay in the log.

        Raises:
            IndexLocked: One does, for longer than is waited for.
        """
        with errors_explained(self.path):
            require_unread(self._db, self.path)

    @contextmanager
    def without(self, document_ids: Iterable[str]) -> Iterator[None]:
        """As if the documents were not in the index: they are removed in a transaction that is taken back."""
        with errors_explained(self.path):
            self._db.execute("BEGIN IMMEDIATE")
        try:
            with errors_explained(self.path):
                documents.take_out(self._db, self._nearest, document_ids)
            yield
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def calibrate(self, calibration: Calibration) -> None:
        """Keep a calibration in place of the one before."""
        stored = stored_calibration(calibration, self.fingerprint)
        with errors_explained(self.path), self._writing():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('calibration', ?)", (stored,))
        self.calibration = calibration

    def copy(self, path: Path) -> None:
        """Write the index as it is now into a new file; other processes may go on writing."""
        with errors_explained(path), source_explained(self.path, INDEX):
            copy(self._db, path)

    def back_up(self, path: Path) -> None:
        """The same into a file of its owner's own, in its place whole or not at all; one that is there is replaced."""
        with errors_explained(path), source_explained(self.path, INDEX):
            back_up(self._db, path)

    def erase(self) -> None:
        """Leave no byte of removed text behind: what SQLite keeps in its log goes too, and copies beside the index.

        Who calls it holds the writer's lock.
        """
        with errors_explained(self.path):
            erase(self._db, self.path, "passages_fts")

    def search(self, vector: Vector, k: int, where: Filter | None = None) -> list[Hit]:
        require_unit_length(vector[None])
        with errors_explained(self.path):
            with self._db:  # one moment, whoever is writing
                self._require_same()
                found = dict(self._nearest.search(vector, k, where))
                rows = self._by_key(list(found))
            return [self._hit(row, found[row[0]], "dense") for row in rows]

    def _require_same(self) -> None:
        """Refuse to compare vectors when the index was made anew for another model since it was opened."""
        if self._db.execute("SELECT value FROM meta WHERE key = 'fingerprint'").get != self.fingerprint:
            raise FingerprintMismatch(
                f"{self.path} was made anew for another model while it was open",
                "ask again; a chat goes on with `ragqa chat --continue`",
            )

    def match(self, words: Sequence[str], k: int, where: Filter | None = None) -> list[Hit]:
        if not words:
            return []
        with errors_explained(self.path):
            found = fts.best(self._db, words, k, where)
            return [self._hit(row, -found[row[0]], "lexical") for row in self._by_key(list(found))]

    def similarities(self, vector: Vector, passages: Sequence[Passage]) -> list[float]:
        rows = [self._beside("vectors", "vector", passage) for passage in passages]
        # Removed by another process since it was found: as far away as can be.
        with errors_explained(self.path):
            return [float(np.frombuffer(row, "<f4") @ vector) if row else -1.0 for row in rows]

    def signs(self, passages: Sequence[Passage]) -> list[Signs]:
        rows = [self._beside("tokens", "signs", passage) for passage in passages]
        with errors_explained(self.path):
            return [np.frombuffer(row or b"", np.uint8).reshape(-1, -(-self.dim // 8)) for row in rows]

    def _beside(self, table: str, column: str, passage: Passage) -> bytes | None:
        """What a table holds for a passage."""
        found = (
            f"SELECT t.{column} FROM {table} t JOIN passages p ON p.key = t.passage"
            " JOIN documents d ON d.key = p.document WHERE d.id = ? AND p.ordinal = ?"
        )
        with errors_explained(self.path):
            row: bytes | None = self._db.execute(found, (passage.document_id, passage.ordinal)).get
        return row

    def frequencies(self, words: Sequence[str], where: Filter | None = None) -> tuple[list[int], int]:
        with errors_explained(self.path):
            return fts.frequencies(self._db, words, where)

    def mentions(self, words: Sequence[str], where: Filter | None = None) -> Iterator[Mention]:
        condition, values = condition_of(where)
        mark = fts.new_mark()
        with errors_explained(self.path):
            rows = self._db.execute(
                f"SELECT highlight(passages_fts, 1, ?1, ?1), {PASSAGE} JOIN passages_fts f ON f.rowid = p.key"
                f" WHERE passages_fts MATCH ?2{condition} ORDER BY f.rowid",
                (mark, fts.all_of(words), *values),
            )
            for marked, *row in rows:
                yield Mention(read_passage(tuple(row)), read_path(row[11]), fts.marked_spans(marked, mark))

    def vectors(self, where: Filter | None = None) -> Iterator[tuple[list[Passage], Matrix]]:
        condition, values = condition_of(where)
        with errors_explained(self.path):
            rows = self._db.execute(
                f"SELECT v.vector, {PASSAGE} JOIN vectors v ON v.passage = p.key WHERE 1{condition} ORDER BY p.key",
                tuple(values),
            )
            for batch in batched(rows, 1024):
                matrix = np.frombuffer(b"".join(row[0] for row in batch), "<f4").reshape(len(batch), -1)
                yield [read_passage(row[1:]) for row in batch], matrix

    def vectors_of(self, document_id: str) -> list[tuple[Passage, Vector]]:
        """A document's passages in order, each with its vector, as they are at one moment."""
        found = f"SELECT v.vector, {PASSAGE} JOIN vectors v ON v.passage = p.key WHERE d.id = ? ORDER BY p.ordinal"
        with errors_explained(self.path):
            with self._db:
                self._require_same()
                rows: list[Any] = self._db.execute(found, (document_id,)).fetchall()
            return [(read_passage(tuple(row)), np.frombuffer(vector, "<f4")) for vector, *row in rows]

    def vector_of(self, id: str) -> Vector | None:
        """The vector of a passage (`notes/a.md#3`), or the mean of a document's."""
        with errors_explained(self.path):
            rows: list[Any] = self._db.execute(
                "SELECT v.vector FROM vectors v JOIN passages p ON p.key = v.passage"
                " JOIN documents d ON d.key = p.document WHERE d.id = ?1 OR d.id || '#' || p.ordinal = ?1",
                (id,),
            ).fetchall()
        if not rows:
            return None
        mean = np.mean([np.frombuffer(blob, "<f4") for (blob,) in rows], axis=0)
        unit: Vector = (mean / np.linalg.norm(mean)).astype(np.float32)
        return unit

    def text_of(self, document_id: str) -> str:
        """A document as it was indexed: its passages, one after the other."""
        return "".join(passage.text for passage in self.passages_of(document_id))

    def counts(self) -> dict[str, int]:
        """Rows by table: documents, passages, vectors, vectors of tokens; and what the two search indexes hold."""
        tables = ("documents", "passages", "vectors", "tokens", "passages_fts_docsize")
        with errors_explained(self.path):
            with self._db:
                rows = {table: int(self._db.execute(f"SELECT count(*) FROM {table}").get) for table in tables}
                rows["sketches"] = self._nearest.count()
            return rows

    def faults(self) -> Iterator[str]:
        """Check every table against every other and every checksum; yield what is wrong, a line each.

        Others may write meanwhile.
        """
        with errors_explained(self.path):
            # At the end SQLite would write its log into the file; what is damaged stays as it is.
            self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            found = False
            self._require_same()
            for fault in faults(self._db, self._nearest):
                found = True
                yield fault
            self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(found))

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, in the file that was opened: not in one that something else has taken the place of."""
        with writing(self._db):
            if self._file and self._file != file_at(self.path):
                raise NotWritable(f"{self.path}: was replaced or removed while it was open", "run the command again")
            yield

    def _by_key(self, keys: Sequence[int]) -> list[tuple[Any, ...]]:
        wanted = json.dumps(keys)
        rows = self._db.execute(f"SELECT {PASSAGE} WHERE p.key IN (SELECT value FROM json_each(?))", (wanted,))
        by_key = {row[0]: row for row in rows}
        return [by_key[key] for key in keys if key in by_key]

    def _hit(self, row: tuple[Any, ...], score: float, name: str) -> Hit:
        return Hit(read_passage(row), read_path(row[11]), score, {name: score})
