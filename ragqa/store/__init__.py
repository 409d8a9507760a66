"""Where documents, passages and vectors are kept, and found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np

from ragqa.document import Document, DocumentRecord, Passage, Refusal
from ragqa.types import Calibration, Filter, Hit, Matrix, Mention, Signs, Vector


class VectorStore(Protocol):
    """An index: each document is in it whole or not at all.

    Attributes:
        fingerprint: The embedder's and the chunker's; vectors of another one are refused.
        centre: What token vectors were measured from before they became signs, (dim,).
        calibration: How support is to be read in this index; without effect until it was measured.
    """

    fingerprint: str
    centre: Vector
    calibration: Calibration

    def known(self, where: Filter | None = None) -> Mapping[str, DocumentRecord]:
        """Every document by its id; of those that `where` allows."""

    def record(self, document_id: str) -> DocumentRecord | None: ...

    def passages_of(self, document_id: str) -> list[Passage]:
        """A document's passages in order; their texts, one after the other, are its text."""

    def count_documents(self, where: Filter | None = None) -> int: ...

    def add(
        self, document: Document, passages: Sequence[Passage], vectors: Matrix, signs: Sequence[Signs] = ()
    ) -> None:
        """Store a document in one transaction, in place of the one with its id or path.

        Args:
            signs: Of each passage's tokens; without them the passage is found, but not read closely.

        Raises:
            ValueError: A vector is not of unit length: NaN, infinite and zero vectors would rank first.
        """

    def remove(self, document_id: str) -> None: ...

    def search(self, vector: Vector, k: int, where: Filter | None = None) -> list[Hit]:
        """The `k` passages nearest to `vector`, best first; score = cosine similarity."""

    def match(self, words: Sequence[str], k: int, where: Filter | None = None) -> list[Hit]:
        """Passages with any of `words`, best first; score = BM25, higher is better."""

    def similarities(self, vector: Vector, passages: Sequence[Passage]) -> list[float]:
        """Cosine similarity of `vector` to each of the given passages."""

    def signs(self, passages: Sequence[Passage]) -> list[Signs]:
        """The token vectors of each of the given passages; (0, ⌈dim / 8⌉) for one that was stored without."""

    def frequencies(self, words: Sequence[str], where: Filter | None = None) -> tuple[list[int], int]:
        """How many passages hold each word, and how many passages there are."""

    def mentions(self, words: Sequence[str], where: Filter | None = None) -> Iterator[Mention]:
        """Every passage that holds all of `words` in its text, a document's in order; a word may be a phrase."""

    def vectors(self, where: Filter | None = None) -> Iterator[tuple[list[Passage], Matrix]]:
        """All passages with their vectors, in batches."""

    def close(self) -> None: ...


class IndexStore(VectorStore, Protocol):
    """A store that also remembers of files what is needed to leave them alone.

    `inode` is 0 where size and time are no proof that a file is the same; see `Document`.
    """

    def relocate(self, document_id: str, new_id: str, path: Path, mtime_ns: int, inode: int) -> None:
        """Say that a document's file has moved; its passages and vectors stay."""

    def touch(self, times: Mapping[str, tuple[int, int]]) -> None:
        """Remember the time and the inode of files whose bytes are the same, by document; none of them is stale."""

    def mark_stale(self, document_id: str, reason: str) -> None:
        """Say why a document's file cannot be read now; what was indexed of it stays."""

    def kept(self, document: Document) -> Iterator[tuple[Passage, Vector, Signs]]:
        """What is stored of the document with this id, and of one with the same bytes, read as the same type."""

    def refused(self) -> Mapping[Path, Refusal]:
        """The files that could not be read."""

    def refuse(self, refusals: Iterable[Refusal]) -> None: ...

    def pardon(self, paths: Iterable[Path]) -> None:
        """Forget that these files could not be read."""


class HidingStore(VectorStore, Protocol):
    """A store that can be asked what it would find if some documents were not in it."""

    def without(self, document_ids: Iterable[str]) -> AbstractContextManager[None]:
        """Meanwhile the documents count nowhere, in no score and no frequency; afterwards all is as it was."""


def require_unit_length(vectors: Matrix) -> None:
    """Raise ValueError unless every row is finite and of length 1."""
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(lengths - 1) < 1e-3):  # false for NaN as well
        raise ValueError("a vector is not of unit length")
