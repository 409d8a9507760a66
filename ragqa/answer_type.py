"""What kind of thing a question asks for, and whether a text holds one. English only; others ask for anything."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerType:
    """A row: questions that ask for it, and texts that hold one.

    Attributes:
        capitals: `held` tells capitals from small letters.
    """

    name: str
    asked: str
    held: str
    capitals: bool = False

    def asks(self, question: str) -> bool:
        return bool(re.search(self.asked, question, re.IGNORECASE))

    def holds(self, text: str) -> bool:
        return bool(re.search(self.held, text, 0 if self.capitals else re.IGNORECASE))


# A capital letter that is not only there because a sentence begins.
_NAME = (
    r"(?<!^)(?<![.!?] )\b[A-Z][\w'-]+"
    r"|\b(?!(?:A|After|All|Although|An|And|As|At|Because|Before|Both|But|By|Each|For|From|He|Her|His|However|If|In|It|"
    r"Its|Many|Most|No|Not|Of|On|One|Or|Other|She|Since|Some|Such|That|The|Their|There|These|They|This|Those|To|"
    r"Under|We|When|Where|While|Who|With|You)\b)[A-Z][\w'-]+"
)
_NUMERAL = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|hundred|thousand|"
    r"million|billion|first|second|third|half|dozen|none)\b"
)
# The first row that asks is the one; the order matters: "in what year" is a date before it is anything else.
ANSWER_TYPES = (
    AnswerType(
        "number",
        r"\bhow (?:many|much|long|old|far|large|big|tall|high|often|fast)\b"
        r"|\bwhat (?:percentage|percent|number|size|age|proportion|fraction)\b",
        _NUMERAL,
    ),
    AnswerType(
        "date",
        r"^(?:since |until |by |from )?when\b|\bwhen (?:did|was|were|is|are|does|do|will|has|have|had|can)\b"
        r"|\b(?:what|which) (?:year|date|day|month|century|decade|time)\b",
        r"\d|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|"
        r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|century|centuries|decade)\b",
    ),
    AnswerType("person", r"\bwho(?:m|se)?\b", _NAME, capitals=True),
    AnswerType("place", r"\bwhere\b", _NAME, capitals=True),
    AnswerType(
        "reason",
        r"\bwhy\b",
        r"\b(?:because|since|due|so|therefore|thus|reason|caused?|order to|result|prevent|as)\b",
    ),
)


def expected(question: str) -> AnswerType | None:
    """The kind of answer that a question asks for, or None where any could do."""
    return next((row for row in ANSWER_TYPES if row.asks(question)), None)
