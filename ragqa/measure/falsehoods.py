"""Planted falsehoods in human wording: questions with known answers → statements, true and falsified.

What a checker lets pass can only be counted where the truth is known. So a question and its answer become a
statement by rules, and one thing in it is changed. The true statements beside them count the false alarms.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ragqa.measure.declare import Clause, declare

Kind = Literal["true", "number", "negation", "other_passage", "same_passage"]
KINDS: tuple[Kind, ...] = ("true", "number", "negation", "other_passage", "same_passage")

_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?=(?:st|nd|rd|th|s)?\b)")
_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_MONTHS = "January February March April May June July August September October November December".split()
_UNITS = (
    ("thousand", "million", "billion", "trillion"),
    ("seconds", "minutes", "hours", "days", "weeks", "months", "years", "decades", "centuries"),
    ("metres", "kilometres", "miles", "feet", "inches"),
    ("bytes", "kilobytes", "megabytes", "gigabytes"),
    ("grams", "kilograms", "tonnes", "pounds"),
)
_SERIES = (tuple(_WORDS[2:]), tuple(_ORDINALS[1:]), tuple(_MONTHS), *_UNITS)
_NAME = re.compile(r"(?:^|(?<=[a-z,] ))[A-ZÀ-Þ][\w’'-]+(?: (?:of |the |de |von )?[A-ZÀ-Þ][\w’'-]+)*")
_UNLIKE = frozenset("the a an of in on at to and or for by with from".split())


@dataclass(frozen=True, slots=True)
class Case:
    """A question whose answers are known, with the passage that holds them.

    Attributes:
        group: What the document is about; passages of one group are too near to borrow a wrong answer from.
    """

    question: str
    answers: tuple[str, ...]
    passage: str
    document: str
    group: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that is true by its passage, or false in the one way that `kind` says."""

    text: str
    kind: Kind
    document: str
    question: str


def plant(cases: Sequence[Case], *, seed: int = 0) -> list[Statement]:
    """One true statement of each case that can be put into decent English, and its falsifications.

    A wrong answer is always of the right one's form (a number for a number, a name for a name) where there is one,
    because others are too easy to find out. The same seed gives the same statements.

    Returns:
        The statements of a case stand together, the true one first. Cases that make no decent English are left out:
        their share is 1 - (true statements / cases).
    """
    return [statement for n, case in enumerate(cases) for statement in _statements(case, cases, f"{seed}:{n}")]


def _statements(case: Case, cases: Sequence[Case], seed: str) -> Iterator[Statement]:
    answer = next((answer for answer in case.answers if declare(case.question, answer)), "")
    clause = declare(case.question, answer)
    if clause is None:
        return
    chosen = random.Random(seed)
    makers: tuple[tuple[Kind, Callable[[], str]], ...] = (
        ("true", lambda: clause.text),
        ("number", lambda: _renumbered(clause, case, answer, chosen)),
        ("negation", lambda: "" if re.search(r"\b(?:not|no)\b", answer) else clause.negated),
        ("other_passage", lambda: _answered(case, _borrowed(case, answer, cases, chosen))),
        ("same_passage", lambda: _answered(case, _confused(case, answer, cases, chosen))),
    )
    for kind, make in makers:
        text = make()
        if text and (kind == "true" or text != clause.text):
            yield Statement(text, kind, case.document, case.question)


def _answered(case: Case, answer: str) -> str:
    clause = declare(case.question, answer) if answer else None
    return clause.text if clause else ""


def _renumbered(clause: Clause, case: Case, answer: str, chosen: random.Random) -> str:
    """The statement with one number, month or unit changed: in the answer if it has one, else anywhere."""
    for text in (answer, clause.text):
        for _ in range(8):
            changed = _other_number(text, chosen)
            if changed and changed not in case.answers:
                return clause.text.replace(text, changed) if text in clause.text else _answered(case, changed)
    return ""


def _other_number(text: str, chosen: random.Random) -> str:
    places: list[tuple[int, int, str]] = []
    for found in _NUMBER.finditer(text):
        decade = text[found.end() :].startswith("s")
        other = str(int(found.group()) + chosen.choice((-20, -10, 10))) if decade else _near(found.group(), chosen)
        places.append((found.start(), found.end(), other))
    for series in _SERIES:
        for found in re.finditer(rf"\b(?:{'|'.join(series)})\b", text):
            others = [word for word in series if word != found.group()]
            places.append((found.start(), found.end(), chosen.choice(others)))
    if not places:
        return ""
    start, end, other = chosen.choice(places)
    return text[:start] + other + text[end:]


def _near(number: str, chosen: random.Random) -> str:
    """Another number of the same make: a near year, a count of like size, as many decimals."""
    whole, _, decimals = number.replace(",", "").partition(".")
    value = int(whole)
    if decimals:
        return f"{whole}.{(int(decimals) + chosen.randint(1, 8)) % 10 ** len(decimals):0{len(decimals)}d}"
    if len(whole) == 4 and "," not in number:
        other = value + chosen.choice((-1, 1)) * chosen.randint(1, 25)
    elif value < 20:
        other = value + chosen.choice([step for step in (-3, -2, -1, 1, 2, 3) if value + step > 0])
    else:
        size = 10 ** (len(whole) - 2)
        other = value + chosen.choice((-1, 1)) * chosen.randint(1, 8) * size
    return f"{abs(other):,}" if "," in number else str(abs(other))


def _borrowed(case: Case, answer: str, cases: Sequence[Case], chosen: random.Random) -> str:
    """An answer of another group's passage, of the same form, that does not stand in this passage."""
    asked = case.question.split()[0].lower()
    fits = [
        other.answers[0]
        for other in cases
        if other.group != case.group and other.answers and other.question.split()[0].lower() == asked
    ]
    return _pick([o for o in fits if o.lower() not in case.passage.lower()], answer, case, chosen)


def _confused(case: Case, answer: str, cases: Sequence[Case], chosen: random.Random) -> str:
    """An answer to another question about the same passage, else another name of it."""
    siblings = [
        other.answers[0]
        for other in cases
        if other.passage == case.passage and other.question != case.question and other.answers
    ]
    return _pick(siblings, answer, case, chosen) or _pick(_NAME.findall(case.passage[1:]), answer, case, chosen)


def _pick(candidates: Sequence[str], answer: str, case: Case, chosen: random.Random) -> str:
    """One that has the answer's form, shares no word with an answer, and is not named in the question."""
    taken = _content(" ".join([*case.answers, case.question]))
    fits = [other for other in candidates if _form(other) == _form(answer) and not _content(other) & taken]
    return chosen.choice(sorted(set(fits))) if fits else ""


def _content(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - _UNLIKE


def _form(answer: str) -> str:
    if re.search(r"\d", answer) or _content(answer) & {*_WORDS[1:], *_ORDINALS[1:]}:
        return "year" if re.search(r"\b1\d{3}\b|\b20\d\d\b", answer) else "number"
    return "name" if _NAME.search(answer) else "words"
