"""Bytes that name no encoding → the one in which they make sense, or none: text must not turn into other text.

Each language brings its encodings, its letters and its commonest words. In a wrong encoding letters turn into signs in
the middle of words, into capitals after small letters, or into letters that no one language has; in the right one the
common words are there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from ragqa.read.writing import ALPHABETS, SCRIPTS, Language, Script

SAMPLE = 4096  # bytes, of lines that are not ASCII
STRETCH = 1024  # bytes of a line, before the first that is not ASCII and from there on
MOST_ODD = 0.02  # of the characters that are not ASCII, those that do not fit a language
LEAST_COMMON = 0.1  # of a script's characters
LEAST_WORDS = 0.04  # of a text's words, those that are the commonest of the language
DENSE = 0.08  # of the letters: more accents than that have few languages of Western Europe
LEAST_APART = 0.7  # of the letters that are not ASCII: in another script words are made of these alone
WESTERN = ("cp1252", "iso8859-15")
RARE = 0.5  # what fits an encoding that is not its language's commonest counts so much

_BEFORE_WORDS = frozenset('“”„‟‘’‚«»‹›¿¡–—…€£¥§©·•×÷±°→←\xa0−≤≥≠"״')
_AFTER_WORDS = frozenset("“”‘’«»‹›–—…€£¥¢©®™°²³¹·•×÷±→←†‡‰¼½¾\xa0−≤≥≠،؛؟׳״־")
_IN_WORDS = frozenset("’·–—\xad׳״־")
_SIGNS = frozenset("¶¦¬µªº") | _BEFORE_WORDS | _AFTER_WORDS | _IN_WORDS
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_APART = re.compile(r"(?<![^\W\d_])[^\W\d_a-zA-Z]{2,}+(?![a-zA-Z])")
_HIGH = re.compile(rb"[\x80-\xff]")
_END = re.compile(rb"[\x00-\x2f]")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_HAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")
_HAN_PAIR = re.compile(f"{_HAN.pattern}{{2}}")
_BESIDE = re.compile(
    "[\u3000-\u303f\u2010-\u2026\uff01-\uff5e\u2460-\u24ff\u2190-\u21ff\u25a0-\u25ff\u3200-\u33ff·×°§]"
)


def guess(content: bytes) -> str:
    """The encoding that a text is in, which is not UTF-8; empty where none is likely enough."""
    sample = _sample(content)
    tried = {encoding: _Trial(sample, encoding) for one in (*SCRIPTS, *ALPHABETS) for encoding in one.encodings}
    share, encoding = max((tried[encoding].common(one), encoding) for one in SCRIPTS for encoding in one.encodings)
    if share >= LEAST_COMMON:
        return encoding
    fitting = list(_fitting(tried))
    if not fitting:
        return ""
    best = max(fitting, key=lambda one: one.likeness)
    return best.encoding if best.likeness >= LEAST_WORDS else _without_words(tried, fitting)


class _Fit(NamedTuple):
    """An encoding in which it could be a text of one language.

    Attributes:
        likeness: How like one it is, by the words.
        is_likely: Whether such texts are mostly in this encoding, and have these letters.
    """

    encoding: str
    likeness: float
    is_likely: bool


def _fitting(tried: dict[str, _Trial]) -> Iterator[_Fit]:
    for language in ALPHABETS:
        oddities = [(tried[encoding].odd(language), rank) for rank, encoding in enumerate(language.encodings)]
        odd, rank = min(oddities)
        trial = tried[language.encodings[rank]]
        if odd <= MOST_ODD and language.is_latin == trial.is_latin:
            likeness = (trial.words_of(language) - odd) * (RARE if rank else 1)
            is_likely = not language.is_latin or (not rank and language.rare.isdisjoint(trial.signs))
            yield _Fit(language.encodings[rank], likeness, is_likely)


def _without_words(tried: dict[str, _Trial], fitting: list[_Fit]) -> str:
    """What few words, none of them common, are in: Western Europe's, or the only one in which they fit."""
    fit = {one.encoding for one in fitting}
    for encoding in WESTERN:
        if encoding in fit and (tried[encoding].accents <= DENSE or tried[encoding].foreign <= 2):
            return encoding
    fit = {one.encoding for one in fitting if one.is_likely} or fit
    small = {tried[one].text: tried[one].small for one in fit if 2 * tried[one].letters >= tried[one].foreign}
    likely = {text for text, share in small.items() if share >= max(small.values()) / 2}  # others are all in capitals
    return next(e for e in tried if e in fit and tried[e].text in likely) if len(likely) == 1 else ""


def _sample(content: bytes) -> bytes:
    """Lines that are not ASCII, of long ones stretches: the first such byte may be far behind, or one sign alone."""
    stretches, length, at = [], 0, 0
    while length <= SAMPLE and (found := _HIGH.search(content, at)):
        first = found.start()
        start = max(at, first - STRETCH, content.rfind(b"\n", at, first) + 1)
        at = content.find(b"\n", first, first + STRETCH)
        if at < 0:
            # Characters may have several bytes, the last of them a letter in ASCII: it ends before a sign.
            end = _END.search(content, first + STRETCH, first + SAMPLE)
            at = end.start() if end else first + SAMPLE
        stretches.append(content[start:at])
        length += len(stretches[-1])
    return b"\n".join(stretches)


class _Trial:
    """A sample as it reads in one encoding.

    Attributes:
        signs: Characters that are not ASCII, and how often.
        foreign: How many that are.
    """

    def __init__(self, sample: bytes, encoding: str) -> None:
        self.text = sample.decode(encoding, errors="replace")
        self.signs = Counter(_FOREIGN.findall(self.text))
        self.foreign = max(self.signs.total(), 1)

    @cached_property
    def letters(self) -> int:
        """How many of them are letters."""
        return sum(count for sign, count in self.signs.items() if sign.isalpha() and sign not in _SIGNS)

    @property
    def accents(self) -> float:
        """How many of the letters are not ASCII."""
        return self.letters / max(len(_LETTER.findall(self.text)), 1)

    @property
    def small(self) -> float:
        """How many of its letters that are not ASCII are small, where there are capitals too."""
        small = sum(count for sign, count in self.signs.items() if sign.islower())
        capital = sum(count for sign, count in self.signs.items() if sign.isupper())
        return small / (small + capital) if small or capital else 1.0

    @cached_property
    def is_latin(self) -> bool:
        """Whether letters that are not ASCII stand among others in one word, or are hardly any."""
        return self.foreign <= 2 or sum(map(len, _APART.findall(self.text))) < LEAST_APART * max(self.letters, 1)

    def odd(self, language: Language) -> float:
        """The share of what does not belong into texts of a language."""
        fitting = language.both_cases | _SIGNS
        strange = sum(count for sign, count in self.signs.items() if sign not in fitting)
        if strange > MOST_ODD * self.foreign:
            return 1.0
        return (strange + self.out_of_place) / self.foreign

    @cached_property
    def out_of_place(self) -> int:
        """How many stand where no such character stands in any language."""
        return sum(self._is_out_of_place(found.start()) for found in _FOREIGN.finditer(self.text))

    def _is_out_of_place(self, at: int) -> bool:
        before, sign, after = self.text[max(at - 1, 0) : at], self.text[at], self.text[at + 1 : at + 2]
        if sign.isalpha() and sign not in "ªº":
            return (before.islower() and sign.isupper()) or (sign.islower() and after.isupper() and sign != "ß")
        if before.isalpha() and after.isalpha():
            return sign not in _IN_WORDS
        if sign in "ªº":
            return before.isalpha() and before not in "nN"
        if sign == "“" and before.isalpha():  # it ends what „ begins, and nothing else
            return "„" not in self.signs
        return (before.isalpha() and sign not in _AFTER_WORDS) or (after.isalpha() and sign not in _BEFORE_WORDS)

    @cached_property
    def words(self) -> Counter[str]:
        return Counter(_WORD.findall(self.text.lower()))

    def words_of(self, language: Language) -> float:
        """The share of words that are the commonest of a language; of those in its script, where it is not Latin."""
        written = sum(n for word, n in self.words.items() if language.is_latin or not word.isascii())
        return sum(self.words[word] for word in language.words) / max(written, 1)

    def common(self, script: Script) -> float:
        """The share of a script's commonest characters; 0 where there is other writing too, or never two in a row."""
        if not _HAN_PAIR.search(self.text):  # a sign and the letter after it, as in `©M`, make one
            return 0.0
        written = {sign: count for sign, count in self.signs.items() if not _BESIDE.match(sign)}
        total = sum(written.values())
        if not total or sum(count for sign, count in written.items() if not _HAN.match(sign)) > MOST_ODD * total:
            return 0.0
        return sum(count for sign, count in written.items() if sign in script.common) / total
