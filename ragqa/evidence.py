"""Hits → the sentences that answer, chosen by what their tokens' vectors and their words say of the question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from ragqa.answer_type import AnswerType, expected
from ragqa.chunk import embedded_text
from ragqa.document import Passage
from ragqa.embed import Embedder
from ragqa.interaction import max_sim
from ragqa.quotable import LINK, quotable_spans
from ragqa.retrieve import Retrieved
from ragqa.terms import STOP_WORDS, UNSPACED, WORD, coverage, rarities, terms, word_count
from ragqa.types import Evidence, Hit, Matrix, Spans

READ = 3  # passages whose sentences are weighed
MIN_WORDS = 3  # shorter ones win by accident and say nothing
MIN_CHARACTERS = 6  # the same where no space parts words
LIKELY = 0.95  # together, the shares of the sentences that are quoted, if there may be so many
_PAIR = re.compile(r"\w\s*[:=|→]\s*\S|\d")  # `wifi: hunter2`, `| attic | 4711 |`: short, and an answer

# A conditional logit: which of a question's sentences answers it. `scripts/fit` fits it anew and prints it.
WEIGHTS: Mapping[str, float] = {
    "max_sim": 41.24,
    "cosine": 12.28,
    "coverage": 1.88,
    "window_coverage": 3.32,
    "passage_coverage": 7.67,
    "wrong_type": -3.02,
    "log_words": -0.36,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of a passage that could be quoted.

    Attributes:
        near: (question tokens, tokens of the stretch).
        terms: Of what is read aloud; link targets are not.
        heading: The path of headings it stands under; a short passage can hold several.
    """

    hit: Hit
    start: int
    end: int
    code: bool
    near: Matrix
    terms: frozenset[str]
    heading: tuple[str, ...]

    @property
    def quote(self) -> str:
        return self.hit.passage.text[self.start : self.end]


def select(retrieved: Retrieved, *, embedder: Embedder, question: str, k: int) -> list[Evidence]:
    """The `k` sentences most likely to answer, best first.

    Each is weighed by features of its own, its neighbours' and its passage's: see `features`. Its score is its share:
    how likely it is the one that answers, should one of those weighed do so; the shares of all add up to 1.
    """
    rarity = rarities(retrieved.words, retrieved.frequencies, retrieved.passages)
    asked, words = expected(question), asked_words(question, embedder)
    weighed: list[tuple[float, Candidate, dict[str, float]]] = []
    for hit, near in list(zip(retrieved.hits, retrieved.near, strict=True))[:READ]:
        candidates = list(read_closely(hit, near, embedder))
        for found, candidate in zip(features(hit, candidates, rarity, asked, words), candidates, strict=True):
            weighed.append((sum(weight * found[name] for name, weight in WEIGHTS.items()), candidate, found))
    weighed.sort(key=lambda one: -one[0])
    return _shared(_distinct(weighed))[:k]


def enough(evidence: Sequence[Evidence], most: int) -> int:
    """How many of the best to quote, `most` at most: until one of them very likely answers.

    A second sentence beside one that surely answers only makes the answer longer; but one without the kind of thing
    that is asked for, such as a reason, often only repeats the question.
    """
    share = 0.0
    for n, one in enumerate(evidence[:most], start=1):
        share += one.score
        if share >= LIKELY and not one.scores.get("wrong_type"):
            return n
    return min(most, len(evidence))


def read_closely(hit: Hit, near: Matrix, embedder: Embedder) -> Iterator[Candidate]:
    """The stretches of a passage that can be quoted, each with its part of the passage's tokens."""
    text = hit.passage.text
    spans = passage_spans(hit, embedder)[: near.shape[1]]
    for start, end, code in quotable_spans(text, hit.passage.blocks):
        quote = text[start:end]
        if says_something(quote):
            first, last = np.searchsorted(spans[:, 1], start, side="right"), np.searchsorted(spans[:, 0], end)
            said = frozenset(terms(without_targets(quote)))
            yield Candidate(hit, start, end, code, near[:, first:last], said, heading_at(hit.passage, start))


def heading_at(passage: Passage, offset: int) -> tuple[str, ...]:
    """The path of headings over a place in a passage: a short one can hold several sections."""
    blocks = (block for block in passage.blocks if block.start <= offset < block.end)
    return next((block.heading for block in blocks), passage.heading)


def passage_spans(hit: Hit, embedder: Embedder) -> Spans:
    """Which characters of a passage's text each row of its token vectors stands for; headings lie before its first."""
    text = hit.passage.text
    read = embedded_text(hit.passage, embedder.count_tokens, embedder.max_tokens)
    body = text.strip()
    lead = len(text) - len(text.lstrip())
    return embedder.token_spans(read) - (len(read) - len(body) - lead)


def says_something(quote: str) -> bool:
    unspaced = len(UNSPACED.findall(quote)) >= MIN_CHARACTERS
    return unspaced or len(WORD.findall(quote)) >= MIN_WORDS or bool(_PAIR.search(quote))


def features(
    hit: Hit,
    candidates: Sequence[Candidate],
    rarity: Mapping[str, float],
    asked: AnswerType | None,
    words: Sequence[NDArray[np.intp]],
) -> Iterator[dict[str, float]]:
    """What each candidate of one passage is weighed by.

    `max_sim` and `cosine` of its tokens, the best and the mean similarity; `coverage` of the sentence alone, of a
    window with the sentences beside it (a pronoun's noun stands in the one before, a cause often in the next), and of
    the whole passage; whether it lacks the kind of thing that the question asks for; its length. `least_matched`, how
    near it comes to the word of the question that it misses most, says nothing of which sentence answers, but much of
    whether any does.

    Args:
        words: For each word of the question that carries meaning, its tokens' rows in `near`.
    """
    passage = hit.passage
    whole = coverage(terms(" ".join([*passage.heading, passage.text])), rarity)
    for place, candidate in enumerate(candidates):
        beside = candidates[max(place - 1, 0) : place + 2]
        window = [one.terms for one in beside if one.heading == candidate.heading]
        own = candidate.heading[-1:] if candidate.heading != passage.heading else ()
        yield {
            "max_sim": max_sim(candidate.near),
            "cosine": float(candidate.near.mean()) if candidate.near.size else 0.0,
            "coverage": coverage(candidate.terms, rarity),
            "window_coverage": coverage(frozenset().union(terms(" ".join(own)), *window), rarity),
            "passage_coverage": whole,
            "wrong_type": float(asked is not None and not asked.holds(candidate.quote)),
            "log_words": log(1 + word_count(candidate.quote)),
            "least_matched": _least_matched(candidate.near, words),
        }


def asked_words(question: str, embedder: Embedder) -> list[NDArray[np.intp]]:
    """For each word of a question that carries meaning, which of the question's tokens it is made of."""
    tokens = embedder.token_spans(question)
    words = [word.span() for word in WORD.finditer(question) if word.group().lower() not in STOP_WORDS]
    return [np.nonzero((tokens[:, 1] > start) & (tokens[:, 0] < end))[0] for start, end in words]


def _least_matched(near: Matrix, words: Sequence[NDArray[np.intp]]) -> float:
    if not near.size:
        return 0.0
    best = near.max(axis=1)
    return min((float(best[rows].mean()) for rows in words if len(rows) and rows[-1] < len(best)), default=0.0)


def without_targets(text: str) -> str:
    """A text as it is read aloud: of Markdown's links only what is shown, none of the addresses."""
    return LINK.sub(r"\1", text)


def _distinct(
    weighed: Sequence[tuple[float, Candidate, dict[str, float]]],
) -> list[tuple[float, Candidate, dict[str, float]]]:
    """The first of those that say the same in the same words."""
    seen: dict[str, tuple[float, Candidate, dict[str, float]]] = {}
    for one in weighed:
        seen.setdefault(" ".join(WORD.findall(one[1].quote.lower())), one)
    return list(seen.values())


def _shared(weighed: Sequence[tuple[float, Candidate, dict[str, float]]]) -> list[Evidence]:
    if not weighed:
        return []
    logits = np.array([logit for logit, _candidate, _found in weighed])
    odds = np.exp(logits - logits.max())
    shares = odds / odds.sum()
    return [
        _evidence(candidate, float(share), found)
        for share, (_logit, candidate, found) in zip(shares, weighed, strict=True)
    ]


def _evidence(candidate: Candidate, share: float, found: Mapping[str, float]) -> Evidence:
    passage = candidate.hit.passage
    line_start, line_end = passage.lines_of(candidate.start, candidate.end)
    return Evidence(
        hit=candidate.hit,
        quote=candidate.quote,
        start=candidate.start,
        end=candidate.end,
        line_start=line_start,
        line_end=line_end,
        score=share,
        scores=found,
        code=candidate.code,
        heading=candidate.heading,
    )
