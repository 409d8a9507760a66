"""Whether the vectors in an index are still what its model makes of its texts: a few of them, made anew."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from ragqa.embed import Embedder
from ragqa.index.mend import embed
from ragqa.store.sqlite import SQLiteStore

ALIKE = 0.99  # cosine; the same model on another processor comes nearer than this


def strange_vectors(store: SQLiteStore, embedder: Embedder, count: int, *, seed: int) -> Iterator[str]:
    """What is wrong with `count` passages drawn from the index, a line each; one that is removed meanwhile is not.

    Args:
        seed: The same one draws the same passages of the same documents.
    """
    places = [(id, n) for id, record in store.known().items() for n in range(record.passages)]
    drawn = sorted(random.Random(seed).sample(places, min(count, len(places))))
    found = [one for id, n in drawn for one in store.vectors_of(id)[n : n + 1]]
    if not found:
        return
    vectors, _signs = embed([passage for passage, _stored in found], embedder, store.centre)
    for (passage, stored), vector in zip(found, vectors, strict=True):
        near = float(stored @ vector / np.linalg.norm(vector))
        if not near >= ALIKE:  # NaN is no good either
            yield f"{passage.id}: its vector is not the one that the model makes of it (cosine {near:.3f})"
