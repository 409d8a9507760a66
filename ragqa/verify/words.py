"""Words as the checker compares them: by stem, irregular forms by their base, Chinese and Japanese by the character."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ragqa.terms import STOP_WORDS, terms

_WIDE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"\d+(?:[.,:/]\d+)+(?![^\W_])|[{_WIDE}]|[^\W_{_WIDE}]+(?:['’][^\W_]+)?")
_OWNED = re.compile(r"['’](?:s|re|ve|ll|d|m)$")
_NEGATED = re.compile(r"n['’]t$")

_RUN = re.compile(r"\b[A-ZÀ-Þ][\w’'-]*(?:\s+(?:(?:of|the|for|and|on|in)\s+){0,2}[A-ZÀ-Þ][\w’'-]*)+")

# base past participle; where two words stand, past and participle are the same
IRREGULAR = """
arise arose arisen; awake awoke awoken; be was been; bear bore born; beat beat beaten; become became become; begin
began begun; bend bent; bind bound; bite bit bitten; bleed bled; blow blew blown; break broke broken; bring brought;
build built; burn burned; burst burst; buy bought; cast cast; catch caught; choose chose chosen; come came come; cost
cost; cut cut; deal dealt; dig dug; do did done; draw drew drawn; drink drank drunk; drive drove driven; eat ate
eaten; fall fell fallen; feed fed; feel felt; fight fought; find found; flee fled; fly flew flown; forbid forbade
forbidden; forget forgot forgotten; freeze froze frozen; get got; give gave given; go went gone; grow grew grown; hang
hung; have had; hear heard; hide hid hidden; hit hit; hold held; hurt hurt; keep kept; know knew known; lay laid; lead
led; learn learned; leave left; lend lent; let let; lie lay lain; lose lost; make made; mean meant; meet met; overcome
overcame overcome; overthrow overthrew overthrown; pay paid; put put; read read; ride rode ridden; ring rang rung;
rise rose risen; run ran run; say said; see saw seen; seek sought; sell sold; send sent; set set; shake shook shaken;
shoot shot; show showed shown; shut shut; sing sang sung; sink sank sunk; sit sat; sleep slept; speak spoke spoken;
spend spent; split split; spread spread; stand stood; steal stole stolen; stick stuck; strike struck; swear swore
sworn; sweep swept; swim swam swum; take took taken; teach taught; tear tore torn; tell told; think thought; throw
threw thrown; undergo underwent undergone; understand understood; undertake undertook undertaken; wear wore worn; win
won; withdraw withdrew withdrawn; write wrote written
"""
_BASE = {form: forms.split()[0] for forms in IRREGULAR.split(";") for form in forms.split()}
_MONTHS = "january february march april may june july august september october november december".split()
_BASE |= {month[:3]: month for month in _MONTHS if month != "may"} | {"sept": "september"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text.

    Attributes:
        common: It says little by itself: `the`, `where`, `made`.
    """

    stem: str
    text: str
    start: int
    common: bool

    @property
    def name(self) -> bool:
        """Whether it is spelled like a name; the first word of a sentence is capital anyway."""
        return any(letter.isupper() for letter in self.text[1:]) or (self.start > 0 and self.text[0].isupper())


@lru_cache(maxsize=2048)
def words_of(text: str) -> tuple[Word, ...]:
    """The words in order."""
    return tuple(_word(found) for found in _WORD.finditer(text))


def _word(found: re.Match[str]) -> Word:
    text = _OWNED.sub("", found.group())
    lower = _NEGATED.sub("", text.lower())
    base = _BASE.get(lower, lower)
    return Word(
        base.replace(",", "") if base[0].isdigit() else _stem(base),
        text,
        found.start(),
        lower in STOP_WORDS or base in STOP_WORDS or lower != text.lower(),
    )


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    return min(terms(word), default=word)


def telling(text: str) -> list[Word]:
    """Those that carry meaning."""
    return [word for word in words_of(text) if not word.common]


@lru_cache(maxsize=1 << 16)
def alike(one: str, other: str) -> bool:
    """Whether two stems are of one family: `discoveri` and `discov`, `kenya` and `kenyan`."""
    if one == other:
        return True
    same = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        same += 1
    whole = same == min(len(one), len(other))  # one is how the other begins
    return same >= (4 if whole else 5) and same >= max(len(one), len(other)) - 3


def among(stem: str, known: Iterable[str]) -> bool:
    """Whether one of the `known` is of the stem's family."""
    return any(alike(stem, other) for other in known)


def initials(text: str, around: int | None = None) -> set[str]:
    """Initials of each run of two or more capitalised words, lower case; only of the runs over `around` if given.

    Small words between them may count or not: `bank of china` is both `boc` and `bc`.
    """
    found = set()
    for run in _RUN.finditer(text):
        if around is None or run.start() <= around < run.end():
            parts = run.group().split()
            found |= {
                "".join(part[0] for part in parts).lower(),
                "".join(p[0] for p in parts if p[0].isupper()).lower(),
            }
    return found
