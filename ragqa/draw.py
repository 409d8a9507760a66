"""Passages → questions that they answer, made by rules and without any model; and questions of elsewhere.

What they are good for: whoever indexes documents has no questions with known answers at hand, and these come from the
documents themselves. What they are not: a person's. Their words are the passage's own, so they are easier to find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from ragqa.document import Passage
from ragqa.quotable import quotable_spans
from ragqa.terms import STOP_WORDS, UNSPACED, WORD

FROM_HEADINGS = 0.25  # share of passages whose headings are tried before their sentences
DROPPED = 0.3  # of a sentence's other words, so that the question is no copy of it
LEAST, MOST = 3, 10  # words of a question
LEAST_UNSPACED, MOST_UNSPACED = 6, 24  # characters, where no space parts words
LONGEST = 60  # words of a sentence that is still asked about; longer ones are tables and lists
TRIED = 8  # passages of a document before it is given up for this round
ENGLISH = 0.2  # of an English sentence's words so many are stop words at least

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])(?:\d[\d.,:/-]*\d|\d(?![A-Za-z0-9_.]))")  # Han may stand on both sides
_NAME = re.compile(r"(?<=[\w,] )[A-ZÀ-ÖØ-Þ][\w'’-]+(?: [A-ZÀ-ÖØ-Þ][\w'’-]+)*")
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_CLAUSE = re.compile(r"[^，、；：。！？“”（）《》「」『』・\s]+")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:\s[^()\n]*)?\)|https?://\S+|<[^>\n]*>|[`*_|#>\\]+")

FOREIGN = (
    "How long does a soft-boiled egg take at high altitude?",
    "Who won the 1987 Tour de France?",
    "What is the offside rule in field hockey?",
    "How do I get red wine out of a wool carpet?",
    "How many moons does Neptune have?",
    "Can a landlord keep the deposit for scratches on the floor?",
    "What does the word petrichor mean?",
    "When should tulip bulbs be planted?",
    "How is a sheepshank knot tied?",
    "Which vaccine is given against shingles?",
    "What is the capital of Burkina Faso?",
    "How many players does a curling team have?",
    "Why do cats knead blankets?",
    "What temperature should a rib roast reach inside?",
    "Who painted The Garden of Earthly Delights?",
    "How long may a tenant sublet a flat without asking?",
    "How do I descale an espresso machine with vinegar?",
    "Which opera ends with Tosca's leap?",
    "What tyre pressure suits a gravel bike on mud?",
    "How far is Betelgeuse?",
    "When does the salmon season open in Scotland?",
    "What was the name of Odysseus's dog?",
    "Is a verbal will valid?",
    "How often should a sourdough starter be fed?",
    "Wie lange muss ein Hefezopf im Ofen backen?",
    "Wer zahlt die Reparatur der Therme in einer Mietwohnung?",
    "Wann blüht der Seidelbast?",
    "Combien de temps faut-il laisser reposer une pâte à crêpes ?",
    "Qui a remporté la Coupe Davis en 1991 ?",
    "阳台上的番茄多久浇一次水？",
    "羽毛球单打的边线怎么算？",
    "清明节为什么要吃青团？",
)
"""Of everyday life, sport, cooking, law and the sky: hardly anybody's notes answer one of them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A question with the document it was drawn from.

    Attributes:
        answer: What was taken out of the sentence and never stands in the question; empty for one of headings.
    """

    question: str
    document_id: str
    answer: str = ""


def draw(
    documents: Iterable[str],
    passages_of: Callable[[str], Sequence[Passage]],
    count: int,
    seed: int,
    *,
    headings: bool = True,
) -> list[Drawn]:
    """At most `count` questions, the same for the same documents and seed.

    Each document is asked about once before any is asked about again, so that a long one counts no more than others.

    Args:
        documents: Their ids.
        headings: Also ask for what headings say. Other documents often answer such a question as well.
    """
    random = Random(seed)
    ids = sorted(documents)
    order = random.sample(ids, len(ids))
    share = FROM_HEADINGS if headings else 0.0
    waiting = {id: _questions(passages_of(id), random, share) for id in order[:count]}
    drawn: dict[str, Drawn] = {}
    rest = iter(order[count:])
    while waiting and len(drawn) < count:
        for id in list(waiting):
            found = next(waiting[id], None)
            if found:
                drawn.setdefault(found.question, found)
            else:
                del waiting[id]
                another = next(rest, None)
                waiting |= {another: _questions(passages_of(another), random, share)} if another else {}
    return list(drawn.values())[:count]


def _questions(passages: Sequence[Passage], random: Random, from_headings: float) -> Iterator[Drawn]:
    """The questions of one document, a passage at a time, until some passages in a row give none."""
    in_vain = 0
    for passage in random.sample(passages, len(passages)):
        found = question_of_heading(passage, random) if random.random() < from_headings else None
        found = found or question_of_sentence(passage, random)
        in_vain = 0 if found else in_vain + 1
        if found:
            yield found
        if in_vain == TRIED:
            return


def question_of_heading(passage: Passage, random: Random) -> Drawn | None:
    """The words of the headings it stands under, as people type them; None where those say too little."""
    asked = dict.fromkeys(word for heading in passage.heading[-2:] for word in _content(_plain(heading)))
    kept = _thinned(list(asked), random, DROPPED / 2)
    return Drawn(" ".join(kept), passage.document_id) if LEAST <= len(kept) <= MOST else None


def question_of_sentence(passage: Passage, random: Random) -> Drawn | None:
    """A sentence of it without the part that answers and without some of its words; None where none is fit."""
    spans = [span for span in quotable_spans(passage.text, passage.blocks) if not span[2]]
    for start, end, _code in random.sample(spans, len(spans)):
        sentence = _plain(passage.text[start:end])
        asked = _ask_unspaced(sentence, random) if UNSPACED.search(sentence) else _ask(sentence, random)
        if asked and asked[1] and asked[1].casefold() not in asked[0].casefold():
            return Drawn(asked[0], passage.document_id, asked[1])
    return None


def _ask(sentence: str, random: Random) -> tuple[str, str] | None:
    """(question, answer)."""
    words = WORD.findall(sentence)
    answer = _answer(sentence)
    if len(words) > LONGEST or not answer:
        return None
    taken = {word.lower() for word in WORD.findall(answer)}
    asked = [word for word in dict.fromkeys(_content(sentence)) if word.lower() not in taken]
    kept = _thinned(asked, random, DROPPED)[:MOST]
    if len(kept) < LEAST:
        return None
    english = sum(word.lower() in STOP_WORDS for word in words) >= ENGLISH * len(words)
    return f"{_opening(answer) if english else ''}{' '.join(kept)}?", answer


def _answer(sentence: str) -> str:
    """The part that looks like an answer: a number, else a name, else its last words that carry meaning."""
    for pattern in (_NUMBER, _NAME):
        found = pattern.search(sentence)
        if found:
            return found.group()
    last: list[str] = []
    for word in reversed(WORD.findall(sentence)):
        if word.lower() in STOP_WORDS or len(last) == 2:
            break
        last.insert(0, word)
    return " ".join(last)


def _opening(answer: str) -> str:
    if _YEAR.fullmatch(answer):
        return "when "
    return "how many " if answer[0].isdigit() else "which " if answer[0].isupper() else "what "


def _ask_unspaced(sentence: str, random: Random) -> tuple[str, str] | None:
    """The same for Han and Kana, where clauses are what can be told apart without a dictionary."""
    number = _NUMBER.search(sentence)
    clauses: list[str] = _CLAUSE.findall(sentence)
    if number:
        answer = number.group()
        kept = [part for clause in clauses for part in clause.split(answer)]
    elif clauses:
        answer = clauses[-1][-4:]
        kept = [*clauses[:-1], clauses[-1][:-4]]
    kept = [part for part in kept if len(part) > 1] if clauses else []
    asked = "".join(_thinned(kept, random, DROPPED))[:MOST_UNSPACED]
    return (f"{asked}？", answer) if len(asked) >= LEAST_UNSPACED else None


def _content(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if word.lower() not in STOP_WORDS]


def _plain(text: str) -> str:
    """What a person reads of Markdown: no addresses, no marks."""
    return " ".join(_LINK.sub(r"\1 ", text).split())


def _thinned(words: Sequence[str], random: Random, share: float) -> list[str]:
    """The words in their order, without a random `share` of them."""
    kept = sorted(random.sample(range(len(words)), len(words) - int(share * len(words))))
    return [words[n] for n in kept]
