"""Sentences → their runs of a few words, each with a logit of being the answer.

A conditional logit over all runs, weighed by where they begin and end, what they hold, and how the question's words and
tokens lie around them. No model is asked. The weights stand in span.json; `scripts/fit-span` fits them anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragqa.answer_type import expected
from ragqa.embed import Embedder
from ragqa.evidence import passage_spans
from ragqa.retrieve import Retrieved
from ragqa.runs import KINDS, NUMERALS, Words, read_words
from ragqa.terms import terms
from ragqa.types import Evidence, Matrix, Spans

REACH = 15  # words to each side in which the question's words count as near
WEIGHTS_FILE = Path(__file__).with_name("span.json")

Column = NDArray[Any]  # (runs,)

_DATE = re.compile(
    r"(?:1\d|20)\d\ds?|january|february|march|april|may|june|july|august|september|october|november|december|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
)
_EMPTY = frozenset("determiner preposition conjunction auxiliary relative pronoun possessive".split())
_ASKING = re.compile(r"\b(what|which|who|whom|whose|when|where|why|how)\b", re.IGNORECASE)
_STOP = (
    r"(?!(?:is|are|was|were|do|does|did|has|have|had|can|could|would|will|should|may|must|in|of|at|on|for|by|to|the|a)"
    r"\b)"
)
_ASKED_FOR = re.compile(rf"\s+(?:(?:is|are|was|were)\s+(?:the|an?)\s+)?((?:{_STOP}[\w-]+\s*){{1,3}})", re.IGNORECASE)


def read_all(
    question: str, evidence: Sequence[Evidence], retrieved: Retrieved, embedder: Embedder
) -> Iterator[tuple[int, Words, dict[str, Column]]]:
    """Each sentence's place, words and features."""
    places = {hit.passage.id: n for n, hit in enumerate(retrieved.hits)}
    asked = embedder.token_spans(question)
    for place, one in enumerate(evidence):
        at = places.get(one.hit.passage.id)
        if at is None:
            continue
        near, tokens = retrieved.near[at], passage_spans(one.hit, embedder)[: retrieved.near[at].shape[1]]
        inside = (tokens[:, 1] > one.start) & (tokens[:, 0] < one.end)
        own = np.clip(tokens[inside] - one.start, 0, len(one.quote))
        words = read_words(one.quote, own, in_lines=one.code)
        share = float(np.log(max(one.score, 1e-6) / max(evidence[0].score, 1e-6)))
        yield place, words, features(question, asked, words, own, near[:, : len(tokens)][:, inside], share)


def score(found: Mapping[str, Column]) -> Column:
    """The logit of each run."""
    weights = _weights()
    total: Column = np.asarray(sum(weights.get(name, 0.0) * column for name, column in found.items()), np.float32)
    return total


@cache
def _weights() -> dict[str, float]:
    weights: dict[str, float] = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
    return weights


def features(question: str, asked: Spans, words: Words, tokens: Spans, near: Matrix, share: float) -> dict[str, Column]:
    """Name → its value for each run, (runs,).

    - which kind of word stands before it, first, last, after it and next but one; how many of each kind it holds;
    - its length; whether it is a whole name, and what the question's type makes of its digits, names and words;
    - how many of the question's words it holds, and how near others stand to either side;
    - how near its tokens come to the question's, to the asking word's and to the asked noun's (`what company`), and
      how much of the question would find no match without it.

    Args:
        asked: (question tokens, 2), offsets into the question.
        tokens: (tokens, 2), offsets into the sentence; the columns of `near`.
        share: The log of the sentence's share over the best one's.
    """
    if not len(words.first):
        return {}
    present = _in_question(question, words)
    found = {"share": np.full(len(words.first), share)}
    found |= dict(_edges(words, present)) | dict(_inside(words, present)) | dict(_around(words, present))
    found |= dict(_interaction(question, asked, words, tokens, near))
    found |= dict(_typed(question, words, found))
    return {name: np.asarray(column, np.float32) for name, column in found.items()}


def _in_question(question: str, words: Words) -> NDArray[np.bool_]:
    """(words,) whether a word that carries meaning stands in the question."""
    wanted, plain = terms(question), question.lower()
    return np.array(
        [
            kind not in _EMPTY and (word in plain if kind == "unspaced" else bool(terms(word) & wanted))
            for word, kind in zip(words.lower, words.kinds, strict=True)
        ]
    )


def _edges(words: Words, present: NDArray[np.bool_]) -> Iterator[tuple[str, Column]]:
    of = np.array([KINDS.index(kind) for kind in ("edge", *words.kinds, "edge", "edge")])
    asked = np.array([0, *present, 0, 0], np.float32)
    places = {"before": words.first, "first": words.first + 1, "last": words.last + 1, "after": words.last + 2}
    places["after next"] = words.last + 3
    for place, at in places.items():
        for number, kind in enumerate(KINDS):
            yield f"{place}: {kind}", of[at] == number
        yield f"{place}: of the question", asked[at]


def _inside(words: Words, present: NDArray[np.bool_]) -> Iterator[tuple[str, Column]]:
    length = words.last - words.first + 1
    count = {kind: _sum(words, [one == kind for one in words.kinds]) for kind in KINDS[1:]}
    for kind, column in count.items():
        yield f"holds: {kind}", column
    asked, full = _sum(words, present), _sum(words, [kind not in _EMPTY for kind in words.kinds])
    dates = _sum(words, [bool(_DATE.fullmatch(word)) for word in words.lower])
    digits = _sum(
        words, [kind == "number" or word in NUMERALS for kind, word in zip(words.kinds, words.lower, strict=True)]
    )
    name = np.array([False, *(kind in ("name", "number") for kind in words.kinds), False])
    yield from {"log length": np.log(length), "length": length / 10, "one word": length == 1}.items()
    yield from {"two words": length == 2, "three words": length == 3, "six or more": length >= 6}.items()
    yield from {"asked": asked, "asks some": asked > 0, "asks all": asked == full}.items()
    yield "share asked", asked / np.maximum(full, 1)
    yield from {"date": dates > 0, "digits": digits > 0, "all digits": np.maximum(digits, dates) == length}.items()
    yield from {"names": count["name"] > 0, "all names": count["name"] == length}.items()
    yield "cut on the left", name[words.first] & name[words.first + 1]
    yield "cut on the right", name[words.last + 1] & name[words.last + 2]
    yield "bracket open", count["opening"] != count["closing"]
    yield "quotation open", count["quotation"] % 2 == 1


def _around(words: Words, present: NDArray[np.bool_]) -> Iterator[tuple[str, Column]]:
    """Words of the question before and after, each by one over its distance."""
    before, after = np.zeros(len(present), np.float32), np.zeros(len(present), np.float32)
    for distance in range(1, min(REACH, len(present) - 1) + 1):
        before[distance:] += present[:-distance] / distance
        after[:-distance] += present[distance:] / distance
    yield "asked before", before[words.first]
    yield "asked after", after[words.last]
    yield "asked from the last word back", before[words.last]
    yield "asked from the first word on", after[words.first]
    yield "position", words.first / len(present)


def _interaction(
    question: str, asked: Spans, words: Words, tokens: Spans, near: Matrix
) -> Iterator[tuple[str, Column]]:
    if not near.size:
        return
    width = near.shape[1]
    start = np.minimum(np.searchsorted(tokens[:, 1], words.spans[words.first, 0], side="right"), width - 1)
    end = np.maximum(np.searchsorted(tokens[:, 0], words.spans[words.last, 1], side="left"), start + 1)
    wh, noun = _asking_rows(question, asked[: len(near)])
    rows = {"question": near.max(axis=0), "question mean": near.mean(axis=0)}
    rows |= {name: near[at].mean(axis=0) if len(at) else np.zeros(width) for name, at in (("wh", wh), ("noun", noun))}
    for name, row in rows.items():
        sums = np.concatenate([[0.0], np.cumsum(row)])
        yield f"near {name}", 10 * (sums[end] - sums[start]) / (end - start)
    yield "log tokens", np.log(end - start)
    none = np.full((len(near), 1), -0.1)
    left = np.concatenate([none, np.maximum.accumulate(near, axis=1)], axis=1)
    right = np.concatenate([np.maximum.accumulate(near[:, ::-1], axis=1)[:, ::-1], none], axis=1)
    yield "matched here only", 10 * (near.max(axis=1)[:, None] - np.maximum(left[:, start], right[:, end])).mean(axis=0)


def _asking_rows(question: str, asked: Spans) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The question's tokens of its asking word, and of the noun that it asks for."""
    word = _ASKING.search(question)
    noun = _ASKED_FOR.match(question, word.end()) if word else None
    spans = (word.span() if word else (0, 0)), (noun.span(1) if noun else (0, 0))
    first, second = (np.nonzero((asked[:, 1] > start) & (asked[:, 0] < end))[0] for start, end in spans)
    return first, second


def _typed(question: str, words: Words, found: Mapping[str, Column]) -> Iterator[tuple[str, Column]]:
    row = expected(question)
    name = row.name if row else "any"
    before = np.array(["", *words.lower])[words.first]
    for feature in ("digits", "date", "all digits", "names", "all names", "log length", "near wh", "near noun"):
        if feature in found:
            yield f"{name}: {feature}", found[feature]
    yield f"{name}: after by", before == "by"
    yield f"{name}: after in", np.isin(before, ["in", "at", "near", "on"])
    yield f"{name}: gives a reason", np.isin(np.array(words.lower)[words.first], ["because", "to", "due", "for", "by"])
    yield f"{name}: holds: preposition", found["holds: preposition"] > 0
    yield f"{name}: holds: word", found["holds: word"] > 0


def _sum(words: Words, flags: Sequence[bool] | NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many words of each run have a flag."""
    sums = np.concatenate([[0], np.cumsum(np.asarray(flags, np.intp))])
    counted: NDArray[np.intp] = sums[words.last + 1] - sums[words.first]
    return counted
