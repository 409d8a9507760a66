"""Collections of `llm` → store, with their vectors where these are what the index's own embedder makes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count

import numpy as np

from ragqa.chunk import split
from ragqa.document import Document
from ragqa.embed import Embedder
from ragqa.foreign import ForeignFile
from ragqa.index.intake import Intake
from ragqa.index.records import Members
from ragqa.index.summary import Progress, Summary
from ragqa.read.embeddings import Collection, Embedded, sample_of, texts_of
from ragqa.store import IndexStore
from ragqa.types import Vector

SAMPLE = 8  # texts that are embedded anew before the other vectors are trusted
# Cosine. The same weights in another program agreed to .9993; the same weights without the prefix to .9963 at most.
AGREE = 0.998
NAMELESS = "a collection without a name"


def take_over(
    file: ForeignFile,
    collections: Sequence[Collection],
    *,
    store: IndexStore,
    embedder: Embedder,
    summary: Summary,
    secrets: bool = False,
    progress: Progress = lambda done, total, summary: None,
) -> None:
    """Bring collections up to date with those of llm that have the same names.

    What they say of their model is not trusted: a sample is embedded anew, and where all of it agrees the vectors are
    kept. A text that is longer than a passage is embedded all the same. A passage with its vector from llm is found,
    but not read closely: llm has no vectors of tokens.

    Args:
        secrets: Also texts that hold keys, passwords or tokens.
    """
    started, total, counted = time.monotonic(), sum(collection.count for collection in collections), count()
    summary.reused = 0
    for collection in collections:
        if not collection.name.strip():
            summary.skipped.append((file.path, NAMELESS))
            continue
        members = Members(collection.name, store.known(), secrets)
        trusted = _trusted(file, collection, embedder, summary)
        with Intake(store, embedder, summary) as intake:
            for row in texts_of(file, collection):
                progress(next(counted), total, summary)
                document = members.consider(row.record if isinstance(row, Embedded) else row, summary)
                vector = _vector(row, embedder.dim) if isinstance(row, Embedded) and row.prefixed in trusted else None
                if document and (vector is None or not _kept(document, vector, store, embedder, summary)):
                    intake.take(document)
        for document_id in members.gone(summary, prune=False):
            store.remove(document_id)
            summary.removed += 1
    summary.seconds = round(time.monotonic() - started, 3)
    progress(total, total, summary)


def _kept(document: Document, vector: Vector, store: IndexStore, embedder: Embedder, summary: Summary) -> bool:
    """Store a document with a vector that is there already, if it is one passage and nothing else is told of it."""
    passages = split(document, embedder.count_tokens, embedder.max_tokens)
    if len(passages) > 1 or len(document.blocks) > 1:
        return False
    store.add(document, passages, vector[None])
    summary.indexed += 1
    summary.passages += 1
    summary.reused = (summary.reused or 0) + 1
    return True


def _trusted(file: ForeignFile, collection: Collection, embedder: Embedder, summary: Summary) -> set[bool]:
    """Which vectors are the embedder's own: those of texts with the prefix, without it, both or none."""
    samples = {had: sample_of(file, collection, prefixed=had, size=SAMPLE) for had in (True, False)}
    trusted = {prefixed for prefixed, sample in samples.items() if sample and _agree(sample, embedder)}
    for prefixed in sorted(samples.keys() - trusted):
        if samples[prefixed]:
            how = "with" if prefixed else "without"
            summary.notes.append(
                f"{collection.name}: vectors of {collection.model}, of texts {how} the prefix, are not those of"
                f" {embedder.name}: embedded anew"
            )
    return trusted


def _agree(sample: Sequence[Embedded], embedder: Embedder) -> bool:
    """Whether the embedder makes the same vectors; of texts that it would cut off nothing can be said."""
    whole = [row for row in sample if embedder.count_tokens(row.record.text) <= embedder.max_tokens]
    theirs = [_vector(row, embedder.dim) for row in whole]
    if not whole or any(vector is None for vector in theirs):
        return False
    own = embedder.embed_passages([row.record.text for row in whole])
    return bool(np.all(np.sum(own * np.array(theirs), axis=1) >= AGREE))


def _vector(row: Embedded, dim: int) -> Vector | None:
    """Its vector, if it is one of unit length."""
    if len(row.vector) != 4 * dim:
        return None
    vector: Vector = np.frombuffer(row.vector, "<f4")
    return vector if abs(float(np.linalg.norm(vector)) - 1) < 1e-3 else None
