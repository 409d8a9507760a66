"""A sentence's words and what kind each is; the runs of them that could be a short answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragqa.terms import UNSPACED
from ragqa.types import Spans

MAX_WORDS = 12
READ_WORDS = 150  # of a quote; a table or a piece of code can be long, and its end is not looked at

_WORDS = re.compile(
    r"[$€£¥]?\d+(?:[.,:/-]\d+)*[%°]?(?!\w)"  # numbers, ranges, sums of money
    r"|[A-Z]\.(?=\s[A-Z])"  # an initial
    r"|['’](?:s\b|(?=\s))"
    r"|\w(?:\w|[-./](?=\w))*"
    r"|\S"
)
_KINDS = {
    "determiner": "the a an this that these those its his her their our der die das den dem des ein eine einen einem "
    "einer eines",
    "preposition": "of in on at by for with from to into as between among during through after before over under about "
    "against since until within without near than via upon across around along toward including von im am auf bei für "
    "mit aus zu zum zur vom nach vor über unter zwischen durch während als bis gegen seit um في من على إلى عن مع بين",
    "conjunction": "and or but nor & und oder aber sondern sowie و أو",
    "auxiliary": "is are was were be been being has have had do does did will would can could may might must should "
    "ist sind war waren wird werden wurde wurden hat haben hatte hatten kann كان كانت",
    "relative": "which who whom whose where when while because if so though weil dass welche welcher التي الذي",
    "pronoun": "it he she they we i you them him there er sie es هو هي",
    "adverb": "also then thus however moreover many most some often usually very not only both other another such",
    "punctuation": ", ; : . ! ? ، ； 、 ， 。 – — - / |",
    "opening": "( [ （",
    "closing": ") ] ）",
    "quotation": "\" “ ” „ « » 「 」 《 》 ‘ ' ’ `",
    "possessive": "'s ’s",
}
_KIND_OF = {word: kind for kind, words in reversed(_KINDS.items()) for word in words.split()}
KINDS = ("edge", *_KINDS, "other", "approximate", "number", "name", "ly", "ed", "ing", "unspaced", "word")
_APPROXIMATE = frozenset("over about around approximately nearly almost roughly least most than to".split())
NUMERALS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve twenty thirty hundred thousand million billion "
    "half dozen".split()
)
_OPENERS = frozenset("because to due for by through since as in when if before after over about between around".split())
_NEVER_FIRST = frozenset("punctuation closing possessive conjunction opening auxiliary ly other".split())
_NEVER_LAST = frozenset(
    "punctuation opening other conjunction determiner preposition closing possessive auxiliary relative pronoun".split()
)


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence's words, and for all runs of them that could be an answer where each begins and ends.

    Attributes:
        spans: (words, 2), offsets into the sentence.
        kinds: Of each word, one of `KINDS`.
        first, last: (runs,), the numbers of their outermost words.
    """

    text: str
    spans: Spans
    lower: Sequence[str]
    kinds: Sequence[str]
    first: NDArray[np.intp]
    last: NDArray[np.intp]

    def bounds(self, run: int) -> tuple[int, int]:
        return int(self.spans[self.first[run], 0]), int(self.spans[self.last[run], 1])


def read_words(text: str, tokens: Spans, *, in_lines: bool = False) -> Words:
    """Part a sentence into words, and where no space parts them into the embedder's tokens; find all runs.

    A run holds a word, not marks alone.

    Args:
        in_lines: Its line breaks mean something, as those of code and tables do, and no run goes over one.
    """
    spans: list[tuple[int, int]] = []
    for match in _WORDS.finditer(text):
        start, end = match.span()
        cuts = {start, end}
        if UNSPACED.search(match.group()):
            cuts |= {int(cut) for cut in tokens.ravel() if start < cut < end}
        spans.extend(zip(sorted(cuts), sorted(cuts)[1:], strict=False))
    spans = spans[:READ_WORDS]
    lower = [text[start:end].lower() for start, end in spans]
    kinds = [_kind(text[start:end], lower[n + 1 : n + 2], n == 0) for n, (start, end) in enumerate(spans)]
    opens = np.array([kind not in _NEVER_FIRST and _may_open(kind, w) for kind, w in zip(kinds, lower, strict=True)])
    closes = np.array([kind not in _NEVER_LAST for kind in kinds])
    lone = np.array([kind == "quotation" for kind in kinds])
    n = len(spans)
    first, last = np.nonzero(np.tri(n, dtype=bool).T & ~np.tri(n, k=-MAX_WORDS, dtype=bool).T)
    if n:
        kept = opens[first] & closes[last] & ~(lone[first] & (last - first < 2)) & ~(lone[last] & (last - first < 2))
        said = np.cumsum([0, *(bool(re.search(r"\w", word)) for word in lower)])
        kept &= said[last + 1] > said[first]
        if in_lines:
            line = np.array([text.count("\n", 0, start) for start, _end in spans])
            kept &= line[first] == line[last]
        first, last = first[kept], last[kept]
    return Words(text, np.array(spans, np.int32).reshape(-1, 2), lower, kinds, first, last)


def _may_open(kind: str, word: str) -> bool:
    return kind not in ("preposition", "relative") or word in _OPENERS


def _kind(word: str, following: Sequence[str], opens: bool) -> str:
    lower = word.lower()
    if lower in _APPROXIMATE and any(re.match(r"[$€£]?\d", one) or one in NUMERALS for one in following):
        return "approximate"
    if lower in _KIND_OF:
        return _KIND_OF[lower]
    if any(character.isdigit() for character in word[:2]):
        return "number"
    if not any(character.isalnum() for character in word):
        return "other"
    if UNSPACED.match(word):
        return "unspaced"
    if word[0].isupper() and not (opens and lower.endswith("ly")):
        return "name"
    return next((ending for ending in ("ly", "ed", "ing") if lower.endswith(ending)), "word")
