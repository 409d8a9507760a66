"""Question → hits: passages that mean the same and passages that say the same words, fused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ragqa.embed import Embedder
from ragqa.store import VectorStore
from ragqa.types import Filter, Hit, Vector

CANDIDATES = 50  # taken from each of the two searches before they are fused
# A small share of BM25 beside the cosine found more than reciprocal rank fusion, and more than larger shares.
LEXICAL_WEIGHT = 0.07

WORD = re.compile(r"\w+(?:[-./_'’]\w+)*")
STOP_WORDS = frozenset(
    "a about after all also am an and any are as at be because been before being between both but by can could did do "
    "does doing done for from get gets had has have having he her here him his how i if in into is it its just kind "
    "let make may me might more most much must my name no not of on one only or other our out over own same she should "
    "so some such than that the their them then there these they this those to too under up us use used uses using "
    "was way we were what when where which while who whom whose why will with would you your".split()
)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a question found.

    Attributes:
        vector: The question's.
        words: Its words worth searching for.
        frequencies: How many passages hold each of them.
        passages: How many passages there are.
    """

    hits: tuple[Hit, ...]
    vector: Vector
    words: tuple[str, ...]
    frequencies: tuple[int, ...]
    passages: int


def search_words(question: str) -> tuple[str, ...]:
    """The words that lexical search looks for: those that carry meaning, or all when none does."""
    words = list(dict.fromkeys(match.group().lower() for match in WORD.finditer(question)))
    return tuple([word for word in words if word not in STOP_WORDS] or words)


def retrieve(
    question: str,
    *,
    embedder: Embedder,
    store: VectorStore,
    k: int,
    where: Filter | None = None,
    lap: Callable[[str], None] = lambda stage: None,
) -> Retrieved:
    """Find the `k` passages most likely to answer, best first.

    A hit's score is cosine + 0.07 · BM25 / the best BM25; its parts stand in `scores`.

    Args:
        lap: Told when the stages `embed` and `search` are over.
    """
    vector = embedder.embed_query(question)
    lap("embed")
    words = search_words(question)
    depth = max(CANDIDATES, k)
    dense = store.search(vector, depth, where)
    lexical = store.match(words, depth, where)
    hits = fuse(dense, _with_cosines(lexical, dense, vector, store))
    frequencies, passages = store.frequencies(words, where)
    lap("search")
    return Retrieved(tuple(hits[:k]), vector, words, tuple(frequencies), passages)


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
