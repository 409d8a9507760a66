"""A store in memory with NumPy's exact cosine: what the others are checked against."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from math import log

import numpy as np

from ragqa.document import Document, DocumentRecord, Passage
from ragqa.files import composed
from ragqa.store import require_unit_length
from ragqa.types import Calibration, Filter, Hit, Matrix, Mention, Signs, Vector

K1, B = 1.2, 0.75  # FTS5's BM25


class ExactStore:
    """Slow, small and plain. Words are compared in lower case, unstemmed."""

    def __init__(self, fingerprint: str = "exact", centre: Vector | None = None) -> None:
        self.fingerprint = fingerprint
        self.centre = np.zeros(1, np.float32) if centre is None else centre
        self.calibration = Calibration()
        self._signs: dict[str, Sequence[Signs]] = {}
        self._records: dict[str, DocumentRecord] = {}
        self._passages: dict[str, tuple[list[Passage], Matrix]] = {}

    def known(self, where: Filter | None = None) -> Mapping[str, DocumentRecord]:
        return {id: record for id, record in self._records.items() if _allows(where, record)}

    def record(self, document_id: str) -> DocumentRecord | None:
        return self._records.get(document_id)

    def passages_of(self, document_id: str) -> list[Passage]:
        return list(self._passages[document_id][0]) if document_id in self._passages else []

    def count_documents(self, where: Filter | None = None) -> int:
        return sum(_allows(where, record) for record in self._records.values())

    def add(
        self, document: Document, passages: Sequence[Passage], vectors: Matrix, signs: Sequence[Signs] = ()
    ) -> None:
        require_unit_length(vectors)
        for record in list(self._records.values()):
            if record.path == document.path:
                self.remove(record.id)
        self._passages[document.id] = (list(passages), vectors)
        self._signs[document.id] = signs
        self._records[document.id] = DocumentRecord(
            id=document.id,
            path=document.path,
            collection=document.collection,
            sha256=document.sha256,
            size=document.size,
            mtime_ns=document.mtime_ns,
            passages=len(passages),
            indexed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            inode=document.inode,
            type=document.type,
            title=document.title,
            date=document.date,
            readers=document.readers,
            tags=document.tags,
        )

    def remove(self, document_id: str) -> None:
        self._records.pop(document_id, None)
        self._passages.pop(document_id, None)
        self._signs = {id: signs for id, signs in self._signs.items() if id != document_id}

    @contextmanager
    def without(self, document_ids: Iterable[str]) -> Iterator[None]:
        records, passages, signs = dict(self._records), dict(self._passages), self._signs
        for document_id in document_ids:
            self.remove(document_id)
        try:
            yield
        finally:
            self._records, self._passages, self._signs = records, passages, signs

    def calibrate(self, calibration: Calibration) -> None:
        self.calibration = calibration

    def search(self, vector: Vector, k: int, where: Filter | None = None) -> list[Hit]:
        hits = [
            self._hit(passage, float(row @ vector), "dense")
            for passages, rows in self.vectors(where)
            for passage, row in zip(passages, rows, strict=True)
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:k]

    def match(self, words: Sequence[str], k: int, where: Filter | None = None) -> list[Hit]:
        counts = [(p, Counter(p.text.lower().split())) for passages, _ in self.vectors(where) for p in passages]
        mean = sum(sum(c.values()) for _, c in counts) / max(len(counts), 1)
        hits = []
        for passage, count in counts:
            length, score = sum(count.values()), 0.0
            for word in {word.lower() for word in words} & set(count):
                containing = sum(word in other for _, other in counts)
                idf = max(log((len(counts) - containing + 0.5) / (containing + 0.5)), 1e-6)
                score += idf * count[word] * (K1 + 1) / (count[word] + K1 * (1 - B + B * length / mean))
            if score:
                hits.append(self._hit(passage, score, "lexical"))
        return sorted(hits, key=lambda hit: -hit.score)[:k]

    def similarities(self, vector: Vector, passages: Sequence[Passage]) -> list[float]:
        return [float(self._passages[p.document_id][1][p.ordinal - 1] @ vector) for p in passages]

    def signs(self, passages: Sequence[Passage]) -> list[Signs]:
        none = np.zeros((0, -(-len(self.centre) // 8)), np.uint8)
        stored = [(self._signs.get(p.document_id, ()), p.ordinal) for p in passages]
        return [signs[ordinal - 1] if signs else none for signs, ordinal in stored]

    def frequencies(self, words: Sequence[str], where: Filter | None = None) -> tuple[list[int], int]:
        texts = [set(p.text.lower().split()) for passages, _ in self.vectors(where) for p in passages]
        return [sum(word.lower() in text for text in texts) for word in words], len(texts)

    def mentions(self, words: Sequence[str], where: Filter | None = None) -> Iterator[Mention]:
        for passages, _ in self.vectors(where):
            for passage in passages:
                found = [list(_occurrences(word, passage.text)) for word in words]
                if all(found):
                    path = self._records[passage.document_id].path
                    yield Mention(passage, path, tuple(sorted(span for spans in found for span in spans)))

    def vectors(self, where: Filter | None = None) -> Iterator[tuple[list[Passage], Matrix]]:
        for id, (passages, rows) in self._passages.items():
            if _allows(where, self._records[id]):
                yield passages, rows

    def close(self) -> None:
        pass

    def _hit(self, passage: Passage, score: float, name: str) -> Hit:
        return Hit(passage, self._records[passage.document_id].path, score, {name: score})


def _allows(where: Filter | None, record: DocumentRecord) -> bool:
    if where is None:
        return True
    date = record.date or f"{datetime.fromtimestamp(record.mtime_ns // 10**9):%Y-%m-%d}"
    named = (composed(record.id), composed(record.path))
    return (
        (not where.collections or record.collection in where.collections)
        and (not where.types or record.type in where.types)
        and (not where.tags or bool(set(where.tags) & set(record.tags)))
        and (not where.paths or any(_fits(path, name) for path in where.paths for name in named))
        and (not where.after or date >= where.after)
        and (not where.before or date <= where.before)
    )


def _fits(path: str, name: str) -> bool:
    path = path.rstrip("/")
    return any(fnmatchcase(name, one) for one in (path or "/", path.removeprefix("**/"), f"{path}/*"))


def _occurrences(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the words of a phrase stand one after the other, whatever stands between them."""
    words = re.findall(r"[^\W_]+", phrase.lower())
    between = r"[\W_]+".join(map(re.escape, words))
    for found in re.finditer(rf"(?<![^\W_]){between}(?![^\W_])", text.lower()) if words else ():
        yield found.span()
