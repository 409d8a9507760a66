"""Whether the vectors in an index are still what its model makes of its texts: a few of them, made anew."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import numpy as np

from ragqa.embed import Embedder
from ragqa.index.mend import embed
from ragqa.store import VectorStore

ALIKE = 0.99  # cosine; the same model on another processor comes nearer than this
SEED = 0


def strange_vectors(store: VectorStore, embedder: Embedder, count: int) -> Iterator[str]:
    """What is wrong with `count` passages drawn from the index, a line each."""
    places = [(id, n) for id, record in store.known().items() for n in range(record.passages)]
    drawn = sorted(random.Random(SEED).sample(places, min(count, len(places))))
    passages = [one for id, n in drawn for one in islice(store.passages_of(id), n, n + 1)]
    vectors, _signs = embed(passages, embedder, store.centre)
    for passage, vector in zip(passages, vectors, strict=True):
        (near,) = store.similarities(vector / np.linalg.norm(vector), [passage])
        if not near >= ALIKE:  # NaN is no good either
            yield f"{passage.id}: its vector is not the one that the model makes of it (cosine {near:.3f})"
