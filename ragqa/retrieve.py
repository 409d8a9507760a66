"""Question → hits: passages that mean the same and passages that say the same words, fused, the best read closely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ragqa.embed import Embedder
from ragqa.interaction import max_sim, similarities
from ragqa.store import VectorStore
from ragqa.terms import WORD, search_words
from ragqa.types import Filter, Hit, Matrix, Vector

CANDIDATES = 50  # taken from each of the two searches before they are fused
# A small share of BM25 beside the cosine found more than reciprocal rank fusion, and more than larger shares.
LEXICAL_WEIGHT = 0.07

# So many of the best fused are read closely, token by token. Twenty found no more than ten, five lost a little.
RERANKED = 10
ALIKE = 0.9  # of the different words of two passages, the share that copies of each other have in common


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a question found.

    Attributes:
        hits: Best first.
        near: For each hit how near its tokens come to the question's, (question tokens, passage tokens); for those
            that were not read closely, without columns.
        vector: The question's.
        words: Its words worth searching for.
        frequencies: How many passages hold each of them.
        passages: How many passages there are.
        field: MaxSim of all passages that were read closely, the hits first: what an answer stands out from.
        best_lexical: The best BM25 of any passage.
    """

    hits: tuple[Hit, ...]
    near: tuple[Matrix, ...]
    vector: Vector
    words: tuple[str, ...]
    frequencies: tuple[int, ...]
    passages: int
    field: tuple[float, ...] = ()
    best_lexical: float = 0.0


def retrieve(
    question: str,
    *,
    embedder: Embedder,
    store: VectorStore,
    k: int,
    where: Filter | None = None,
    once: bool = False,
    lap: Callable[[str], None] = lambda stage: None,
) -> Retrieved:
    """Find the `k` passages most likely to answer, best first.

    A hit's score is cosine + 0.07 · BM25 / the best BM25, and for the best ten of these + MaxSim of the tokens; its
    parts stand in `scores`.

    Args:
        once: Leave out what says nearly the same as a better hit: a copy is no second witness.
        lap: Told when the stages `embed` and `search` are over.
    """
    vector, tokens = embedder.query_tokens(question)
    lap("embed")
    words = search_words(question)
    depth = max(CANDIDATES, k)
    dense = store.search(vector, depth, where)
    lexical = store.match(words, depth, where)
    fused = fuse(dense, _with_cosines(lexical, dense, vector, store))
    hits, near = rerank(tokens, without_copies(fused) if once else fused, store)
    frequencies, passages = store.frequencies(words, where)
    lap("search")
    return Retrieved(
        hits=tuple(hits[:k]),
        near=tuple(near[:k]),
        vector=vector,
        words=words,
        frequencies=tuple(frequencies),
        passages=passages,
        field=tuple(hit.scores["interaction"] for hit in hits if "interaction" in hit.scores),
        best_lexical=max((hit.scores["lexical"] for hit in hits), default=0.0),
    )


def without_copies(hits: Sequence[Hit]) -> list[Hit]:
    """Hits without those of the best that share nearly all of their words with a better one."""
    kept: list[tuple[Hit, set[str]]] = []
    for hit in hits[: 2 * RERANKED]:
        said = {word.lower() for word in WORD.findall(hit.passage.text)}
        if not any(len(said & other) > ALIKE * len(said | other) for _hit, other in kept):
            kept.append((hit, said))
    return [*(hit for hit, _said in kept), *hits[2 * RERANKED :]]


def rerank(tokens: Matrix, fused: Sequence[Hit], store: VectorStore) -> tuple[list[Hit], list[Matrix]]:
    """Read the best passages token by token and sort them anew; the others follow as they were."""
    head, tail = fused[:RERANKED], fused[RERANKED:]
    read = []
    for hit, signs in zip(head, store.signs([hit.passage for hit in head]), strict=True):
        near = similarities(tokens, signs, store.centre)
        found = max_sim(near)
        read.append((replace(hit, score=hit.score + found, scores={**hit.scores, "interaction": found}), near))
    read.sort(key=lambda pair: (-pair[0].score, pair[0].passage.id))
    unread = np.zeros((len(tokens), 0), np.float32)
    return [*(hit for hit, _near in read), *tail], [*(near for _hit, near in read), *[unread] * len(tail)]


def fuse(dense: Sequence[Hit], lexical: Sequence[Hit], weight: float = LEXICAL_WEIGHT) -> list[Hit]:
    """Merge two lists into one, best first. Every lexical hit must know its cosine (`scores["dense"]`)."""
    best = max((hit.scores["lexical"] for hit in lexical), default=0.0) or 1.0
    parts = {hit.passage.id: (hit, dict(hit.scores)) for hit in dense}
    for hit in lexical:
        parts.setdefault(hit.passage.id, (hit, {}))[1].update(hit.scores)
    fused = []
    for hit, scores in parts.values():
        score = scores["dense"] + weight * scores.setdefault("lexical", 0.0) / best
        fused.append(replace(hit, score=score, scores=scores | {"fused": score}))
    return sorted(fused, key=lambda hit: (-hit.score, hit.passage.id))


def _with_cosines(lexical: Sequence[Hit], dense: Sequence[Hit], vector: Vector, store: VectorStore) -> list[Hit]:
    """Give hits of lexical search the cosine that dense search did not get round to."""
    known = {hit.passage.id: hit.scores["dense"] for hit in dense}
    unknown = [hit.passage for hit in lexical if hit.passage.id not in known]
    cosines = store.similarities(vector, unknown)
    known |= {passage.id: cosine for passage, cosine in zip(unknown, cosines, strict=True)}
    return [replace(hit, scores={**hit.scores, "dense": known[hit.passage.id]}) for hit in lexical]
