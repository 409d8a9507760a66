"""The Llama's text + evidence → sentences with verdicts.

What is checked against single sentences of the evidence: that all words, names, numbers and units of what a sentence
adds to the question stand there, that negation agrees, and, by a small regression over where those words stand, that
they stand where the question's own words do. What is not checked is how names relate to each other: "A beat B" and
"B beat A" are the same to this check, so nothing here is ever more than supported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ragqa.sentences import sentence_spans
from ragqa.terms import WORD
from ragqa.types import Evidence, Sentence
from ragqa.verify.flaws import flaw, reported
from ragqa.verify.grounds import Claim, Grounds, firmness, take_apart
from ragqa.verify.negation import contradicts
from ragqa.verify.words import Word, among, telling, words_of

MIN_VERBATIM = 4  # words; fewer are copied by accident
FRAGMENT = 2  # telling words; so few, with none of the question's, could be about anything

_DETERMINERS = frozenset("a an any every its his her the their these this those".split())
_TYING = frozenset("against by for from in like of on over than through to under with without".split())
# Citations, list marks and labels: the Llama's way of writing, not what it says.
_MARK = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]|^\s*(?:[-*•]|\d+[.)])\s+|^\s*(?:Question|Answer):\s*")
_LABEL = re.compile(r"^(?:The )?answer (?:to (?:this|the|your) question )?is:\s*", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“]([^\"“”]+)[\"”]([.!]?)")


def verify(text: str, evidence: Sequence[Evidence], question: str) -> list[Sentence]:
    """Judge each sentence of the Llama against the sentence of the evidence that carries it best.

    The Llama's own `[n]` are taken out; citations are the positions (from 1) in `evidence`, best first, of the
    sentence that supports it, whatever the Llama said.
    """
    written = (_bare(text[start:end]) for start, end in sentence_spans(text))
    distinct = dict.fromkeys(sentence for sentence in written if WORD.search(sentence))
    grounds = Grounds(evidence)
    return [_judge(sentence, grounds, question) for sentence in distinct]


def _bare(sentence: str) -> str:
    """A sentence without marks and labels, and without the quotation marks around all of it."""
    bare = _LABEL.sub("", " ".join(_MARK.sub("", sentence).split()))
    quoted = _QUOTED.fullmatch(bare)
    return "".join(quoted.groups()) if quoted else bare


def _judge(sentence: str, grounds: Grounds, question: str) -> Sentence:
    claim = take_apart(sentence, question)
    reason = _empty(claim, question)
    if reason:
        return Sentence(sentence, (), "unsupported", reason)
    for n, one in enumerate(grounds.evidence, start=1):
        if contradicts(sentence, one.quote, question) or reported(sentence, one.quote, question):
            continue
        if not (copied := _copied(_stems(sentence), _stems(one.quote))):
            continue
        if _headless(words_of(one.quote)[: copied.start]):
            return Sentence(sentence, (), "unsupported", "leaves out what the evidence speaks of")
        exact = _copied(_letters(sentence), _letters(one.quote))
        return Sentence(sentence, (n,), "verbatim" if exact else "supported")
    if _repeats(sentence):
        return Sentence(sentence, (), "unsupported", "repeats itself")
    return _weighed(claim, grounds, question)


def _empty(claim: Claim, question: str) -> str:
    """Why a sentence answers nothing, whatever the evidence is; empty when it may."""
    words = telling(claim.text)
    if claim.text.endswith(("?", ":")):
        return "asks or announces instead of answering"
    if not claim.told and (len({word.stem for word in words}) <= FRAGMENT + 1 or _retells(words, question)):
        return "adds nothing to the question"
    if len(words_of(claim.text)) <= FRAGMENT or (not claim.repeated and len(words) <= FRAGMENT):
        return "too short to be checked"
    return ""


def _weighed(claim: Claim, grounds: Grounds, question: str) -> Sentence:
    """The verdict by the firmest ground that has no flaw; the reason by the one that comes closest."""
    signals = grounds.signals(claim)
    for n in sorted(range(len(signals)), key=lambda n: -firmness(signals[n])):
        if not flaw(claim, grounds.evidence[n], signals[n], question):
            return Sentence(claim.text, (n + 1,), "supported")
    held = [grounds.share(claim.told + claim.repeated, stems) for stems in grounds.stems]
    if not any(held):
        return Sentence(claim.text, (), "unsupported", "nothing like it in the evidence")
    closest = held.index(max(held))
    reason = flaw(claim, grounds.evidence[closest], signals[closest], question)
    return Sentence(claim.text, (), "unsupported", reason)


def _retells(words: Sequence[Word], question: str) -> bool:
    """Whether telling words are the question's, in the question's order."""
    following = iter([word.stem for word in telling(question)])
    return all(any(among(word.stem, [other]) for other in following) for word in words)


def _repeats(sentence: str) -> bool:
    """Whether three words with something to tell come twice, as they do when a small model runs in circles."""
    words = words_of(sentence)
    triples = zip(words, words[1:], words[2:], strict=False)
    told = Counter(
        tuple(word.stem for word in three) for three in triples if sum(not word.common for word in three) >= 2
    )
    return any(count > 1 for count in told.values())


def _stems(text: str) -> list[str]:
    return [word.stem for word in words_of(text)]


def _letters(text: str) -> list[str]:
    return [word.text.lower() for word in words_of(text)]


def _headless(left_out: Sequence[Word]) -> bool:
    """Whether a copy begins in the middle of a phrase: "[disorders of] the immune system cause fever"."""
    before = next((word.text.lower() for word in reversed(left_out) if word.text.lower() not in _DETERMINERS), "")
    return before in _TYING


def _copied(words: Sequence[str], source: Sequence[str]) -> range | None:
    """Where in the source `words` lie, one behind the other; what is left out in the middle can join what is apart."""
    if len(words) < MIN_VERBATIM:
        return None
    for start in (n for n, word in enumerate(source) if word == words[0]):
        if list(source[start : start + len(words)]) == list(words):
            return range(start, start + len(words))
    return None
