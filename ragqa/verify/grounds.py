"""How firmly one sentence of the evidence carries a claim, as signals and as one number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log

from ragqa.sentences import sentence_spans
from ragqa.types import Evidence
from ragqa.verify.negation import CLAUSE
from ragqa.verify.words import Word, alike, among, telling, words_of

# Words that answers are wrapped in; that they are not in the evidence says nothing.
_WRAPPING = frozenset(
    word.stem
    for word in telling(
        "answer become call consist describe happen include kind know locate longer mean name occur part person place "
        "refer sort take term type work year"
    )
)
# A sentence that begins with one of these takes its subject from the one before it.
_LEANING = frozenset("he her his it its one she such that their these they this those".split())
LEANING = 8  # words in which it would say so
NEAR = 3  # words between a word of the question and the answer that cost nothing
BREAK = 3  # words that the end of a clause counts for
FAR = 4  # and how many more halve its weight

# Logistic regression over the signals below; `scripts/fit-checker` fits it anew and prints it.
WEIGHTS: Mapping[str, float] = {
    "bias": 0.9,
    "told": 0.7,
    "rank": -1.2,
    "less_covered": -2.8,
    "leans": 1.1,
    "near": 2.3,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence taken apart against the question.

    Attributes:
        told: Stems of what it adds to the question: the answer.
        repeated: Stems of what it repeats of the question.
        asked: Stems of the question.
    """

    text: str
    told: tuple[str, ...]
    repeated: tuple[str, ...]
    asked: tuple[str, ...]


def take_apart(sentence: str, question: str) -> Claim:
    asked = tuple(dict.fromkeys(word.stem for word in telling(question)))
    stems = list(dict.fromkeys(word.stem for word in telling(sentence)))
    repeated = tuple(stem for stem in stems if among(stem, asked))
    told = tuple(stem for stem in stems if stem not in repeated and stem not in _WRAPPING)
    return Claim(sentence, told, repeated, asked)


class Grounds:
    """All the evidence for one question, ready to be compared with claims.

    A word weighs the more, the fewer sentences of the evidence hold it.
    """

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self.evidence = evidence
        self.stems = [frozenset(word.stem for word in telling(one.quote)) for one in evidence]
        self._weights: dict[str, float] = {}

    def weight(self, stem: str) -> float:
        if stem not in self._weights:
            holding = sum(among(stem, stems) for stems in self.stems)
            self._weights[stem] = log((len(self.stems) + 1) / (holding + 0.5 if holding else 1.5))
        return self._weights[stem]

    def share(self, wanted: Iterable[str], known: Iterable[str]) -> float:
        """Share of the wanted words that are known, by weight: 0 to 1."""
        held, total = frozenset(known), sum(map(self.weight, wanted))
        return sum(self.weight(stem) for stem in wanted if among(stem, held)) / total if total else 0.0

    def signals(self, claim: Claim) -> list[dict[str, float]]:
        """What speaks for and against each sentence of the evidence, in its order."""
        covered = [self.share(claim.asked, stems) for stems in self.stems]
        return [self._signals(claim, n, covered[n], max(covered)) for n in range(len(self.evidence))]

    def _signals(self, claim: Claim, n: int, covered: float, most: float) -> dict[str, float]:
        passage, stems = self.evidence[n].hit.passage, self.stems[n]
        quote = self.evidence[n].quote
        words = words_of(quote)
        before = leant_on(passage.text, self.evidence[n].start, self.evidence[n].heading or passage.heading)
        leans = any(word.text.lower() in _LEANING for word in words[:LEANING])
        return {
            "bias": 1.0,
            "told": min(len(claim.told), 6) / 6,
            "rank": log(n + 1),
            "less_covered": most - covered,
            "leans": (self.share(claim.asked, stems | before) - covered) * leans,
            "near": self._near(quote, densest(words, claim.told or claim.repeated), claim.asked),
        }

    def _near(self, quote: str, span: tuple[int, int] | None, wanted: Sequence[str]) -> float:
        """Share of the wanted words that stand near the span, by weight and nearness: 0 to 1."""
        total = sum(map(self.weight, wanted))
        if span is None or not total:
            return 0.0
        words, places = words_of(quote), _places(quote)
        first, last = places[span[0]], places[span[1] - 1]
        near = 0.0
        for stem in wanted:
            there = [place for word, place in zip(words, places, strict=True) if alike(word.stem, stem)]
            if there:
                away = min(max(0, first - place, place - last) for place in there)
                near += self.weight(stem) / (1 + max(0, away - NEAR) / FAR)
        return near / total


@lru_cache(maxsize=1024)
def _places(quote: str) -> tuple[int, ...]:
    """Where each word stands, counted in words; the end of a clause counts as several."""
    words = words_of(quote)
    ends = [found.start() for found in CLAUSE.finditer(quote)]
    return tuple(n + BREAK * sum(end < word.start for end in ends) for n, word in enumerate(words))


def holds(stem: str, known: Iterable[str]) -> bool:
    """Whether a word of the answer is there: as it is, or a long word in another form."""
    known = frozenset(known)
    return stem in known or (len(stem) > 5 and among(stem, known))


def densest(words: Sequence[Word], wanted: Sequence[str]) -> tuple[int, int] | None:
    """The shortest stretch of words with all of the wanted ones that occur, as (start, end)."""
    there = {word.stem for word in words} & set(wanted)
    best: tuple[int, int] | None = None
    for start, word in enumerate(words):
        if word.stem not in there:
            continue
        left = set(there)
        for end in range(start, len(words)):
            left.discard(words[end].stem)
            if not left:
                if best is None or end + 1 - start < best[1] - best[0]:
                    best = start, end + 1
                break
    return best


@lru_cache(maxsize=256)
def leant_on(passage: str, start: int, heading: tuple[str, ...]) -> frozenset[str]:
    """Stems of what a quote leans on: its headings and the sentence before it."""
    spans = reversed(list(sentence_spans(passage[:start])))
    before = next((passage[a:b] for a, b in spans if passage[a:b].strip()), "")
    return frozenset(word.stem for part in (before, *heading) for word in telling(part))


def firmness(signals: Mapping[str, float]) -> float:
    """0 to 1, from a logistic regression over the signals; `scripts/fit-checker` fits it anew and prints it."""
    return 1 / (1 + exp(-sum(weight * signals[name] for name, weight in WEIGHTS.items())))
