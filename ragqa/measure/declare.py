"""Question + answer → the statement a person would make of them, by rules; None where it would not be English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragqa.measure.verbs import PAST, THIRD, base_of, is_participle

_BE = frozenset("is are was were".split())
_DO = frozenset("do does did".split())
_HAVE = frozenset("has have had".split())
_MODAL = frozenset("can could will would may might must shall should".split())
_AUXILIARY = _BE | _DO | _HAVE | _MODAL
_WANT = frozenset(
    "agree attempt begin decide determine fail hope intend need plan refuse seem start tend try want".split()
)
LONGEST = 14  # words of an answer; longer ones are whole clauses with a verb of their own
_WH = frozenset("who whom whose what which when where why how".split())
_PREPOSITIONS = frozenset(
    "about above across after against along among around as at before behind below between beyond by during for from "
    "in inside into like near of off on onto out over since than through throughout to toward towards under until up "
    "upon via with within without".split()
)
_DETERMINERS = frozenset("a an the this that these those his herits their our".split())
_BEFORE_NOUNS = _DETERMINERS | _PREPOSITIONS - {"to"} | frozenset("other first second new old most many and or".split())
_TIMES = frozenset("year years decade century month day date season".split())
_ROUGHLY = frozenset("about approximately around roughly".split())
_ADVERBS = frozenset("also first originally mostly usually often not never still now currently typically later".split())
_PLACED = re.compile(
    r"(?:about|above|across|after|against|along|around|as|at|before|behind|below|between|beyond|by|during|for|from|in|"
    r"inside|near|off|on|outside|over|since|through|throughout|to|under|until|with|within|every|early|late|today|when)\b",
    re.IGNORECASE,
)
_REASON = re.compile(r"(?:because|to|for|due|so|in order|as|since|by|out of|after|through)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(?:is|are|was|were|had|has|have|could|can|would|did|they|he|she|it|\w{3,}ed)\b")
_DAY = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)?\s+[A-Z]|[A-Z][a-z]+ \d{1,2}\b")
_ARTICLE = re.compile(r"^(?:The|A|An|In|On|At|By|It|They|His|Her|Their|Its|This|Over|About)\b")


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement in three parts, so that a negation finds its place.

    Attributes:
        verb: The finite verb.
        base: Its base form if it is a full verb, which is negated with `did not`; empty for an auxiliary.
    """

    subject: str
    verb: str
    rest: str
    base: str = ""

    @property
    def text(self) -> str:
        return _sentence(self.subject, self.verb, self.rest)

    @property
    def negated(self) -> str:
        if self.rest.startswith("not "):  # the truth is a negation: falsehood leaves it out
            return _sentence(self.subject, self.verb, self.rest[4:])
        if not self.base:
            return _sentence(self.subject, f"{self.verb} not", self.rest)
        support = "did" if self.verb == PAST.get(self.base) else "does" if self.verb == THIRD[self.base] else "do"
        return _sentence(self.subject, f"{support} not {self.base}", self.rest)


def declare(question: str, answer: str) -> Clause | None:
    """Put an answer where the question has its question word."""
    words = re.sub(r"\s*[?.!]*\s*$", "", question).split()
    answer = _ARTICLE.sub(lambda found: found.group().lower(), answer.strip(" .,;:"))
    at = next((n for n, word in enumerate(words) if word.lower() in _WH), None)
    if at is None or not answer or _unfit(words, answer):
        return None
    fronted = max((n + 1 for n in range(at) if words[n].endswith(",")), default=0)
    lead, rest = [word for word in words[fronted:at] if word.lower() not in _ROUGHLY], words[at:]
    if len(lead) > 1 or (lead and lead[0].lower() not in _PREPOSITIONS):
        clause = _in_place([*words[:fronted], *lead], rest, answer)
    else:
        clause = _asked_first(rest, answer, lead[0].lower() if lead else "")
    if clause and fronted and clause.subject:
        return Clause(" ".join([*words[:fronted], clause.subject]), clause.verb, clause.rest, clause.base)
    return clause


def _unfit(words: Sequence[str], answer: str) -> bool:
    """Whether question or answer are of a kind that no rule here turns into decent English."""
    said = [word.lower() for word in words]
    sentences = re.search(r"[.!?]\s+[A-Z]\w+\s+\w", answer)
    return bool(sentences or len(answer.split()) > LONGEST or {"i", "my", "me", "you", "we", "happened"} & set(said))


def _in_place(lead: Sequence[str], asked: Sequence[str], answer: str) -> Clause | None:
    """`The tower was a gift from which company?`: the question word stands where the answer belongs."""
    end = _finite(asked)
    if end is not None and end < len(asked) and lead[-1].lower() in _PREPOSITIONS:
        if asked[end] in _DO:
            return None
        return _clause([*lead, answer], asked[end], asked[end + 1 :])
    at = _finite(lead)
    if end is not None or len(asked) > 4 or at is None or lead[0].lower() in _AUXILIARY:
        return None
    return _clause(lead[:at], lead[at], [*lead[at + 1 :], _possessor(asked, answer) or answer])


def _asked_first(words: Sequence[str], answer: str, preposition: str) -> Clause | None:
    wh = words[0].lower()
    at = _finite(words)
    if at is None or at == len(words) - 1:
        return None
    noun, verb, rest = list(words[1:at]), words[at].lower(), list(words[at + 1 :])
    if wh in ("who", "whom", "when", "where", "why") and noun:
        return None
    filler = _filler(wh, noun, answer, preposition)
    if filler is None:
        return None
    adjunct = bool(preposition) or wh in ("when", "where", "why", "how") or _asks_time(wh, noun)
    if wh == "how" and noun and noun[0].lower() in ("many", "much"):
        adjunct = bool(preposition)
    if not adjunct and (verb not in _AUXILIARY or _follows_subject(verb, rest, bool(noun))):
        return _clause([filler], verb, rest)
    if verb in _AUXILIARY:
        return _inverted(verb, rest, filler, answer, adjunct)
    return None


def _filler(wh: str, noun: Sequence[str], answer: str, preposition: str) -> str | None:
    """The answer with what it needs around it: `in 1894`, `12 bells`, `because it rained`."""
    asked = noun[0].lower() if noun else ""
    if preposition:
        return answer if answer.lower().startswith(preposition) else f"{preposition} {answer}"
    if wh == "when" or _asks_time(wh, noun):
        return answer if _PLACED.match(answer) else f"{'on' if _DAY.search(answer) else 'in'} {_dated(answer)}"
    if wh == "where":
        return answer if _PLACED.match(answer) else f"in {answer}"
    if wh == "why":
        return answer if _REASON.match(answer) else f"because {'' if _CLAUSE.search(answer) else 'of '}{answer}"
    if wh == "how" and asked in ("many", "much"):
        things = [word for word in noun[1:] if word.lower() not in answer.lower()]
        return " ".join([answer, *things])
    if wh == "how" and not noun:
        return answer if _PLACED.match(answer) or answer.split()[0].endswith(("ing", "ly")) else f"by {answer}"
    if wh == "how":
        return answer if asked in ("long", "often", "far", "old", "fast") and len(noun) == 1 else None
    if wh == "whose" or re.search(r"['’]s$", asked):
        return _possessor([wh, *noun], answer)
    if "of" in noun and noun[0].lower() in ("percentage", "percent", "number", "part", "portion", "share", "amount"):
        return " ".join([answer, *noun[noun.index("of") :]])
    if "of" in noun and asked.rstrip("s") in ("type", "kind", "sort", "form") and len(answer.split()) == 1:
        return answer if noun[-1].lower() in answer.lower() else f"{answer} {noun[-1]}"
    return answer


def _possessor(asked: Sequence[str], answer: str) -> str:
    """`whose theory` and `which king's theory` become the answer's; empty for other questions."""
    owned = asked[1:] if asked[0].lower() == "whose" else asked[2:]
    if asked[0].lower() != "whose" and not (len(asked) > 1 and re.search(r"['’]s$", asked[1])):
        return ""
    return " ".join([answer if answer.endswith("'s") else f"{answer}'s", *owned])


def _asks_time(wh: str, noun: Sequence[str]) -> bool:
    return wh in ("what", "which") and bool(noun) and noun[-1].lower() in _TIMES


def _dated(answer: str) -> str:
    return f"the {answer}" if re.match(r"\d{3,4}s\b|\d+(?:st|nd|rd|th)\b", answer) else answer


def _finite(words: Sequence[str]) -> int | None:
    """Where the finite verb is: the first auxiliary, else the first full verb in the past or third person."""
    for n, word in enumerate(words):
        if word.lower() in _AUXILIARY:
            return n
        followed = words[n + 1].lower() if n + 1 < len(words) else ""
        if n > 1 and followed in _AUXILIARY:  # `which order signed was broken`
            continue
        if n and base_of(word) and not (n == 1 and words[0].lower() in ("which", "what", "how")):
            return n
    return None


def _follows_subject(verb: str, rest: Sequence[str], named: bool) -> bool:
    """Whether an auxiliary is followed by its participle at once, so that the question word was the subject."""
    first = next((word for word in rest if word.lower() not in _ADVERBS), "").lower()
    if verb in _DO:
        return False
    if verb in _BE and named and _main_verb(verb, rest) is None:  # `Which tower is the tallest?`
        return rest[-1].lower() not in _PREPOSITIONS
    if verb in _BE:
        return is_participle(first) or first in _PREPOSITIONS or (first.endswith("ing") and len(rest) > 1)
    return first in PAST or first == "be" if verb in _MODAL else is_participle(first) or first == "been"


def _inverted(verb: str, rest: Sequence[str], filler: str, answer: str, adjunct: bool) -> Clause | None:
    """`did the bridge open` + `in 1894` → `the bridge opened in 1894`."""
    at = _main_verb(verb, rest)
    if _WH & {word.lower() for word in rest[:at]} - {"who", "which"}:
        return None
    if verb in _BE:
        if not adjunct and is_participle(rest[-1]):  # `What are bells that hang in a row called?`
            at = len(rest) - 1
        elif at is None or (not adjunct and (len(rest) - at > 3 or {"that", "who", "which"} & set(rest[:at]))):
            # `Who was the first keeper of the tower?`
            return None if rest[-1].lower() in _PREPOSITIONS else _clause(rest, verb, [filler])
        return _clause(rest[:at], verb, [rest[at], *_placed(rest[at], rest[at + 1 :], filler, answer, adjunct)])
    if at is None:
        return None
    subject, base = rest[:at], rest[at]
    if base == "do" and at == len(rest) - 1:  # `What did the keeper do?` is answered with a verb
        base, _, filler = answer.partition(" ")
        base = base_of(base) or base
        said = [filler]
    else:
        said = _placed(base, rest[at + 1 :], filler, answer, adjunct)
    if verb not in _DO:
        return _clause(subject, verb, [base, *said])
    if base not in PAST:
        return None
    finite = {"did": PAST[base], "does": THIRD[base], "do": base}[verb]
    return Clause(" ".join(subject), finite, " ".join(said), base)


def _placed(verb: str, after: Sequence[str], filler: str, answer: str, adjunct: bool) -> list[str]:
    """What follows the verb, with the answer among it: what was asked for next to its verb, time and place last."""
    lower = [word.lower() for word in after]
    for n, (word, following) in enumerate(pairwise(lower)):
        if word in _PREPOSITIONS and following in _PREPOSITIONS and (word, following) != ("out", "of"):
            return [*after[: n + 1], answer, *after[n + 1 :]]  # `compete with | for the cup`
    if len(lower) > 1 and lower[-2:] == ["to", "do"] and answer.split()[0] in PAST:
        return [*after[:-1], answer]
    stranded = bool(lower) and lower[-1] in _PREPOSITIONS
    first = lower[0] if lower else ""
    object_gap = not adjunct and not stranded and (first in _PREPOSITIONS and (first != "to" or verb not in _WANT))
    return [filler, *after] if object_gap or (verb == "take" and first in ("for", "to")) else [*after, filler]


def _main_verb(verb: str, rest: Sequence[str]) -> int | None:
    """Where the subject ends: the first word of the form that this auxiliary asks for."""
    for n in range(1, len(rest)):
        word, before = rest[n], rest[n - 1].lower()
        if verb in _BE or verb in _HAVE:
            ongoing = word.endswith("ing") and word.islower() and before not in _PREPOSITIONS
            fits = (is_participle(word) or ongoing) and before not in _DETERMINERS
        else:
            fits = word in PAST and before not in _BEFORE_NOUNS and not before.endswith(("'s", "’s"))
        if fits:
            return n
    return None


def _clause(subject: Sequence[str], verb: str, rest: Sequence[str]) -> Clause | None:
    base = "" if verb.lower() in _AUXILIARY - _HAVE else base_of(verb)
    if verb in _HAVE and rest and is_participle(next((w for w in rest if w.lower() not in _ADVERBS), "")):
        base = ""
    if not subject or (not base and verb.lower() not in _AUXILIARY):
        return None
    return Clause(" ".join(subject), verb, " ".join(rest), base)


def _sentence(*parts: str) -> str:
    text = " ".join(" ".join(parts).split())
    return f"{text[:1].upper()}{text[1:]}."
