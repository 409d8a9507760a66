"""Hits → the sentences that answer, and how well the documents support an answer at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log
from typing import TYPE_CHECKING

from ragqa.embed import Embedder
from ragqa.retrieve import WORD, Retrieved
from ragqa.sentences import quotable_spans
from ragqa.types import Evidence, Hit

if TYPE_CHECKING:
    from snowballstemmer import english_stemmer

_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:\s[^()\n]*)?\)")
_PAIR = re.compile(r"\w\s*[:=|→]\s*\S|\d")  # `wifi: hunter2`, `| attic | 4711 |`: short, and an answer
_PARTS = re.compile(r"[^\W_]+")
READ = 3  # passages whose sentences are weighed
MIN_WORDS = 3  # shorter ones win by accident and say nothing
PASSAGE_WEIGHT = 0.75
COVERAGE_WEIGHT = 0.1

# Logistic regression over the signals below; `scripts/fit-support` fits it anew and prints it.
SUPPORT_WEIGHTS: Mapping[str, float] = {
    "bias": -35.1,
    "cosine": 13.7,
    "sentence_cosine": 22.3,
    "passage_coverage": 7.7,
}


def select(retrieved: Retrieved, *, embedder: Embedder, k: int) -> list[Evidence]:
    """The `k` sentences most likely to answer, best first.

    A sentence's score is its cosine to the question, read under its headings, + ¾ · its passage's score + 0.1 ·
    the share of the question's words that it holds, weighted by how rare they are.
    """
    rarity = word_rarity(retrieved)
    candidates = [candidate for hit in retrieved.hits[:READ] for candidate in _candidates(hit)]
    if not candidates:
        return []
    cosines = embedder.embed_passages([candidate.in_context for candidate in candidates]) @ retrieved.vector
    scored = [
        candidate.scored(float(cosine), coverage(candidate.spoken, rarity))
        for candidate, cosine in zip(candidates, cosines, strict=True)
    ]
    return _distinct(sorted(scored, key=lambda evidence: -evidence.score))[:k]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A stretch of a passage that could be quoted."""

    hit: Hit
    start: int
    end: int
    code: bool

    @property
    def quote(self) -> str:
        return self.hit.passage.text[self.start : self.end]

    @property
    def spoken(self) -> str:
        return without_targets(self.quote)

    @property
    def in_context(self) -> str:
        """Under the nearest two headings: "It was proposed in 2009" says little without them."""
        return "\n".join([" > ".join(self.hit.passage.heading[-2:]), self.spoken]).strip()

    def scored(self, cosine: float, covered: float) -> Evidence:
        passage = self.hit.passage
        line = passage.line_at(self.start)
        return Evidence(
            hit=self.hit,
            quote=self.quote,
            start=self.start,
            end=self.end,
            line_start=line,
            line_end=line + self.quote.count("\n"),
            score=cosine + PASSAGE_WEIGHT * self.hit.score + COVERAGE_WEIGHT * covered,
            scores={"dense": cosine, "passage": self.hit.score, "coverage": covered},
            code=self.code,
        )


def _candidates(hit: Hit) -> Iterator[_Candidate]:
    text = hit.passage.text
    for start, end, code in quotable_spans(text, first=hit.passage.start == 0):
        quote = text[start:end]
        if len(WORD.findall(quote)) >= MIN_WORDS or _PAIR.search(quote):
            yield _Candidate(hit, start, end, code)


def without_targets(text: str) -> str:
    """A text as it is read aloud: of Markdown's links only what is shown, none of the addresses."""
    return _LINK.sub(r"\1", text)


def word_rarity(retrieved: Retrieved) -> dict[str, float]:
    """Stem of each question word → how much it tells: log of passages over passages that hold it."""
    rarity: dict[str, float] = {}
    for word, frequency in zip(retrieved.words, retrieved.frequencies, strict=True):
        weight = log(1 + (retrieved.passages - frequency + 0.5) / (frequency + 0.5))
        for part in stems(word):
            rarity[part] = max(weight, rarity.get(part, 0.0))
    return rarity


def coverage(text: str, rarity: Mapping[str, float]) -> float:
    """Share of the question's words that stand in `text`, each weighted by its rarity: 0 to 1."""
    total = sum(rarity.values())
    present = stems(text)
    return sum(weight for stem, weight in rarity.items() if stem in present) / total if total else 0.0


def stems(text: str) -> set[str]:
    """The words of a text reduced to their stems."""
    words = (part for match in WORD.finditer(text.lower()) for part in _PARTS.findall(match.group()))
    return {_stem(word) for word in words}


def signals(retrieved: Retrieved, evidence: Sequence[Evidence]) -> dict[str, float]:
    """What `support` is judged from; each is 0 when nothing was found."""
    if not retrieved.hits or not evidence:
        return dict.fromkeys(SUPPORT_WEIGHTS, 0.0)
    best = retrieved.hits[0]
    return {
        "bias": 1.0,
        "cosine": max(hit.scores["dense"] for hit in retrieved.hits),
        "sentence_cosine": max(one.scores["dense"] for one in evidence),
        "passage_coverage": coverage(" ".join([*best.passage.heading, best.passage.text]), word_rarity(retrieved)),
    }


def support(found: Mapping[str, float]) -> float:
    """How likely it is that the documents answer: 0 to 1, from a logistic regression over `signals`."""
    if not found.get("bias"):
        return 0.0
    return 1 / (1 + exp(-sum(weight * found[name] for name, weight in SUPPORT_WEIGHTS.items())))


def _distinct(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The first of those that say the same in the same words."""
    seen: dict[str, Evidence] = {}
    for one in evidence:
        seen.setdefault(" ".join(WORD.findall(one.quote.lower())), one)
    return list(seen.values())


@cache
def _stemmer() -> english_stemmer.EnglishStemmer:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@cache
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem
