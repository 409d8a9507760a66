"""Why one sentence of the evidence does not carry a claim."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ragqa.types import Evidence
from ragqa.verify.grounds import Claim, densest, firmness, holds, leant_on
from ragqa.verify.negation import contradicts
from ragqa.verify.numbers import absent, quantities, unit_of
from ragqa.verify.words import among, initials, telling, words_of

MIN_FIRMNESS = 0.26  # fewer than one in twenty true statements about other articles fall below
_CONTRAST = re.compile(
    r"\b(?:although|apart from|but|except|however|instead of|rather than|unlike|whereas|while)\b", re.IGNORECASE
)
_FIRST = re.compile(r"(?:Although|Though|Unlike|Whereas|While)\b[^,]*,")
# What stands behind one of these is not said to be so.
_FRAME = re.compile(
    r"\b(?:allegedly|alleged|claim(?:s|ed) that|denie[sd]|falsely|hoax|if|mistakenly|myth|reportedly|rumou?red|"
    r"supposedly|unless|wrongly)\b",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(r"\bhow many\b", re.IGNORECASE)


def flaw(claim: Claim, evidence: Evidence, signals: Mapping[str, float], question: str) -> str:
    """What is wrong, in a few words; empty when nothing is."""
    found = unfounded(claim, evidence, question)
    return found or ("the evidence says it of something else" if firmness(signals) < MIN_FIRMNESS else "")


def unfounded(claim: Claim, evidence: Evidence, question: str) -> str:
    """What is wrong by rules alone, wherever the words stand; empty when nothing is."""
    passage = evidence.hit.passage
    # What was asked about may stand in the heading; what is answered has to stand in the sentence.
    titles = (word for title in evidence.heading or passage.heading for word in words_of(title))
    context = " ".join([evidence.quote, *(word.text for word in titles if word.stem in claim.asked)])
    number = absent(claim.text, context, asked=question, around=passage.text)
    if number:
        return f"{number} is not in the evidence"
    if contradicts(claim.text, evidence.quote, question):
        return "negated otherwise than the evidence"
    if reported(claim.text, evidence.quote, question):
        return "the evidence only reports or supposes it"
    if extra := _extra(claim, context):
        return extra
    if counted := _HOW_MANY.search(question) and _counts_other(claim, evidence.quote):
        return f"{counted} counts something else in the evidence"
    if _set_apart(claim, evidence.quote):
        return "joins what the evidence sets apart"
    return "" if claim.told or _all_there(claim, evidence) else "the evidence says it of something else"


def reported(sentence: str, quote: str, question: str) -> bool:
    """Whether the evidence says only under a condition, or as a claim, plan or tale, what the sentence says plainly."""
    framing = {frame.lower() for frame in _FRAME.findall(quote)}
    return not framing <= {frame.lower() for frame in _FRAME.findall(f"{sentence} {question}")}


def _extra(claim: Claim, context: str) -> str:
    """Words of the answer that the evidence does not have; numbers are compared by themselves."""
    words = words_of(context)
    known, capitals = {word.stem for word in words}, {word.text.lower() for word in words if word.text.isupper()}
    numbers = {part.text for quantity in quantities(claim.text) for part in words_of(quantity.text)}
    units = {quantity.unit for quantity in quantities(context)}
    shortened = initials(context) | initials(claim.text)
    extra = [
        word
        for word in telling(claim.text)
        if word.stem in claim.told
        and not (word.text in numbers or unit_of(word.text) in units - {""})
        and not holds(word.stem, known)
        and not (word.text.isupper() and word.text.lower() in shortened)  # `the Iron Bridge Trust (IBT)`
        and not initials(claim.text, around=word.start) & capitals  # `European Union` for `EU`
    ]
    named = next((word.text for word in extra if word.name), "")
    return f"{named} is not in the evidence" if named else "says more than the evidence" if extra else ""


def _counts_other(claim: Claim, quote: str) -> str:
    """A number that counts, in the evidence, a thing which was asked about and which the claim leaves out.

    Asked how many digits the largest prime has, a small model says that the prime is 22 million.
    """
    words = words_of(quote)
    for at, word in enumerate(words):
        if word.text[0].isdigit() and word.stem in claim.told:
            thing = next((next_ for next_ in words[at + 1 : at + 4] if among(next_.stem, claim.asked)), None)
            if thing and not thing.common and not among(thing.stem, claim.repeated):
                return word.text
    return ""


def _set_apart(claim: Claim, quote: str) -> bool:
    """Whether a contrast stands between the words of a claim there, and none in the claim.

    "While chalk is soft, flint is hard" carries neither that chalk is hard nor that hard chalk is flint.
    """
    words = words_of(quote)
    span = densest(words, claim.told)
    if span is None or _CONTRAST.search(claim.text):
        return False
    start, end = words[span[0]].start, words[span[1] - 1].start
    if _CONTRAST.search(quote, start, end):
        return True
    first = _FIRST.match(quote)
    if not first:
        return False
    sides: tuple[set[str], set[str]] = (set(), set())
    for word in words:
        sides[word.start >= first.end()].add(word.stem)
    if start < first.end() <= end:
        return True
    own, other = ([among(stem, side) for stem in claim.repeated] for side in sides)
    if start >= first.end():
        own, other = other, own
    return sum(other) > max(2 * sum(own), sum(own) + 1)


def _all_there(claim: Claim, evidence: Evidence) -> bool:
    """Whether a claim in the question's own words has all of them in the evidence or in what that leans on."""
    passage = evidence.hit.passage
    known = {word.stem for word in words_of(evidence.quote)} | leant_on(
        passage.text, evidence.start, evidence.heading or passage.heading
    )
    return all(among(stem, known) for stem in claim.repeated)
