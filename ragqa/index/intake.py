"""Documents on their way into the store: cut, embedded together with others, stored one by one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from ragqa.chunk import embedded_text, split
from ragqa.document import Document, Passage
from ragqa.embed import Embedder
from ragqa.index.summary import Summary
from ragqa.interaction import signs_of
from ragqa.store import VectorStore
from ragqa.types import Matrix, Signs

GROUP = 64  # passages embedded together: enough to find many of like length, few enough to lose to Ctrl-C


@dataclass(frozen=True, slots=True)
class _Waiting:
    document: Document
    passages: list[Passage]


_Embedded = tuple[Matrix, list[Signs]]


class Intake:
    """Takes documents one after the other; while a group is embedded in a thread, the next one is read and cut.

    Used with `with`: at its end all that was taken is stored. When the block is broken off, what is not embedded yet is
    dropped, and every document that was stored stays.
    """

    def __init__(self, store: VectorStore, embedder: Embedder, summary: Summary) -> None:
        self.store = store
        self.embedder = embedder
        self.summary = summary
        self._waiting: list[_Waiting] = []
        self._aside = ThreadPoolExecutor(1)
        self._embedding: tuple[list[_Waiting], list[Future[_Embedded]]] = ([], [])

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
        self._waiting.append(_Waiting(document, passages))
        if sum(len(waiting.passages) for waiting in self._waiting) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        """Let all waiting passages be embedded together, and store meanwhile those that have been."""
        count, limit = self.embedder.count_tokens, self.embedder.max_tokens
        texts = [embedded_text(passage, count, limit) for waiting in self._waiting for passage in waiting.passages]
        waiting, self._waiting = self._waiting, []
        # In slices, between which Ctrl-C is heard, however large a document is.
        slices = (texts[at : at + GROUP] for at in range(0, len(texts), GROUP))
        begun = [self._aside.submit(self._embed, one) for one in slices]
        self._store()
        self._embedding = waiting, begun

    def _embed(self, texts: Sequence[str]) -> _Embedded:
        vectors, tokens = self.embedder.passage_tokens(texts)
        return vectors, [signs_of(one, self.store.centre) for one in tokens]

    def _store(self) -> None:
        """Wait for the group that is being embedded, then store it document by document."""
        (documents, begun), self._embedding = self._embedding, ([], [])
        done = [future.result() for future in begun]
        vectors = np.concatenate([np.zeros((0, self.embedder.dim), np.float32), *(rows for rows, _signs in done)])
        signs = [one for _rows, some in done for one in some]
        start = 0
        for waiting in documents:
            end = start + len(waiting.passages)
            try:
                self.store.add(waiting.document, waiting.passages, vectors[start:end], signs[start:end])
                self.summary.indexed += 1
                self.summary.passages += len(waiting.passages)
            except ValueError:
                self.summary.skipped.append((waiting.document.path, "bad vector"))
            start = end
