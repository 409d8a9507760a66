"""The Llama's text + evidence → sentences with verdicts.

What is checked: words, numbers, names and negation against single sentences of the evidence. What is not: how
the words relate. "A beat B" and "B beat A" are the same to this check, so nothing here is ever called verified.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ragqa.sentences import sentence_spans
from ragqa.terms import STOP_WORDS, WORD, terms
from ragqa.types import Evidence, Sentence, Verdict

MIN_VERBATIM = 4  # words; fewer are copied by accident

_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
# Citations, list marks and labels: the Llama's way of writing, not what it says.
_MARK = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]|^\s*(?:[-*•]|\d+[.)])\s+|^\s*(?:Question|Answer):\s*")
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w’'-]*|\b\w+[A-Z]\w*")
_NEGATIONS = frozenset("no not never none nobody nothing neither nor without cannot hardly".split())
_NEGATED = re.compile(r"\w+n['’]t\b")


def verify(text: str, evidence: Sequence[Evidence], question: str) -> list[Sentence]:
    """Judge each sentence of the Llama against the evidence it is closest to.

    The Llama's own `[n]` are taken out; citations are the positions (from 1) in `evidence` of the
    sentence that supports it, whatever the Llama said.
    """
    written = (" ".join(_MARK.sub("", text[start:end]).split()) for start, end in sentence_spans(text))
    distinct = dict.fromkeys(sentence for sentence in written if WORD.search(sentence))
    return [_judge(sentence, evidence, question) for sentence in distinct]


def _judge(sentence: str, evidence: Sequence[Evidence], question: str) -> Sentence:
    best = Sentence(sentence, (), "unsupported", "nothing like it in the evidence")
    closest = -1.0
    for n, one in enumerate(evidence, start=1):
        verdict, reason, closeness = _compare(sentence, one, question)
        if verdict != "unsupported":
            return Sentence(sentence, (n,), verdict)
        if closeness > closest:
            best, closest = Sentence(sentence, (), verdict, reason), closeness
    return best


def _compare(sentence: str, evidence: Evidence, question: str) -> tuple[Verdict, str, float]:
    """Verdict against one sentence of evidence, why it fails, and how close it comes (0 to 1)."""
    quote = evidence.quote
    if sentence.endswith(("?", ":")):
        return "unsupported", "asks or announces instead of answering", 0.0
    telling = _telling(sentence)
    known = terms(quote)
    closeness = len(telling & known) / len(telling) if telling else 0.0
    if _negated(sentence) != _negated(quote):
        return "unsupported", "negated otherwise than the evidence", closeness
    words = [word.lower() for word in WORD.findall(sentence)]
    if len(words) >= MIN_VERBATIM and _shortened(words, [word.lower() for word in WORD.findall(quote)]):
        return "verbatim", "", 1.0
    if _repeats(words):
        return "unsupported", "repeats itself", closeness
    # What was asked about may stand in the heading; what is answered has to stand in the sentence.
    asked = " ".join(w for title in evidence.hit.passage.heading for w in WORD.findall(title) if _said(w, question))
    context = f"{quote} {asked}"
    numbers = _missing(_NUMBER.findall(sentence), _NUMBER.findall(context))
    if numbers:
        return "unsupported", f"{numbers[0]} is not in the evidence", closeness
    names = _missing(_names(sentence), WORD.findall(context))
    if names:
        return "unsupported", f"{names[0]} is not in the evidence", closeness
    if not (telling & known) - terms(question):
        return "unsupported", "adds nothing to the question", closeness
    if telling - known - terms(context):
        return "unsupported", "says more than the evidence", closeness
    return "supported", "", closeness


def _said(word: str, text: str) -> bool:
    return bool(terms(word) & terms(text))


def _repeats(words: Sequence[str]) -> bool:
    """Whether the same three words come three times, as they do when a small model runs in circles."""
    triples = Counter(zip(words, words[1:], words[2:], strict=False))
    return any(count >= 3 for count in triples.values())


def _telling(text: str) -> set[str]:
    """Stems of the words that carry meaning."""
    # Numbers are compared by themselves, whatever way they are written.
    words = [w for w in WORD.findall(text) if w.lower() not in STOP_WORDS and not _NUMBER.fullmatch(w)]
    return terms(" ".join(words))


def _negated(text: str) -> bool:
    return bool(_NEGATED.search(text)) or any(word.lower() in _NEGATIONS for word in WORD.findall(text))


def _names(sentence: str) -> list[str]:
    """Words spelled like names; the first word of a sentence is capital anyway and is left to coverage."""
    return [m.group() for m in _NAME.finditer(sentence) if m.start() > 0 and m.group().lower() not in STOP_WORDS]


def _missing(wanted: Iterable[str], present: Iterable[str]) -> list[str]:
    known = {_plain(text) for text in present}
    return [text for text in wanted if _plain(text) not in known]


def _plain(text: str) -> str:
    return re.sub(r"['’]s$|(?<=\d),(?=\d)", "", text).lower()


def _shortened(words: Sequence[str], quote: Sequence[str]) -> bool:
    """Whether `words` are `quote` with nothing changed but a beginning, an end, or one stretch left out."""
    for start in (i for i, word in enumerate(quote) if word == words[0]):
        same = 0
        while same < len(words) and start + same < len(quote) and words[same] == quote[start + same]:
            same += 1
        rest = words[same:]
        if not rest or (same >= 2 and len(rest) >= 2 and list(quote[-len(rest) :]) == list(rest)):
            return True
    return False
