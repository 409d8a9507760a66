"""A question that follows on another → one that can be searched for by itself.

By rules and by counting: what decides whether a question needs the one before is, beside its words, how well the
documents support it with and without it (`ragqa.chat`). English only: in other languages only the documents decide.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ragqa.terms import STOP_WORDS, UNSPACED, WORD, word_count
from ragqa.whole import recognise

# How much the words of a question speak for one that follows, in logits of support.
OPENS, REFERS, NOTHING_OWN, LITTLE_OWN = 4.0, 2.5, 3.0, 1.0
LITTLE, MUCH = 2, 3  # words of its own
EACH_OWN, NAMED = 2.0, 2.0  # what speaks against it: each word beyond these, and a name
EMPHASIS = 1.5  # words of the question for each of those it follows on
MOST_TIMES = 4
MOST_BEFORE = 24  # words of what a question follows on; what was said first goes first
LONGEST = 300  # characters; a longer question says itself what it is about

_OPENING = re.compile(
    r"^(?:(?:and|or|but|so|then|also|plus|ok(?:ay)?|what about|how about|what if|same (?:for|with))\b[\s,.:;]*)+",
    re.IGNORECASE,
)
# What begins so and asks nothing is a piece of a question: "with npx?", "from inside Python?"
_PIECE = re.compile(
    r"(?:in|on|at|for|with|from|without|to|by|than|like|as|under|inside|compared|instead|except|just|only|any|not"
    r"|during|after|before|since|until)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:what|which|who|whom|whose|where|when|why|how|is|are|was|were|do|does|did|can|could|should|would|will|has"
    r"|have|had|may|must)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|itself|they|them|theirs?|he|him|his|she|hers?|this|these|those|that|former|latter|there)\b", re.I
)
# "there is", "how long does it take to", "is it possible to", "a tool that does": these refer to nothing before.
_EMPTY = re.compile(
    r"\b(?:(?:is|are|was|were) there|there(?:'s| (?:is|are|was|were))|it (?:take|possible|better|worth|safe|okay|true)"
    r"|\w+[^\s,;?] that (?=\w+s\b))\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"^(?:(?:please|tell me|(?:can|could) you tell me|do you know|i wonder)\W+)*"
    r"(?:(?:(?:in|on|at|for|with|from|since|by|to|of) )?(?:what|which|who|whom|whose|where|when|why|how)"
    r"(?: (?:many|much|long|large|big|often|fast|far|old|high|well|small))?\b\s*)?"
    r"(?:(?:'s|is|are|was|were|do|does|did|can|could|should|would|will|has|have|had|am|must|may|might)\b\s*)?"
    r"(?:(?:n't|not)\b\s*)?(?:(?:i|you|we|one|there|it)\b\s*)?",
    re.IGNORECASE,
)
_COURTESIES = frozenset(
    "ok okay thanks thank you thx great cool nice good fine perfect wow yes yeah no nope hello hi hey bye goodbye "
    "please sorry very much got it i see right".split()
)
_SENTENCE_MARKS = " ?!.\t"
_POINTER = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her)\b", re.IGNORECASE)
_OWNERS = ("its", "their", "his", "her")
_WHICH = re.compile(
    r"(?:which|what|where)(?: (?:ones?|are they))?|(?:list|show|name)(?: me)? (?:them|those)", re.IGNORECASE
)
_NAMED = re.compile(r"\d|\w[A-Z]|[._]|^[A-Z]")


@dataclass(frozen=True, slots=True)
class Condensed:
    """A question together with what it follows on.

    Attributes:
        query: As people read it: `And on a Mac? (install ragqa)`.
        searched: As it is searched for: the question is said so often that it weighs half as much again as what it
            follows on, or the passages that answered before would be found before those that answer now.
    """

    query: str
    searched: str


def leaning(question: str) -> float:
    """How far the words of a question alone say that it needs what was said before, in logits of support."""
    asked = question.strip()
    own = _own_words(_OPENING.sub("", asked))
    asks = _ASKS.search(asked)
    opens = _OPENING.match(asked) or (_PIECE.match(asked) and not asks)
    refers = _refers(asked)
    if not (asks or opens or refers or asked.endswith(("?", "？")) or not own):
        return -math.inf  # words to look for
    few = NOTHING_OWN if own <= 1 else LITTLE_OWN if own <= LITTLE else 0.0
    speaks_against = EACH_OWN * max(own - MUCH, 0)
    if not (opens or refers) and _names(asked[:1].lower() + asked[1:]):  # the first word begins with a capital anyway
        speaks_against += NAMED
    return OPENS * bool(opens) + REFERS * refers + few - speaks_against


def says_nothing(question: str) -> bool:
    """Whether a line only keeps the conversation going: thanks, a greeting, a sign of approval."""
    words = [word.lower() for word in WORD.findall(question)]
    return all(word in _COURTESIES for word in words)


def condense(question: str, before: str) -> Condensed:
    """Join a question with the query before it.

    What was counted is counted of something else, or listed; the one name that was said takes a pronoun's place; else
    both stand side by side.

    Args:
        before: As it was searched for, so that what it followed on goes along: `Condensed.query`, or the question.
    """
    asked = question.strip(_SENTENCE_MARKS)
    if counted := _another_count(asked, before):
        return Condensed(counted, counted)
    subject = _subject(before)
    names = _names(subject)
    if len(names) == 1 and _POINTER.search(asked):
        named = _POINTER.sub(lambda pointer: names[0] + "'s" * (pointer.group().lower() in _OWNERS), asked, count=1)
        return Condensed(f"{named}?", f"{named}?")
    times = math.ceil(EMPHASIS * word_count(subject) / max(word_count(asked), 1))
    repeated = " ".join([asked] * min(max(times, 1), MOST_TIMES))
    return Condensed(f"{question.strip()} ({subject})", f"{repeated} ({subject})?")


def content(text: str) -> list[str]:
    """The words that carry meaning."""
    return [word for word in WORD.findall(text) if word.lower() not in STOP_WORDS]


def _another_count(asked: str, before: str) -> str:
    """What "and Podman?" or "which ones?" means after "How many notes mention Docker?"; empty where nothing counted."""
    counted = recognise(before)
    if not counted or len(counted.named) != 1:
        return ""
    (subject,) = counted.named
    other = _OPENING.sub("", asked)
    if _WHICH.fullmatch(other):
        return f"List all documents that mention {subject}"
    another = before.replace(subject, other)
    return another if other != asked and recognise(another) else ""


def _names(subject: str) -> list[str]:
    """What has a capital letter, a digit or a dot: BM25, Okapi, shot_scraper.py."""
    return list(dict.fromkeys(word for word in content(subject) if _NAMED.search(word)))


def _own_words(text: str) -> float:
    """How many words carry meaning; where no space parts words, as many as there would be."""
    return word_count(text) if UNSPACED.search(text) else len(content(text))


def _refers(question: str) -> bool:
    """Whether a pronoun stands for something outside the question: before it, hardly anything is named."""
    told = _EMPTY.sub(lambda empty: "-" * len(empty.group()), question)
    pronoun = _PRONOUN.search(told)
    return pronoun is not None and len(content(told[: pronoun.start()])) < LITTLE


def _subject(query: str) -> str:
    """What a query is about, in its own words: without the words that only ask, and on one level."""
    told = _OPENING.sub("", query.strip())
    told = _ASKING.sub("", told, count=1).strip(_SENTENCE_MARKS) or told.strip(_SENTENCE_MARKS)
    flat = re.sub(r"[?!]?\s*\(", ", ", told).replace(")", "")
    return " ".join(flat.split()[:MOST_BEFORE])[:LONGEST]
