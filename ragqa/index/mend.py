"""What was salvaged of a damaged index → a new one: documents whole, and what can be made anew made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ragqa.chunk import embedded_text, join
from ragqa.document import DocumentRecord, Passage
from ragqa.embed import Embedder
from ragqa.index.intake import GROUP
from ragqa.interaction import signs_of
from ragqa.store import VectorStore
from ragqa.store.salvage import Lost, Salvaged
from ragqa.types import Matrix, Signs, Vector


@dataclass(slots=True)
class Mended:
    """What became of a damaged index.

    Attributes:
        documents: Those that are in the new one.
        embedded: Passages whose vectors were made anew.
        lost: Documents that are not.
    """

    documents: list[DocumentRecord] = field(default_factory=list)
    embedded: int = 0
    lost: list[Lost] = field(default_factory=list)


def mend(
    found: Iterable[Salvaged | Lost],
    target: VectorStore,
    *,
    open_embedder: Callable[[], Embedder],
    trusting: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Mended:
    """Store what was salvaged in a new index.

    Args:
        open_embedder: Asked for only when vectors have to be made anew.
        trusting: Keep the vectors that were salvaged; else all are made anew.
        progress: Told (documents done, documents in all as far as is known).

    Raises:
        ModelError: There is no embedder, and vectors have to be made anew.
    """
    mended = Mended()
    for count, one in enumerate(found, start=1):
        progress(count, count)
        if isinstance(one, Lost):
            mended.lost.append(one)
            continue
        mended.embedded += _make_anew(one, target.centre, open_embedder, trusting)
        vectors = np.array(one.vectors, np.float32)
        target.add(
            join(one.record, one.passages), one.passages, vectors, [sign for sign in one.signs if sign is not None]
        )
        mended.documents.append(one.record)
    return mended


def _make_anew(one: Salvaged, centre: Vector, open_embedder: Callable[[], Embedder], trusting: bool) -> int:
    """Put vectors and signs where they are missing, or everywhere; returns of how many passages."""
    whole = [vector is not None and sign is not None for vector, sign in zip(one.vectors, one.signs, strict=True)]
    missing = [n for n, kept in enumerate(whole) if not (kept and trusting)]
    for at in range(0, len(missing), GROUP):
        some = missing[at : at + GROUP]
        vectors, signs = embed([one.passages[n] for n in some], open_embedder(), centre)
        for n, vector, sign in zip(some, vectors, signs, strict=True):
            one.vectors[n], one.signs[n] = vector, sign
    return len(missing)


def embed(passages: Sequence[Passage], embedder: Embedder, centre: Vector) -> tuple[Matrix, list[Signs]]:
    """Vectors and the signs of tokens, as they are stored."""
    texts = [embedded_text(passage, embedder.count_tokens, embedder.max_tokens) for passage in passages]
    vectors, tokens = embedder.passage_tokens(texts)
    return vectors, [signs_of(one, centre) for one in tokens]
