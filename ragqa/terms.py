"""Words, terms and how much each tells: what text is compared by where vectors are not asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from functools import cache
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowballstemmer import english_stemmer

WORD = re.compile(r"\w+(?:[-./_'’]\w+)*")
STOP_WORDS = frozenset(
    "a about after all also am an and any are as at be because been before being between both but by can could did do "
    "does doing done for from get gets had has have having he her here him his how i if in into is it its just kind "
    "let make may me might more most much must my name no not of on one only or other our out over own same she should "
    "so some such than that the their them then there these they this those to too under up us use used uses using "
    "was way we were what when where which while who whom whose why will with would you your".split()
)
_UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
UNSPACED = re.compile(f"[{_UNSPACED}]")
"""Kana and Han: scripts without spaces between words."""

_PARTS = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
BIGRAM_RARITY = 3.0  # FTS5 sees a whole run of such characters as one word and knows nothing of its parts


def search_words(question: str) -> tuple[str, ...]:
    """The words that lexical search looks for: those that carry meaning, or all when none does."""
    words = list(dict.fromkeys(match.group().lower() for match in WORD.finditer(question)))
    return tuple([word for word in words if word not in STOP_WORDS] or words)


def word_count(text: str) -> float:
    """Words, or what would be words: where no space parts them, one for every 1.7 characters."""
    unspaced = len(UNSPACED.findall(text))
    return unspaced / 1.7 if unspaced else len(WORD.findall(text))


def terms(text: str) -> set[str]:
    """What a text is about, as it can be compared: stems of words, and pairs of characters in Kana and Han."""
    found: set[str] = set()
    for match in _PARTS.finditer(text.lower()):
        word = match.group()
        if UNSPACED.search(word):
            found.update(a + b for a, b in pairwise(word))
            found.update([word] if len(word) == 1 else [])
        else:
            found.add(_stem(word))
    return found


def rarities(words: Sequence[str], frequencies: Sequence[int], passages: int) -> dict[str, float]:
    """Term → how much it tells: the log of passages over passages that hold its word."""
    weights: dict[str, float] = {}
    for word, frequency in zip(words, frequencies, strict=True):
        rarity = log(1 + (passages - frequency + 0.5) / (frequency + 0.5))
        for term in terms(word):
            weight = BIGRAM_RARITY if UNSPACED.search(term) else rarity
            weights[term] = max(weight, weights.get(term, 0.0))
    return weights


def coverage(present: Set[str], rarity: Mapping[str, float]) -> float:
    """Share of the question's terms that are `present`, each weighted by its rarity: 0 to 1."""
    total = sum(rarity.values())
    return sum(weight for term, weight in rarity.items() if term in present) / total if total else 0.0


@cache
def _stemmer() -> english_stemmer.EnglishStemmer:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@cache
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem
