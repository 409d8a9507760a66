"""Numbers as the checker compares them: 1,000 is 1000, two is 2, nineteenth is 19th, 3.5 million is 3,500,000."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
_SMALL = {word: n for words in (_ONES, _ORDINALS) for n, word in enumerate(words)}
_SMALL |= {word: 10 * n for n, word in enumerate(_TENS, start=2)}
_SMALL |= {f"{word[:-1]}ieth": 10 * n for n, word in enumerate(_TENS, start=2)}
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_POWERS = {word: Decimal(10) ** power for word, power in _SCALES.items()} | {"dozen": Decimal(12)}
_MONTHS = "january february march april may june july august september october november december".split()
_UNITS = {
    spelling: unit
    for unit, spellings in {
        "second": "s sec second seconds",
        "minute": "min minute minutes",
        "hour": "h hr hour hours",
        "day": "day days",
        "week": "week weeks",
        "month": "month months",
        "year": "yr year years",
        "decade": "decade decades",
        "century": "century centuries",
        "millisecond": "ms millisecond milliseconds",
        "metre": "m metre metres meter meters",
        "kilometre": "km kilometre kilometres kilometer kilometers",
        "centimetre": "cm centimetre centimetres centimeter centimeters",
        "millimetre": "mm millimetre millimetres millimeter millimeters",
        "mile": "mi mile miles",
        "foot": "ft foot feet",
        "inch": "inch inches",
        "bit": "bit bits",
        "byte": "byte bytes",
        "kilobyte": "kb kib kilobyte kilobytes",
        "megabyte": "mb mib megabyte megabytes",
        "gigabyte": "gb gib gigabyte gigabytes",
        "terabyte": "tb tib terabyte terabytes",
        "gram": "g gram grams gramme grammes",
        "kilogram": "kg kilogram kilograms kilo kilos",
        "tonne": "t ton tons tonne tonnes",
        "percent": "% percent pct",
        "dollar": "$ dollar dollars usd",
        "euro": "€ euro euros eur",
        "pound": "£ pound pounds gbp lb lbs",
        "celsius": "°c celsius",
        "fahrenheit": "°f fahrenheit",
    }.items()
    for spelling in spellings.split()
}
_DATE = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
_DIGITS = r"\d+(?:[.,:/]\d+)*"
_TOKEN = re.compile(rf"[$€£]|{_DIGITS}(?:['’]?s\b|st\b|nd\b|rd\b|th\b)?|%|°\s?[CF]\b|[^\W\d_]+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}")
_SPACED = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}\b)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it stands in a text.

    Attributes:
        value: The same for all spellings; decades keep their `s`, months are months.
        unit: Of those that are known; empty for others.
        spelled: Written as a word.
    """

    value: str
    unit: str
    text: str
    spelled: bool

    def fits(self, other: Quantity) -> bool:
        """Whether they can be the same: equal values, and units that do not contradict each other."""
        return self.value == other.value and (self.unit == other.unit or not (self.unit and other.unit))


def absent(claim: str, evidence: str, *, asked: str = "", around: str = "") -> str:
    """The first number of `claim` that does not stand in `evidence`, as it is written; empty when all do.

    Args:
        asked: The question. Its numbers may come from `around`, the text that the evidence stands in; its small
            counts ("which two towers") may come from nowhere, because documents list things without counting them.
    """
    left, asked_for = list(quantities(evidence)), quantities(asked)
    for quantity in quantities(claim):
        if quantity.spelled and quantity.value == "1" and quantity.text.lower() == "one":
            continue  # `one of the towers` counts nothing
        if match := next((other for other in left if quantity.fits(other)), None):
            left.remove(match)  # so that `from 1763 to 1763` needs it twice
            continue
        given = _stands(quantity, asked_for)
        if not (given and (_counts(quantity) or _stands(quantity, quantities(around)))):
            return quantity.text
    return ""


def _stands(quantity: Quantity, known: Iterable[Quantity]) -> bool:
    return any(quantity.fits(other) for other in known)


def _counts(quantity: Quantity) -> bool:
    return quantity.spelled and quantity.value.isdigit() and int(quantity.value) <= 12


@lru_cache(maxsize=1024)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text in order."""
    written = _SPACED.sub("", _DATE.sub(_in_words, text))
    return tuple(_read(_TOKEN.findall(written)))


def _in_words(date: re.Match[str]) -> str:
    year, month, day = date.groups()
    return f"{int(day)} {_MONTHS[int(month) - 1].title()} {year}" if 1 <= int(month) <= 12 else date.group()


def _read(tokens: Sequence[str]) -> Iterator[Quantity]:
    at = 0
    while at < len(tokens):
        token, before = tokens[at].lower(), tokens[at - 1] if at else ""
        if tokens[at][0].isdigit():
            value, used = _digits(tokens, at)
        elif token in _SMALL or token in _POWERS:
            value, used = _spelled(tokens, at)
        else:
            if _is_month(tokens, at):
                yield Quantity(token, "", tokens[at], True)
            at += 1
            continue
        unit = unit_of(before) if before in ("$", "€", "£") else _unit(tokens, at + used)
        yield Quantity(value, unit, " ".join(tokens[at : at + used]), not tokens[at][0].isdigit())
        at += used


def _digits(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """Value and number of tokens of what begins with digits: `3.5 million`, `19th`, `1970s`."""
    number = re.sub(r"(?:st|nd|rd|th)$", "", tokens[at].replace("'", "").replace("’", ""))
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "") if "," in number else number.replace(".", "")
    scale = _POWERS.get(tokens[at + 1].lower()) if at + 1 < len(tokens) else None
    if scale and re.fullmatch(r"\d+(?:\.\d+)?", number):
        return _plain(Decimal(number) * scale), 2
    return number.lstrip("0") or "0", 1


def _spelled(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """Value and number of tokens of what begins with a number word: `two hundred and fifty`, `twenty-fifth`."""
    total, group, used = Decimal(0), Decimal(0), 0
    while at + used < len(tokens):
        word = tokens[at + used].lower()
        following = tokens[at + used + 1].lower() if at + used + 1 < len(tokens) else ""
        if word in _SMALL and (group % 100 == 0 or (group % 10 == 0 and 0 < _SMALL[word] < 10 and group % 100 >= 20)):
            group += _SMALL[word]
        elif word in ("hundred", "dozen"):
            group = (group or Decimal(1)) * _POWERS[word]
        elif word in _POWERS:
            total, group = total + (group or Decimal(1)) * _POWERS[word], Decimal(0)
        elif not (word == "and" and used and group % 100 == 0 and following in _SMALL and (group or total)):
            break
        used += 1
    return _plain(total + group), used


def _plain(number: Decimal) -> str:
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


def unit_of(word: str) -> str:
    """The unit that a word spells; empty for others."""
    return _UNITS.get(word.lower(), "")


def _unit(tokens: Sequence[str], at: int) -> str:
    if at >= len(tokens):
        return ""
    word = tokens[at].lower().replace(" ", "")
    return "percent" if word == "per" and tokens[at + 1 : at + 2] == ["cent"] else unit_of(word)


def _is_month(tokens: Sequence[str], at: int) -> bool:
    beside = [*tokens[max(0, at - 1) : at], *tokens[at + 1 : at + 2]]
    return tokens[at].istitle() and tokens[at].lower() in _MONTHS and any(other[0].isdigit() for other in beside)
