"""Documents on their way into the store: cut, embedded together with others, stored one by one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np

from ragqa.chunk import embedded_text, split
from ragqa.document import Document, Passage
from ragqa.embed import Embedder
from ragqa.index.summary import Summary
from ragqa.interaction import signs_of
from ragqa.store import IndexStore
from ragqa.types import Matrix, Signs, Vector

GROUP = 64  # passages embedded together: enough to find many of like length, few enough to lose to Ctrl-C


Key = tuple[tuple[str, ...], str]
"""Passages with the same headings and text are embedded alike."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    document: Document
    passages: list[Passage]


_Vectors = dict[Key, tuple[Vector, Signs]]
_Embedded = tuple[Matrix, list[Signs]]


@dataclass(frozen=True, slots=True)
class _Group:
    """Documents of which all passages are embedded, or are being so.

    Attributes:
        keys: Of what is being embedded, in the order of `begun`.
        kept: The vectors of what need not be.
    """

    documents: list[_Waiting] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    begun: list[Future[_Embedded]] = field(default_factory=list)
    kept: _Vectors = field(default_factory=dict)

    def vectors(self) -> _Vectors:
        """Wait for what is being embedded; then there are all."""
        rows = [row for future in self.begun for row in zip(*future.result(), strict=True)]
        return self.kept | dict(zip(self.keys, rows, strict=True))


class Intake:
    """Takes documents one after the other; while a group is embedded in a thread, the next one is read and cut.

    A passage that stood in the document before, or stands in a file with the same bytes, keeps its vectors.
    Used with `with`: at its end all that was taken is stored. When the block is broken off, what is not embedded yet is
    dropped, and every document that was stored stays.
    """

    def __init__(self, store: IndexStore, embedder: Embedder, summary: Summary) -> None:
        self.store = store
        self.embedder = embedder
        self.summary = summary
        self._waiting: list[_Waiting] = []
        self._aside = ThreadPoolExecutor(1)
        self._kept: _Vectors = {}
        self._embedding = _Group()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._flush()
                self._store()
        finally:
            self._aside.shutdown(cancel_futures=True)

    def take(self, document: Document) -> None:
        """Cut a document; embed when enough is waiting."""
        passages = split(document, self.embedder.count_tokens, self.embedder.max_tokens)
        self.summary.repaired += bool(document.repaired)
        self.summary.remarks += [(document.path, note) for note in document.notes]
        self._kept |= {_key(passage): (vector, signs) for passage, vector, signs in self.store.kept(document)}
        self._waiting.append(_Waiting(document, passages))
        if sum(len(waiting.passages) for waiting in self._waiting) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        """Let all waiting passages be embedded together, and store meanwhile those that have been."""
        before, waiting, kept = self._embedding, self._waiting, self._kept
        self._waiting, self._kept = [], {}
        passages = {_key(passage): passage for one in waiting for passage in one.passages}
        under_way = passages.keys() & before.keys
        keys = [key for key in passages if key not in kept and key not in under_way]
        count, limit = self.embedder.count_tokens, self.embedder.max_tokens
        texts = [embedded_text(passages[key], count, limit) for key in keys]
        # In slices, between which Ctrl-C is heard, however large a document is.
        slices = (texts[at : at + GROUP] for at in range(0, len(texts), GROUP))
        begun = [self._aside.submit(self._embed, one) for one in slices]
        done = self._store()
        self._embedding = _Group(waiting, keys, begun, kept | {key: done[key] for key in under_way})

    def _embed(self, texts: Sequence[str]) -> _Embedded:
        vectors, tokens = self.embedder.passage_tokens(texts)
        return vectors, [signs_of(one, self.store.centre) for one in tokens]

    def _store(self) -> _Vectors:
        """Wait for the group that is being embedded, then store it document by document; returns its vectors."""
        group, self._embedding = self._embedding, _Group()
        done = group.vectors()
        for waiting in group.documents:
            rows = [done[_key(passage)] for passage in waiting.passages]
            vectors = np.array([vector for vector, _signs in rows], np.float32).reshape(len(rows), self.embedder.dim)
            try:
                self.store.add(waiting.document, waiting.passages, vectors, [signs for _vector, signs in rows])
                self.summary.indexed += 1
                self.summary.passages += len(waiting.passages)
            except ValueError:
                self.summary.skipped.append((waiting.document.path, "bad vector"))
        return done


def _key(passage: Passage) -> Key:
    return passage.heading, passage.text.strip()
